// Reading a table: the live rows of a snapshot, and what one version added. Bounded memory: one
// file open at a time.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/columns/predicate.h"
#include "delta/files/parquet_reader.h"
#include "delta/log/snapshot.h"
#include "delta/log/table.h"

namespace sluice::delta {

struct ScanOptions {
  std::optional<std::vector<std::string>> columns;  // nullopt = all
  /// Prunes files only: rows for which it is not TRUE may still be returned.
  Predicate predicate;
  int64_t batch_rows = 65536;
  bool with_row_ids = false;  // adds "__row_id", "__row_commit_version" (row tracking)
};

/// One pass over the live rows of a snapshot. One owner.
class Scan {
 public:
  /// `storage` outlives this.
  static Result<std::unique_ptr<Scan>> Make(storage::Storage& storage,
                                            std::shared_ptr<const Snapshot> snapshot,
                                            const ScanOptions& options = {});
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// Files left after pruning, in the order they are read.
  const std::vector<std::shared_ptr<const AddFile>>& files() const { return files_; }
  /// The next batch (never empty), or null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();

 private:
  Scan(storage::Storage& storage, std::shared_ptr<const Snapshot> snapshot,
       const ScanOptions& options);

  storage::Storage& storage_;
  std::shared_ptr<const Snapshot> snapshot_;
  DataFileReadOptions read_options_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::shared_ptr<const AddFile>> files_;
  size_t next_file_ = 0;
  std::unique_ptr<DataFileReader> reader_;
};

/// All rows of `snapshot` in memory (small tables, tests).
Result<std::shared_ptr<arrow::Table>> ReadAll(storage::Storage& storage,
                                              std::shared_ptr<const Snapshot> snapshot,
                                              const ScanOptions& options = {});

/// What one version did, for a reader that follows the table.
struct VersionChanges {
  TableVersion version{-1};
  std::vector<AddFile> added;  // with dataChange=true, in log order
  bool removed_rows = false;   // a remove with dataChange=true: not an append
  bool metadata_changed = false;
  bool protocol_changed = false;
  std::optional<CommitInfo> info;
  std::map<std::string, int64_t> txns;
};
/// DELTA_VERSION_NOT_FOUND when the commit is not there (cleaned up, or not committed yet).
Result<VersionChanges> ReadVersionChanges(const Table& table, TableVersion version);

}  // namespace sluice::delta
