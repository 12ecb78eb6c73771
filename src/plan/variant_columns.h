// VARIANT between tables and queries: a table holds the binary encoding, a query texts of JSON.
// What a text cannot tell apart becomes what parse_json makes of it: dates, timestamps and binary
// values are strings then. Thread-safe (pure functions).
#pragma once

#include <arrow/record_batch.h>

#include <memory>

#include "base/status.h"

namespace sluice::plan {

/// Types as queries have them: variants, also within other types, as sql::VariantType(). Everything
/// else stays.
std::shared_ptr<arrow::DataType> SqlType(const std::shared_ptr<arrow::DataType>& type);
std::shared_ptr<arrow::Schema> SqlSchema(const std::shared_ptr<arrow::Schema>& schema);
/// Types as tables have them: delta::VariantType().
std::shared_ptr<arrow::DataType> TableType(const std::shared_ptr<arrow::DataType>& type);
std::shared_ptr<arrow::Schema> TableSchema(const std::shared_ptr<arrow::Schema>& schema);

/// `array` with SqlType() of its type; itself when it holds no variant of a table.
/// DELTA_FILE_CORRUPT.
Result<std::shared_ptr<arrow::Array>> SqlArray(const std::shared_ptr<arrow::Array>& array);
/// `array` with TableType() of its type; itself when it holds no variant of a query.
/// DELTA_INVALID_VARIANT.
Result<std::shared_ptr<arrow::Array>> TableArray(const std::shared_ptr<arrow::Array>& array);
/// The rows of a query as a table takes them.
std::shared_ptr<arrow::RecordBatchReader> TableRows(std::shared_ptr<arrow::RecordBatchReader> rows);

}  // namespace sluice::plan
