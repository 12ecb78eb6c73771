// The files of `_delta_log`: their names, and which of them make up a version.
//
//   00000000000000000007.json                                        commit
//   00000000000000000010.checkpoint.parquet                          checkpoint, one file
//   00000000000000000010.checkpoint.0000000001.0000000003.parquet    checkpoint, part 1 of 3
//   00000000000000000010.checkpoint.<uuid>.{json,parquet}            V2 checkpoint (its rows may
//   lie in _sidecars/) _last_checkpoint                                                 a hint;
//   never relied on here
//
// Thread-safe (pure functions over the storage).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/named_type.h"
#include "base/status.h"
#include "storage/storage.h"

namespace sluice::delta {

std::string LogFolder(const std::string& table_path);
std::string CommitPath(const std::string& table_path, TableVersion version);
std::string CheckpointPath(const std::string& table_path, TableVersion version);
std::string LastCheckpointPath(const std::string& table_path);

struct LogFileName {
  enum class Kind { kCommit, kCheckpoint, kCheckpointPart, kCheckpointV2 };
  Kind kind = Kind::kCommit;
  TableVersion version{-1};
  int part = 0;
  int parts = 0;
};
/// Nothing for other files (checksums, compacted logs, temporary files).
std::optional<LogFileName> ParseLogFileName(std::string_view path);

struct CheckpointFiles {
  TableVersion version{-1};
  std::vector<std::string> paths;
};

struct LogSegment {
  TableVersion version{-1};
  /// Newest first; all complete by name, at or below `version`. The caller takes the first that can
  /// be read.
  std::vector<CheckpointFiles> checkpoints;
  std::vector<storage::FileInfo> commits;  // ascending; all there are up to `version`
};

/// DELTA_TABLE_NOT_FOUND when there is no log, DELTA_VERSION_NOT_FOUND when it does not reach
/// `version`.
Result<LogSegment> ListLog(storage::Storage& storage, const std::string& table_path,
                           std::optional<TableVersion> version);
/// The commits of `segment` after version `base`, ascending. DELTA_LOG_CORRUPT unless they go on
/// without a gap up to the segment's version.
Result<std::vector<storage::FileInfo>> CommitsAfter(const LogSegment& segment, TableVersion base,
                                                    const std::string& table_path);
/// The version of a listed commit.
TableVersion VersionOf(const storage::FileInfo& commit);

}  // namespace sluice::delta
