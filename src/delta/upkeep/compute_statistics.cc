#include "delta/upkeep/compute_statistics.h"

#include <algorithm>

#include "base/workers.h"
#include "delta/columns/adapt_columns.h"
#include "delta/columns/column_mapping.h"
#include "delta/files/parquet_statistics.h"
#include "delta/files/write_options.h"
#include "delta/log/parquet_file.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/write_properties.h"

namespace sluice::delta {
namespace {

constexpr int64_t kBatchRows = 65536;

/// Physical paths of the first columns below `fields`, counted as statistics count them.
void FirstLeaves(const arrow::FieldVector& fields, std::vector<std::string> above, int* budget,
                 FileStatistics::Paths* paths) {
  for (const auto& field : fields) {
    if (*budget == 0) return;
    std::vector<std::string> path = above;
    path.push_back(PhysicalName(*field));
    if (field->type()->id() == arrow::Type::STRUCT) {
      FirstLeaves(field->type()->fields(), path, budget, paths);
      continue;
    }
    --*budget;
    // Of a variant only its shredded fields could have any.
    if (field->type()->id() != arrow::Type::EXTENSION) paths->push_back(std::move(path));
  }
}

/// The columns of files that get statistics now: files may hold others that the table lacks.
FileStatistics::Paths ChosenColumns(const Snapshot& snapshot) {
  const auto listed = WritePropertiesOf(snapshot.metadata().configuration).stats_columns;
  if (listed.has_value()) return *PhysicalPaths(*snapshot.schema(), listed);
  arrow::FieldVector fields;
  for (const auto& field : snapshot.schema()->fields()) {
    const auto& partitions = snapshot.partition_columns();
    if (std::find(partitions.begin(), partitions.end(), field->name()) == partitions.end())
      fields.push_back(field);
  }
  FileStatistics::Paths paths;
  const int32_t indexed = snapshot.properties().num_indexed_columns;
  int budget = indexed < 0 ? INT32_MAX : indexed;
  FirstLeaves(fields, {}, &budget, &paths);
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
