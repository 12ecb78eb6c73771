#include "delta/compaction.h"

#include <algorithm>
#include <map>

#include "delta/action_json.h"
#include "delta/parquet_reader.h"
#include "delta/parquet_writer.h"
#include "delta/partition_value.h"
#include "delta/row_ids.h"

namespace sluice::delta {
namespace {

using FilePtr = std::shared_ptr<const AddFile>;
using FileGroup = std::vector<FilePtr>;

bool ManyDeleted(const AddFile& file, double ratio) {
  if (!file.deletion_vector.has_value()) return false;
  const int64_t rows = RecordsOf(file);
  return rows > 0 &&
         static_cast<double>(file.deletion_vector->cardinality) > ratio * static_cast<double>(rows);
}

/// What is chosen and from how many files on it is worth a rewrite.
struct Choice {
  int64_t target = 0;  // bytes of a new file
  int64_t small = 0;   // files below are candidates
  int min_files = 2;
  double deleted_ratio = 0;
  int64_t max_input_bytes = INT64_MAX;
  bool only_vectors = false;
};

Choice ChoiceOf(const Snapshot& snapshot, const CompactionOptions& options) {
  // Delta's defaults of spark.databricks.delta.optimize.{maxFileSize,maxDeletedRowsRatio}.
  constexpr int64_t kOptimizeBytes = 1LL << 30;
  constexpr double kOptimizeDeletedRatio = 0.05;
  Choice choice;
  const bool by_property = snapshot.metadata().configuration.contains("delta.targetFileSize");
  const bool background = options.kind == CompactionKind::kBackground;
  choice.target =
      background || by_property ? snapshot.properties().target_file_size : kOptimizeBytes;
  if (options.target_file_bytes > 0) choice.target = options.target_file_bytes;
  choice.small = choice.target;
  choice.deleted_ratio = kOptimizeDeletedRatio;
  choice.only_vectors = options.kind == CompactionKind::kPurge;
  if (!background) return choice;
  choice.small =
      static_cast<int64_t>(options.small_file_ratio * static_cast<double>(choice.target));
  choice.min_files = std::max(options.min_files, 2);
  choice.deleted_ratio = options.deleted_rows_ratio;
  choice.max_input_bytes = options.max_input_bytes;
  return choice;
}

bool IsCandidate(const AddFile& file, const Choice& choice) {
  if (choice.only_vectors) return file.deletion_vector.has_value();
  return file.size < choice.small || ManyDeleted(file, choice.deleted_ratio);
}

bool IsWorth(const FileGroup& group, const Choice& choice) {
  if (choice.only_vectors) return !group.empty();
  return static_cast<int>(group.size()) >= choice.min_files ||
         std::any_of(group.begin(), group.end(),
                     [&](const FilePtr& file) { return ManyDeleted(*file, choice.deleted_ratio); });
}

/// Packs the files of one partition, smallest first, into groups of about the target size.
void PackPartition(FileGroup files, const Choice& choice, std::vector<FileGroup>* groups) {
  std::sort(files.begin(), files.end(), [](const FilePtr& a, const FilePtr& b) {
    return a->size != b->size ? a->size < b->size : a->path < b->path;
  });
  FileGroup group;
  int64_t bytes = 0;
  const auto close = [&] {
    if (IsWorth(group, choice)) groups->push_back(std::move(group));
    group.clear();
    bytes = 0;
  };
  for (FilePtr& file : files) {
    if (bytes + file->size > choice.target && !group.empty()) close();
    bytes += file->size;
    group.push_back(std::move(file));
  }
  close();
}

std::vector<FileGroup> ChooseGroups(const Snapshot& snapshot, const Predicate& predicate,
                                    const Choice& choice) {
  const FilePruner pruner(predicate, *snapshot.schema(), snapshot.partition_columns());
  std::map<PartitionValues, FileGroup> partitions;
  snapshot.ForEachFile([&](const FilePtr& file) {
    if (IsCandidate(*file, choice) && pruner.PartitionMayMatch(file->partition_values))
      partitions[file->partition_values].push_back(file);
  });
  std::vector<FileGroup> groups;
  for (auto& [values, files] : partitions) PackPartition(std::move(files), choice, &groups);
  return groups;
}

/// Copies the live rows of `group` into new files, with their row ids where the table has such.
Status Rewrite(storage::Storage& storage, const std::shared_ptr<const Snapshot>& snapshot,
               const FileGroup& group, DataFileWriter* writer) {
  DataFileReadOptions options;
  options.with_row_ids = KeepsRowIds(snapshot->metadata());
  for (const FilePtr& file : group) {
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            DataFileReader::Open(storage, snapshot, *file, options));
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const auto rows, reader->Next());
      if (rows == nullptr) break;
      SLUICE_RETURN_NOT_OK(writer->Write(rows));
    }
  }
  return Status::OK();
}

void SetHistory(const CompactionOptions& options, const CompactionReport& report,
                Transaction* transaction) {
  const std::string predicate =
      options.predicate_text.empty() ? "[]" : NamesJson({options.predicate_text});
  if (options.kind == CompactionKind::kPurge) {
    transaction->SetOperation("REORG", {{"predicate", predicate}, {"applyPurge", "true"}});
  } else {
    transaction->SetOperation(
        "OPTIMIZE", {{"predicate", predicate},
                     {"zOrderBy", "[]"},
                     {"clusterBy", "[]"},
                     {"auto", options.kind == CompactionKind::kBackground ? "true" : "false"}});
  }
  for (const auto& [name, value] : report.metrics) transaction->SetMetric(name, value);
}

void FillMetrics(std::vector<int64_t> sizes, CompactionReport* report) {
  report->metrics = {{"numRemovedFiles", report->files_removed},
                     {"numAddedFiles", report->files_added},
                     {"numRemovedBytes", report->bytes_removed},
                     {"numAddedBytes", report->bytes_added},
                     {"numDeletionVectorsRemoved", report->vectors_removed}};
  std::sort(sizes.begin(), sizes.end());
  if (sizes.empty()) return;
  const auto quantile = [&](size_t of_4) { return sizes[(sizes.size() - 1) * of_4 / 4]; };
  report->metrics["minFileSize"] = sizes.front();
  report->metrics["p25FileSize"] = quantile(1);
  report->metrics["p50FileSize"] = quantile(2);
  report->metrics["p75FileSize"] = quantile(3);
  report->metrics["maxFileSize"] = sizes.back();
}

void DeleteFiles(Table& table, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) (void)table.storage().Delete(path);  // else VACUUM does
}

}  // namespace

Result<CompactionReport> Compact(Table& table, const CompactionOptions& options) {
  const auto snapshot = table.Current();
  const Choice choice = ChoiceOf(*snapshot, options);
  CompactionReport report;
  const auto groups = ChooseGroups(*snapshot, options.predicate, choice);
  if (groups.empty()) return report;

  Transaction transaction = table.NewTransaction(snapshot);
  std::vector<std::string> created;
  std::vector<int64_t> sizes;
  for (const FileGroup& group : groups) {
    if (report.bytes_removed >= choice.max_input_bytes) {
      report.more = true;
      break;
    }
    DataFileOptions file_options;
    file_options.data_change = false;
    file_options.workers = options.workers;
    file_options.extra_fields = RowIdFields(snapshot->metadata());
    SLUICE_ASSIGN_OR_RETURN(const auto writer, DataFileWriter::Make(table, snapshot, file_options));
    const Status rewritten = Rewrite(table.storage(), snapshot, group, writer.get());
    auto added = rewritten.ok() ? writer->Finish() : Result<std::vector<AddFile>>(rewritten);
    if (!added.ok()) {
      DeleteFiles(table, created);
      return added.status();
    }
    for (const FilePtr& file : group) {
      transaction.Remove(*file, /*data_change=*/false);
      report.bytes_removed += file->size;
      ++report.files_removed;
      report.vectors_removed += file->deletion_vector.has_value() ? 1 : 0;
    }
    for (const AddFile& file : *added) {
      report.bytes_added += file.size;
      ++report.files_added;
      sizes.push_back(file.size);
      created.push_back(storage::JoinPath(table.path(), DecodePath(file.path)));
    }
    transaction.Add(added.MoveValueUnsafe());
  }
  FillMetrics(std::move(sizes), &report);
  transaction.SetRulesChecked();  // the rows were in the table before
  SetHistory(options, report, &transaction);
  const auto committed = transaction.Commit();
  if (!committed.ok()) {
    // Only a clear refusal: after an unknown outcome the commit may name these files.
    if (RetryClass(committed.status()) == Retry::kReplan) DeleteFiles(table, created);
    return committed.status();
  }
  report.version = committed->version;
  return report;
}

}  // namespace sluice::delta
