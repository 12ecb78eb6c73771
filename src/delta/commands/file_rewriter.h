// What a statement does to the rows of a table, made into the actions of one commit: rows leave
// files by deletion vector where the table asks for them, else the files are written anew; changed
// and new rows go into new files; the change feed gets its files; row ids stay. Memory: a batch of
// rows, and what the writers keep. One owner.
#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/files/parquet_writer.h"
#include "delta/files/row_rules.h"
#include "delta/files/write_options.h"
#include "delta/log/row_ids.h"
#include "delta/log/snapshot.h"
#include "delta/log/table.h"
#include "delta/protocol/deletion_vector.h"

namespace sluice::delta {

/// What happens to one row of a file.
struct RowAction {
  static constexpr int32_t kDelete = -1;

  uint64_t position = 0;     // in the file, counting rows its deletion vector hides
  int32_t update = kDelete;  // else: which update, as the statement numbers them
  int64_t source_row = -1;   // of MERGE
};

struct RewriteCounts {
  int64_t files_removed = 0;
  int64_t bytes_removed = 0;
  int64_t files_added = 0;
  int64_t bytes_added = 0;
  int64_t change_files = 0;
  int64_t rows_copied = 0;
  int64_t vectors_added = 0;  // an updated vector is one removed and one added
  int64_t vectors_removed = 0;
  int64_t vectors_updated = 0;
};

class FileRewriter {
 public:
  /// The new values of `rows` (all columns of the table) under update `update`; row i goes with row
  /// source_rows[i] of MERGE's source.
  using Update = std::function<Result<std::shared_ptr<arrow::RecordBatch>>(
      int32_t update, const std::shared_ptr<arrow::RecordBatch>& rows,
      const std::vector<int64_t>& source_rows)>;

  /// `snapshot` is what is read and, but for its version, what is written: of MERGE with schema
  /// evolution it has the new schema. `record_changes` = false where the change feed can be told
  /// from whole files. `rules` and `update` may be null when nothing is inserted or updated.
  /// `table` and `rules` outlive this.
  static Result<std::unique_ptr<FileRewriter>> Make(Table& table,
                                                    std::shared_ptr<const Snapshot> snapshot,
                                                    RowRules* rules, const WriteOptions& options,
                                                    bool record_changes, Update update);
  ~FileRewriter();

  /// `actions` ascending by position, of live rows. Nothing to do = nothing happens.
  Status Apply(const AddFile& file, const std::vector<RowAction>& actions);
  /// All rows leave; they are read only for the change feed.
  Status RemoveFile(const AddFile& file);
  /// New rows, as RowRules takes them; returns them as they are written.
  Result<std::shared_ptr<arrow::RecordBatch>> Insert(
      const std::shared_ptr<arrow::RecordBatch>& rows);

  /// True when there is anything to commit. After Finish, counts() is complete.
  bool changed() const { return !dropped_.empty() || !masked_.empty() || inserted_; }
  /// Closes the files of rows and says what they are. No more rows then.
  Result<const std::vector<AddFile>*> FinishRows();
  /// Closes all files and adds everything to `transaction`.
  Status Finish(Transaction* transaction);
  /// Commits and puts the version into `report`, or says that the AppTxn of `options` was written
  /// meanwhile. What was written is deleted again when the commit surely did not happen.
  Status Commit(Transaction* transaction, const WriteOptions& options, WriteReport* report);
  /// Says that a commit names the files, or may: they are left alone.
  void Keep() { committed_ = true; }
  const RewriteCounts& counts() const { return counts_; }

 private:
  struct Masked {
    AddFile file;
    DeletionVector vector;
  };
  struct Split;
  FileRewriter(Table& table, std::shared_ptr<const Snapshot> snapshot, RowRules* rules);
  Status ReadActions(const AddFile& file, const std::vector<RowAction>& actions, bool copy);
  Status WriteSplit(const Split& split, const std::shared_ptr<arrow::RecordBatch>& rows, bool copy);
  Status WriteUpdate(int32_t update, const std::shared_ptr<arrow::RecordBatch>& rows,
                     const std::vector<int64_t>& source_rows, arrow::ArrayVector ids);
  Status Mask(const AddFile& file, const std::vector<RowAction>& actions);
  Status WriteRows(const std::shared_ptr<arrow::RecordBatch>& rows, arrow::ArrayVector ids);
  Status WriteChange(const std::shared_ptr<arrow::RecordBatch>& rows, const char* change);
  void Drop(const AddFile& file);
  Status FinishVectors(Transaction* transaction);

  Table& table_;
  const std::shared_ptr<const Snapshot> snapshot_;
  RowRules* const rules_;
  Update update_;
  const bool keeps_row_ids_;
  const bool merge_on_read_;
  std::unique_ptr<DataFileWriter> writer_;
  std::unique_ptr<DataFileWriter> changes_;  // null: no change feed is written
  std::vector<Masked> masked_;
  std::vector<AddFile> dropped_;
  std::vector<std::string> created_;  // what to delete when no commit names it
  bool committed_ = false;            // or nobody knows
  std::vector<AddFile> added_;
  bool rows_finished_ = false;
  bool inserted_ = false;
  RewriteCounts counts_;
};

}  // namespace sluice::delta
