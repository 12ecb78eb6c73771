// Opening Parquet files of a table for reading; Parquet's errors become ours here. Thread-safe
// (pure functions).
#pragma once

#include <arrow/io/interfaces.h>
#include <parquet/arrow/reader.h>

#include <memory>
#include <string>

#include "base/status.h"
#include "storage/storage.h"

namespace sluice::delta {

/// DELTA_FILE_NOT_FOUND, DELTA_FILE_CORRUPT. INT96 is read as microseconds. `metadata`: of the
/// file, when it is known; null = it is read.
Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(
    storage::Storage& storage, const std::string& path, int64_t batch_rows,
    std::shared_ptr<parquet::FileMetaData> metadata = nullptr);

/// An error of the Parquet library on `path` as DELTA_FILE_CORRUPT; ours pass unchanged.
Status ParquetError(const Status& status, const std::string& path);

}  // namespace sluice::delta
