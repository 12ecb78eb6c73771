#include "delta/upkeep/compaction.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/workers.h"
#include "delta/files/parquet_reader.h"
#include "delta/files/parquet_writer.h"
#include "delta/log/row_ids.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/write_properties.h"
#include "delta/upkeep/compaction_choice_internal.h"
#include "delta/upkeep/curve_rewrite_internal.h"

namespace sluice::delta {
namespace {

using FilePtr = std::shared_ptr<const AddFile>;

/// Copies the live rows of `group` into new files, with their row ids where the table has such.
Status CopyRows(storage::Storage& storage, const std::shared_ptr<const Snapshot>& snapshot,
                const FileGroup& group, DataFileWriter* writer) {
  DataFileReadOptions options;
  options.with_row_ids = KeepsRowIds(snapshot->metadata());
  return VisitRows(
      storage, snapshot, group, options,
      [writer](const std::shared_ptr<arrow::RecordBatch>& rows) { return writer->Write(rows); });
}

int64_t BytesOf(const FileGroup& group) {
  int64_t bytes = 0;
  for (const FilePtr& file : group) bytes += file->size;
  return bytes;
}

void FillMetrics(CompactionReport* report) {
  report->metrics = {{"numRemovedFiles", report->files_removed},
                     {"numAddedFiles", report->files_added},
                     {"numRemovedBytes", report->bytes_removed},
                     {"numAddedBytes", report->bytes_added},
                     {"numDeletionVectorsRemoved", report->vectors_removed}};
  std::vector<int64_t> sizes = report->sizes_added;
  std::sort(sizes.begin(), sizes.end());
  if (sizes.empty()) return;
  const auto quantile = [&](size_t of_4) { return sizes[(sizes.size() - 1) * of_4 / 4]; };
  report->metrics["minFileSize"] = sizes.front();
  report->metrics["p25FileSize"] = quantile(1);
  report->metrics["p50FileSize"] = quantile(2);
  report->metrics["p75FileSize"] = quantile(3);
  report->metrics["maxFileSize"] = sizes.back();
}

class CompactionRun {
 public:
  CompactionRun(Table& table, const CompactionOptions& options)
      : table_(table), options_(options), snapshot_(table.Current()) {}

  Result<CompactionReport> Run() {
    SLUICE_ASSIGN_OR_RETURN(choice_, CompactionChoice::Make(*snapshot_, options_));
    groups_ = choice_.Groups(*snapshot_, options_);
    if (groups_.empty()) return std::move(report_);
    LimitInput();
    added_.resize(groups_.size());
    const Status rewritten = RewriteAll();
    if (!rewritten.ok()) {
      DeleteAdded();
      return rewritten;
    }
    return Commit();
  }

 private:
  /// What is beyond the limit waits for the next call.
  void LimitInput() {
    int64_t bytes = 0;
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (bytes >= choice_.max_input_bytes) {
        report_.more = true;
        groups_.resize(i);
        return;
      }
      bytes += BytesOf(groups_[i]);
    }
  }

  Status RewriteAll() {
    // Sorting has a limit of memory for all: one group at a time.
    const bool parallel =
        options_.workers != nullptr && groups_.size() > 1 && !choice_.curve.has_value();
    if (parallel) {
      return options_.workers->Run(groups_.size(),
                                   [this](size_t index) { return Rewrite(index, nullptr); });
    }
    for (size_t i = 0; i < groups_.size(); ++i) SLUICE_RETURN_NOT_OK(Rewrite(i, options_.workers));
    return Status::OK();
  }

  Status Rewrite(size_t index, Workers* workers) {
    DataFileOptions file_options;
    file_options.data_change = false;
    file_options.extra_fields = RowIdFields(snapshot_->metadata());
    // A writer with threads splits what it gets: that is for writes whose files come together
    // later.
    if (options_.kind == CompactionKind::kBackground) file_options.workers = workers;
    if (choice_.curve.has_value()) {
      constexpr int64_t kLeastGroupBytes = 1 << 13;
      file_options.max_file_bytes = choice_.target;
      file_options.max_row_group_bytes =
          std::clamp(choice_.target / 4, kLeastGroupBytes, file_options.max_row_group_bytes);
    }
    SLUICE_ASSIGN_OR_RETURN(const auto writer,
                            DataFileWriter::Make(table_, snapshot_, file_options));
    SLUICE_RETURN_NOT_OK(choice_.curve.has_value()
                             ? WriteAlongCurve(groups_[index], index, writer.get())
                             : CopyRows(table_.storage(), snapshot_, groups_[index], writer.get()));
    SLUICE_ASSIGN_OR_RETURN(added_[index], writer->Finish());
    return Status::OK();
  }

  Status WriteAlongCurve(const FileGroup& group, size_t index, DataFileWriter* writer) {
    CurveOptions curve;
    curve.columns = choice_.columns;
    curve.curve = *choice_.curve;
    curve.sorter.memory_bytes = options_.sort_memory_bytes;
    // A file is closed between two batches.
    curve.sorter.output_rows =
        std::clamp<int64_t>(choice_.target / 256, 64, curve.sorter.output_rows);
    curve.sorter.storage =
        options_.spill_storage != nullptr ? options_.spill_storage : &table_.storage();
    const std::string below =
        options_.spill_storage != nullptr ? options_.spill_folder : table_.path();
    curve.sorter.folder =
        storage::JoinPath(below, "_optimize-" + uuid_ + "-" + std::to_string(index));
    return ReadAlongCurve(
        table_.storage(), snapshot_, group, curve,
        [writer](const std::shared_ptr<arrow::RecordBatch>& rows) { return writer->Write(rows); });
  }

  Result<CompactionReport> Commit() {
    Transaction transaction = table_.NewTransaction(snapshot_);
    std::set<PartitionValues> partitions;
    for (const FileGroup& group : groups_) {
      partitions.insert(group.front()->partition_values);
      for (const FilePtr& file : group) {
        transaction.Remove(*file, /*data_change=*/false);
        report_.bytes_removed += file->size;
        report_.sizes_removed.push_back(file->size);
        if (file->deletion_vector.has_value())
          report_.vector_rows_removed += file->deletion_vector->cardinality;
        ++report_.files_removed;
        report_.vectors_removed += file->deletion_vector.has_value() ? 1 : 0;
      }
    }
    for (std::vector<AddFile>& files : added_) {
      for (AddFile& file : files) {
        if (choice_.clusters()) MarkClustered(choice_.columns, uuid_, &file);
        report_.bytes_added += file.size;
        ++report_.files_added;
        report_.sizes_added.push_back(file.size);
      }
      transaction.Add(files);
    }
    report_.groups = static_cast<int64_t>(groups_.size());
    report_.partitions = static_cast<int64_t>(partitions.size());
    FillMetrics(&report_);
    transaction.SetRulesChecked();  // the rows were in the table before
    SetHistory(&transaction);
    const auto committed = transaction.Commit();
    if (!committed.ok()) {
      // Only a clear refusal: after an unknown outcome the commit may name these files.
      if (RetryClass(committed.status()) == Retry::kReplan) DeleteAdded();
      return committed.status();
    }
    report_.version = committed->version;
    return std::move(report_);
  }

  void SetHistory(Transaction* transaction) const {
    const std::string predicate =
        options_.predicate_text.empty() ? "[]" : NamesJson({options_.predicate_text});
    if (options_.kind == CompactionKind::kPurge) {
      transaction->SetOperation("REORG", {{"predicate", predicate}, {"applyPurge", "true"}});
    } else {
      const std::string columns = ColumnsJson(choice_.columns);
      const bool automatic = options_.kind != CompactionKind::kOptimize;
      StringMap parameters = {{"predicate", predicate},
                              {"zOrderBy", choice_.clusters() ? "[]" : columns},
                              {"clusterBy", choice_.clusters() ? columns : "[]"},
                              {"auto", automatic ? "true" : "false"}};
      if (choice_.clusters()) parameters["isFull"] = options_.full ? "true" : "false";
      transaction->SetOperation("OPTIMIZE", std::move(parameters));
    }
    for (const auto& [name, value] : report_.metrics) transaction->SetMetric(name, value);
  }

  /// What cannot be deleted is left to VACUUM.
  void DeleteAdded() {
    for (const std::vector<AddFile>& files : added_) {
      for (const AddFile& file : files)
        (void)table_.storage().Delete(storage::JoinPath(table_.path(), DecodePath(file.path)));
    }
  }

  Table& table_;
  const CompactionOptions& options_;
  const std::shared_ptr<const Snapshot> snapshot_;
  const std::string uuid_ = table_.NewUuid();  // of the files that are laid out together
  CompactionChoice choice_;
  std::vector<FileGroup> groups_;
  std::vector<std::vector<AddFile>> added_;  // of each group
  CompactionReport report_;
};

}  // namespace

Result<CompactionReport> Compact(Table& table, const CompactionOptions& options) {
  return CompactionRun(table, options).Run();
}

void CompactAfterWrite(Table& table, Workers* workers) {
  if (!WritePropertiesOf(table.Current()->metadata().configuration).auto_compact) return;
  CompactionOptions options;
  options.kind = CompactionKind::kAuto;
  options.workers = workers;
  const auto report = Compact(table, options);
  if (!report.ok())
    log::Warn("automatic compaction of {} failed: {}", table.path(), report.status().message());
}

}  // namespace sluice::delta
