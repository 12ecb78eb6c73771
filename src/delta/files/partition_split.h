// Rows -> runs and groups of equal partition values. Thread-safe (pure function).
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <vector>

#include "base/status.h"

namespace sluice::delta {

/// Rows of a batch that share their partition values, in their order; `first_row` is one of them in
/// the input.
struct PartitionGroup {
  int64_t first_row = 0;
  std::shared_ptr<arrow::RecordBatch> rows;
};

/// Splits `rows` by the values of `keys` (arrays as long as `rows`). Rows of one value, or sorted
/// by value, are passed on without a copy. A group may come in several pieces.
Result<std::vector<PartitionGroup>> SplitByPartition(
    const std::shared_ptr<arrow::RecordBatch>& rows, const arrow::ArrayVector& keys);

}  // namespace sluice::delta
