#include "statements/table_statements.h"

#include <arrow/api.h>

#include "base/text.h"
#include "plan/table_scan.h"
#include "sql/analysis/analyzer.h"
#include "sql/expressions/analysis_error.h"
#include "sql/print/print.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

Result<RowReader> OneBatch(const std::shared_ptr<arrow::Schema>& schema, arrow::ArrayVector columns,
                           int64_t rows) {
  return arrow::RecordBatchReader::Make(
      {arrow::RecordBatch::Make(schema, rows, std::move(columns))}, schema);
}

bool DescribesLog(const sql::DescribeStatement& describe) {
  return describe.kind == sql::DescribeStatement::Kind::kHistory ||
         describe.kind == sql::DescribeStatement::Kind::kDetail;
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
  return OneBatch(arrow::schema(fields), std::move(arrays), columns.empty() ? 0 : 1);
}

Result<RowReader> Texts(const std::string& column, const std::vector<std::string>& texts) {
  arrow::StringBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.AppendValues(texts));
  SLUICE_ASSIGN_OR_RETURN(auto array, builder.Finish());
  return OneBatch(arrow::schema({arrow::field(column, arrow::utf8())}), {std::move(array)},
                  static_cast<int64_t>(texts.size()));
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
                          analyzer.AnalyzeCondition(*where, *schema, qualifier));
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
  const sql::Span span = statement.span;
  Result<RowReader> rows = RowReader();
  if (const auto* create = statement.As<sql::CreateTable>()) {
    rows = RunCreateTable(job, *create, span);
  } else if (const auto* drop = statement.As<sql::DropObject>()) {
    rows = RunDropTable(job, *drop, span);
  } else if (const auto* insert = statement.As<sql::InsertInto>()) {
    rows = RunInsert(job, *insert, span);
  } else if (const auto* remove = statement.As<sql::DeleteFrom>()) {
    rows = RunDelete(job, *remove);
  } else if (const auto* update = statement.As<sql::UpdateTable>()) {
    rows = RunUpdate(job, *update);
  } else if (const auto* truncate = statement.As<sql::TruncateTable>()) {
    rows = RunTruncate(job, *truncate);
  } else if (const auto* merge = statement.As<sql::MergeInto>()) {
    rows = RunMerge(job, *merge, span);
  } else if (const auto* optimize = statement.As<sql::OptimizeTable>()) {
    rows = RunOptimize(job, *optimize);
  } else if (const auto* vacuum = statement.As<sql::VacuumTable>()) {
    rows = RunVacuum(job, *vacuum, span);
  } else if (const auto* reorg = statement.As<sql::ReorgTable>()) {
    rows = RunReorg(job, *reorg, span);
  } else if (const auto* alter = statement.As<sql::AlterTable>()) {
    rows = RunAlterTable(job, *alter, span);
  } else if (const auto* comment = statement.As<sql::CommentOn>()) {
    rows = RunCommentOn(job, *comment, span);
  } else if (const auto* restore = statement.As<sql::RestoreTable>()) {
    rows = RunRestore(job, *restore);
  } else if (const auto* convert = statement.As<sql::ConvertToDelta>()) {
    rows = RunConvert(job, *convert);
  } else if (const auto* describe = statement.As<sql::DescribeStatement>();
             describe != nullptr && DescribesLog(*describe)) {
    rows = RunDescribe(job, *describe);
  } else {
    return std::optional<RowReader>();
  }
  SLUICE_RETURN_NOT_OK(rows.status());
  return std::optional<RowReader>(*std::move(rows));
}

}  // namespace sluice::statements
