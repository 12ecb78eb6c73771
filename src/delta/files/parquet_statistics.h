// Statistics of a data file that is there already, whoever wrote it: bounds from its footer, counts
// from its rows. Thread-safe (a function).
#pragma once

#include <parquet/arrow/reader.h>

#include <optional>
#include <string>

#include "base/status.h"
#include "delta/protocol/file_statistics.h"

namespace sluice::delta {

/// The text of an add action, as FileStatistics writes it, for the columns of the file at or below
/// `chosen` (without it the first `indexed_columns`). `path` is for messages. DELTA_FILE_CORRUPT.
Result<std::string> StatisticsOf(parquet::arrow::FileReader* reader, const std::string& path,
                                 int indexed_columns,
                                 const std::optional<FileStatistics::Paths>& chosen = std::nullopt);

}  // namespace sluice::delta
