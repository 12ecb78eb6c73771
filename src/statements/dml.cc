// DELETE, UPDATE, TRUNCATE.
#include "delta/commands/dml.h"
#include "plan/table_expressions.h"
#include "plan/variant_columns.h"
#include "sql/analysis/analyzer.h"
#include "statements/row_query.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

Result<delta::RowCondition> Where(Job& job, const sql::WithClause& with, const sql::Expr* where,
                                  const delta::Table& table, const std::string& qualifier) {
  if (where != nullptr && HoldsSubquery(*where))
    return SubqueryCondition(job, with, *where, table, qualifier);
  return ConditionOver(job, where, table.Current()->schema(), qualifier);
}

Result<RowReader> Delete(Job& job, const sql::WithClause& with, const sql::QualifiedName& target,
                         const sql::Expr* where, const std::string& qualifier) {
  SLUICE_ASSIGN_OR_RETURN(auto table, OpenTable(job.context, job.file, target));
  SLUICE_ASSIGN_OR_RETURN(const delta::RowCondition condition,
                          Where(job, with, where, *table, qualifier));
  SLUICE_ASSIGN_OR_RETURN(const delta::WriteReport report,
                          delta::DeleteRows(*table, condition, job.WriteOptions()));
  return Counts({{"num_affected_rows", Metric(report, "numDeletedRows")}});
}

}  // namespace

Result<RowReader> RunDelete(Job& job, const sql::DeleteFrom& statement) {
  return Delete(job, statement.with, statement.target, statement.where.get(),
                QualifierOf(statement.target, statement.alias));
}

Result<RowReader> RunTruncate(Job& job, const sql::TruncateTable& statement) {
  if (!statement.partition.empty())
    return job.NotSupported(statement.name.span, "PARTITION of TRUNCATE TABLE");
  SLUICE_RETURN_NOT_OK(Delete(job, {}, statement.name, nullptr, "").status());
  return NoRows();
}

Result<RowReader> RunUpdate(Job& job, const sql::UpdateTable& statement) {
  SLUICE_ASSIGN_OR_RETURN(auto table, OpenTable(job.context, job.file, statement.target));
  const auto schema = table->Current()->schema();
  const std::string qualifier = QualifierOf(statement.target, statement.alias);
  SLUICE_ASSIGN_OR_RETURN(const delta::RowCondition condition,
                          Where(job, statement.with, statement.where.get(), *table, qualifier));
  SLUICE_ASSIGN_OR_RETURN(const auto assignments,
                          BindAssignments(job, statement.assignments, *schema, qualifier,
                                          {{plan::SqlSchema(schema), qualifier}}, statement.with));
  SLUICE_ASSIGN_OR_RETURN(const delta::WriteReport report,
                          delta::UpdateRows(*table, condition, assignments, job.WriteOptions()));
  return Counts({{"num_affected_rows", Metric(report, "numUpdatedRows")}});
}

}  // namespace sluice::statements
