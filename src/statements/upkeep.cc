// OPTIMIZE, REORG, ANALYZE, VACUUM.
#include <algorithm>

#include "delta/upkeep/compaction.h"
#include "delta/upkeep/compute_statistics.h"
#include "delta/upkeep/vacuum.h"
#include "sql/expressions/analysis_error.h"
#include "statements/optimize_metrics.h"
#include "statements/statements_internal.h"

namespace sluice::statements {

namespace {

/// Only partition columns may be named: files are chosen, not rows.
Result<delta::RowCondition> PartitionCondition(Job& job, const sql::Expr* where,
                                               const sql::QualifiedName& name,
                                               const delta::Snapshot& snapshot,
                                               const std::string& statement) {
  SLUICE_ASSIGN_OR_RETURN(
      delta::RowCondition condition,
      ConditionOver(job, where, snapshot.schema(), QualifierOf(name, std::nullopt)));
  const auto& partitioned_by = snapshot.partition_columns();
  for (const std::string& column : condition.columns.value_or(std::vector<std::string>())) {
    if (std::find(partitioned_by.begin(), partitioned_by.end(), column) == partitioned_by.end()) {
      return MakeError("DELTA_NON_PARTITION_COLUMN_REFERENCE",
                       statement + " may name partition columns only: " + column,
                       "leave the condition on it out");
    }
  }
  return condition;
}

/// Options over the partitions that `where` chooses of the newest version of `table`.
Result<delta::CompactionOptions> OptionsFor(Job& job, delta::CompactionKind kind,
                                            const sql::Expr* where, const sql::QualifiedName& name,
                                            const delta::Table& table,
                                            const std::string& statement) {
  SLUICE_ASSIGN_OR_RETURN(const delta::RowCondition condition,
                          PartitionCondition(job, where, name, *table.Current(), statement));
  delta::CompactionOptions options;
  options.kind = kind;
  options.predicate = condition.prunes;
  options.predicate_text = condition.text;
  return options;
}

/// Files in the partitions that `options` chooses.
int64_t Considered(const delta::Snapshot& snapshot, const delta::CompactionOptions& options,
                   int64_t* bytes) {
  const delta::FilePruner pruner(options.predicate, *snapshot.schema(),
                                 snapshot.partition_columns());
  int64_t files = 0;
  snapshot.ForEachFile([&](const delta::AddFile& file) {
    if (!pruner.PartitionMayMatch(file.partition_values)) return;
    ++files;
    *bytes += file.size;
  });
  return files;
}

Result<RowReader> CompactAll(Job& job, delta::Table& table,
                             const delta::CompactionOptions& options) {
  OptimizeMetrics metrics;
  const auto before = table.Current();
  metrics.z_order = !options.z_order_by.empty();
  metrics.files_considered = Considered(*before, options, &metrics.bytes_considered);
  metrics.columns = before->schema()->num_fields();
  const int64_t indexed = before->properties().num_indexed_columns;
  metrics.columns_with_statistics =
      indexed < 0 ? metrics.columns : std::min(metrics.columns, indexed);
  metrics.begin_ms = job.context.clock.NowMicros() / 1000;
  for (bool more = true; more;) {
    SLUICE_ASSIGN_OR_RETURN(const delta::CompactionReport report, delta::Compact(table, options));
    metrics.Add(report);
    more = report.more && report.version.has_value();
  }
  metrics.end_ms = job.context.clock.NowMicros() / 1000;
  return OptimizeRow(table.path(), metrics);
}

}  // namespace

Result<RowReader> RunOptimize(Job& job, const sql::OptimizeTable& optimize) {
  SLUICE_ASSIGN_OR_RETURN(auto table, OpenTable(job.context, job.file, optimize.name));
  SLUICE_ASSIGN_OR_RETURN(auto options,
                          OptionsFor(job, delta::CompactionKind::kOptimize, optimize.where.get(),
                                     optimize.name, *table, "OPTIMIZE"));
  options.z_order_by = PathsOf(optimize.zorder_by);
  options.full = optimize.full;
  return CompactAll(job, *table, options);
}

Result<RowReader> RunReorg(Job& job, const sql::ReorgTable& reorg, sql::Span span) {
  if (!reorg.purge) return job.NotSupported(span, "REORG TABLE .. APPLY (UPGRADE UNIFORM ..)");
  SLUICE_ASSIGN_OR_RETURN(auto table, OpenTable(job.context, job.file, reorg.name));
  SLUICE_ASSIGN_OR_RETURN(const auto options,
                          OptionsFor(job, delta::CompactionKind::kPurge, reorg.where.get(),
                                     reorg.name, *table, "REORG"));
  return CompactAll(job, *table, options);
}

Result<RowReader> RunAnalyze(Job& job, const sql::AnalyzeTable& analyze, sql::Span span) {
  SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, analyze.name));
  if (!analyze.delta) {
    return sql::AnalysisError(
        *job.file.source, span, "NOT_SUPPORTED_COMMAND_FOR_V2_TABLE",
        "ANALYZE TABLE .. COMPUTE STATISTICS is not supported for Delta tables",
        "COMPUTE DELTA STATISTICS makes the statistics of the files anew");
  }
  if (!analyze.partition.empty() || analyze.no_scan || analyze.all_columns ||
      !analyze.columns.empty())
    return job.NotSupported(span, "COMPUTE DELTA STATISTICS of a part of a table");
  SLUICE_RETURN_NOT_OK(delta::ComputeStatistics(*table).status());
  return NoRows();
}

Result<RowReader> RunVacuum(Job& job, const sql::VacuumTable& vacuum, sql::Span) {
  SLUICE_ASSIGN_OR_RETURN(auto table, OpenTable(job.context, job.file, vacuum.name));
  delta::VacuumOptions options;
  options.dry_run = vacuum.dry_run;
  if (vacuum.mode == sql::VacuumTable::Mode::kLite) options.type = delta::VacuumType::kLite;
  options.check_retention =
      job.Setting("spark.databricks.delta.retentionDurationCheck.enabled") != "false";
  if (vacuum.retain_hours) {
    SLUICE_ASSIGN_OR_RETURN(const auto value,
                            Constant(job, *vacuum.retain_hours, arrow::float64()));
    options.retention_ms =
        static_cast<int64_t>(static_cast<const arrow::DoubleScalar&>(*value).value * 3'600'000.0);
  }
  SLUICE_ASSIGN_OR_RETURN(const delta::VacuumReport report, delta::Vacuum(*table, options));
  if (vacuum.dry_run) return Texts("path", report.files);
  return Texts("path", {table->path()});
}

}  // namespace sluice::statements
