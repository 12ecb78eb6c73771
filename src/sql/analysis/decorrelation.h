// Takes the columns of the query around out of a subquery's plan. In such a plan column
// kOuterBase + i stands for column i of the query around. Two ways: the conditions that use those
// columns move up to where the subquery is joined (what most subqueries are written like), or the
// subquery is computed for each of the distinct values of those columns at once. Part of the
// analyzer.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/status.h"
#include "sql/analysis/logical_plan.h"
#include "sql/expressions/bound_expression.h"

namespace sluice::sql {

inline constexpr int kOuterBase = 1 << 27;

/// Whether it uses a column of the query around.
bool HasOuter(const BoundExpression& expression);
bool HasOuter(const LogicalPlan& plan);
/// Whether it uses a column that is not of the query around.
bool HasInner(const BoundExpression& expression);
/// The columns of the query around that `plan` uses: i of kOuterBase + i, ascending.
std::vector<int> OuterColumns(const LogicalPlan& plan);
/// Column i becomes column `to(i)`.
BoundPtr MoveColumns(const BoundPtr& expression, const std::function<int(int)>& to);

/// A subquery that is joined under `conditions`, which are over outer columns and the columns of
/// `plan`. Its own columns come first in `plan`.
struct TiedPlan {
  PlanPtr plan;
  std::vector<BoundPtr> conditions;
  /// Of an aggregate without GROUP BY: what its own columns are for outer values without a row in
  /// `plan`. Empty for anything else.
  std::vector<BoundPtr> over_nothing;
};

/// Moves the conditions up. Nothing when outer columns are used in another way. Without
/// `keep_repeats` it does not matter how often a row comes.
std::optional<TiedPlan> PullUpConditions(const PlanPtr& plan, bool keep_repeats);

/// The rows of `plan` for each row of `outer`: the columns of `outer`, then those of `plan`. Outer
/// column i of the plan is column `positions.at(i)` of `outer`, whose rows are distinct. `outer` is
/// read more than once (SharedNode). An error is the name of what cannot be computed like that.
Result<PlanPtr> ForEachOuter(const PlanPtr& plan, const PlanPtr& outer,
                             const std::map<int, int>& positions);

/// `count` columns of `schema` from `from` on.
std::vector<BoundPtr> ColumnsOf(const arrow::Schema& schema, int from, int count);
/// `plan` with a column of TRUE behind its own.
PlanPtr WithMarker(const PlanPtr& plan);
/// The same rows, to be read in several places.
PlanPtr MakeShared(PlanPtr input);
PlanPtr MakeDistinct(PlanPtr input);

}  // namespace sluice::sql
