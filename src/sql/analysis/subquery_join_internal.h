// Joins one bound subquery to the plan of the query around. Part of the analyzer.
#pragma once

#include <vector>

#include "base/status.h"
#include "sql/analysis/subquery_binder_internal.h"

namespace sluice::sql {

/// One subquery under way. NOT_SUPPORTED_YET (without a place) for what cannot be joined.
class SubqueryJoin {
 public:
  /// `rows` is the plan of the query around; `subquery` outlives this.
  SubqueryJoin(PlanPtr rows, const BoundSubquery& subquery)
      : rows_(std::move(rows)), subquery_(subquery) {}

  /// The rows with the value of the subquery behind their columns; `value` is made of it.
  Result<PlanPtr> WithValue(BoundPtr* value);
  /// The rows for which the subquery has (or, negated, has no) row that matches.
  Result<PlanPtr> Keeping(bool negated);
  /// The rows with the subquery's own columns; of a left join also those without.
  Result<PlanPtr> WithRows(JoinKind kind, const BoundPtr& condition);

 private:
  enum class Use { kOneRow, kAllRows, kAnyRow };
  /// `plan` of the subquery and the conditions it is joined under; `rows_` may become shared.
  Result<TiedPlan> Tie(const PlanPtr& plan, Use use);
  Result<TiedPlan> TieToRows(const PlanPtr& plan);
  /// The distinct values of the slots of the outer columns `ids`.
  PlanPtr OuterValues(const std::vector<int>& ids);
  /// The value of an outer column over the rows; the condition that `column` is equal to it.
  const BoundPtr& Slot(int id) const;
  BoundPtr TiedTo(int id, BoundPtr column) const;
  /// An expression over outer columns as one over the rows.
  BoundPtr SlotOf(const BoundPtr& outer) const;
  /// A condition over outer columns and the columns of the right side as one over a join.
  BoundPtr OverJoin(const BoundPtr& condition, int left_columns) const;
  bool IsKey(const BoundExpression& condition, BoundPtr* outer, BoundPtr* inner) const;
  /// Adds keys and residual to `join`.
  void AddConditions(const std::vector<BoundPtr>& conditions, JoinNode* join) const;
  std::shared_ptr<JoinNode> NewJoin(JoinKind kind, const std::vector<BoundPtr>& conditions,
                                    PlanPtr right) const;

  Result<BoundPtr> Scalar();
  Result<BoundPtr> In();
  /// Whether a row would match but for a NULL.
  BoundPtr MightMatch(const TiedPlan& tied);
  /// Joins a column that is TRUE where `plan` has a row under `conditions`, else NULL; the result
  /// tests it. Where `candidates` (over outer columns, may be null) is not TRUE there is none.
  BoundPtr Mark(PlanPtr plan, const std::vector<BoundPtr>& conditions, const BoundPtr& candidates);
  /// The values of outer columns for which there is such a row; `tied`: what they are joined by.
  PlanPtr MatchingValues(PlanPtr plan, const std::vector<BoundPtr>& conditions,
                         const BoundPtr& candidates, std::vector<BoundPtr>* tied);

  PlanPtr rows_;
  const BoundSubquery& subquery_;
};

}  // namespace sluice::sql
