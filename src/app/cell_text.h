// One value as a person reads it in a table or a CSV file: Spark's CAST(x AS STRING) form.
// Thread-safe.
#pragma once

#include <arrow/array.h>

#include <string>

namespace sluice::app {

/// Appends the text of `array[row]`; NULL is "NULL". Session time zone UTC.
void AppendCellText(const arrow::Array& array, int64_t row, std::string* out);

/// "2024-03-01 00:00:00.5" of microseconds since 1970, UTC.
std::string TimestampText(int64_t micros);

}  // namespace sluice::app
