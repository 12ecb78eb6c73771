// Which encoding each column of a data file gets, decided from a sample of its first rows.
// Thread-safe (pure function).
#pragma once

#include <arrow/record_batch.h>
#include <parquet/properties.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace sluice::delta {

/// Integers and timestamps with many values: delta-binary-packed; texts with many values: plain (a
/// dictionary of them only costs); everything with few values: a dictionary. Binary columns get no
/// statistics: Delta has no use for them. `format` 1: nothing that came with version 2 of Parquet;
/// 2: data pages of that version; 0: its encodings in pages every reader knows.
Result<std::shared_ptr<parquet::WriterProperties>> ChooseEncodings(
    const arrow::RecordBatch& first_rows, const std::string& codec, int64_t max_row_group_rows,
    int32_t format = 0);

/// "snappy" -> ".snappy"; DELTA_INVALID_PROPERTY for a codec that cannot be used.
Result<parquet::Compression::type> CodecOf(const std::string& name);

}  // namespace sluice::delta
