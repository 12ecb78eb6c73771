// The statements by family, and what they share.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "delta/files/write_options.h"
#include "plan/table_expressions.h"
#include "sql/analysis/analyzer.h"
#include "statements/statement_context.h"

namespace sluice::statements {

using RowReader = std::shared_ptr<arrow::RecordBatchReader>;

/// One statement under way.
struct Job {
  const StatementContext& context;
  const sql::ParsedFile& file;
  ManualClock clock;  // stands still: one statement has one current_timestamp()
  plan::TableExpressions expressions;

  Job(const StatementContext& given, const sql::ParsedFile& parsed)
      : context(given), file(parsed), clock(given.clock.NowMicros()), expressions(clock) {}
  delta::WriteOptions WriteOptions() { return {&expressions, nullptr, std::nullopt, std::nullopt}; }
  Status NotSupported(sql::Span span, const std::string& what) const;
  /// A key of the project's configuration, in lower case; empty when it is not set.
  std::string Setting(const std::string& key) const;
};

Result<RowReader> RunCreateTable(Job& job, const sql::CreateTable& create, sql::Span span);
Result<RowReader> RunDropTable(Job& job, const sql::DropObject& drop, sql::Span span);
Result<RowReader> RunInsert(Job& job, const sql::InsertInto& insert, sql::Span span);
Result<RowReader> RunDelete(Job& job, const sql::DeleteFrom& statement);
Result<RowReader> RunUpdate(Job& job, const sql::UpdateTable& statement);
Result<RowReader> RunTruncate(Job& job, const sql::TruncateTable& statement);
Result<RowReader> RunMerge(Job& job, const sql::MergeInto& merge);
Result<RowReader> RunOptimize(Job& job, const sql::OptimizeTable& optimize);
Result<RowReader> RunAnalyze(Job& job, const sql::AnalyzeTable& analyze, sql::Span span);
Result<RowReader> RunVacuum(Job& job, const sql::VacuumTable& vacuum, sql::Span span);
Result<RowReader> RunReorg(Job& job, const sql::ReorgTable& reorg, sql::Span span);
Result<RowReader> RunAlterTable(Job& job, const sql::AlterTable& alter, sql::Span span);
Result<RowReader> RunCommentOn(Job& job, const sql::CommentOn& comment, sql::Span span);
Result<RowReader> RunRestore(Job& job, const sql::RestoreTable& restore);
Result<RowReader> RunConvert(Job& job, const sql::ConvertToDelta& convert);
/// CREATE TABLE .. CLONE; there is no table at `path`.
Result<RowReader> CloneTable(Job& job, const sql::CreateTable& create, const std::string& path);
/// DESCRIBE HISTORY, DESCRIBE DETAIL.
Result<RowReader> RunDescribe(Job& job, const sql::DescribeStatement& describe);

/// DESCRIBE of a table, a view, a query, a function.
Result<RowReader> RunDescribeRelation(Job& job, const sql::DescribeStatement& describe);
Result<RowReader> RunDescribeQuery(Job& job, const sql::DescribeStatement& describe);
Result<RowReader> RunShow(Job& job, const sql::ShowStatement& show, sql::Span span);
Result<RowReader> RunExplain(Job& job, const sql::ExplainStatement& explain);

Result<RowReader> RunCreateView(Job& job, const sql::CreateView& create, sql::Span span);
Result<RowReader> RunAlterView(Job& job, const sql::AlterTable& alter, sql::Span span);
Result<RowReader> RunDropView(Job& job, const sql::DropObject& drop);

Result<RowReader> RunCreateSchema(Job& job, const sql::CreateSchema& create);
Result<RowReader> RunDropSchema(Job& job, const sql::DropObject& drop);
Result<RowReader> RunAlterSchema(Job& job, const sql::AlterTable& alter);
Result<RowReader> RunCommentOnSchema(Job& job, const sql::CommentOn& comment);
Result<RowReader> RunDescribeSchema(Job& job, const sql::DescribeStatement& describe);

Result<RowReader> RunUse(Job& job, const sql::UseNamespace& use);
Result<RowReader> RunSet(Job& job, const sql::SetConfiguration& set, sql::Span span);
Result<RowReader> RunReset(Job& job, const sql::ResetConfiguration& reset);
Result<RowReader> RunSetTimeZone(Job& job, const sql::SetTimeZone& set, sql::Span span);

/// The columns of a table or a view.
Result<std::shared_ptr<arrow::Schema>> SchemaOf(Job& job, const sql::QualifiedName& name);
/// SHOW CREATE TABLE.
Result<RowReader> ShowCreateTable(Job& job, const sql::QualifiedName& name);
/// What SHOW TBLPROPERTIES says of a table: its properties and its protocol.
delta::StringMap TablePropertiesOf(const delta::Snapshot& snapshot);
/// catalog.schema.name; delta.`/path`.
std::string FullName(const Job& job, const struct NamedRelation& relation);
/// CATALOG_NOT_FOUND at `name`: there is none but the project's.
Status CatalogNotFound(const Job& job, const sql::QualifiedName& name);
/// Names of columns as SQL lists them: "a, `b c`".
std::string QuotedList(const std::vector<std::string>& columns);
/// Deletes the files of a table, its log first.
Status DeleteTable(Job& job, const std::string& path);
/// A row of BIGINT columns; without columns: no row.
Result<RowReader> Counts(const std::vector<std::pair<std::string, int64_t>>& columns);
/// A row for each text.
Result<RowReader> Texts(const std::string& column, const std::vector<std::string>& texts);
Result<RowReader> NoRows();
/// A metric of a write, 0 when it has none of that name.
int64_t Metric(const delta::WriteReport& report, const std::string& name);

/// The name columns of `table` may be qualified with: its alias, else its own last part.
std::string QualifierOf(const sql::QualifiedName& table,
                        const std::optional<sql::TableAlias>& alias);
/// Columns, and fields of columns, as the library takes them.
std::vector<std::vector<std::string>> PathsOf(const std::vector<sql::QualifiedName>& names);
/// `where` (null = every row) over the rows of a table, with what of it prunes.
Result<delta::RowCondition> ConditionOver(Job& job, const sql::Expr* where,
                                          const std::shared_ptr<arrow::Schema>& schema,
                                          const std::string& qualifier);
/// What an expression sees; the functions made get rows with the columns of all inputs.
using Inputs = std::vector<sql::NamedInput>;
Result<delta::RowFunction> FunctionOver(Job& job, const sql::BoundPtr& bound, const Inputs& inputs);
/// `SET column = value, ...` of the table with `schema`, which may be qualified with `qualifier`.
/// Subqueries in the values may name the tables of `with`.
Result<std::vector<delta::Assignment>> BindAssignments(
    Job& job, const std::vector<sql::Assignment>& assignments, const arrow::Schema& schema,
    const std::string& qualifier, const Inputs& inputs, const sql::WithClause& with = {});
/// The value of an expression without columns, which must not be NULL.
Result<std::shared_ptr<arrow::Scalar>> Constant(Job& job, const sql::Expr& expression,
                                                const std::shared_ptr<arrow::DataType>& type);
/// DEFAULT in the place of a value; the default of a column, as SQL.
bool IsDefault(const sql::Expr& value);
std::string DefaultOf(const arrow::Field& column);
/// The tables of WITH in front of a statement, put in front of its query.
Result<sql::Query> QueryWith(Job& job, const sql::WithClause& with, const sql::Query& query);

}  // namespace sluice::statements
