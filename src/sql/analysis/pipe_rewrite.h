// `FROM t |> WHERE .. |> SELECT ..` -> plain SELECTs, so that nothing behind the parser knows
// about pipes.
#pragma once

#include "base/status.h"
#include "sql/ast/ast.h"

namespace sluice::sql {

/// Rewrites every PipeQuery in `query`, also in its subqueries and expressions.
Status RewritePipes(Query* query);

}  // namespace sluice::sql
