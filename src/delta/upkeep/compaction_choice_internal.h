// Which files OPTIMIZE rewrites, and how: what its options, the table's properties and its
// clustering come to. Thread-safe (pure functions).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/snapshot.h"
#include "delta/upkeep/clustering.h"
#include "delta/upkeep/compaction.h"
#include "delta/upkeep/curve_rewrite_internal.h"

namespace sluice::delta {

using FileGroup = std::vector<std::shared_ptr<const AddFile>>;

struct CompactionChoice {
  int64_t target = 0;  // bytes of a new file
  int64_t small = 0;   // files below are candidates
  int min_files = 2;
  double deleted_ratio = 0;
  int64_t max_input_bytes = INT64_MAX;
  bool only_vectors = false;
  bool spare_clustered = false;     // files that are laid out are no candidates
  std::vector<ColumnPath> columns;  // not empty: along `curve`
  std::optional<Curve> curve;
  bool clusters() const { return curve == Curve::kHilbert; }

  /// Errors of Compact that concern the request.
  static Result<CompactionChoice> Make(const Snapshot& snapshot, const CompactionOptions& options);
  /// Each group becomes files of its own.
  std::vector<FileGroup> Groups(const Snapshot& snapshot, const CompactionOptions& options) const;
};

/// What says of a file by which columns and with which others it was laid out.
void MarkClustered(const std::vector<ColumnPath>& columns, const std::string& cube, AddFile* file);

}  // namespace sluice::delta
