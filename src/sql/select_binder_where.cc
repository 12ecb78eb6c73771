// WHERE of a SELECT, the subqueries of its expressions, and what ties it to the query around.
#include "sql/select_binder_internal.h"

#include <fmt/format.h>

#include <set>

namespace sluice::sql {

Status SelectBinder::BindWhere() {
  if (!select_.where) return Status::OK();
  std::vector<BoundPtr> conditions;
  std::vector<const Expr*> pending = {select_.where.get()};
  std::vector<const Expr*> subqueries;
  std::vector<BoundPtr> with_scalars;
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
      if (HasOuter(*condition)) {
        if (HasSubquery(*condition))
          return queries_.Unsupported(expr->span, "a subquery and an outer column in one term");
        ties_->conditions.push_back(std::move(condition));
      } else {
        (HasSubquery(*condition) ? with_scalars : conditions).push_back(std::move(condition));
      }
    }
  }
  if (BoundPtr all = JoinConjuncts(conditions)) plan_ = MakeFilter(plan_, all);
  if (BoundPtr all = JoinConjuncts(with_scalars)) {
    SLUICE_RETURN_NOT_OK(JoinScalars(&all));
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
  const auto& in = *expr.As<InSubquery>();
  if (in.operand->As<Row>() != nullptr)
    return queries_.Unsupported(expr.span, "IN (SELECT ..) of several columns");
  ExpressionBinder binder = Binder(nullptr);
  SLUICE_ASSIGN_OR_RETURN(auto operand, binder.Bind(*in.operand));
  if (HasOuter(*operand) || HasSubquery(*operand))
    return queries_.Unsupported(expr.span, "IN (SELECT ..) of an outer column or a subquery");
  SLUICE_ASSIGN_OR_RETURN(plan_, subqueries_.JoinIn(plan_, operand, *in.query, in.negated,
                                                    &binder.functions(), expr.span));
  return Status::OK();
}

Status SelectBinder::JoinScalars(BoundPtr* expression) {
  if (!subqueries_.waiting()) return Status::OK();
  int first = 0;
  std::vector<BoundPtr> values;
  SLUICE_ASSIGN_OR_RETURN(plan_, subqueries_.Join(plan_, &first, &values));
  const auto resolve = [&](const BoundPtr& from) -> Result<BoundPtr> {
    return Transform(from, [&](const BoundPtr& node) -> BoundPtr {
      if (!node->IsColumn() || !HasSubquery(*node)) return nullptr;
      return values[static_cast<size_t>(node->index - first)];
    });
  };
  if (expression == nullptr) return MoveAll(resolve);
  SLUICE_ASSIGN_OR_RETURN(*expression, resolve(*expression));
  return Status::OK();
}

Status SelectBinder::Tie() {
  for (const AggregateCall& call : collected_.aggregates) {
    for (const BoundPtr& arg : call.args) {
      if (HasOuter(*arg) || HasSubquery(*arg))
        return queries_.Unsupported(call.span, "a subquery or outer column in an aggregate");
    }
  }
  for (const BoundPtr& group : groups_) {
    if (HasOuter(*group) || HasSubquery(*group))
      return queries_.Unsupported(group->span, "a subquery or outer column in GROUP BY");
  }
  if (ties_ == nullptr) return Status::OK();
  const bool aggregates = grouped_ || !collected_.aggregates.empty();
  ties_->one_row = aggregates && !select_.group_by.has_value();
  if (ties_->conditions.empty()) return NoOuterLeft();
  if (ties_->exists_only && !aggregates) items_.clear();
  if (ties_->one_row) SLUICE_RETURN_NOT_OK(NoteValueOverNothing());
  for (BoundPtr& condition : ties_->conditions) condition = HideInner(condition);
  if (aggregates) {
    grouped_ = true;
    for (const BoundPtr& hidden : hidden_) AddGroup(hidden);
  }
  order_.clear();
  return NoOuterLeft();
}

Status SelectBinder::NoOuterLeft() {
  return MoveAll([&](const BoundPtr& expression) -> Result<BoundPtr> {
    if (!HasOuter(*expression)) return expression;
    return queries_.Unsupported(expression->span,
                                "a column of the query around, other than in WHERE");
  });
}

BoundPtr SelectBinder::HideInner(const BoundPtr& expression) {
  if (!HasOuter(*expression)) {
    if (expression->IsLiteral()) return expression;
    hidden_.push_back(expression);
    const auto field = FieldFor("", *expression);
    return MakeColumn(static_cast<int>(hidden_.size()) - 1, *field, expression->span);
  }
  if (expression->args.empty()) return expression;
  std::vector<BoundPtr> args;
  for (const BoundPtr& arg : expression->args) args.push_back(HideInner(arg));
  return WithArgs(*expression, std::move(args));
}

Status SelectBinder::NoteValueOverNothing() {
  static const std::set<std::string> kNeverNull = {
      "count",         "count_if",   "approx_count_distinct", "collect_list",
      "collect_set",   "regr_count", "bitmap_construct_agg",  "bitmap_or_agg",
      "bitmap_and_agg"};
  for (const Item& item : items_) {
    const bool any = Any(*item.expression, [&](const BoundExpression& node) {
      return node.IsColumn() && ExpressionBinder::HasAggregate(node) &&
             kNeverNull.count(AggregateOf(node).function) != 0;
    });
    if (!any) continue;
    if (!item.expression->IsColumn() || having_ != nullptr ||
        item.expression->type->id() != arrow::Type::INT64) {
      return queries_.Unsupported(item.span, "a count within a correlated subquery's expression");
    }
    ties_->when_empty = MakeLiteral(arrow::MakeScalar(int64_t{0}), item.span);
  }
  return Status::OK();
}

const AggregateCall& SelectBinder::AggregateOf(const BoundExpression& placeholder) const {
  return collected_.aggregates[static_cast<size_t>(placeholder.index - kAggregateBase)];
}

}  // namespace sluice::sql
