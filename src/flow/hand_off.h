// Hot hand-off: committed batches of a table kept in memory for the flows that read it. Thread-safe.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/named_type.h"
#include "base/status.h"

namespace arrow {
class RecordBatch;
}

namespace sluice::flow {

/// One committed version of a table.
struct HotVersion {
  TableVersion version{-1};
  bool appended_only = true;
  std::vector<std::shared_ptr<arrow::RecordBatch>> rows;
  int64_t bytes = 0;
};

/// The newest versions of one table, bounded by bytes; the oldest fall out and are then read from the table.
/// Versions in it are consecutive. With no reader registered nothing is kept.
class HandOff {
 public:
  explicit HandOff(int64_t max_bytes) : max_bytes_(max_bytes) {}
  void AddReader();
  /// The writer committed `version`.
  void Publish(HotVersion version) EXCLUDES_LOCK(mutex_);
  /// The batches of exactly this version, or nothing: not committed yet, or fallen out (see `newest`).
  std::optional<HotVersion> Get(TableVersion version) EXCLUDES_LOCK(mutex_);
  /// Newest published version, -1 when none.
  TableVersion newest() EXCLUDES_LOCK(mutex_);
  /// Waits until a version >= `version` is published, `max_wait_micros` passed or Wake was called.
  void WaitFor(TableVersion version, int64_t max_wait_micros) EXCLUDES_LOCK(mutex_);
  void Wake() EXCLUDES_LOCK(mutex_);
  /// Versions below `version` are no longer wanted by any reader.
  void Release(TableVersion version) EXCLUDES_LOCK(mutex_);

 private:
  const int64_t max_bytes_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::deque<HotVersion> versions_ GUARDED_BY(mutex_);
  int64_t bytes_ GUARDED_BY(mutex_) = 0;
  int readers_ GUARDED_BY(mutex_) = 0;
  int64_t wakes_ GUARDED_BY(mutex_) = 0;
  TableVersion newest_ GUARDED_BY(mutex_){-1};
};

}  // namespace sluice::flow
