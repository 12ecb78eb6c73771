// Checkpoints -> actions, but for files: V1 (one file or several parts) and V2 (Parquet or JSON,
// with sidecars). No row group that holds only files is read. Thread-safe (pure function); memory:
// one batch of rows at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/log_segment.h"
#include "delta/protocol/action.h"
#include "storage/storage.h"

namespace sluice::delta {

/// Visits every action but those about files; of these only what a JSON manifest names itself. The
/// Parquet files that may name more (checkpoint_files.h). DELTA_FILE_CORRUPT,
/// DELTA_FILE_NOT_FOUND, DELTA_LOG_CORRUPT: another checkpoint or the commits may do instead.
Result<std::vector<std::string>> ReadCheckpoint(storage::Storage& storage,
                                                const std::string& table_path,
                                                const CheckpointFiles& files,
                                                const std::function<void(Action)>& visit);

/// Whether reading a checkpoint failed because of what it holds, so that another one, or the
/// commits, may do instead; other errors are the storage's.
bool IsBrokenCheckpoint(const Status& status);

/// Paths of the sidecars it refers to.
Result<std::vector<std::string>> ReadSidecars(storage::Storage& storage,
                                              const std::string& table_path,
                                              const CheckpointFiles& files);

/// The number of rows of all its files: not fewer than its actions about files.
Result<int64_t> CountCheckpointRows(storage::Storage& storage, const std::string& table_path,
                                    const CheckpointFiles& files);

}  // namespace sluice::delta
