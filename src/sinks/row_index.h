// Where the live row of each key of a merged table is: file and position in it. In memory, made
// from the table's key columns. Not thread-safe.
#pragma once

#include <arrow/record_batch.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash128.h"
#include "base/status.h"
#include "delta/log/table.h"
#include "delta/protocol/deletion_vector.h"

namespace sluice::sinks {

/// 128-bit hash of the key columns of each row, by value: equal keys hash equally whatever batch
/// they are in. NULLs equal each other; -0.0 equals 0.0, all NaNs are one. FLOW_DEFINITION when a
/// column is missing or its type has no key form.
Result<std::vector<Hash128>> HashKeys(const arrow::RecordBatch& rows,
                                      const std::vector<std::string>& key_columns);

class RowIndex {
 public:
  /// A live file and what is deleted in it.
  struct File {
    std::shared_ptr<const delta::AddFile> add;
    int64_t live = 0;
    delta::DeletionVector deleted;  // all, those of this epoch included
  };

  explicit RowIndex(std::vector<std::string> key_columns) : key_columns_(std::move(key_columns)) {}

  /// Reads the key columns of every live file. DELTA_DUPLICATE_KEY when two live rows have one key.
  Status Rebuild(delta::Table& table, std::shared_ptr<const delta::Snapshot> snapshot);
  /// Rows that are in the table.
  int64_t num_rows() const { return static_cast<int64_t>(rows_.size()); }
  int64_t num_files() const { return static_cast<int64_t>(files_.size()); }

  /// Marks the rows of these keys deleted; returns the files that this touched, by FileKey.
  std::set<std::string> Delete(const std::vector<Hash128>& keys);
  /// The rows of these keys are in another file that AddFile will read.
  void Forget(const std::vector<Hash128>& keys);
  File& file(const std::string& key) { return *files_.at(key); }
  void RemoveFile(const std::string& key) { files_.erase(key); }
  /// The file got another deletion vector: its identity in the log changes.
  void RenameFile(const std::string& old_key, std::shared_ptr<const delta::AddFile> add);
  /// Reads the keys of a file that is now live.
  Status AddFile(delta::Table& table, const std::shared_ptr<const delta::Snapshot>& snapshot,
                 const delta::AddFile& add);

 private:
  struct Location {
    File* file = nullptr;
    uint32_t row = 0;
  };

  const std::vector<std::string> key_columns_;
  std::unordered_map<Hash128, Location, HashOfHash> rows_;
  std::map<std::string, std::unique_ptr<File>> files_;
};

}  // namespace sluice::sinks
