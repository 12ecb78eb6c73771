// The currency between operators: rows as an Arrow batch, and where each row came from. Immutable
// once emitted.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/named_type.h"

namespace sluice {

/// Which columns of source rows hold a record of a topic and where it stood; -1 = none does.
struct RecordColumns {
  int value = -1;
  int topic = -1;
  int partition = -1;
  int offset = -1;
};

/// A stretch of rows as a source delivered them: what a quarantined row shows as its raw value and
/// position.
struct SourceRows {
  std::string source_name;  // "kafka" topic pattern or table name, for messages
  std::shared_ptr<arrow::RecordBatch>
      rows;                        // every column the source offers (or the columns asked for)
  TableVersion table_version{-1};  // of a table source: the version the rows were added in; else -1
  RecordColumns record;            // in `rows`; of a table too that carries them through
};

/// Rows in flight. `origin_row[i]` is the index in `origin->rows` that row i came of; null = row i
/// came of row i. A batch whose rows do not map to single source rows (aggregates, fan-out joins)
/// has no origin.
struct Batch {
  std::shared_ptr<arrow::RecordBatch> rows;
  std::shared_ptr<const SourceRows> origin;
  std::shared_ptr<arrow::UInt32Array> origin_row;

  int64_t num_rows() const { return rows == nullptr ? 0 : rows->num_rows(); }
};

}  // namespace sluice
