// OPTIMIZE: small files of a partition are rewritten as few large ones, with dataChange=false,
// through the table's one committer; deletion vectors are applied on the way. Memory: one batch at
// a time. Call from any one thread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/status.h"
#include "delta/predicate.h"
#include "delta/table.h"

namespace sluice::delta {

struct CompactionOptions {
  int64_t target_file_bytes = 0;          // 0 = delta.targetFileSize
  double small_file_ratio = 0.5;          // files below ratio x target are candidates
  int min_files = 8;                      // a group is rewritten from so many files on
  int64_t max_input_bytes = 512LL << 20;  // of one call; what is left waits for the next
  double deleted_rows_ratio = 0.3;        // files with more deleted rows are rewritten alone, too
  Predicate predicate;                    // only partitions that may match
};

struct CompactionReport {
  std::optional<TableVersion> version;  // nothing when there was nothing to do
  int64_t files_removed = 0;
  int64_t files_added = 0;
  int64_t bytes_removed = 0;
  int64_t bytes_added = 0;
  bool more = false;  // max_input_bytes was reached
};

/// DELTA_COMMIT_CONFLICT when somebody else removed a file meanwhile: the new files are deleted
/// again, try later.
Result<CompactionReport> Compact(Table& table, const CompactionOptions& options = {});

}  // namespace sluice::delta
