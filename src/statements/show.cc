// SHOW: catalogs, schemas, tables, views, columns, properties, partitions, functions.
#include <algorithm>

#include "base/text.h"
#include "sql/ast/parse_error.h"
#include "sql/ast/quote.h"
#include "sql/expressions/analysis_error.h"
#include "sql/parser/parser.h"
#include "sql/print/print.h"
#include "statements/named_relation.h"
#include "statements/row_builder.h"
#include "statements/session.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

using Kind = sql::ShowStatement::Kind;

/// SHOW TABLES, SHOW VIEWS: those of a schema, then the temporary views, which are in every one.
Result<RowReader> ShowRelations(Job& job, const sql::ShowStatement& show) {
  const bool tables = show.kind == Kind::kTables;
  std::string schema = LowerAscii(job.context.spec.database);
  const bool of_global = show.in.has_value() && show.in->parts.size() == 1 &&
                         EqualsIgnoreCase(show.in->last(), plan::kGlobalTemporarySchema);
  if (of_global) {
    schema = plan::kGlobalTemporarySchema;
  } else if (show.in.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(schema, ExistingSchema(job.context, job.file, *show.in));
  }
  std::vector<catalog::TableName> names;
  if (!of_global) {
    SLUICE_ASSIGN_OR_RETURN(names, ViewsOf(job.context).List(schema));
    if (tables) {
      SLUICE_ASSIGN_OR_RETURN(const auto more, ListTables(job.context, schema));
      names.insert(names.end(), more.begin(), more.end());
    }
    std::sort(names.begin(), names.end());
  }
  RowBuilder rows({"namespace", tables ? "tableName" : "viewName", "isTemporary"}, {"isTemporary"});
  for (const catalog::TableName& name : names) {
    if (MatchesPattern(name.table, show.like)) rows.Add({name.schema, name.table, "false"});
  }
  for (const auto& [key, view] : job.context.session.views()) {
    const std::string name = NameOfKey(key);
    if ((IsGlobalKey(key) && !of_global) || !MatchesPattern(name, show.like)) continue;
    rows.Add({IsGlobalKey(key) ? schema : "", name, "true"});
  }
  return rows.Finish();
}

Result<RowReader> ShowSchemas(Job& job, const sql::ShowStatement& show) {
  if (show.in.has_value() &&
      (show.in->parts.size() != 1 || !EqualsIgnoreCase(show.in->last(), job.context.spec.catalog)))
    return CatalogNotFound(job, *show.in);
  SLUICE_ASSIGN_OR_RETURN(const auto schemas, ListSchemas(job.context));
  std::vector<std::string> shown;
  for (const std::string& schema : schemas) {
    if (MatchesPattern(schema, show.like)) shown.push_back(schema);
  }
  return Texts("namespace", shown);
}

Result<RowReader> ShowCatalogs(Job& job, const sql::ShowStatement& show) {
  std::vector<std::string> shown;
  if (MatchesPattern(job.context.spec.catalog, show.like)) shown = {job.context.spec.catalog};
  return Texts("catalog", shown);
}

Result<RowReader> ShowColumns(Job& job, const sql::ShowStatement& show, sql::Span span) {
  if (!show.in.has_value())
    return sql::ErrorAt(*job.file.source, span, "PARSE_SYNTAX_ERROR", "SHOW COLUMNS needs a table",
                        "SHOW COLUMNS IN t");
  sql::QualifiedName name = *show.in;
  if (show.in_schema.has_value()) {
    const std::string& schema = show.in_schema->last();
    if (name.parts.size() > 1 && !EqualsIgnoreCase(name.parts[name.parts.size() - 2].text, schema))
      return sql::AnalysisError(
          *job.file.source, show.in_schema->span, "SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE",
          "the table is in another schema than " + schema, "name the schema once");
    if (name.parts.size() == 1) name.parts.insert(name.parts.begin(), show.in_schema->parts.back());
  }
  SLUICE_ASSIGN_OR_RETURN(const auto schema, SchemaOf(job, name));
  return Texts("col_name", schema->field_names());
}

Result<RowReader> ShowProperties(Job& job, const sql::ShowStatement& show) {
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation relation, LookUp(job.context, *show.in));
  delta::StringMap properties;
  if (relation.IsView()) {
    properties = relation.view()->properties;
  } else {
    SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, *show.in));
    properties = TablePropertiesOf(*table->Current());
  }
  RowBuilder rows({"key", "value"});
  if (!show.key.has_value()) {
    for (const auto& [key, value] : properties) rows.Add({key, value});
    return rows.Finish();
  }
  const auto found = properties.find(*show.key);
  rows.Add({*show.key, found != properties.end() ? found->second
                                                 : "Table " + FullName(job, relation) +
                                                       " does not have property: " + *show.key});
  return rows.Finish();
}

/// One row for each combination of values of the partition columns.
Result<RowReader> ShowPartitions(Job& job, const sql::ShowStatement& show) {
  SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, *show.in));
  const auto& columns = table->Current()->partition_columns();
  if (columns.empty())
    return sql::AnalysisError(*job.file.source, show.in->span,
                              "DELTA_SHOW_PARTITION_IN_NON_PARTITIONED_TABLE",
                              "the table " + show.in->ToString() + " is not partitioned");
  const std::string list = QuotedList(columns);
  std::string where;
  for (const sql::Expr& condition : show.partition) {
    if (condition.As<sql::Binary>() != nullptr)
      where += (where.empty() ? " WHERE " : " AND ") + sql::ToSql(condition);
  }
  const sql::SourceText source(
      "", "SELECT DISTINCT " + list + " FROM " + show.in->ToString() + where + " ORDER BY " + list);
  SLUICE_ASSIGN_OR_RETURN(const sql::Query query, sql::ParseQuery(source));
  SLUICE_ASSIGN_OR_RETURN(const auto plan, AnalyzeAdHoc(job.context, job.file, query));
  return RunPlan(job.context, plan, job.clock.NowMicros());
}

}  // namespace

Result<RowReader> RunShow(Job& job, const sql::ShowStatement& show, sql::Span span) {
  switch (show.kind) {
    case Kind::kTables:
    case Kind::kViews: return ShowRelations(job, show);
    case Kind::kSchemas: return ShowSchemas(job, show);
    case Kind::kCatalogs: return ShowCatalogs(job, show);
    case Kind::kColumns: return ShowColumns(job, show, span);
    case Kind::kProperties: return ShowProperties(job, show);
    case Kind::kPartitions: return ShowPartitions(job, show);
    case Kind::kCreateTable: return ShowCreateTable(job, *show.in);
    case Kind::kFunctions: break;
  }
  return job.NotSupported(span, "SHOW FUNCTIONS (docs/reference/functions.md lists them)");
}

}  // namespace sluice::statements
