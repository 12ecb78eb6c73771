// RESTORE: a new version of a table that is what an older one was: files, schema, properties and
// transaction identifiers, so that writers who keep their positions in the table go on from there.
// Call from any one thread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/named_type.h"
#include "base/status.h"
#include "delta/files/write_options.h"
#include "delta/log/table.h"

namespace sluice::delta {

/// Exactly one of the two.
struct RestoreTarget {
  std::optional<TableVersion> version;
  std::optional<int64_t> timestamp_ms;  // the last version committed at or before it
};

/// Metrics: numRestoredFiles, numRemovedFiles, restoredFilesSize, removedFilesSize,
/// numOfFilesAfterRestore, tableSizeAfterRestore. The protocol keeps what it has come to; numbers
/// that identity columns, row ids and column ids have come to are not given again.
///
/// DELTA_VERSION_NOT_FOUND, DELTA_TIMESTAMP_OUT_OF_RANGE; DELTA_RESTORE_FILES_MISSING when VACUUM
/// has deleted files of that version; DELTA_COMMIT_CONFLICT when somebody else commits meanwhile.
Result<WriteReport> RestoreTable(Table& table, const RestoreTarget& target);

}  // namespace sluice::delta
