#include "delta/upkeep/compute_statistics.h"

#include <algorithm>

#include "base/workers.h"
#include "delta/columns/adapt_columns.h"
#include "delta/columns/schema_edit.h"
#include "delta/files/parquet_statistics.h"
#include "delta/files/write_options.h"
#include "delta/log/parquet_file.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/partition_value.h"
#include "delta/upkeep/clustering.h"

namespace sluice::delta {
namespace {

constexpr int64_t kBatchRows = 65536;

/// Physical paths of the leaves of `field`.
void AppendLeaves(const arrow::Field& field, std::vector<std::string> path,
                  FileStatistics::Paths* paths) {
  path.push_back(PhysicalName(field));
  if (field.type()->id() == arrow::Type::STRUCT) {
    for (const auto& child : field.type()->fields()) AppendLeaves(*child, path, paths);
  } else if (field.type()->id() != arrow::Type::EXTENSION) {  // a variant is a group in files
    paths->push_back(std::move(path));
  }
}

/// The columns of files that get statistics now: files may hold others that the table lacks.
FileStatistics::Paths ChosenColumns(const Snapshot& snapshot) {
  FileStatistics::Paths paths;
  for (const ColumnPath& column : StatisticsColumns(
           *snapshot.schema(), snapshot.partition_columns(), snapshot.metadata().configuration)) {
    const auto fields = FieldsAlong(snapshot.schema()->fields(), column);
    std::vector<std::string> above;
    for (size_t i = 0; i + 1 < fields.size(); ++i) above.push_back(PhysicalName(*fields[i]));
    AppendLeaves(*fields.back(), std::move(above), &paths);
  }
  return paths;
}

}  // namespace

Result<ComputeStatisticsReport> ComputeStatistics(Table& table,
                                                  const ComputeStatisticsOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, table.Update());
  Transaction transaction = table.NewTransaction(snapshot);
  SLUICE_RETURN_NOT_OK(BeginWrite(WriteOptions(), &transaction).status());
  const FilePruner pruner(options.predicate, *snapshot->schema(), snapshot->partition_columns());
  const auto files = snapshot->FilesWhere(
      [&](const AddFile& file) { return pruner.PartitionMayMatch(file.partition_values); });
  const FileStatistics::Paths chosen = ChosenColumns(*snapshot);
  std::vector<std::string> statistics(files.size());
  const auto read = [&](size_t i) -> Status {
    const std::string path = ResolvePath(table.path(), files[i]->path);
    SLUICE_ASSIGN_OR_RETURN(const auto reader, OpenParquet(table.storage(), path, kBatchRows));
    SLUICE_ASSIGN_OR_RETURN(statistics[i], StatisticsOf(reader.get(), path, -1, chosen));
    // Bounds of all rows bound those that are left.
    if (files[i]->deletion_vector.has_value()) statistics[i].insert(1, "\"tightBounds\":false,");
    return Status::OK();
  };
  if (options.workers != nullptr) {
    SLUICE_RETURN_NOT_OK(options.workers->Run(files.size(), read));
  } else {
    for (size_t i = 0; i < files.size(); ++i) SLUICE_RETURN_NOT_OK(read(i));
  }
  ComputeStatisticsReport report;
  report.files_read = static_cast<int64_t>(files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    if (files[i]->stats == statistics[i]) continue;
    AddFile again = *files[i];
    again.data_change = false;
    again.stats = std::move(statistics[i]);
    transaction.ReadFile(*files[i]);
    transaction.Add(std::move(again));
    ++report.files_changed;
  }
  if (report.files_changed == 0) return report;
  transaction.SetRulesChecked();
  transaction.SetOperation(
      "COMPUTE STATS",
      {{"predicate", options.predicate_text.empty() ? "[]" : NamesJson({options.predicate_text})}});
  SLUICE_ASSIGN_OR_RETURN(const auto committed, transaction.Commit());
  report.version = committed.version;
  return report;
}

}  // namespace sluice::delta
