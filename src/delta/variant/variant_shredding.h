// Variant columns as files hold them -> (metadata, value) per row. Shredded files keep parts of a
// value in typed columns of their own ("typed_value"); here they are put together again.
// Thread-safe (pure function).
#pragma once

#include <arrow/array.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace sluice::delta {

/// `array`: struct<metadata, value[, typed_value]> or Arrow's variant type over it. The result has
/// VariantType(). DELTA_SCHEMA_MISMATCH names `column`, DELTA_FILE_CORRUPT.
Result<std::shared_ptr<arrow::Array>> UnshredVariant(const std::shared_ptr<arrow::Array>& array,
                                                     const std::string& column);

}  // namespace sluice::delta
