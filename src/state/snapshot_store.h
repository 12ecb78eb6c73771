// Saved state of one flow: a few files, each named by the commit it belongs to and checked by a
// hash at its end. State is a cache of what the log and the sources say: a bad file is skipped,
// never an error. One owner at a time, except that PendingSnapshot::Finish may run on another
// thread.
//
//   <generation>-<epoch>-<version>.state:  "SLUICEST" u64 format  { u64 size, bytes } per section
//   u64 end mark
//                                          u64 hash low, u64 hash high (XXH3-128 of the sections'
//                                          hashes)
#pragma once

#include <arrow/io/interfaces.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "storage/storage.h"

namespace sluice::state {

struct SnapshotTag {
  int64_t generation = 0;
  int64_t epoch = -1;
  int64_t version = -1;  // of the target table, at which the epoch was committed
  auto operator<=>(const SnapshotTag&) const = default;
};

/// A file being written: sections in order, then Finish.
class PendingSnapshot {
 public:
  virtual ~PendingSnapshot() = default;
  /// The stream of the next section; ends the one before. Owned by this.
  virtual Result<arrow::io::OutputStream*> NextSection() = 0;
  /// Durable on return.
  virtual Status Finish() = 0;
};

class SnapshotStore {
 public:
  /// Files live in `folder` of `storage`, which outlives this.
  SnapshotStore(storage::Storage& storage, std::string folder)
      : storage_(storage), folder_(std::move(folder)) {}

  Result<std::unique_ptr<PendingSnapshot>> Create(const SnapshotTag& tag);
  /// Newest first.
  Result<std::vector<SnapshotTag>> List();
  /// The sections, verified. STATE_CORRUPT when the file is torn or changed.
  Result<std::vector<std::shared_ptr<arrow::Buffer>>> Load(const SnapshotTag& tag);
  Status Delete(const SnapshotTag& tag);
  /// Deletes all but the newest `count`.
  Status KeepNewest(size_t count);

 private:
  std::string PathOf(const SnapshotTag& tag) const;

  storage::Storage& storage_;
  const std::string folder_;
};

}  // namespace sluice::state
