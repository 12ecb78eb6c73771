// DELETE and UPDATE of a table's rows, each one commit with Delta's names in the history. Files are
// found by partition values and statistics; within them only the columns the condition reads are
// decoded until a row is meant. Call from any one thread.
#pragma once

#include <vector>

#include "base/status.h"
#include "delta/files/write_options.h"
#include "delta/log/table.h"

namespace sluice::delta {

/// Metrics: numDeletedRows, numRemovedFiles, numAddedFiles, numCopiedRows, ... numDeletedRows is
/// left out when whole files without a known number of rows went.
/// DELTA_COMMIT_CONFLICT (Retry::kReplan) when somebody else changed what was read;
/// DELTA_APPEND_ONLY.
Result<WriteReport> DeleteRows(Table& table, const RowCondition& where,
                               const WriteOptions& options = {});

/// Assigned values are computed from the row as it was. What RowRules::Apply says, and
/// DELTA_SCHEMA_MISMATCH for a column that is not there or is assigned twice.
Result<WriteReport> UpdateRows(Table& table, const RowCondition& where,
                               const std::vector<Assignment>& assignments,
                               const WriteOptions& options = {});

}  // namespace sluice::delta
