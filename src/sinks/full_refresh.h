// Full refresh: empties a table and raises the generation of every flow that feeds it, in one
// commit.
#pragma once

#include <string>

#include "base/status.h"
#include "delta/log/table.h"

namespace sluice::sinks {

/// Nothing when the table does not exist. FLOW_RESET_NOT_ALLOWED when
/// pipelines.reset.allowed=false. Its satellites are emptied when the flow next recovers. No flow
/// may be running on it in this process.
Status FullRefresh(delta::TableRegistry& tables, const std::string& table_path);

}  // namespace sluice::sinks
