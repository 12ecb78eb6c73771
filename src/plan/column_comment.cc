#include "plan/column_comment.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <nlohmann/json.hpp>

namespace sluice::plan {
namespace {

constexpr const char* kComment = "comment";

/// The column that column `index` of `plan` is, as far down as it is passed on.
std::shared_ptr<arrow::Field> OriginOf(const sql::LogicalPlan& plan, int index) {
  using Kind = sql::PlanKind;
  switch (plan.kind) {
    case Kind::kProject: {
      const auto& value = sql::As<sql::ProjectNode>(plan).expressions[static_cast<size_t>(index)];
      const auto field = plan.schema->field(index);
      return value->IsColumn() && !CommentOf(*field).has_value()
                 ? OriginOf(*plan.input(), value->index)
                 : field;
    }
    case Kind::kFilter:
    case Kind::kSort:
    case Kind::kLimit:
    case Kind::kDistinct:
    case Kind::kSample:
    case Kind::kShared:
    case Kind::kWindow:
    case Kind::kJoin: break;
    default: return plan.schema->field(index);
  }
  for (const sql::PlanPtr& input : plan.inputs) {
    if (index < input->schema->num_fields()) return OriginOf(*input, index);
    index -= input->schema->num_fields();
  }
  // A column that the node adds.
  return arrow::field("", arrow::null());
}

}  // namespace

std::optional<std::string> CommentOf(const arrow::Field& field) {
  if (!field.HasMetadata() || !field.metadata()->Contains(kComment)) return std::nullopt;
  const std::string text = field.metadata()->Get(kComment).ValueOrDie();
  const auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_string() ? json.get<std::string>() : text;
}

std::shared_ptr<arrow::Field> WithComment(const arrow::Field& field,
                                          const std::optional<std::string>& comment) {
  auto metadata =
      field.HasMetadata() ? field.metadata()->Copy() : std::make_shared<arrow::KeyValueMetadata>();
  if (metadata->Contains(kComment)) (void)metadata->Delete(kComment);
  if (comment.has_value()) {
    metadata->Append(kComment, nlohmann::json(*comment).dump(
                                   -1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  return field.WithMetadata(metadata->size() == 0 ? nullptr : metadata);
}

std::shared_ptr<arrow::Schema> CommentedSchema(const sql::LogicalPlan& plan) {
  arrow::FieldVector fields;
  for (int i = 0; i < plan.schema->num_fields(); ++i)
    fields.push_back(WithComment(*plan.schema->field(i), CommentOf(*OriginOf(plan, i))));
  return arrow::schema(std::move(fields));
}

}  // namespace sluice::plan
