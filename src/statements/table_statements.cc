#include "statements/table_statements.h"

#include <arrow/api.h>

#include "base/text.h"
#include "plan/table_scan.h"
#include "plan/variant_columns.h"
#include "sql/analysis/analyzer.h"
#include "sql/ast/quote.h"
#include "sql/expressions/analysis_error.h"
#include "sql/print/print.h"
#include "statements/row_builder.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

/// The rows of a statement of one family; nothing when it is of another.
using Rows = std::optional<Result<RowReader>>;

Rows RunOfRows(Job& job, const sql::Statement& statement) {
  if (const auto* insert = statement.As<sql::InsertInto>())
    return RunInsert(job, *insert, statement.span);
  if (const auto* remove = statement.As<sql::DeleteFrom>()) return RunDelete(job, *remove);
  if (const auto* update = statement.As<sql::UpdateTable>()) return RunUpdate(job, *update);
  if (const auto* truncate = statement.As<sql::TruncateTable>()) return RunTruncate(job, *truncate);
  if (const auto* merge = statement.As<sql::MergeInto>()) return RunMerge(job, *merge);
  return std::nullopt;
}

Result<RowReader> RunDrop(Job& job, const sql::DropObject& drop, sql::Span span) {
  if (drop.object == sql::ObjectKind::kView) return RunDropView(job, drop);
  if (drop.object == sql::ObjectKind::kSchema) return RunDropSchema(job, drop);
  return RunDropTable(job, drop, span);
}

Rows RunOfDefinitions(Job& job, const sql::Statement& statement) {
  const sql::Span span = statement.span;
  if (const auto* create = statement.As<sql::CreateTable>())
    return RunCreateTable(job, *create, span);
  if (const auto* create = statement.As<sql::CreateView>())
    return RunCreateView(job, *create, span);
  if (const auto* create = statement.As<sql::CreateSchema>()) return RunCreateSchema(job, *create);
  if (const auto* drop = statement.As<sql::DropObject>()) return RunDrop(job, *drop, span);
  if (const auto* alter = statement.As<sql::AlterTable>()) return RunAlterTable(job, *alter, span);
  if (const auto* comment = statement.As<sql::CommentOn>())
    return RunCommentOn(job, *comment, span);
  return std::nullopt;
}

/// Every statement reads the newest version anyway.
Result<RowReader> RunRefresh(Job& job, const sql::QualifiedName& name) {
  SLUICE_RETURN_NOT_OK(SchemaOf(job, name).status());
  return NoRows();
}

Rows RunOfUpkeep(Job& job, const sql::Statement& statement) {
  const sql::Span span = statement.span;
  if (const auto* optimize = statement.As<sql::OptimizeTable>()) return RunOptimize(job, *optimize);
  if (const auto* analyze = statement.As<sql::AnalyzeTable>())
    return RunAnalyze(job, *analyze, span);
  if (const auto* vacuum = statement.As<sql::VacuumTable>()) return RunVacuum(job, *vacuum, span);
  if (const auto* reorg = statement.As<sql::ReorgTable>()) return RunReorg(job, *reorg, span);
  if (const auto* restore = statement.As<sql::RestoreTable>()) return RunRestore(job, *restore);
  if (const auto* convert = statement.As<sql::ConvertToDelta>()) return RunConvert(job, *convert);
  if (const auto* refresh = statement.As<sql::RefreshObject>();
      refresh != nullptr && refresh->object == sql::ObjectKind::kTable)
    return RunRefresh(job, refresh->name);
  return std::nullopt;
}

Result<RowReader> RunAnyDescribe(Job& job, const sql::DescribeStatement& describe, sql::Span span) {
  using Kind = sql::DescribeStatement::Kind;
  switch (describe.kind) {
    case Kind::kHistory:
    case Kind::kDetail: return RunDescribe(job, describe);
    case Kind::kTable: return RunDescribeRelation(job, describe);
    case Kind::kQuery: return RunDescribeQuery(job, describe);
    case Kind::kSchema: return RunDescribeSchema(job, describe);
    case Kind::kFunction: break;
  }
  return job.NotSupported(span, "DESCRIBE FUNCTION (docs/reference/functions.md lists them)");
}

Rows RunOfSession(Job& job, const sql::Statement& statement) {
  const sql::Span span = statement.span;
  if (const auto* show = statement.As<sql::ShowStatement>()) return RunShow(job, *show, span);
  if (const auto* describe = statement.As<sql::DescribeStatement>())
    return RunAnyDescribe(job, *describe, span);
  if (const auto* explain = statement.As<sql::ExplainStatement>()) return RunExplain(job, *explain);
  if (const auto* use = statement.As<sql::UseNamespace>()) return RunUse(job, *use);
  if (const auto* set = statement.As<sql::SetConfiguration>()) return RunSet(job, *set, span);
  if (const auto* reset = statement.As<sql::ResetConfiguration>()) return RunReset(job, *reset);
  if (const auto* zone = statement.As<sql::SetTimeZone>()) return RunSetTimeZone(job, *zone, span);
  return std::nullopt;
}

}  // namespace

Status Job::NotSupported(sql::Span span, const std::string& what) const {
  return sql::NotSupportedYet(*file.source, span, what);
}

std::string Job::Setting(const std::string& key) const {
  const auto found = context.spec.configuration.find(key);
  return found == context.spec.configuration.end() ? "" : LowerAscii(found->second);
}

Result<RowReader> Counts(const std::vector<std::pair<std::string, int64_t>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, value] : columns) {
    arrow::Int64Builder builder;
    SLUICE_RETURN_NOT_OK(builder.Append(value));
    SLUICE_ASSIGN_OR_RETURN(auto array, builder.Finish());
    fields.push_back(arrow::field(name, arrow::int64()));
    arrays.push_back(std::move(array));
  }
  const auto schema = arrow::schema(std::move(fields));
  return arrow::RecordBatchReader::Make(
      {arrow::RecordBatch::Make(schema, columns.empty() ? 0 : 1, std::move(arrays))}, schema);
}

Result<RowReader> Texts(const std::string& column, const std::vector<std::string>& texts) {
  RowBuilder rows({column});
  for (const std::string& text : texts) rows.Add({text});
  return rows.Finish();
}

Status CatalogNotFound(const Job& job, const sql::QualifiedName& name) {
  return sql::AnalysisError(*job.file.source, name.span, "CATALOG_NOT_FOUND",
                            "the catalog " + name.ToString() + " cannot be found",
                            "the project's catalog is " + job.context.spec.catalog);
}

std::string QuotedList(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns)
    list += (list.empty() ? "" : ", ") + sql::QuoteIdentifier(column);
  return list;
}

Result<RowReader> NoRows() { return Counts({}); }

int64_t Metric(const delta::WriteReport& report, const std::string& name) {
  const auto found = report.metrics.find(name);
  return found == report.metrics.end() ? 0 : found->second;
}

std::string QualifierOf(const sql::QualifiedName& table,
                        const std::optional<sql::TableAlias>& alias) {
  if (alias.has_value()) return alias->name.text;
  return table.parts.size() == 2 && EqualsIgnoreCase(table.parts[0].text, "delta") ? ""
                                                                                   : table.last();
}

std::vector<std::vector<std::string>> PathsOf(const std::vector<sql::QualifiedName>& names) {
  std::vector<std::vector<std::string>> paths;
  for (const sql::QualifiedName& name : names) paths.push_back(name.Texts());
  return paths;
}

Result<delta::RowCondition> ConditionOver(Job& job, const sql::Expr* where,
                                          const std::shared_ptr<arrow::Schema>& schema,
                                          const std::string& qualifier) {
  if (where == nullptr) return delta::RowCondition::Always();
  plan::NoRelations none;
  sql::Analyzer analyzer(none, *job.file.source);
  SLUICE_ASSIGN_OR_RETURN(const sql::BoundPtr bound,
                          analyzer.AnalyzeCondition(*where, *plan::SqlSchema(schema), qualifier));
  SLUICE_ASSIGN_OR_RETURN(delta::RowCondition condition,
                          plan::RowConditionOf(bound, schema, job.clock));
  condition.text = sql::ToSql(*where);
  return condition;
}

Result<sql::Query> QueryWith(Job& job, const sql::WithClause& with, const sql::Query& query) {
  sql::Query whole = query;
  if (with.tables.empty()) return whole;
  if (!whole.with.empty() && with.recursive != whole.recursive)
    return job.NotSupported(query.span, "WITH RECURSIVE around a WITH");
  whole.recursive = with.recursive;
  whole.with.insert(whole.with.begin(), with.tables.begin(), with.tables.end());
  return whole;
}

Result<std::optional<RowReader>> RunTableStatement(const StatementContext& context,
                                                   const sql::ParsedFile& file,
                                                   const sql::Statement& statement) {
  Job job(context, file);
  std::optional<Result<RowReader>> rows = RunOfRows(job, statement);
  if (!rows.has_value()) rows = RunOfDefinitions(job, statement);
  if (!rows.has_value()) rows = RunOfUpkeep(job, statement);
  if (!rows.has_value()) rows = RunOfSession(job, statement);
  if (!rows.has_value()) return std::optional<RowReader>();
  SLUICE_RETURN_NOT_OK(rows->status());
  return std::optional<RowReader>(**std::move(rows));
}

}  // namespace sluice::statements
