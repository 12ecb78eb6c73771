// SHOW CREATE TABLE: a statement that makes the table or view again.
#include "plan/column_comment.h"
#include "plan/variant_columns.h"
#include "sql/ast/quote.h"
#include "sql/expressions/analysis_error.h"
#include "sql/parser/data_type_name.h"
#include "statements/named_relation.h"
#include "statements/row_builder.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

/// "(\n  a,\n  b)\n".
std::string Listed(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "(\n  " : ",\n  ") + line;
  return text + ")\n";
}

std::string Quoted(const catalog::TableName& name) {
  return sql::QuoteIdentifier(name.schema) + "." + sql::QuoteIdentifier(name.table);
}

std::string Properties(const delta::StringMap& properties) {
  if (properties.empty()) return "";
  std::vector<std::string> lines;
  for (const auto& [key, value] : properties)
    lines.push_back(sql::QuoteString(key) + " = " + sql::QuoteString(value));
  return "TBLPROPERTIES " + Listed(lines);
}

std::string Comment(const std::optional<std::string>& comment) {
  return comment.value_or("").empty() ? "" : "COMMENT " + sql::QuoteString(*comment) + "\n";
}

std::string OfView(const NamedRelation& relation) {
  const plan::ViewDefinition& view = *relation.view();
  std::vector<std::string> columns;
  for (const plan::ViewColumn& column : view.columns) {
    columns.push_back(
        sql::QuoteIdentifier(column.name) +
        (column.comment.has_value() ? " COMMENT " + sql::QuoteString(*column.comment) : ""));
  }
  return "CREATE VIEW " + Quoted(*relation.location.name) + " " + Listed(columns) +
         Comment(view.comment) + Properties(view.properties) + "WITH SCHEMA COMPENSATION\nAS " +
         view.query + "\n";
}

/// What the metadata of a column says of its values, or "".
std::string Metadata(const arrow::Field& field, const std::string& key) {
  if (!field.HasMetadata() || !field.metadata()->Contains(key)) return "";
  return field.metadata()->Get(key).ValueOrDie();
}

Result<std::string> OfColumn(Job& job, const arrow::Field& field, sql::Span span) {
  for (const char* special : {"delta.generationExpression", "delta.identity.start",
                              "CURRENT_DEFAULT", "__CHAR_VARCHAR_TYPE_STRING"}) {
    if (!Metadata(field, special).empty())
      return job.NotSupported(span,
                              "SHOW CREATE TABLE of a table with generated columns, "
                              "defaults, CHAR or VARCHAR");
  }
  const std::string comment = plan::CommentOf(field).value_or("");
  return sql::QuoteIdentifier(field.name()) + " " + sql::SparkTypeSql(*field.type()) +
         (field.nullable() ? "" : " NOT NULL") +
         (comment.empty() ? "" : " COMMENT " + sql::QuoteString(comment));
}

Result<std::string> OfTable(Job& job, const NamedRelation& relation,
                            const sql::QualifiedName& name) {
  SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, name));
  const auto snapshot = table->Current();
  std::vector<std::string> columns;
  const auto schema = plan::SqlSchema(snapshot->schema());
  for (const auto& field : schema->fields()) {
    SLUICE_ASSIGN_OR_RETURN(std::string column, OfColumn(job, *field, name.span));
    columns.push_back(std::move(column));
  }
  std::string text = "CREATE TABLE ";
  text += relation.location.name.has_value() ? Quoted(*relation.location.name) : name.ToString();
  text += " " + Listed(columns) + "USING delta\n";
  const std::string partitions = QuotedList(snapshot->partition_columns());
  if (!partitions.empty()) text += "PARTITIONED BY (" + partitions + ")\n";
  return text + Comment(snapshot->metadata().description) +
         Properties(TablePropertiesOf(*snapshot));
}

}  // namespace

Result<RowReader> ShowCreateTable(Job& job, const sql::QualifiedName& name) {
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation relation, LookUp(job.context, name));
  if (relation.kind == NamedRelation::Kind::kTemporaryView)
    return sql::AnalysisError(*job.file.source, name.span, "EXPECT_PERMANENT_VIEW_NOT_TEMP",
                              name.ToString() + " is a temporary view");
  if (relation.IsView()) return Texts("createtab_stmt", {OfView(relation)});
  SLUICE_ASSIGN_OR_RETURN(const std::string text, OfTable(job, relation, name));
  return Texts("createtab_stmt", {text});
}

}  // namespace sluice::statements
