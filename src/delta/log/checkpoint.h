// Writing checkpoints: the state of a version as Parquet, so that readers need not replay the log.
// V1 (one file or parts) or, where delta.checkpointPolicy is v2, a JSON manifest and sidecars.
// Memory: one file of at most 100,000 actions at a time; from the log alone also 16 bytes per file
// that commits since the last checkpoint name. One caller per table at a time (Table sees to it).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"
#include "delta/log/snapshot.h"
#include "storage/storage.h"

namespace sluice::delta {

struct CheckpointOptions {
  int64_t now_ms = 0;
  std::function<std::string()> new_uuid;  // names the files of a V2 checkpoint
};

/// Writes the checkpoint of `snapshot`, then `_last_checkpoint`. Leaves out tombstones older than
/// delta.deletedFileRetentionDuration and transaction identifiers older than
/// delta.setTransactionRetentionDuration.
Status WriteCheckpoint(storage::Storage& storage, const Snapshot& snapshot,
                       const CheckpointOptions& options);

/// The same for the newest version of the table at `table_path`, from its log and the checkpoint
/// before: no snapshot of it is ever in memory. The version; -1 when it has a checkpoint already.
Result<TableVersion> WriteCheckpointFromLog(storage::Storage& storage,
                                            const std::string& table_path,
                                            const CheckpointOptions& options);

}  // namespace sluice::delta
