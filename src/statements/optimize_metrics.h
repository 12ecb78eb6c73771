// What OPTIMIZE and REORG answer: one row of path and metrics, in the shape delta-spark gives it.
// Thread-safe (pure functions, plain values).
#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/upkeep/compaction.h"

namespace sluice::statements {

struct OptimizeMetrics {
  std::vector<int64_t> sizes_added;  // bytes of each file
  std::vector<int64_t> sizes_removed;
  int64_t groups = 0;
  int64_t partitions = 0;
  int64_t vectors_removed = 0;
  int64_t vector_rows_removed = 0;
  bool z_order = false;
  int64_t files_considered = 0;
  int64_t bytes_considered = 0;
  int64_t columns = 0;
  int64_t columns_with_statistics = 0;
  int64_t begin_ms = 0;
  int64_t end_ms = 0;

  void Add(const delta::CompactionReport& report);
};

/// path STRING, metrics STRUCT<numFilesAdded, numFilesRemoved, filesAdded, filesRemoved, ..>.
Result<std::shared_ptr<arrow::RecordBatchReader>> OptimizeRow(const std::string& path,
                                                              const OptimizeMetrics& metrics);

}  // namespace sluice::statements
