// ALTER TABLE ... REPLACE COLUMNS.
#include <arrow/api.h>
#include <arrow/util/key_value_metadata.h>

#include "delta/columns/column_mapping.h"
#include "delta/commands/alteration_internal.h"

namespace sluice::delta {
namespace {

using FieldPtr = std::shared_ptr<arrow::Field>;
using TypePtr = std::shared_ptr<arrow::DataType>;

Status CannotReplace(const std::string& what) {
  return MakeError("DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP",
                   "REPLACE COLUMNS cannot do this: " + what,
                   "columns can be added, moved and commented; dropped with "
                   "delta.columnMapping.mode=name");
}

/// The columns there are, in the shape of those given.
class Replacement {
 public:
  explicit Replacement(const Snapshot& snapshot)
      : snapshot_(snapshot), may_drop_(snapshot.properties().column_mapping_mode != "none") {}

  Result<arrow::FieldVector> Fields(const arrow::FieldVector& before,
                                    const arrow::FieldVector& after, const ColumnPath& above) {
    SLUICE_RETURN_NOT_OK(CheckDropped(before, after, above));
    arrow::FieldVector fields;
    for (const FieldPtr& field : after) {
      ColumnPath path = above;
      path.push_back(field->name());
      if (FindFieldIndex(fields, field->name()) >= 0)
        return MakeError("DELTA_DUPLICATE_COLUMNS_FOUND",
                         "column is there twice: " + DottedPath(path));
      const int index = FindFieldIndex(before, field->name());
      if (index < 0) {
        if (!field->nullable())
          return CannotReplace("adding column " + DottedPath(path) + " that is NOT NULL");
        fields.push_back(field);
        continue;
      }
      const FieldPtr& old = before[static_cast<size_t>(index)];
      SLUICE_ASSIGN_OR_RETURN(auto type, Type(old->type(), field->type(), path));
      if (old->nullable() && !field->nullable())
        return CannotReplace("NOT NULL of column " + DottedPath(path));
      fields.push_back(arrow::field(old->name(), std::move(type), field->nullable(),
                                    Merged(old->metadata(), field->metadata())));
    }
    return fields;
  }

 private:
  Status CheckDropped(const arrow::FieldVector& before, const arrow::FieldVector& after,
                      const ColumnPath& above) const {
    for (const FieldPtr& field : before) {
      if (FindFieldIndex(after, field->name()) >= 0) continue;
      ColumnPath path = above;
      path.push_back(field->name());
      if (!may_drop_) return CannotReplace("dropping column " + DottedPath(path));
      if (above.empty() && IsPartitionColumn(snapshot_, field->name()))
        return CannotReplace("dropping partition column " + field->name());
      SLUICE_RETURN_NOT_OK(CheckIndependent(snapshot_, path));
      SLUICE_RETURN_NOT_OK(CheckNotClustered(snapshot_, *field));
    }
    return Status::OK();
  }

  Result<TypePtr> Type(const TypePtr& before, const TypePtr& after, const ColumnPath& path) {
    if (before->id() == after->id()) {
      switch (before->id()) {
        case arrow::Type::STRUCT: {
          SLUICE_ASSIGN_OR_RETURN(auto fields, Fields(before->fields(), after->fields(), path));
          return arrow::struct_(std::move(fields));
        }
        case arrow::Type::LIST: {
          const FieldPtr& element = before->field(0);
          SLUICE_ASSIGN_OR_RETURN(auto type, Type(element->type(), after->field(0)->type(), path));
          return arrow::list(element->WithType(std::move(type)));
        }
        case arrow::Type::MAP: {
          const auto& old = static_cast<const arrow::MapType&>(*before);
          const auto& given = static_cast<const arrow::MapType&>(*after);
          SLUICE_ASSIGN_OR_RETURN(auto key, Type(old.key_type(), given.key_type(), path));
          SLUICE_ASSIGN_OR_RETURN(auto item, Type(old.item_type(), given.item_type(), path));
          return std::make_shared<arrow::MapType>(old.key_field()->WithType(std::move(key)),
                                                  old.item_field()->WithType(std::move(item)));
        }
        default: break;
      }
    }
    if (before->Equals(*after)) return before;
    return CannotReplace("changing the type of column " + DottedPath(path) + " from " +
                         before->ToString() + " to " + after->ToString());
  }

  using Metadata = std::shared_ptr<const arrow::KeyValueMetadata>;
  static Metadata Merged(const Metadata& old, const Metadata& given) {
    if (old == nullptr || given == nullptr) return old == nullptr ? given : old;
    return old->Merge(*given);
  }

  const Snapshot& snapshot_;
  const bool may_drop_;
};

/// As the history shows a column: what is nested by its kind only.
Result<std::string> ShownColumn(const FieldPtr& field) {
  const char* kind = nullptr;
  if (field->type()->id() == arrow::Type::STRUCT) kind = "struct";
  if (field->type()->id() == arrow::Type::LIST) kind = "array";
  if (field->type()->id() == arrow::Type::MAP) kind = "map";
  if (kind == nullptr) return FieldJson(field);
  SLUICE_ASSIGN_OR_RETURN(std::string json, FieldJson(field->WithType(arrow::utf8())));
  static constexpr std::string_view kString = "\"type\":\"string\"";
  return json.replace(json.find(kString), kString.size(), std::string("\"type\":\"") + kind + "\"");
}

}  // namespace

Result<CommitResult> ReplaceColumns(Table& table, const arrow::FieldVector& columns) {
  SLUICE_ASSIGN_OR_RETURN(auto alteration, Alteration::Begin(table));
  SLUICE_ASSIGN_OR_RETURN(const auto given, TableSchemaOf(arrow::Schema(columns)));
  std::string json;
  for (const FieldPtr& field : given->fields()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string shown, ShownColumn(field));
    json += (json.empty() ? "[" : ",") + shown;
  }
  SLUICE_RETURN_NOT_OK(alteration.EditColumns({}, [&](const arrow::FieldVector& before) {
    return Replacement(alteration.snapshot()).Fields(before, given->fields(), {});
  }));
  return alteration.Commit("REPLACE COLUMNS", {{"columns", json + "]"}});
}

}  // namespace sluice::delta
