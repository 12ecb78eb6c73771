// Opens the tables of a bounded query for the query runner: snapshots of the warehouse's Delta
// tables, pruned.
#pragma once

#include <map>
#include <string>

#include "delta/columns/predicate.h"
#include "delta/log/table.h"
#include "plan/project_spec.h"
#include "sql/execution/query_runner.h"

namespace sluice::plan {

/// Versions to read by ScanNode::dataset; a table without an entry is read at its newest version.
using PinnedVersions = std::map<std::string, int64_t>;

/// `tables` outlives the opener and its readers.
sql::ScanOpener MakeScanOpener(const ProjectSpec& spec, delta::TableRegistry& tables,
                               PinnedVersions versions = {});

/// What of `predicates` (positions in `schema`) the Delta library can prune files with.
delta::Predicate PruningPredicate(const std::vector<sql::SimplePredicate>& predicates,
                                  const arrow::Schema& schema);

}  // namespace sluice::plan
