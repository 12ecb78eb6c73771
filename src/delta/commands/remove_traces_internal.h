// What features leave in the newest version of a table, taken away before they are dropped: rows
// stay what they are. Each call is one commit or more, under delta-spark's names. One thread.
#pragma once

#include <memory>

#include "base/status.h"
#include "delta/log/table.h"

namespace sluice {
class Workers;
}

namespace sluice::delta {

/// Row ids: files lose theirs, further ones get none.
Result<CommitResult> RemoveRowIds(Table& table, const std::shared_ptr<const Snapshot>& snapshot);
/// Column mapping: files are written anew with the names that columns have in the table.
/// DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING.
Result<CommitResult> RemoveColumnMapping(Table& table,
                                         const std::shared_ptr<const Snapshot>& snapshot);
/// Type widening: files whose columns have another type than the table's are written anew.
Result<CommitResult> RemoveTypeChanges(Table& table,
                                       const std::shared_ptr<const Snapshot>& snapshot);

}  // namespace sluice::delta
