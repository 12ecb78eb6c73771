#include "delta/compaction.h"

#include <algorithm>
#include <map>

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

/// Packs the small files of one partition, smallest first, into groups of about the target size.
void PackPartition(FileGroup files, const CompactionOptions& options, int64_t target,
                   std::vector<FileGroup>* groups) {
  std::sort(files.begin(), files.end(), [](const FilePtr& a, const FilePtr& b) {
    return a->size != b->size ? a->size < b->size : a->path < b->path;
  });
  FileGroup group;
  int64_t bytes = 0;
  const auto close = [&] {
    const bool purge = std::any_of(group.begin(), group.end(), [&](const FilePtr& file) {
      return ManyDeleted(*file, options.deleted_rows_ratio);
    });
    if (purge || static_cast<int>(group.size()) >= std::max(options.min_files, 2))
      groups->push_back(std::move(group));
    group.clear();
    bytes = 0;
  };
  for (FilePtr& file : files) {
    if (bytes + file->size > target && !group.empty()) close();
    bytes += file->size;
    group.push_back(std::move(file));
  }
  close();
}

std::vector<FileGroup> ChooseGroups(const Snapshot& snapshot, const CompactionOptions& options,
                                    int64_t target) {
  const FilePruner pruner(options.predicate, *snapshot.schema(), snapshot.partition_columns());
  std::map<PartitionValues, FileGroup> partitions;
  snapshot.ForEachFile([&](const FilePtr& file) {
    const bool small =
        static_cast<double>(file->size) < options.small_file_ratio * static_cast<double>(target);
    if (!small && !ManyDeleted(*file, options.deleted_rows_ratio)) return;
    if (pruner.PartitionMayMatch(file->partition_values))
      partitions[file->partition_values].push_back(file);
  });
  std::vector<FileGroup> groups;
  for (auto& [values, files] : partitions)
    PackPartition(std::move(files), options, target, &groups);
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

void DeleteFiles(Table& table, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) (void)table.storage().Delete(path);  // else VACUUM does
}

}  // namespace

Result<CompactionReport> Compact(Table& table, const CompactionOptions& options) {
  const auto snapshot = table.Current();
  const int64_t target = options.target_file_bytes > 0 ? options.target_file_bytes
                                                       : snapshot->properties().target_file_size;
  CompactionReport report;
  const auto groups = ChooseGroups(*snapshot, options, target);
  if (groups.empty()) return report;

  Transaction transaction = table.NewTransaction(snapshot);
  std::vector<std::string> created;
  int64_t input_bytes = 0;
  for (const FileGroup& group : groups) {
    if (input_bytes >= options.max_input_bytes) {
      report.more = true;
      break;
    }
    DataFileOptions file_options;
    file_options.data_change = false;
    file_options.extra_fields = RowIdFields(snapshot->metadata());
    SLUICE_ASSIGN_OR_RETURN(const auto writer, DataFileWriter::Make(table, snapshot, file_options));
    SLUICE_RETURN_NOT_OK(Rewrite(table.storage(), snapshot, group, writer.get()));
    SLUICE_ASSIGN_OR_RETURN(auto added, writer->Finish());
    for (const FilePtr& file : group) {
      transaction.Remove(*file, /*data_change=*/false);
      input_bytes += file->size;
      ++report.files_removed;
    }
    for (const AddFile& file : added) {
      report.bytes_added += file.size;
      ++report.files_added;
      created.push_back(storage::JoinPath(table.path(), DecodePath(file.path)));
    }
    transaction.Add(std::move(added));
  }
  report.bytes_removed = input_bytes;
  transaction.SetRulesChecked();  // the rows were in the table before
  transaction.SetOperation("OPTIMIZE", {{"predicate", "[]"}, {"auto", "true"}});
  transaction.SetMetric("numRemovedFiles", report.files_removed);
  transaction.SetMetric("numAddedFiles", report.files_added);
  transaction.SetMetric("numRemovedBytes", report.bytes_removed);
  transaction.SetMetric("numAddedBytes", report.bytes_added);
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
