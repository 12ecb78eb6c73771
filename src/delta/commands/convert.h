// CONVERT TO DELTA: a folder of Parquet files becomes a table without a byte of them being written
// anew: version 0 names them. Memory: a batch of rows, and the actions. Call from any one thread.
#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>

#include "base/random.h"
#include "base/status.h"
#include "delta/files/write_options.h"
#include "delta/log/table.h"

namespace sluice {
class Workers;
}

namespace sluice::delta {

struct ConvertOptions {
  /// PARTITIONED BY: the columns that the folders `col=value` stand for, in their order. Null = the
  /// folder has none.
  std::shared_ptr<arrow::Schema> partition_schema;
  bool collect_statistics = true;  // reads every row; NO STATISTICS reads footers only
  StringMap properties;
  Workers* workers = nullptr;  // files are read on these threads, too; outlives the call
};

/// The schema is that of all files together, every column nullable, partition columns last. Files
/// and folders whose names begin with '.' or '_' are not looked at. Metric: numConvertedFiles.
/// Nothing is done, and the report has no version, where there is a Delta table already.
///
/// DELTA_CONVERT_NO_FILES; DELTA_CONVERT_PARTITIONS when folders and partition columns do not fit;
/// DELTA_SCHEMA_MISMATCH when files differ in the type of a column; DELTA_UNSUPPORTED_TYPE,
/// DELTA_FILE_CORRUPT.
Result<WriteReport> ConvertParquet(const TableContext& context, const std::string& path,
                                   const ConvertOptions& options, Random& random);

}  // namespace sluice::delta
