// Rows of many files in the order of a space-filling curve through the ranges of some columns: what
// ZORDER BY and clustering have in common. One pass over these columns to find the ranges, one over
// all columns to sort. Memory: the limit given. Call from any one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/files/row_sorter.h"
#include "delta/log/snapshot.h"
#include "delta/upkeep/clustering.h"

namespace sluice::delta {

enum class Curve { kMorton, kHilbert };

struct CurveOptions {
  std::vector<ColumnPath> columns;
  Curve curve = Curve::kMorton;
  RowSorterOptions sorter;
};

/// Reads the live rows of `files` (with row ids where the table keeps them) and hands them out in
/// order.
Status ReadAlongCurve(storage::Storage& storage, const std::shared_ptr<const Snapshot>& snapshot,
                      const std::vector<std::shared_ptr<const AddFile>>& files,
                      const CurveOptions& options, const RowSorter::Sink& sink);

}  // namespace sluice::delta
