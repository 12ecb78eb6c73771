// The `add` column of one checkpoint as that of the next, without making objects of it.
// Thread-safe (pure functions).
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"

namespace sluice::delta {

/// Whether every field of `adds` that `type` has is of the type it has there: else its rows must be
/// read one by one.
bool CanPassOn(const arrow::StructArray& adds, const arrow::DataType& type);

/// `rows` of `adds` (positions, ascending; none null) as a struct of `type`: a field that is
/// missing is null, a map that is missing is empty, and `dataChange` is false: a checkpoint changes
/// nothing. REQUIRES: CanPassOn(adds, *type).
Result<std::shared_ptr<arrow::Array>> PassOn(const std::shared_ptr<arrow::StructArray>& adds,
                                             const std::vector<int32_t>& rows,
                                             const std::shared_ptr<arrow::DataType>& type);

}  // namespace sluice::delta
