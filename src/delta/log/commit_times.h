// When the versions of a table were committed. Pure functions.
#pragma once

#include <utility>
#include <vector>

#include "base/status.h"
#include "delta/log/table.h"

namespace sluice::delta {

/// Each version whose commit is still in the log with the time (ms) of its commit, ascending.
Result<std::vector<std::pair<TableVersion, int64_t>>> CommitTimes(const Table& table);

}  // namespace sluice::delta
