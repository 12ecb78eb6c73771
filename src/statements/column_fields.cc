#include "statements/column_fields.h"

#include <arrow/util/key_value_metadata.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "plan/variant_columns.h"
#include "sql/print/print.h"

namespace sluice::statements {
namespace {

using FieldMetadata = std::map<std::string, std::string>;

void AddIdentity(const sql::IdentityColumn& identity, FieldMetadata* metadata) {
  (*metadata)["delta.identity.start"] = std::to_string(identity.start.value_or(1));
  (*metadata)["delta.identity.step"] = std::to_string(identity.step.value_or(1));
  (*metadata)["delta.identity.allowExplicitInsert"] = identity.by_default ? "true" : "false";
}

}  // namespace

Result<std::shared_ptr<arrow::Field>> FieldOf(Job& job, const sql::ColumnDefinition& column) {
  if (!column.type.has_value()) return job.NotSupported(column.span, "a column without a type");
  if (column.mask.has_value()) return job.NotSupported(column.span, "MASK of a column");
  for (const sql::KeyConstraint& constraint : column.constraints) {
    if (constraint.kind == sql::KeyConstraint::Kind::kCheck)
      return job.NotSupported(constraint.span, "CHECK behind a column");
  }
  FieldMetadata metadata;
  const auto text = [](const std::string& value) { return nlohmann::json(value).dump(); };
  if (column.comment.has_value()) metadata["comment"] = text(*column.comment);
  if (column.default_value) metadata["CURRENT_DEFAULT"] = text(sql::ToSql(*column.default_value));
  if (column.generated_as)
    metadata["delta.generationExpression"] = text(sql::ToSql(*column.generated_as));
  if (column.identity.has_value()) AddIdentity(*column.identity, &metadata);
  const std::string type = LowerAscii(column.type->sql);
  if (type.rfind("varchar(", 0) == 0 || type.rfind("char(", 0) == 0)
    metadata["__CHAR_VARCHAR_TYPE_STRING"] = text(type);
  auto kept = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [key, value] : metadata) kept->Append(key, value);
  return arrow::field(column.name.text, plan::TableType(column.type->type), !column.not_null,
                      std::move(kept));
}

delta::StringMap PropertiesOf(const std::vector<sql::Property>& properties) {
  delta::StringMap map;
  for (const sql::Property& property : properties) map[property.key] = property.value;
  return map;
}

}  // namespace sluice::statements
