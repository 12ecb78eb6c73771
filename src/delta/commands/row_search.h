// The rows of a table that a condition means: files that may hold some, and their positions in a
// file. Thread-safe (functions of their inputs).
#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "delta/columns/expression.h"
#include "delta/commands/file_rewriter.h"
#include "delta/log/snapshot.h"

namespace sluice::delta {

/// Live files that may hold a row for which `prunes` is TRUE, in the order of Snapshot::Files.
std::vector<std::shared_ptr<const AddFile>> CandidateFiles(const Snapshot& snapshot,
                                                           const Predicate& prunes);

/// The rows of `file` for which `where` holds, as actions of `update`.
Result<std::vector<RowAction>> FindRows(storage::Storage& storage,
                                        const std::shared_ptr<const Snapshot>& snapshot,
                                        const AddFile& file, const RowCondition& where,
                                        int32_t update);

/// Whether `where`, which reads partition columns only, holds for all rows of `file`.
Result<bool> HoldsForFile(const Snapshot& snapshot, const AddFile& file, const RowCondition& where);

/// The number of live rows that the statistics of `file` tell; -1 when they do not.
int64_t LiveRecordsOf(const AddFile& file);

}  // namespace sluice::delta
