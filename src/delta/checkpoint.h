// Writing checkpoints: the state of a version as one Parquet file (V1), so that readers need not
// replay the log. Memory: one batch of actions at a time. One caller per table at a time (Table
// sees to it).
#pragma once

#include <cstdint>

#include "base/status.h"
#include "delta/snapshot.h"
#include "storage/storage.h"

namespace sluice::delta {

/// Writes `<version>.checkpoint.parquet`, then `_last_checkpoint`. Leaves out tombstones older than
/// delta.deletedFileRetentionDuration and transaction identifiers older than
/// delta.setTransactionRetentionDuration.
Status WriteCheckpoint(storage::Storage& storage, const Snapshot& snapshot, int64_t now_ms);

}  // namespace sluice::delta
