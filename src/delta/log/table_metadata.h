// Metadata that is about to be committed, completed with what its properties ask for: ids and
// physical names of columns, names of the columns that keep row ids. Thread-safe (pure functions).
#pragma once

#include <arrow/type.h>

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

/// `before` = the table's metadata until now; null for a new table. New columns of a table with
/// column mapping get an id and a physical name; columns that were there when it is switched on
/// keep their names. DELTA_INVALID_PROPERTY for a change of the mode that files cannot follow.
Status CompleteMetadata(const Metadata* before, const std::function<std::string()>& new_uuid,
                        Metadata* metadata);

/// DELTA_SCHEMA_MISMATCH, DELTA_UNSUPPORTED_TYPE, ALL_PARTITION_COLUMNS_NOT_ALLOWED.
Status CheckPartitioning(const arrow::Schema& schema, const std::vector<std::string>& columns);

}  // namespace sluice::delta
