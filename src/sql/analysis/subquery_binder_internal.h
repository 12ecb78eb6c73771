// Subqueries in expressions become joins: the value of one is a column behind those of the query
// around. Part of the analyzer.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/analysis/decorrelation.h"
#include "sql/analysis/expression_binder_internal.h"
#include "sql/analysis/logical_plan.h"
#include "sql/ast/ast.h"
#include "sql/expressions/bound_expression.h"

namespace sluice::sql {

class QueryBinder;

/// A placeholder in expressions: column kSubqueryBase + i is the value of subquery i, which waits
/// to be joined.
inline constexpr int kSubqueryBase = 1 << 26;

/// Whether `expression` uses a subquery's value.
bool HasSubquery(const BoundExpression& expression);

/// A subquery that is bound. `slots` are what it is compared with: expressions over the query
/// around, which move with that query's plan. Outer column i of `plan` and of conditions is slot
/// `slot_of.at(i)`.
struct BoundSubquery {
  enum class Kind { kScalar, kExists, kIn, kNotIn };
  Kind kind = Kind::kScalar;
  PlanPtr plan;
  std::vector<BoundPtr> slots;
  std::map<int, int> slot_of;
  std::vector<BoundPtr> matches;  // IN: "operand = column", over slots and the plan's columns
  std::string text;               // equal for equal subqueries
  BoundPtr placeholder;
  Span span;
};

/// The subqueries of one SELECT, or of one join condition.
class SubqueryBinder {
 public:
  /// Both outlive this.
  SubqueryBinder(QueryBinder* queries, const Scope& scope) : queries_(*queries), scope_(scope) {}

  /// These bind it; its value stands in as a placeholder until Join.
  Result<BoundPtr> BindScalar(const Query& query, Span span);
  Result<BoundPtr> BindExists(const Query& query, Span span);
  /// As Spark computes it outside of a filter: IN is FALSE, and so is NOT IN, where it is unknown.
  Result<BoundPtr> BindIn(const InSubquery& in, ExpressionBinder* binder, Span span);

  /// The subqueries whose values `expressions` use, with those that they use.
  std::set<int> UsedBy(const std::vector<BoundPtr>& expressions) const;
  std::set<int> Waiting() const;
  /// What the waiting subqueries are compared with.
  std::vector<BoundPtr*> Slots();
  const BoundSubquery& subquery(int id) const { return bound_[static_cast<size_t>(id)]; }
  /// `plan` with the subqueries `ids` joined behind its columns; `values` gets what stands for
  /// their placeholders from then on.
  Result<PlanPtr> Join(PlanPtr plan, const std::set<int>& ids, std::map<int, BoundPtr>* values);
  /// `expression` with `values` in place of their placeholders.
  static BoundPtr Resolve(const BoundPtr& expression, const std::map<int, BoundPtr>& values);

  /// `plan` without the rows for which [NOT] EXISTS (query) is not TRUE.
  Result<PlanPtr> JoinExists(PlanPtr plan, const Query& query, bool negated, Span span);
  /// `plan` without the rows for which `in` is not TRUE.
  Result<PlanPtr> JoinIn(PlanPtr plan, const InSubquery& in, ExpressionBinder* binder, Span span);

 private:
  /// Binds `query` over the scope.
  Result<BoundSubquery> BindPlan(const Query& query, Span span);
  Result<BoundSubquery> BindMatches(const InSubquery& in, ExpressionBinder* binder, Span span);
  /// The placeholder of an equal one that waits; null when there is none.
  BoundPtr Known(BoundSubquery::Kind kind, const std::string& text) const;
  static bool IsNullable(const BoundSubquery& in);
  BoundPtr Keep(BoundSubquery made, TypePtr type, bool nullable);

  QueryBinder& queries_;
  const Scope& scope_;
  std::vector<BoundSubquery> bound_;
  std::set<int> joined_;
};

}  // namespace sluice::sql
