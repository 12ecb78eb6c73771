// DESCRIBE of a table, a view, a column, a query.
#include <fmt/format.h>

#include "base/text.h"
#include "delta/protocol/time_text.h"
#include "plan/column_comment.h"
#include "plan/variant_columns.h"
#include "sql/expressions/analysis_error.h"
#include "sql/parser/data_type_name.h"
#include "statements/named_relation.h"
#include "statements/row_builder.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

using plan::CommentOf;

void AddColumns(const arrow::Schema& schema, RowBuilder* rows) {
  for (const auto& field : schema.fields())
    rows->Add({field->name(), sql::SparkTypeName(*field->type()), CommentOf(*field)});
}

void AddHeading(const std::string& text, RowBuilder* rows) {
  rows->Add({"", "", ""});
  rows->Add({text, "", ""});
}

void AddPartitioning(const delta::Snapshot& snapshot, RowBuilder* rows) {
  if (snapshot.partition_columns().empty()) return;
  rows->Add({"# Partition Information", "", ""});
  rows->Add({"# col_name", "data_type", "comment"});
  for (const std::string& column : snapshot.partition_columns()) {
    const auto field = snapshot.schema()->GetFieldByName(column);
    if (field != nullptr)
      rows->Add({column, sql::SparkTypeName(*field->type()), CommentOf(*field)});
  }
}

std::string Bracketed(const delta::StringMap& properties, const char* separator) {
  std::string text;
  for (const auto& [key, value] : properties)
    text += (text.empty() ? "" : separator) + key + "=" + value;
  return "[" + text + "]";
}

void AddNames(const Job& job, const NamedRelation& relation, RowBuilder* rows) {
  const auto& name = relation.location.name;
  if (!name.has_value()) return;
  rows->Add({"Catalog", job.context.spec.catalog, ""});
  if (!relation.IsView()) rows->Add({"Namespace", name->schema, ""});
  rows->Add({"Database", name->schema, ""});
  rows->Add({"Table", name->table, ""});
}

Result<RowReader> DescribeTable(Job& job, const sql::DescribeStatement& describe,
                                const NamedRelation& relation) {
  SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, describe.name));
  const auto snapshot = table->Current();
  RowBuilder rows({"col_name", "data_type", "comment"});
  AddColumns(*plan::SqlSchema(snapshot->schema()), &rows);
  AddPartitioning(*snapshot, &rows);
  if (!describe.extended) return rows.Finish();
  AddHeading("# Detailed Table Information", &rows);
  AddNames(job, relation, &rows);
  const bool managed = relation.location.name.has_value();
  rows.Add({"Type", managed ? "MANAGED" : "EXTERNAL", ""});
  const std::string& comment = snapshot->metadata().description.value_or("");
  if (!comment.empty()) rows.Add({"Comment", comment, ""});
  rows.Add({"Location", table->path(), ""});
  rows.Add({"Provider", "delta", ""});
  if (managed) rows.Add({"Is_managed_location", "true", ""});
  rows.Add({"Table Properties", Bracketed(TablePropertiesOf(*snapshot), ","), ""});
  return rows.Finish();
}

Result<RowReader> DescribeView(Job& job, const sql::DescribeStatement& describe,
                               const NamedRelation& relation) {
  const plan::ViewDefinition& view = *relation.view();
  RowBuilder rows({"col_name", "data_type", "comment"});
  for (const plan::ViewColumn& column : view.columns)
    rows.Add({column.name, sql::SparkTypeName(*column.type), column.comment});
  if (!describe.extended || relation.kind == NamedRelation::Kind::kTemporaryView)
    return rows.Finish();
  AddHeading("# Detailed Table Information", &rows);
  AddNames(job, relation, &rows);
  rows.Add({"Created Time", delta::FormatMillis(view.created_ms), ""});
  rows.Add({"Type", "VIEW", ""});
  if (view.comment.has_value()) rows.Add({"Comment", *view.comment, ""});
  rows.Add({"View Text", view.query, ""});
  rows.Add({"View Original Text", view.query, ""});
  rows.Add({"View Schema Mode", "COMPENSATION", ""});
  rows.Add({"View Catalog and Namespace", job.context.spec.catalog + "." + view.schema, ""});
  std::string columns;
  for (const plan::ViewColumn& column : view.columns)
    columns += (columns.empty() ? "`" : ", `") + column.query_name + "`";
  rows.Add({"View Query Output Columns", "[" + columns + "]", ""});
  if (!view.properties.empty())
    rows.Add({"Table Properties", Bracketed(view.properties, ", "), ""});
  return rows.Finish();
}

Result<RowReader> DescribeColumn(Job& job, const sql::DescribeStatement& describe) {
  SLUICE_ASSIGN_OR_RETURN(const auto schema, SchemaOf(job, describe.name));
  if (describe.column->parts.size() > 1)
    return job.NotSupported(describe.column->span, "DESCRIBE of a field of a column");
  const std::string& name = describe.column->last();
  for (const auto& field : schema->fields()) {
    if (!EqualsIgnoreCase(field->name(), name)) continue;
    RowBuilder rows({"info_name", "info_value"});
    rows.Add({"col_name", field->name()});
    rows.Add({"data_type", sql::SparkTypeName(*field->type())});
    rows.Add({"comment", CommentOf(*field).value_or("NULL")});
    return rows.Finish();
  }
  std::string hint;
  for (const std::string& known : sql::Suggestions(name, schema->field_names()))
    hint += (hint.empty() ? "did you mean one of: " : ", ") + known;
  return sql::AnalysisError(*job.file.source, describe.column->span,
                            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
                            "there is no column " + describe.column->ToString(), hint);
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> SchemaOf(Job& job, const sql::QualifiedName& name) {
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation relation, LookUp(job.context, name));
  if (!relation.IsView()) {
    SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, name));
    return plan::SqlSchema(table->Current()->schema());
  }
  arrow::FieldVector fields;
  for (const plan::ViewColumn& column : relation.view()->columns) {
    fields.push_back(plan::WithComment(*arrow::field(column.name, column.type), column.comment));
  }
  return arrow::schema(std::move(fields));
}

delta::StringMap TablePropertiesOf(const delta::Snapshot& snapshot) {
  delta::StringMap properties = snapshot.metadata().configuration;
  const auto& protocol = snapshot.protocol();
  properties["delta.minReaderVersion"] = std::to_string(protocol.min_reader_version);
  properties["delta.minWriterVersion"] = std::to_string(protocol.min_writer_version);
  for (const auto& features : {protocol.reader_features, protocol.writer_features}) {
    if (!features.has_value()) continue;
    for (const std::string& feature : *features)
      properties["delta.feature." + feature] = "supported";
  }
  return properties;
}

std::string FullName(const Job& job, const NamedRelation& relation) {
  if (relation.kind == NamedRelation::Kind::kTemporaryView) return relation.key;
  return relation.location.name.has_value()
             ? job.context.spec.catalog + "." + relation.location.name->ToString()
             : "delta.`" + relation.location.path + "`";
}

Result<RowReader> RunDescribeRelation(Job& job, const sql::DescribeStatement& describe) {
  if (describe.column.has_value()) return DescribeColumn(job, describe);
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation relation, LookUp(job.context, describe.name));
  return relation.IsView() ? DescribeView(job, describe, relation)
                           : DescribeTable(job, describe, relation);
}

Result<RowReader> RunDescribeQuery(Job& job, const sql::DescribeStatement& describe) {
  SLUICE_ASSIGN_OR_RETURN(const sql::PlanPtr plan,
                          AnalyzeAdHoc(job.context, job.file, *describe.query));
  RowBuilder rows({"col_name", "data_type", "comment"});
  AddColumns(*plan::CommentedSchema(*plan), &rows);
  return rows.Finish();
}

}  // namespace sluice::statements
