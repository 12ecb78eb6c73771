// Applying assignments and conditions of DML to batches of rows. Thread-safe (pure functions).
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/columns/expression.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

/// DELTA_SCHEMA_MISMATCH when a path is no column of `schema`, or two paths overlap.
Status CheckAssignments(const std::vector<Assignment>& assignments, const arrow::Schema& schema);

/// `rows` with the values assigned, all computed over `seen` (as long as `rows`; may be `rows`).
Result<std::shared_ptr<arrow::RecordBatch>> Assign(const std::shared_ptr<arrow::RecordBatch>& rows,
                                                   const std::vector<Assignment>& assignments,
                                                   const std::shared_ptr<arrow::RecordBatch>& seen);

/// The columns that are assigned as a whole or in part.
std::vector<std::string> AssignedColumns(const std::vector<Assignment>& assignments);

/// TRUE where the condition holds; null for an empty one, which holds everywhere.
Result<std::shared_ptr<arrow::BooleanArray>> Evaluate(
    const RowFunction& condition, const std::shared_ptr<arrow::RecordBatch>& rows);

/// `rows` (some columns of `schema`, by name) with all columns of `schema`, the others null.
Result<std::shared_ptr<arrow::RecordBatch>> PaddedTo(
    const std::shared_ptr<arrow::Schema>& schema, const std::shared_ptr<arrow::RecordBatch>& rows);

/// True when `columns` (nullopt = unknown) are partition columns all.
bool AreAll(const std::optional<std::vector<std::string>>& columns,
            const std::vector<std::string>& partition_columns);

/// One row with the partition values of a file, other columns null.
Result<std::shared_ptr<arrow::RecordBatch>> PartitionRow(
    const std::shared_ptr<arrow::Schema>& schema, const std::vector<std::string>& partition_columns,
    const AddFile& file);

}  // namespace sluice::delta
