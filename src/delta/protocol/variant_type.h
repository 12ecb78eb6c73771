// The Arrow type of variant columns. Pure functions, any thread.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>

namespace sluice::delta {

/// Arrow's variant extension type over struct<metadata: binary, value: binary>, both in the Parquet
/// variant encoding (variant/variant.h).
const std::shared_ptr<arrow::DataType>& VariantType();
bool IsVariant(const arrow::DataType& type);

}  // namespace sluice::delta
