// Prints a result as a table, JSON (one object a row), CSV or Parquet. One thread.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace sluice::app {

enum class OutputFormat { kTable, kJson, kCsv, kParquet };

/// "table", "json", "csv" or "parquet". Error: INVALID_OUTPUT_FORMAT.
Result<OutputFormat> ParseOutputFormat(const std::string& text);

/// Writes all rows to `path`, or to standard output when it is empty (not for Parquet).
Status WriteOutput(arrow::RecordBatchReader* rows, OutputFormat format, const std::string& path);

}  // namespace sluice::app
