// RESTORE, SHALLOW CLONE, CONVERT TO DELTA: tables from versions and files there are.
#include <arrow/api.h>

#include "base/text.h"
#include "delta/commands/clone.h"
#include "delta/commands/convert.h"
#include "delta/commands/restore.h"
#include "delta/protocol/schema_json.h"
#include "sql/expressions/analysis_error.h"
#include "sql/functions/evaluator.h"
#include "statements/column_fields.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

Result<delta::RestoreTarget> TargetOf(Job& job, const sql::TimeTravel& to) {
  delta::RestoreTarget target;
  if (to.by_timestamp) {
    const auto micros = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    SLUICE_ASSIGN_OR_RETURN(const auto value, Constant(job, *to.value, micros));
    target.timestamp_ms = static_cast<const arrow::TimestampScalar&>(*value).value / 1000;
  } else {
    SLUICE_ASSIGN_OR_RETURN(const auto value, Constant(job, *to.value, arrow::int64()));
    target.version = TableVersion(static_cast<const arrow::Int64Scalar&>(*value).value);
  }
  return target;
}

}  // namespace

Result<std::shared_ptr<arrow::Scalar>> Constant(Job& job, const sql::Expr& expression,
                                                const std::shared_ptr<arrow::DataType>& type) {
  plan::NoRelations none;
  sql::Analyzer analyzer(none, *job.file.source);
  SLUICE_ASSIGN_OR_RETURN(sql::BoundPtr bound, analyzer.AnalyzeExpression(expression, Inputs()));
  SLUICE_ASSIGN_OR_RETURN(auto value, sql::Evaluator::EvaluateConstant(sql::MakeCast(bound, type),
                                                                       job.clock.NowMicros()));
  if (!value->is_valid)
    return sql::AnalysisError(*job.file.source, expression.span, "INVALID_TIME_TRAVEL_SPEC",
                              "a value that is not NULL is needed here");
  return value;
}

Result<RowReader> RunRestore(Job& job, const sql::RestoreTable& restore) {
  SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, restore.name));
  SLUICE_ASSIGN_OR_RETURN(const delta::RestoreTarget target, TargetOf(job, restore.to));
  const auto restored = delta::RestoreTable(*table, target);
  if (HasCode(restored.status(), "DELTA_VERSION_NOT_FOUND"))
    return MakeError("DELTA_CANNOT_RESTORE_TABLE_VERSION", restored.status().message(),
                     "choose a version of DESCRIBE HISTORY");
  SLUICE_ASSIGN_OR_RETURN(const delta::WriteReport report, restored);
  return Counts({{"table_size_after_restore", Metric(report, "tableSizeAfterRestore")},
                 {"num_of_files_after_restore", Metric(report, "numOfFilesAfterRestore")},
                 {"num_removed_files", Metric(report, "numRemovedFiles")},
                 {"num_restored_files", Metric(report, "numRestoredFiles")},
                 {"removed_files_size", Metric(report, "removedFilesSize")},
                 {"restored_files_size", Metric(report, "restoredFilesSize")}});
}

Result<RowReader> CloneTable(Job& job, const sql::CreateTable& create, const std::string& path) {
  const sql::CloneSource& clone = *create.clone;
  if (!clone.shallow)
    return job.NotSupported(clone.table.span, "DEEP CLONE (SHALLOW CLONE is known)");
  SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, clone.table));
  std::shared_ptr<const delta::Snapshot> source = table->Current();
  if (clone.at.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(const delta::RestoreTarget at, TargetOf(job, *clone.at));
    TableVersion version = at.version.value_or(TableVersion(0));
    if (at.timestamp_ms.has_value()) {
      SLUICE_ASSIGN_OR_RETURN(version, table->VersionAt(*at.timestamp_ms));
    }
    SLUICE_ASSIGN_OR_RETURN(source, table->SnapshotAt(version));
  }
  SLUICE_ASSIGN_OR_RETURN(const auto location, Locate(job.context, clone.table));
  delta::CloneOptions options;
  options.properties = PropertiesOf(create.options.properties);
  if (location.name.has_value())
    options.source_name = job.context.spec.catalog + "." + location.name->ToString();
  SLUICE_ASSIGN_OR_RETURN(const delta::WriteReport report,
                          delta::ShallowClone({job.context.storage, job.context.clock}, *source,
                                              path, options, job.context.random));
  return Counts({{"source_table_size", Metric(report, "sourceTableSize")},
                 {"source_num_of_files", Metric(report, "sourceNumOfFiles")},
                 {"num_removed_files", Metric(report, "numRemovedFiles")},
                 {"num_copied_files", Metric(report, "numCopiedFiles")},
                 {"removed_files_size", Metric(report, "removedFilesSize")},
                 {"copied_files_size", Metric(report, "copiedFilesSize")}});
}

Result<RowReader> RunConvert(Job& job, const sql::ConvertToDelta& convert) {
  const auto& parts = convert.name.parts;
  if (parts.size() != 2 || !EqualsIgnoreCase(parts[0].text, "parquet"))
    return job.NotSupported(convert.name.span, "CONVERT of something else than parquet.`/path`");
  delta::ConvertOptions options;
  options.collect_statistics = !convert.no_statistics;
  if (!convert.partitioned_by.empty()) {
    arrow::FieldVector fields;
    for (const sql::ColumnDefinition& column : convert.partitioned_by) {
      SLUICE_ASSIGN_OR_RETURN(auto field, FieldOf(job, column));
      fields.push_back(std::move(field));
    }
    options.partition_schema = arrow::schema(std::move(fields));
  }
  SLUICE_RETURN_NOT_OK(delta::ConvertParquet({job.context.storage, job.context.clock},
                                             parts[1].text, options, job.context.random)
                           .status());
  return NoRows();
}

}  // namespace sluice::statements
