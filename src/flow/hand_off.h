// Hot hand-off: committed batches of a table kept in memory for the flows that read it.
// Thread-safe.
#pragma once

#include <map>
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

/// The newest versions of one table, bounded by bytes; the oldest fall out and are then read from
/// the table. With no reader nothing is kept. Versions may be published out of order (a maintenance
/// commit beside an epoch's).
class HandOff {
 public:
  explicit HandOff(int64_t max_bytes) : max_bytes_(max_bytes) {}
  /// Registers a reader; its number is for Release. A reader wants every version until it releases
  /// some.
  int AddReader() EXCLUDES_LOCK(mutex_);
  /// The reader wants nothing more.
  void RemoveReader(int reader) EXCLUDES_LOCK(mutex_);
  /// The writer committed `version`.
  void Publish(HotVersion version) EXCLUDES_LOCK(mutex_);
  /// The batches of exactly this version, or nothing: not committed yet, fallen out, or a foreign
  /// commit.
  std::optional<HotVersion> Get(TableVersion version) EXCLUDES_LOCK(mutex_);
  /// Newest published version, -1 when none.
  TableVersion newest() EXCLUDES_LOCK(mutex_);
  /// Waits until a version >= `version` is published, `max_wait_micros` passed or Wake was called.
  void WaitFor(TableVersion version, int64_t max_wait_micros) EXCLUDES_LOCK(mutex_);
  void Wake() EXCLUDES_LOCK(mutex_);
  /// `reader` wants no version below `version`; what no reader wants is let go.
  void Release(int reader, TableVersion version) EXCLUDES_LOCK(mutex_);
  /// Waits until less than half of the bound is kept, so that readers stay hot. Gives up (false)
  /// when no reader released anything for `max_wait_micros`, and at Wake.
  bool WaitForRoom(int64_t max_wait_micros) EXCLUDES_LOCK(mutex_);
  int64_t bytes() EXCLUDES_LOCK(mutex_);

 private:
  void DropBelowReaders() REQUIRES_LOCK(mutex_);

  const int64_t max_bytes_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::map<TableVersion, HotVersion> versions_ GUARDED_BY(mutex_);
  std::map<int, TableVersion> readers_ GUARDED_BY(mutex_);  // reader -> oldest version it wants
  int64_t bytes_ GUARDED_BY(mutex_) = 0;
  int next_reader_ GUARDED_BY(mutex_) = 0;
  int64_t wakes_ GUARDED_BY(mutex_) = 0;
  int64_t releases_ GUARDED_BY(mutex_) = 0;
  TableVersion newest_ GUARDED_BY(mutex_){-1};
};

}  // namespace sluice::flow
