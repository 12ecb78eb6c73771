// OPTIMIZE: small files of a partition are rewritten as few large ones, with dataChange=false,
// through the table's one committer; deletion vectors are applied on the way, row ids stay. Memory:
// one batch at a time. Call from any one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/status.h"
#include "delta/predicate.h"
#include "delta/table.h"

namespace sluice {
class Workers;
}

namespace sluice::delta {

enum class CompactionKind {
  kBackground,  // of a writer, on the way: groups of many small files, a bounded piece at a time
  kOptimize,    // OPTIMIZE: whatever can be packed, all of it
  kPurge        // REORG TABLE ... APPLY (PURGE): files with deletion vectors, and no others
};

struct CompactionOptions {
  CompactionKind kind = CompactionKind::kBackground;
  int64_t target_file_bytes = 0;  // 0 = delta.targetFileSize
  // kBackground; the other kinds have Delta's own limits.
  double small_file_ratio = 0.5;          // files below ratio x target are candidates
  int min_files = 8;                      // a group is rewritten from so many files on
  int64_t max_input_bytes = 512LL << 20;  // of one call; what is left waits for the next
  double deleted_rows_ratio = 0.3;        // files with more deleted rows are rewritten alone, too
  Predicate predicate;                    // only partitions that may match
  std::string predicate_text;             // of the statement, for the history
  Workers* workers = nullptr;             // files are encoded on these threads, too
};

struct CompactionReport {
  std::optional<TableVersion> version;  // nothing when there was nothing to do
  int64_t files_removed = 0;
  int64_t files_added = 0;
  int64_t bytes_removed = 0;
  int64_t bytes_added = 0;
  int64_t vectors_removed = 0;             // deletion vectors
  std::map<std::string, int64_t> metrics;  // by Delta's names, as the history shows them
  bool more = false;                       // max_input_bytes was reached
};

/// DELTA_COMMIT_CONFLICT when somebody else removed a file meanwhile: the new files are deleted
/// again, try later.
Result<CompactionReport> Compact(Table& table, const CompactionOptions& options = {});

}  // namespace sluice::delta
