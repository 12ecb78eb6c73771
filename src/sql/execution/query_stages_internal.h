// The steps of a bounded query that work on Arrow batches without DuckDB, as readers over readers,
// and the passes that narrow a plan before it runs. Part of the query runner.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <vector>

#include "sql/analysis/logical_plan.h"
#include "sql/functions/evaluator.h"

namespace sluice::sql {

using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;

/// Rows of `input` where `condition` (may be null) is TRUE, then `expressions` of them.
Result<ReaderPtr> MakeProjectReader(ReaderPtr input, BoundPtr condition,
                                    std::vector<BoundPtr> expressions,
                                    std::shared_ptr<arrow::Schema> schema,
                                    const NativeFunctions& functions, TimestampMicros clock);
/// The rows that `node` makes of those of `input`.
Result<ReaderPtr> MakeGenerateReader(ReaderPtr input, std::shared_ptr<const GenerateNode> node,
                                     const NativeFunctions& functions, TimestampMicros clock);
/// TABLESAMPLE: see SampleNode.
ReaderPtr MakeSampleReader(ReaderPtr input, double fraction, int64_t seed);
ReaderPtr MakeLimitReader(ReaderPtr input, int64_t offset, int64_t limit);
/// All rows of the first, then of the second.
ReaderPtr MakeConcatReader(ReaderPtr first, ReaderPtr second,
                           std::shared_ptr<arrow::Schema> schema);
Result<ReaderPtr> MakeValuesReader(const ValuesNode& values, TimestampMicros clock);
/// The same rows under the names and types of `schema`.
ReaderPtr MakeRenamingReader(ReaderPtr input, std::shared_ptr<arrow::Schema> schema);

/// `plan` with filters moved down to the scans, and without the columns that nothing uses.
/// Positions of the result's columns stay as they are.
PlanPtr NarrowPlan(const PlanPtr& plan);

}  // namespace sluice::sql
