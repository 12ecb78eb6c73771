// Arrow rows -> JSON text as Spark's to_json / Dataset.toJSON prints them: compact, NULL fields
// left out, timestamps as 2024-03-01T00:00:00.000Z (UTC), binary as base64, map keys as text.
// Thread-safe (pure functions).
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"

namespace sluice::codec {

struct JsonWriterOptions {
  bool ignore_null_fields = true;  // Spark's option ignoreNullFields
  int fraction_digits = 3;         // of timestamps: 3 as Spark, or 6 to lose nothing
};

/// Appends row `row` of `rows` to `out` as one JSON object. JSON_UNSUPPORTED_SCHEMA for a type
/// without a JSON form.
Status AppendRowJson(const arrow::RecordBatch& rows, int64_t row, std::string* out,
                     const JsonWriterOptions& options = {});
/// Appends element `row` of `values` as a JSON value ("null" when NULL).
Status AppendValueJson(const arrow::Array& values, int64_t row, std::string* out,
                       const JsonWriterOptions& options = {});
/// All rows, one string each: to_json(struct(*)).
Result<std::shared_ptr<arrow::StringArray>> RowsToJson(const arrow::RecordBatch& rows,
                                                       const JsonWriterOptions& options = {});
/// to_json(value) for each element of a struct, list or map array; NULL stays NULL.
Result<std::shared_ptr<arrow::StringArray>> ValuesToJson(const arrow::Array& values,
                                                         const JsonWriterOptions& options = {});

}  // namespace sluice::codec
