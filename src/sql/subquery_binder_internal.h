// Subqueries in expressions become joins: scalar ones left joins whose value is a column, IN and
// EXISTS semi and anti joins. Part of the analyzer.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "sql/ast.h"
#include "sql/bound_expression.h"
#include "sql/expression_binder_internal.h"
#include "sql/logical_plan.h"

namespace sluice::sql {

class QueryBinder;

/// Placeholders in expressions: column kSubqueryBase + i is the value of the i-th subquery that
/// waits to be joined; column kOuterBase + i is column i of the query around a subquery.
inline constexpr int kSubqueryBase = 1 << 26;
inline constexpr int kOuterBase = 1 << 27;

/// What ties a subquery to the query around it. Filled in while its SELECT is bound.
struct SubqueryTies {
  const Scope* outer = nullptr;
  /// EXISTS: the select list does not matter.
  bool exists_only = false;
  /// Conjuncts of its WHERE that use outer columns: over outer columns (kOuterBase) and the columns
  /// of its plan.
  std::vector<BoundPtr> conditions;
  /// Columns of its plan behind the select list, which `conditions` use.
  size_t hidden = 0;
  /// It aggregates without GROUP BY: at most one row for each combination of outer values.
  bool one_row = false;
  /// Its value over no rows when that is not NULL (count).
  BoundPtr when_empty;
};

/// Whether `expression` uses a column of the query around; any subquery's value.
bool HasOuter(const BoundExpression& expression);
bool HasSubquery(const BoundExpression& expression);

/// The scalar subqueries of one SELECT.
class SubqueryBinder {
 public:
  /// Both outlive this.
  SubqueryBinder(QueryBinder* queries, const Scope& scope) : queries_(*queries), scope_(scope) {}

  /// Binds it; its value stands in as a placeholder until Join.
  Result<BoundPtr> BindScalar(const Query& query, Span span);
  bool waiting() const { return !waiting_.empty(); }
  /// What the waiting subqueries are compared with: over the columns of the query around.
  std::vector<BoundPtr*> OuterKeys();
  /// `plan` with the waiting subqueries joined behind its columns; values[i] is what stands for
  /// placeholder `first` + i.
  Result<PlanPtr> Join(PlanPtr plan, int* first, std::vector<BoundPtr>* values);

  /// `plan` without the rows for which [NOT] EXISTS (query) is not TRUE.
  Result<PlanPtr> JoinExists(PlanPtr plan, const Query& query, bool negated, Span span);
  /// The same for `operand` [NOT] IN (query).
  Result<PlanPtr> JoinIn(PlanPtr plan, const BoundPtr& operand, const Query& query, bool negated,
                         FunctionBinder* functions, Span span);

 private:
  struct Waiting {
    PlanPtr plan;
    std::vector<BoundPtr> outer_keys;  // over the query around
    std::vector<BoundPtr> inner_keys;  // over `plan`
    std::vector<bool> null_safe;
    BoundPtr when_empty;
    Span span;
  };
  /// Equalities of the conditions as keys; the others, over left and right columns, as residual.
  static void Split(const std::vector<BoundPtr>& conditions, int left_columns, JoinNode* join);
  Result<PlanPtr> AtMostOneRow(PlanPtr plan, Span span);

  QueryBinder& queries_;
  const Scope& scope_;
  std::vector<Waiting> waiting_;
  int joined_ = 0;  // placeholders below it are joined already
};

}  // namespace sluice::sql
