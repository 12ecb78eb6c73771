// What DESCRIBE HISTORY and DESCRIBE DETAIL answer, as record batches. Thread-safe (pure
// functions).
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/table.h"

namespace sluice::statements {

/// The columns of Delta's DESCRIBE HISTORY that do not name a Databricks workspace: version BIGINT,
/// timestamp TIMESTAMP, operation STRING, operationParameters MAP<STRING, STRING>, readVersion
/// BIGINT, isolationLevel STRING, isBlindAppend BOOLEAN, operationMetrics MAP<STRING, STRING>,
/// userMetadata STRING, engineInfo STRING.
Result<std::shared_ptr<arrow::RecordBatchReader>> HistoryRows(
    const std::vector<delta::VersionInfo>& versions);

/// The row of Delta's DESCRIBE DETAIL: format, id, name, description STRING; location STRING;
/// createdAt, lastModified TIMESTAMP; partitionColumns, clusteringColumns ARRAY<STRING>; numFiles,
/// sizeInBytes BIGINT; properties MAP<STRING, STRING>; minReaderVersion, minWriterVersion INT;
/// tableFeatures ARRAY<STRING>. `name` is empty for a table named by its path.
Result<std::shared_ptr<arrow::RecordBatchReader>> DetailRow(const delta::Snapshot& snapshot,
                                                            const std::string& name);

}  // namespace sluice::statements
