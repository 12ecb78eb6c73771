// Version 0 of a table that is made in one piece: by CLONE and CONVERT. Thread-safe (a function).
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "delta/action.h"
#include "delta/table.h"

namespace sluice::delta {

/// Puts version 0 with `info` and `actions` if there is none. `info` needs operation, parameters,
/// metrics and txn_id; the times are added. DELTA_TABLE_EXISTS.
Status PutFirstCommit(const TableContext& context, const std::string& table_path,
                      const TableProperties& properties, CommitInfo info,
                      const std::vector<Action>& actions);

/// ["a","b"] as commitInfo shows lists.
std::string NamesJson(const std::vector<std::string>& names);

}  // namespace sluice::delta
