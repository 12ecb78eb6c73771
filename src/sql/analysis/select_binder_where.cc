// WHERE of a SELECT, and the subqueries of its expressions.
#include "sql/analysis/select_binder_internal.h"

#include <set>

namespace sluice::sql {

Status SelectBinder::BindWhere() {
  if (!select_.where) return Status::OK();
  std::vector<BoundPtr> conditions;
  std::vector<const Expr*> pending = {select_.where.get()};
  std::vector<const Expr*> subqueries;
  std::vector<BoundPtr> with_values;
  while (!pending.empty()) {
    const Expr* expr = pending.back();
    pending.pop_back();
    const auto* binary = expr->As<Binary>();
    if (binary != nullptr && binary->op == BinaryOp::kAnd) {
      pending.push_back(binary->right.get());
      pending.push_back(binary->left.get());
    } else if (expr->As<InSubquery>() != nullptr || ExistsIn(*expr) != nullptr) {
      subqueries.push_back(expr);
    } else {
      ExpressionBinder binder = Binder(nullptr);
      SLUICE_ASSIGN_OR_RETURN(auto condition, binder.Bind(*expr));
      SLUICE_ASSIGN_OR_RETURN(condition,
                              binder.functions().Coerce(condition, arrow::boolean(), "WHERE", 1));
      (HasSubquery(*condition) ? with_values : conditions).push_back(std::move(condition));
    }
  }
  if (BoundPtr all = JoinConjuncts(conditions)) plan_ = MakeFilter(plan_, all);
  if (BoundPtr all = JoinConjuncts(with_values)) {
    SLUICE_RETURN_NOT_OK(JoinSubqueries(&all));
    plan_ = MakeFilter(plan_, all);
  }
  for (const Expr* expr : subqueries) SLUICE_RETURN_NOT_OK(AddSemiJoin(*expr));
  return Status::OK();
}

const Exists* SelectBinder::ExistsIn(const Expr& expr) {
  const auto* unary = expr.As<Unary>();
  if (unary != nullptr && unary->op == UnaryOp::kNot) return unary->operand->As<Exists>();
  return expr.As<Exists>();
}

Status SelectBinder::AddSemiJoin(const Expr& expr) {
  if (const Exists* exists = ExistsIn(expr)) {
    SLUICE_ASSIGN_OR_RETURN(plan_, subqueries_.JoinExists(plan_, *exists->query,
                                                          expr.As<Unary>() != nullptr, expr.span));
    return Status::OK();
  }
  ExpressionBinder binder = Binder(nullptr);
  SLUICE_ASSIGN_OR_RETURN(plan_,
                          subqueries_.JoinIn(plan_, *expr.As<InSubquery>(), &binder, expr.span));
  return Status::OK();
}

Status SelectBinder::JoinSubqueries(BoundPtr* expression) {
  const std::set<int> ids =
      expression == nullptr ? subqueries_.Waiting() : subqueries_.UsedBy({*expression});
  if (ids.empty()) return Status::OK();
  std::map<int, BoundPtr> values;
  SLUICE_ASSIGN_OR_RETURN(plan_, subqueries_.Join(plan_, ids, &values));
  if (expression != nullptr) {
    *expression = SubqueryBinder::Resolve(*expression, values);
    return Status::OK();
  }
  return MoveAll([&](const BoundPtr& from) -> Result<BoundPtr> {
    return SubqueryBinder::Resolve(from, values);
  });
}

Status SelectBinder::JoinBelowAggregate() {
  std::vector<BoundPtr*> below;
  for (BoundPtr& group : groups_) below.push_back(&group);
  for (AggregateCall& call : collected_.aggregates) {
    bool outer = false;
    bool inner = false;
    for (BoundPtr& arg : call.args) {
      below.push_back(&arg);
      outer |= HasOuter(*arg);
      inner |= HasInner(*arg);
    }
    if (call.filter != nullptr) below.push_back(&call.filter);
    if (outer && !inner)
      return queries_.Unsupported(call.span, "an aggregate of the query around in a subquery");
  }
  std::vector<BoundPtr> used;
  for (const BoundPtr* expression : below) used.push_back(*expression);
  const std::set<int> ids = subqueries_.UsedBy(used);
  if (ids.empty()) return Status::OK();
  std::map<int, BoundPtr> values;
  SLUICE_ASSIGN_OR_RETURN(plan_, subqueries_.Join(plan_, ids, &values));
  for (BoundPtr* expression : below) *expression = SubqueryBinder::Resolve(*expression, values);
  return MoveAll([&](const BoundPtr& from) -> Result<BoundPtr> {
    return SubqueryBinder::Resolve(from, values);
  });
}

}  // namespace sluice::sql
