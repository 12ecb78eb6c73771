// OPTIMIZE: files are rewritten with dataChange=false, through the table's one committer, so that a
// blind append of anybody never conflicts; deletion vectors are applied on the way, row ids stay.
//
//   packing      small files of a partition become few large ones
//   ZORDER BY    all files of the partitions chosen, their rows along a Z-order curve
//   clustering   of a table with clustering columns: files that are not laid out yet, and what is
//                small of those that are, along a Hilbert curve
//
// Memory: a row group per thread when packing, `sort_memory_bytes` along a curve (more rows go to
// spill files). Call from any one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/columns/predicate.h"
#include "delta/log/table.h"
#include "storage/storage.h"

namespace sluice {
class Workers;
}

namespace sluice::delta {

enum class CompactionKind {
  kBackground,  // of a writer, on the way: groups of many small files, a bounded piece at a time
  kAuto,        // after a write (delta.autoOptimize.autoCompact): groups of many small files
  kOptimize,    // OPTIMIZE: whatever can be packed, all of it; or in the order of a curve
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
  Workers* workers = nullptr;             // files are rewritten on these threads, too

  // kOptimize.
  std::vector<std::vector<std::string>> z_order_by;  // columns by path; empty = no ZORDER BY
  bool full = false;                          // OPTIMIZE FULL: what is clustered already, too
  int64_t min_cube_bytes = 100LL << 30;       // files clustered together stay so from this size on
  int64_t sort_memory_bytes = 512LL << 20;    // of rows being sorted
  storage::Storage* spill_storage = nullptr;  // of rows beyond it; null = the table's, in a folder
                                              // of the table that readers do not see. Outlives the
                                              // call
  std::string spill_folder;                   // in spill_storage
};

struct CompactionReport {
  std::optional<TableVersion> version;  // nothing when there was nothing to do
  int64_t files_removed = 0;
  int64_t files_added = 0;
  int64_t bytes_removed = 0;
  int64_t bytes_added = 0;
  int64_t vectors_removed = 0;       // deletion vectors
  int64_t vector_rows_removed = 0;   // rows they hid
  std::vector<int64_t> sizes_added;  // bytes of each file
  std::vector<int64_t> sizes_removed;
  int64_t groups = 0;                      // of files rewritten together
  int64_t partitions = 0;                  // they lie in
  std::map<std::string, int64_t> metrics;  // by Delta's names, as the history shows them
  bool more = false;                       // max_input_bytes was reached
};

/// DELTA_COMMIT_CONFLICT when somebody else removed a file meanwhile: the new files are deleted
/// again, try later. Of ZORDER BY: DELTA_ZORDERING_ON_PARTITION_COLUMN,
/// DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST, DELTA_ZORDERING_ON_COLUMN_WITHOUT_STATS,
/// DELTA_CLUSTERING_WITH_ZORDER_BY; of clustered tables: DELTA_CLUSTERING_WITH_PARTITION_PREDICATE;
/// of others DELTA_OPTIMIZE_FULL_NOT_SUPPORTED.
Result<CompactionReport> Compact(Table& table, const CompactionOptions& options = {});

/// Packs small files when the table asks for it (delta.autoOptimize.autoCompact) and there are
/// enough of them. What fails is logged: the write before it stands.
void CompactAfterWrite(Table& table, Workers* workers);

}  // namespace sluice::delta
