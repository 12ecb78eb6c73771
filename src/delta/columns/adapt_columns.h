// Columns of one type -> columns of a table's type: relabelled where the layout is the same,
// widened where nothing is lost, struct fields matched by name and missing ones null. Thread-safe
// (pure functions).
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace sluice::delta {

/// The name a column has inside data files: the physical name under column mapping, else its own.
std::string PhysicalName(const arrow::Field& field);

/// By which names struct fields are found in an array.
enum class FieldNames {
  kPhysical,  // PhysicalName: an array of a data file; fields that are not asked for are left out
  kLogical,   // the table's: an array that is to be written; unknown fields are an error
};

/// `array` as `type`. DELTA_SCHEMA_MISMATCH names `column`.
Result<std::shared_ptr<arrow::Array>> AdaptArray(const std::shared_ptr<arrow::Array>& array,
                                                 const std::shared_ptr<arrow::DataType>& type,
                                                 const std::string& column,
                                                 FieldNames names = FieldNames::kPhysical);

/// `rows` (to be written) with the columns of `schema`, by name: missing nullable columns become
/// null, unknown ones are an error (DELTA_SCHEMA_MISMATCH), null in a column that is NOT NULL is
/// DELTA_NOT_NULL_VIOLATION.
Result<std::shared_ptr<arrow::RecordBatch>> AdaptRows(
    const std::shared_ptr<arrow::RecordBatch>& rows, const std::shared_ptr<arrow::Schema>& schema);

}  // namespace sluice::delta
