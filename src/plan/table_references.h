// Which tables a query reads: everything in FROM, also in subqueries, less the query's own common
// tables.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "plan/pipeline_graph.h"

namespace sluice::plan {

/// In the order of the text. Paths (delta.`/x`) are left out.
Result<std::vector<TableReference>> FindTableReferences(const sql::Query& query,
                                                        const std::string& catalog,
                                                        const std::string& default_schema);

}  // namespace sluice::plan
