// What a table is made of, in numbers: for `sluice table` and whoever looks after tables.
// Thread-safe (functions of immutable snapshots and the storage).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/snapshot.h"
#include "storage/storage.h"

namespace sluice::delta {

/// The live files of a version.
struct FileSummary {
  int64_t files = 0;
  int64_t bytes = 0;
  std::optional<int64_t> rows;  // live ones; nothing when a file does not say how many it has
  int64_t bytes_min = 0;
  int64_t bytes_max = 0;
  int64_t partitions = 0;          // partition values that occur
  int64_t without_statistics = 0;  // files
  int64_t deletion_vectors = 0;
  int64_t deleted_rows = 0;
  int64_t tombstones = 0;  // removed files the version still remembers
};
FileSummary SummarizeFiles(const Snapshot& snapshot);

/// One commit of the log.
struct LogEntry {
  TableVersion version{-1};
  int64_t timestamp_ms = 0;
  int64_t bytes = 0;  // of the commit's file
  CommitInfo info;
  int64_t files_added = 0;
  int64_t files_removed = 0;
  int64_t change_files = 0;
  int64_t txns = 0;
  bool metadata = false;
  bool protocol = false;
  bool checkpoint = false;  // there is one of this version
  bool checksum = false;
};
/// Newest first, at most `limit`. A commit that cannot be read is DELTA_LOG_CORRUPT.
Result<std::vector<LogEntry>> DescribeLog(storage::Storage& storage, const std::string& table_path,
                                          size_t limit);

/// The files of `_delta_log`, added up.
struct LogSummary {
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t commits = 0;
  TableVersion oldest_commit{-1};
  int64_t checkpoints = 0;  // complete ones
  TableVersion newest_checkpoint{-1};
  int64_t checksums = 0;
};
Result<LogSummary> SummarizeLog(storage::Storage& storage, const std::string& table_path);

}  // namespace sluice::delta
