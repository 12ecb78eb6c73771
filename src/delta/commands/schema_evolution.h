// A table's schema that follows the rows written to it: new columns and fields, wider types.
// Thread-safe (pure functions).
#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>

#include "base/status.h"
#include "delta/log/snapshot.h"
#include "delta/log/table.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

/// `table` with the columns and struct fields (at every level) of `rows` that it lacks, nullable,
/// behind those it has. Names are matched without regard to case; the table's spelling stays. A
/// narrower type in `rows` is taken; a wider one only with `widen_types`, where the protocol allows
/// it. DELTA_FAILED_TO_MERGE_FIELDS names the column.
Result<std::shared_ptr<arrow::Schema>> MergeSchemas(const arrow::Schema& table,
                                                    const arrow::Schema& rows, bool widen_types);

/// `rows` with columns and fields spelled as `schema` spells them. DELTA_SCHEMA_MISMATCH when two
/// are spelled alike but for case.
Result<std::shared_ptr<arrow::RecordBatch>> SpelledAs(
    const arrow::Schema& schema, const std::shared_ptr<arrow::RecordBatch>& rows);

/// True when the table widens types (delta.enableTypeWidening).
bool WidensTypes(const Metadata& metadata);

/// Puts `schema` into `metadata`.
Status SetSchema(const std::shared_ptr<arrow::Schema>& schema, Metadata* metadata);

/// The table as it will be with `new_schema` (null = unchanged, then `snapshot` itself), for
/// reading its files and writing new ones before the commit; `*metadata` is what to commit.
Result<std::shared_ptr<const Snapshot>> EvolveTable(
    Table& table, std::shared_ptr<const Snapshot> snapshot,
    const std::shared_ptr<arrow::Schema>& new_schema, Metadata* metadata);

}  // namespace sluice::delta
