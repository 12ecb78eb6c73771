// A result as one plain Parquet file that belongs to no table: `sluice sql --output parquet`.
// Thread-safe (a function).
#pragma once

#include <arrow/record_batch.h>

#include <string>

#include "base/status.h"

namespace sluice::delta {

/// Reads `rows` to the end into the local file `path`, snappy. An unfinished file is removed.
/// STORAGE_IO.
Status WriteParquetFile(arrow::RecordBatchReader* rows, const std::string& path);

}  // namespace sluice::delta
