// Row tracking: every row has an id that stays with it. A commit gives each new file a range of ids
// above all given so far, and says so in the metadata domain "delta.rowTracking". Thread-safe (pure
// functions).
#pragma once

#include <arrow/type.h>

#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/snapshot.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

/// The highest row id given so far; -1 when there is none.
int64_t RowIdHighWaterMark(const Snapshot& snapshot);

/// Gives the files added by `actions`, which become version base+1, their first row id and commit
/// version, and appends the new high-water mark. Files that have ids keep them (masked or restored
/// files). DELTA_SCHEMA_MISMATCH for a file whose statistics lack the number of rows.
Status AssignRowIds(const Snapshot& base, std::vector<Action>* actions);

/// The number of rows that the statistics of `file` tell; -1 when they do not.
int64_t RecordsOf(const AddFile& file);

/// Names of the columns that rows of rewritten files keep their ids in; empty when not set.
struct RowIdColumns {
  std::string id;
  std::string commit_version;
  bool enabled = false;  // delta.enableRowTracking
};
RowIdColumns RowIdColumnsOf(const Metadata& metadata);

/// True when rows that are written anew have to keep their ids.
bool KeepsRowIds(const Metadata& metadata);
/// The columns that files need for it, behind the table's; none when !KeepsRowIds.
arrow::FieldVector RowIdFields(const Metadata& metadata);

}  // namespace sluice::delta
