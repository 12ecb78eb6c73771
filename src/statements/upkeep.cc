// OPTIMIZE, VACUUM.
#include "delta/compaction.h"
#include "delta/vacuum.h"
#include "sql/evaluator.h"
#include "statements/statements_internal.h"

namespace sluice::statements {

Result<RowReader> RunOptimize(Job& job, const sql::OptimizeTable& optimize, sql::Span span) {
  if (!optimize.zorder_by.empty()) return job.NotSupported(span, "ZORDER BY");
  if (optimize.full) return job.NotSupported(span, "OPTIMIZE FULL");
  SLUICE_ASSIGN_OR_RETURN(auto table, OpenTable(job.context, job.file, optimize.name));
  SLUICE_ASSIGN_OR_RETURN(const delta::RowCondition where,
                          ConditionOver(job, optimize.where.get(), table->Current()->schema(),
                                        QualifierOf(optimize.name, std::nullopt)));
  const auto& partitioned_by = table->Current()->partition_columns();
  for (const std::string& column : where.columns.value_or(std::vector<std::string>())) {
    if (std::find(partitioned_by.begin(), partitioned_by.end(), column) == partitioned_by.end()) {
      return MakeError("DELTA_NON_PARTITION_COLUMN_REFERENCE",
                       "OPTIMIZE may name partition columns only: " + column,
                       "leave the condition on it out");
    }
  }
  delta::CompactionOptions options;
  options.kind = delta::CompactionKind::kOptimize;
  options.predicate = where.prunes;
  options.predicate_text = where.text;
  int64_t removed = 0;
  int64_t added = 0;
  for (bool more = true; more;) {
    SLUICE_ASSIGN_OR_RETURN(const delta::CompactionReport report, delta::Compact(*table, options));
    removed += report.files_removed;
    added += report.files_added;
    more = report.more && report.version.has_value();
  }
  return Counts({{"numFilesAdded", added}, {"numFilesRemoved", removed}});
}

Result<RowReader> RunVacuum(Job& job, const sql::VacuumTable& vacuum, sql::Span) {
  SLUICE_ASSIGN_OR_RETURN(auto table, OpenTable(job.context, job.file, vacuum.name));
  delta::VacuumOptions options;
  options.dry_run = vacuum.dry_run;
  if (vacuum.mode == sql::VacuumTable::Mode::kLite) options.type = delta::VacuumType::kLite;
  if (vacuum.retain_hours) {
    plan::NoRelations none;
    sql::Analyzer analyzer(none, *job.file.source);
    SLUICE_ASSIGN_OR_RETURN(sql::BoundPtr hours,
                            analyzer.AnalyzeExpression(*vacuum.retain_hours, Inputs()));
    hours = sql::MakeCast(hours, arrow::float64());
    SLUICE_ASSIGN_OR_RETURN(const auto value,
                            sql::Evaluator::EvaluateConstant(hours, job.context.clock.NowMicros()));
    options.retention_ms =
        static_cast<int64_t>(static_cast<const arrow::DoubleScalar&>(*value).value * 3'600'000.0);
  }
  SLUICE_ASSIGN_OR_RETURN(const delta::VacuumReport report, delta::Vacuum(*table, options));
  if (vacuum.dry_run) return Texts("path", report.files);
  return Texts("path", {table->path()});
}

}  // namespace sluice::statements
