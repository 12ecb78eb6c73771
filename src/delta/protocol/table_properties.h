// The table properties (`delta.*`) this library acts on, parsed. Thread-safe (plain data).
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

struct TableProperties {
  bool append_only = false;                                    // delta.appendOnly
  bool enable_deletion_vectors = false;                        // delta.enableDeletionVectors
  bool enable_in_commit_timestamps = false;                    // delta.enableInCommitTimestamps
  int64_t checkpoint_interval = 10;                            // delta.checkpointInterval, commits
  int64_t log_retention_ms = 30LL * 24 * 3600 * 1000;          // delta.logRetentionDuration
  int64_t deleted_file_retention_ms = 7LL * 24 * 3600 * 1000;  // delta.deletedFileRetentionDuration
  int64_t txn_retention_ms = -1;             // delta.setTransactionRetentionDuration; -1 = for ever
  bool enable_expired_log_cleanup = true;    // delta.enableExpiredLogCleanup
  int32_t num_indexed_columns = 32;          // delta.dataSkippingNumIndexedCols; -1 = all
  int64_t target_file_size = 128LL << 20;    // delta.targetFileSize, bytes
  std::string compression_codec = "snappy";  // delta.parquet.compression.codec
  std::string column_mapping_mode = "none";  // delta.columnMapping.mode
};

/// DELTA_INVALID_PROPERTY names the key. For properties that are about to be set.
Result<TableProperties> ParseTableProperties(const StringMap& configuration);
/// The same for a table that exists: a value that cannot be used counts as absent.
TableProperties UsableTableProperties(const StringMap& configuration);

/// "interval 30 days", "7 hours 5 minutes" -> milliseconds.
Result<int64_t> ParseInterval(const std::string& text);

}  // namespace sluice::delta
