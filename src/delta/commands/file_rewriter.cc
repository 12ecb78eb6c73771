#include "delta/commands/file_rewriter.h"

#include <arrow/api.h>

#include <algorithm>
#include <map>

#include "batch/select_rows.h"
#include "delta/files/parquet_reader.h"
#include "delta/protocol/partition_value.h"
#include "delta/upkeep/compaction.h"

namespace sluice::delta {
namespace {

constexpr char kChangeFolder[] = "_change_data/";

bool FeedEnabled(const Snapshot& snapshot) {
  const auto& configuration = snapshot.metadata().configuration;
  const auto it = configuration.find("delta.enableChangeDataFeed");
  return it != configuration.end() && it->second == "true";
}

/// True when a commit that failed with `status` surely did not happen.
bool IsRefusal(const Status& status) {
  return RetryClass(status) == Retry::kReplan || HasCode(status, "DELTA_COMMIT_ATTEMPTS") ||
         HasCode(status, "DELTA_APPEND_ONLY") ||
         HasCode(status, "DELTA_UNSUPPORTED_WRITER_FEATURE");
}

Result<std::shared_ptr<arrow::RecordBatch>> Select(const std::shared_ptr<arrow::RecordBatch>& rows,
                                                   const std::vector<uint32_t>& indices) {
  SLUICE_ASSIGN_OR_RETURN(const auto array, MakeIndices(indices));
  return TakeRows(rows, array);
}

}  // namespace

/// The rows of one batch by what happens to them.
struct FileRewriter::Split {
  std::vector<uint32_t> copied;
  std::vector<uint32_t> deleted;
  std::map<int32_t, std::pair<std::vector<uint32_t>, std::vector<int64_t>>> updated;
};

FileRewriter::FileRewriter(Table& table, std::shared_ptr<const Snapshot> snapshot, RowRules* rules)
    : table_(table),
      snapshot_(std::move(snapshot)),
      rules_(rules),
      keeps_row_ids_(KeepsRowIds(snapshot_->metadata())),
      merge_on_read_(snapshot_->properties().enable_deletion_vectors) {}

Result<std::unique_ptr<FileRewriter>> FileRewriter::Make(Table& table,
                                                         std::shared_ptr<const Snapshot> snapshot,
                                                         RowRules* rules,
                                                         const WriteOptions& options,
                                                         bool record_changes, Update update) {
  std::unique_ptr<FileRewriter> rewriter(new FileRewriter(table, std::move(snapshot), rules));
  rewriter->update_ = std::move(update);
  DataFileOptions rows;
  rows.workers = options.workers;
  rows.extra_fields = RowIdFields(rewriter->snapshot_->metadata());
  SLUICE_ASSIGN_OR_RETURN(rewriter->writer_,
                          DataFileWriter::Make(table, rewriter->snapshot_, rows));
  if (record_changes && FeedEnabled(*rewriter->snapshot_)) {
    DataFileOptions changes;
    changes.workers = options.workers;
    changes.folder = kChangeFolder;
    changes.extra_fields = {arrow::field("_change_type", arrow::utf8())};
    SLUICE_ASSIGN_OR_RETURN(rewriter->changes_,
                            DataFileWriter::Make(table, rewriter->snapshot_, changes));
  }
  return rewriter;
}

Status FileRewriter::Apply(const AddFile& file, const std::vector<RowAction>& actions) {
  if (actions.empty()) return Status::OK();
  // A deletion vector needs the number of rows in the statistics.
  const int64_t records = RecordsOf(file);
  const int64_t hidden = file.deletion_vector.has_value() ? file.deletion_vector->cardinality : 0;
  const bool all = records >= 0 && static_cast<int64_t>(actions.size()) == records - hidden;
  const bool mask = merge_on_read_ && records >= 0 && !all;
  const bool copy = !mask && !all;
  const bool updates = std::any_of(actions.begin(), actions.end(), [](const RowAction& action) {
    return action.update != RowAction::kDelete;
  });
  if (copy || updates || changes_ != nullptr)
    SLUICE_RETURN_NOT_OK(ReadActions(file, actions, copy));
  if (mask) return Mask(file, actions);
  Drop(file);
  return Status::OK();
}

Status FileRewriter::RemoveFile(const AddFile& file) {
  if (changes_ != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            DataFileReader::Open(table_.storage(), snapshot_, file));
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const auto rows, reader->Next());
      if (rows == nullptr) break;
      SLUICE_RETURN_NOT_OK(WriteChange(rows, "delete"));
    }
  }
  Drop(file);
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> FileRewriter::Insert(
    const std::shared_ptr<arrow::RecordBatch>& rows) {
  SLUICE_ASSIGN_OR_RETURN(auto complete, rules_->Apply(rows, RowRules::Origin::kInserted));
  if (rows->num_rows() == 0) return complete;
  inserted_ = true;
  arrow::ArrayVector ids;
  if (keeps_row_ids_) {
    SLUICE_ASSIGN_OR_RETURN(auto none, arrow::MakeArrayOfNull(arrow::int64(), rows->num_rows()));
    ids = {none, none};
  }
  SLUICE_RETURN_NOT_OK(WriteRows(complete, std::move(ids)));
  SLUICE_RETURN_NOT_OK(WriteChange(complete, "insert"));
  return complete;
}

Status FileRewriter::ReadActions(const AddFile& file, const std::vector<RowAction>& actions,
                                 bool copy) {
  DataFileReadOptions options;
  options.with_row_index = true;
  options.with_row_ids = keeps_row_ids_;
  SLUICE_ASSIGN_OR_RETURN(const auto reader,
                          DataFileReader::Open(table_.storage(), snapshot_, file, options));
  size_t next = 0;
  while (next < actions.size() || copy) {
    SLUICE_ASSIGN_OR_RETURN(const auto rows, reader->Next());
    if (rows == nullptr) break;
    const int index_column = rows->num_columns() - 1;
    const auto& positions = static_cast<const arrow::Int64Array&>(*rows->column(index_column));
    Split split;
    for (int64_t i = 0; i < rows->num_rows(); ++i) {
      const auto row = static_cast<uint32_t>(i);
      if (next == actions.size() ||
          actions[next].position != static_cast<uint64_t>(positions.Value(i))) {
        split.copied.push_back(row);
        continue;
      }
      const RowAction& action = actions[next++];
      if (action.update == RowAction::kDelete) {
        split.deleted.push_back(row);
      } else {
        auto& [indices, source_rows] = split.updated[action.update];
        indices.push_back(row);
        source_rows.push_back(action.source_row);
      }
    }
    SLUICE_ASSIGN_OR_RETURN(const auto without, rows->RemoveColumn(index_column));
    SLUICE_RETURN_NOT_OK(WriteSplit(split, without, copy));
  }
  if (next == actions.size()) return Status::OK();
  return MakeError("DELTA_FILE_CORRUPT",
                   "file has other rows than when it was read first: " + file.path);
}

Status FileRewriter::WriteSplit(const Split& split, const std::shared_ptr<arrow::RecordBatch>& rows,
                                bool copy) {
  const int table_columns = snapshot_->schema()->num_fields();
  const auto table_rows = [&](const std::shared_ptr<arrow::RecordBatch>& some) {
    const auto columns = some->columns();
    return arrow::RecordBatch::Make(
        snapshot_->schema(), some->num_rows(),
        arrow::ArrayVector(columns.begin(), columns.begin() + table_columns));
  };
  if (copy && !split.copied.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const auto copied, Select(rows, split.copied));
    counts_.rows_copied += copied->num_rows();
    arrow::ArrayVector ids;
    if (keeps_row_ids_) ids = {copied->column(table_columns), copied->column(table_columns + 1)};
    SLUICE_RETURN_NOT_OK(WriteRows(table_rows(copied), std::move(ids)));
  }
  if (changes_ != nullptr && !split.deleted.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const auto deleted, Select(rows, split.deleted));
    SLUICE_RETURN_NOT_OK(WriteChange(table_rows(deleted), "delete"));
  }
  for (const auto& [update, chosen] : split.updated) {
    SLUICE_ASSIGN_OR_RETURN(const auto before, Select(rows, chosen.first));
    arrow::ArrayVector ids;
    if (keeps_row_ids_) {
      SLUICE_ASSIGN_OR_RETURN(auto now, arrow::MakeArrayOfNull(arrow::int64(), before->num_rows()));
      ids = {before->column(table_columns), std::move(now)};
    }
    SLUICE_RETURN_NOT_OK(WriteUpdate(update, table_rows(before), chosen.second, std::move(ids)));
  }
  return Status::OK();
}

Status FileRewriter::WriteUpdate(int32_t update, const std::shared_ptr<arrow::RecordBatch>& rows,
                                 const std::vector<int64_t>& source_rows, arrow::ArrayVector ids) {
  SLUICE_ASSIGN_OR_RETURN(const auto changed, update_(update, rows, source_rows));
  SLUICE_ASSIGN_OR_RETURN(const auto complete, rules_->Apply(changed, RowRules::Origin::kChanged));
  SLUICE_RETURN_NOT_OK(WriteRows(complete, std::move(ids)));
  SLUICE_RETURN_NOT_OK(WriteChange(rows, "update_preimage"));
  return WriteChange(complete, "update_postimage");
}

Status FileRewriter::WriteRows(const std::shared_ptr<arrow::RecordBatch>& rows,
                               arrow::ArrayVector ids) {
  if (ids.empty()) return writer_->Write(rows);
  arrow::ArrayVector columns = rows->columns();
  arrow::FieldVector fields = rows->schema()->fields();
  for (auto& field : RowIdFields(snapshot_->metadata())) fields.push_back(std::move(field));
  for (auto& id : ids) columns.push_back(std::move(id));
  return writer_->Write(
      arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows->num_rows(), columns));
}

Status FileRewriter::WriteChange(const std::shared_ptr<arrow::RecordBatch>& rows,
                                 const char* change) {
  if (changes_ == nullptr || rows->num_rows() == 0) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(
      auto type, arrow::MakeArrayFromScalar(arrow::StringScalar(change), rows->num_rows()));
  SLUICE_ASSIGN_OR_RETURN(
      const auto with,
      rows->AddColumn(rows->num_columns(), arrow::field("_change_type", arrow::utf8()), type));
  return changes_->Write(with);
}

Status FileRewriter::Mask(const AddFile& file, const std::vector<RowAction>& actions) {
  DeletionVector vector;
  if (file.deletion_vector.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(
        vector, ReadDeletionVector(table_.storage(), table_.path(), *file.deletion_vector));
  }
  for (const RowAction& action : actions) vector.Add(action.position);
  masked_.push_back({file, std::move(vector)});
  return Status::OK();
}

void FileRewriter::Drop(const AddFile& file) {
  dropped_.push_back(file);
  ++counts_.files_removed;
  counts_.bytes_removed += file.size;
  if (file.deletion_vector.has_value()) ++counts_.vectors_removed;
}

Status FileRewriter::FinishVectors(Transaction* transaction) {
  if (masked_.empty()) return Status::OK();
  std::vector<const DeletionVector*> vectors;
  for (const Masked& masked : masked_) vectors.push_back(&masked.vector);
  SLUICE_ASSIGN_OR_RETURN(auto written, WriteDeletionVectors(table_.storage(), table_.path(),
                                                             table_.NewUuid(), vectors));
  for (size_t i = 0; i < masked_.size(); ++i) {
    const bool had_one = masked_[i].file.deletion_vector.has_value();
    ++counts_.vectors_added;
    if (had_one) {
      ++counts_.vectors_updated;
      ++counts_.vectors_removed;
    }
    transaction->SetDeletionVector(masked_[i].file, std::move(written[i]));
  }
  return Status::OK();
}

Result<const std::vector<AddFile>*> FileRewriter::FinishRows() {
  if (rows_finished_) return &added_;
  rows_finished_ = true;
  SLUICE_ASSIGN_OR_RETURN(added_, writer_->Finish());
  for (const AddFile& file : added_) {
    created_.push_back(ResolvePath(table_.path(), file.path));
    ++counts_.files_added;
    counts_.bytes_added += file.size;
  }
  return &added_;
}

Status FileRewriter::Finish(Transaction* transaction) {
  SLUICE_RETURN_NOT_OK(FinishRows().status());
  if (changes_ != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(const auto changes, changes_->Finish());
    for (const AddFile& file : changes) {
      created_.push_back(ResolvePath(table_.path(), file.path));
      ++counts_.change_files;
      transaction->AddChanges({file.path, file.partition_values, file.size, {}});
    }
  }
  for (const AddFile& file : dropped_) transaction->Remove(file);
  SLUICE_RETURN_NOT_OK(FinishVectors(transaction));
  transaction->Add(added_);
  return Status::OK();
}

Status FileRewriter::Commit(Transaction* transaction, const WriteOptions& options,
                            WriteReport* report) {
  const auto committed = transaction->Commit();
  if (committed.ok()) {
    report->version = committed->version;
    committed_ = true;
    CompactAfterWrite(table_, options.workers);
    return Status::OK();
  }
  if (!IsRefusal(committed.status())) committed_ = true;  // the commit may name the files
  if (!HasCode(committed.status(), "DELTA_TXN_CHANGED") || !options.txn.has_value())
    return committed.status();
  SLUICE_ASSIGN_OR_RETURN(const auto now, table_.Update());
  const auto stored = now->TxnVersion(options.txn->app_id);
  report->skipped = stored.has_value() && *stored >= options.txn->version;
  return report->skipped ? Status::OK() : committed.status();
}

FileRewriter::~FileRewriter() {
  if (committed_) return;
  for (const std::string& path : created_) (void)table_.storage().Delete(path);  // else VACUUM does
}

}  // namespace sluice::delta
