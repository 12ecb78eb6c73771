// Version 0 of a table that is made in one piece: by CREATE, CLONE and CONVERT. Thread-safe (a
// function).
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/table.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

/// Who writes, as commitInfo says it.
inline constexpr char kEngineInfo[] = "Sluice/0.1.0";

/// DELTA_TABLE_EXISTS.
Status CheckAbsent(const TableContext& context, const std::string& table_path);

/// Puts version 0 with `info` and `actions` if there is none. `info` needs operation, parameters,
/// metrics and txn_id; times and writer are added. DELTA_TABLE_EXISTS.
Status PutFirstCommit(const TableContext& context, const std::string& table_path,
                      const TableProperties& properties, CommitInfo info,
                      const std::vector<Action>& actions);

}  // namespace sluice::delta
