// CREATE, DROP, ALTER, DESCRIBE SCHEMA, COMMENT ON SCHEMA.
#include "base/text.h"
#include "sql/expressions/analysis_error.h"
#include "statements/column_fields.h"
#include "statements/named_relation.h"
#include "statements/row_builder.h"
#include "statements/session.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

Status DropContents(Job& job, const std::string& schema,
                    const std::vector<catalog::TableName>& tables,
                    const std::vector<catalog::TableName>& views) {
  const plan::ViewStore store = ViewsOf(job.context);
  for (const catalog::TableName& view : views) {
    SLUICE_ASSIGN_OR_RETURN(const auto entry, store.Read(view));
    if (entry.view.has_value()) SLUICE_RETURN_NOT_OK(store.Write(view, entry, std::nullopt));
  }
  for (const catalog::TableName& table : tables) {
    SLUICE_RETURN_NOT_OK(
        DeleteTable(job, catalog::TablePath(job.context.spec.engine.warehouse, table)));
  }
  return job.context.storage.Delete(SchemaPath(job.context, schema));
}

/// The definition changed by `change` and written back.
template <typename Change>
Result<RowReader> ChangeSchema(Job& job, const sql::QualifiedName& name, const Change& change) {
  SLUICE_ASSIGN_OR_RETURN(const std::string schema, ExistingSchema(job.context, job.file, name));
  SLUICE_ASSIGN_OR_RETURN(const auto found, ReadSchema(job.context, schema));
  SchemaDefinition definition = found.value_or(SchemaDefinition());
  change(&definition);
  SLUICE_RETURN_NOT_OK(
      job.context.storage.Put(SchemaPath(job.context, schema), ToJson(definition)));
  return NoRows();
}

}  // namespace

Result<RowReader> RunCreateSchema(Job& job, const sql::CreateSchema& create) {
  if (create.location.has_value())
    return job.NotSupported(create.name.span, "LOCATION of a schema");
  auto existing = ExistingSchema(job.context, job.file, create.name);
  if (existing.ok() && create.if_not_exists) return NoRows();
  const auto exists = [&] {
    return sql::AnalysisError(*job.file.source, create.name.span, "SCHEMA_ALREADY_EXISTS",
                              "the schema " + create.name.ToString() + " already exists",
                              "choose another name, or use IF NOT EXISTS");
  };
  if (existing.ok()) return exists();
  if (!HasCode(existing.status(), "SCHEMA_NOT_FOUND")) return existing.status();
  if (create.name.parts.size() > 1 &&
      !EqualsIgnoreCase(create.name.parts[0].text, job.context.spec.catalog))
    return job.NotSupported(create.name.span, "catalogs other than that of the project");
  SchemaDefinition definition;
  definition.comment = create.comment;
  definition.properties = PropertiesOf(create.properties);
  const Status status = job.context.storage.PutIfAbsent(
      SchemaPath(job.context, LowerAscii(create.name.last())), ToJson(definition));
  if (!HasCode(status, "STORAGE_ALREADY_EXISTS")) {
    SLUICE_RETURN_NOT_OK(status);
    return NoRows();
  }
  if (create.if_not_exists) return NoRows();
  return exists();
}

Result<RowReader> RunDropSchema(Job& job, const sql::DropObject& drop) {
  if (EqualsIgnoreCase(drop.name.last(), "default"))
    return sql::AnalysisError(*job.file.source, drop.name.span, "UNSUPPORTED_FEATURE.DROP_DATABASE",
                              "the schema `default` cannot be dropped");
  const auto found = ExistingSchema(job.context, job.file, drop.name);
  if (drop.if_exists && HasCode(found.status(), "SCHEMA_NOT_FOUND")) return NoRows();
  SLUICE_RETURN_NOT_OK(found.status());
  const std::string& schema = *found;
  SLUICE_ASSIGN_OR_RETURN(const auto tables, ListTables(job.context, schema));
  SLUICE_ASSIGN_OR_RETURN(const auto views, ViewsOf(job.context).List(schema));
  if (!drop.cascade && !(tables.empty() && views.empty()))
    return sql::AnalysisError(*job.file.source, drop.name.span, "SCHEMA_NOT_EMPTY",
                              "the schema " + drop.name.ToString() + " holds tables or views",
                              "drop them first, or use CASCADE to drop them too");
  SLUICE_RETURN_NOT_OK(DropContents(job, schema, tables, views));
  return NoRows();
}

Result<RowReader> RunAlterSchema(Job& job, const sql::AlterTable& alter) {
  using Kind = sql::AlterAction::Kind;
  const sql::AlterAction& action = alter.action;
  if (action.kind != Kind::kSetProperties && action.kind != Kind::kUnsetProperties)
    return job.NotSupported(action.span, "this ALTER SCHEMA (SET DBPROPERTIES is known)");
  return ChangeSchema(job, alter.name, [&](SchemaDefinition* definition) {
    for (const sql::Property& property : action.properties)
      definition->properties[property.key] = property.value;
    for (const std::string& key : action.keys) definition->properties.erase(key);
  });
}

Result<RowReader> RunCommentOnSchema(Job& job, const sql::CommentOn& comment) {
  return ChangeSchema(job, comment.name,
                      [&](SchemaDefinition* definition) { definition->comment = comment.text; });
}

Result<RowReader> RunDescribeSchema(Job& job, const sql::DescribeStatement& describe) {
  SLUICE_ASSIGN_OR_RETURN(const std::string schema,
                          ExistingSchema(job.context, job.file, describe.name));
  SLUICE_ASSIGN_OR_RETURN(const auto found, ReadSchema(job.context, schema));
  const SchemaDefinition definition = found.value_or(SchemaDefinition());
  RowBuilder rows({"info_name", "info_value"});
  rows.Add({"Catalog Name", job.context.spec.catalog});
  rows.Add({"Namespace Name", schema});
  if (definition.comment.has_value()) rows.Add({"Comment", *definition.comment});
  rows.Add({"Location", job.context.spec.engine.warehouse + "/" + schema});
  if (describe.extended) {
    std::string properties;
    for (const auto& [key, value] : definition.properties)
      properties += (properties.empty() ? "(" : ", (") + key + "," + value + ")";
    rows.Add({"Properties", properties.empty() ? "" : "(" + properties + ")"});
  }
  return rows.Finish();
}

}  // namespace sluice::statements
