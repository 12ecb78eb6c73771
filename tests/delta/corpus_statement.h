// The writer cases of the corpus, made from their SQL text into calls of the library. It knows just
// the forms the corpus has; expressions are evaluated by the engine's SQL. For tests; one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "corpus.h"
#include "delta/log/table.h"
#include "plan/table_expressions.h"

namespace sluice::delta {

/// Whether `operation` is of a form that is replayed here.
bool IsReplayed(const Json& operation);

/// Runs `operation` (an entry of `ops`) of the case in `folder` on `table`. `*known` = false when
/// its form is not among those above.
Status RunCorpusOperation(storage::Storage& corpus, const std::string& folder,
                          const Json& operation, Table& table, plan::TableExpressions& expressions,
                          bool* known);

/// The same for what looks after a table: OPTIMIZE, REORG, RESTORE, CLUSTER BY, checkpoints.
/// Nothing when it is none of these.
std::optional<Status> RunCorpusUpkeep(const Json& operation, Table& table,
                                      plan::TableExpressions& expressions);

}  // namespace sluice::delta
