// Selecting rows of batches by index or mask, provenance included. Thread-safe (pure functions).
#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "batch/batch.h"

namespace sluice {

/// Rows of `batch` at `indices` (any order, ascending is fastest); the origin follows. All rows
/// ascending = no copy.
Result<Batch> TakeRows(const Batch& batch, const std::shared_ptr<arrow::UInt32Array>& indices);
/// The same for a plain record batch.
Result<std::shared_ptr<arrow::RecordBatch>> TakeRows(
    const std::shared_ptr<arrow::RecordBatch>& rows,
    const std::shared_ptr<arrow::UInt32Array>& indices);
/// Sets the origin of `out`, whose rows are those of `batch` at `indices`.
Status FollowOrigin(const Batch& batch, const std::shared_ptr<arrow::UInt32Array>& indices,
                    Batch* out);
/// Indices of the rows where `mask` is TRUE (NULL counts as false).
Result<std::shared_ptr<arrow::UInt32Array>> TrueIndices(const arrow::BooleanArray& mask);
Result<std::shared_ptr<arrow::UInt32Array>> MakeIndices(const std::vector<uint32_t>& indices);

}  // namespace sluice
