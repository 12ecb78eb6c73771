// EXPLAIN: the plan of a query as text.
#include "sql/expressions/analysis_error.h"
#include "statements/statements_internal.h"

namespace sluice::statements {

Result<RowReader> RunExplain(Job& job, const sql::ExplainStatement& explain) {
  if (explain.mode == "CODEGEN")
    return job.NotSupported(explain.query->span, "EXPLAIN CODEGEN (no code is generated)");
  SLUICE_ASSIGN_OR_RETURN(const sql::PlanPtr plan,
                          AnalyzeAdHoc(job.context, job.file, *explain.query));
  const bool headed = !explain.mode.empty();
  return Texts("plan", {(headed ? "== Analyzed Logical Plan ==\n" : "") + sql::ToString(*plan)});
}

}  // namespace sluice::statements
