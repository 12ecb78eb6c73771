// Rows out of arrays: explode, posexplode, inline and their like, on a batch. Pure functions.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <memory>

#include "base/status.h"

namespace sluice::sql {

/// What is done with the elements: see GenerateNode.
struct GenerateShape {
  bool spread = false;
  bool positions = false;
  bool outer = false;
};

struct GeneratedRows {
  std::shared_ptr<arrow::RecordBatch> rows;
  std::shared_ptr<arrow::UInt32Array> sources;  // the input's row that each came of; ascending
};

/// The columns of `batch` and then the generated ones, with the names of `schema`; `lists` has a
/// list for each row.
Result<GeneratedRows> GenerateRows(const GenerateShape& shape,
                                   const std::shared_ptr<arrow::Schema>& schema,
                                   const std::shared_ptr<arrow::RecordBatch>& batch,
                                   const arrow::Array& lists);

}  // namespace sluice::sql
