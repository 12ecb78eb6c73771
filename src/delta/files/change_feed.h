// The change data feed: which rows versions inserted, deleted and updated. Rows come from the
// change files of a commit where it has them, else from the files it added and removed and from the
// difference of deletion vectors. Bounded memory: one file open at a time. One owner.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "delta/files/parquet_reader.h"
#include "delta/log/table.h"

namespace sluice::delta {

struct ChangeFeedOptions {
  int64_t batch_rows = 65536;
};

class ChangeFeed {
 public:
  /// Changes of the versions `from` to `to` (both inclusive; beyond the newest version: up to that;
  /// nullopt: the newest), with the columns of the last one plus "_change_type" (insert, delete,
  /// update_preimage, update_postimage), "_commit_version", "_commit_timestamp".
  /// DELTA_CHANGE_FEED_RANGE for versions that are no range, DELTA_CHANGE_FEED_DISABLED for a
  /// version without `delta.enableChangeDataFeed`, DELTA_VERSION_NOT_FOUND. `table` outlives this.
  static Result<std::unique_ptr<ChangeFeed>> Make(const Table& table, TableVersion from,
                                                  std::optional<TableVersion> to,
                                                  const ChangeFeedOptions& options = {});

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// The next batch (never empty), versions ascending; null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();

 private:
  /// Rows of one file that share a kind of change.
  struct Part {
    AddFile file;
    const char* change = "";  // empty: the file says it
    bool only_listed = false;
    std::vector<uint64_t> rows;  // positions in the file when only_listed, ascending
  };
  ChangeFeed(const Table& table, const ChangeFeedOptions& options)
      : table_(table), options_(options) {}
  Status CheckEnabled(TableVersion from) const;
  /// The parts of version `next_`.
  Status Plan();
  Status PlanFiles(const std::vector<Action>& actions);
  Status PlanVectorChange(const AddFile& added, const RemoveFile& removed);
  Status OpenNext();
  Result<std::shared_ptr<arrow::RecordBatch>> Finish(
      const std::shared_ptr<arrow::RecordBatch>& rows) const;
  Result<std::shared_ptr<arrow::RecordBatch>> Listed(
      const std::shared_ptr<arrow::RecordBatch>& rows);

  const Table& table_;
  const ChangeFeedOptions options_;
  std::shared_ptr<const Snapshot> snapshot_;  // of the last version
  std::shared_ptr<arrow::Schema> schema_;
  TableVersion next_{-1};  // the version planned next
  TableVersion last_{-1};
  TableVersion version_{-1};  // the one being read
  int64_t timestamp_ms_ = 0;
  std::vector<Part> parts_;
  size_t next_part_ = 0;
  std::unique_ptr<DataFileReader> reader_;
};

}  // namespace sluice::delta
