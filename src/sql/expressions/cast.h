// CAST in Spark's ANSI mode on Arrow arrays. Pure functions.
#pragma once

#include <arrow/array.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace sluice::sql {

/// `array` as `type`. A value that cannot be converted is CAST_INVALID_INPUT, CAST_OVERFLOW or
/// NUMERIC_VALUE_OUT_OF_RANGE, or NULL with `try_mode`. Zero copy where the bytes are the same.
Result<std::shared_ptr<arrow::Array>> CastArray(const std::shared_ptr<arrow::Array>& array,
                                                const std::shared_ptr<arrow::DataType>& type,
                                                bool try_mode);
/// OK when CastArray knows the conversion; NOT_SUPPORTED_YET otherwise.
Status CheckCastSupported(const arrow::DataType& from, const arrow::DataType& to);
/// Appends the value as CAST(x AS STRING) prints it; nested NULLs are "null".
void AppendText(const arrow::Array& array, int64_t row, std::string* out);

/// Double.toString and Float.toString of Java.
std::string JavaDouble(double value);
std::string JavaFloat(float value);

}  // namespace sluice::sql
