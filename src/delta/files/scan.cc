#include "delta/files/scan.h"

#include <algorithm>

namespace sluice::delta {

Scan::Scan(storage::Storage& storage, std::shared_ptr<const Snapshot> snapshot,
           const ScanOptions& options)
    : storage_(storage), snapshot_(std::move(snapshot)) {
  read_options_.columns = options.columns;
  read_options_.batch_rows = options.batch_rows;
  read_options_.with_row_ids = options.with_row_ids;
}

Result<std::unique_ptr<Scan>> Scan::Make(storage::Storage& storage,
                                         std::shared_ptr<const Snapshot> snapshot,
                                         const ScanOptions& options) {
  std::unique_ptr<Scan> scan(new Scan(storage, std::move(snapshot), options));
  const arrow::Schema& schema = *scan->snapshot_->schema();
  arrow::FieldVector fields;
  for (const std::string& name : options.columns.value_or(schema.field_names())) {
    const auto field = schema.GetFieldByName(name);
    if (field == nullptr)
      return MakeError("DELTA_SCHEMA_MISMATCH", "the table has no column " + name);
    fields.push_back(field);
  }
  if (options.with_row_ids) {
    fields.push_back(arrow::field("__row_id", arrow::int64()));
    fields.push_back(arrow::field("__row_commit_version", arrow::int64()));
  }
  scan->schema_ = arrow::schema(std::move(fields));
  const FilePruner pruner(options.predicate, schema, scan->snapshot_->partition_columns());
  scan->files_ = scan->snapshot_->FilesWhere(
      [&](const AddFile& file) { return pruner.empty() || pruner.MayMatch(file); });
  return scan;
}

Result<std::shared_ptr<arrow::RecordBatch>> Scan::Next() {
  while (true) {
    if (reader_ == nullptr) {
      if (next_file_ == files_.size()) return std::shared_ptr<arrow::RecordBatch>();
      SLUICE_ASSIGN_OR_RETURN(
          reader_, DataFileReader::Open(storage_, snapshot_, *files_[next_file_], read_options_));
      ++next_file_;
    }
    SLUICE_ASSIGN_OR_RETURN(auto batch, reader_->Next());
    if (batch != nullptr) return batch;
    reader_.reset();
  }
}

Result<std::shared_ptr<arrow::Table>> ReadAll(storage::Storage& storage,
                                              std::shared_ptr<const Snapshot> snapshot,
                                              const ScanOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const auto scan, Scan::Make(storage, std::move(snapshot), options));
  arrow::RecordBatchVector batches;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(auto batch, scan->Next());
    if (batch == nullptr) break;
    batches.push_back(std::move(batch));
  }
  return arrow::Table::FromRecordBatches(scan->schema(), batches);
}

Result<VersionChanges> ReadVersionChanges(const Table& table, TableVersion version) {
  SLUICE_ASSIGN_OR_RETURN(const auto actions, table.ReadCommit(version));
  VersionChanges changes;
  changes.version = version;
  for (const Action& action : actions) {
    if (const auto* add = std::get_if<AddFile>(&action)) {
      if (add->data_change) changes.added.push_back(*add);
    } else if (const auto* remove = std::get_if<RemoveFile>(&action)) {
      changes.removed_rows |= remove->data_change;
    } else if (const auto* txn = std::get_if<Txn>(&action)) {
      changes.txns[txn->app_id] = txn->version;
    } else if (const auto* info = std::get_if<CommitInfo>(&action)) {
      changes.info = *info;
    }
    changes.metadata_changed |= std::holds_alternative<Metadata>(action);
    changes.protocol_changed |= std::holds_alternative<Protocol>(action);
  }
  return changes;
}

}  // namespace sluice::delta
