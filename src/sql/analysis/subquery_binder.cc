#include "sql/analysis/subquery_binder_internal.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/query_binder.h"
#include "sql/analysis/subquery_join_internal.h"
#include "sql/print/print.h"

namespace sluice::sql {
namespace {

// Operand i of IN is outer column kOperandBase + i of its conditions.
constexpr int kOperandBase = 1 << 20;

bool IsSubquery(const BoundExpression& node) {
  return node.IsColumn() && node.index >= kSubqueryBase && node.index < kOuterBase;
}

/// An error without a place gets that of the subquery.
Status Placed(const QueryBinder& queries, const Status& status, Span span) {
  if (HasCode(status, "NOT_SUPPORTED_YET")) return queries.Unsupported(span, status.message());
  return status;
}

}  // namespace

bool HasSubquery(const BoundExpression& expression) { return Any(expression, IsSubquery); }

Result<BoundSubquery> SubqueryBinder::BindPlan(const Query& query, Span span) {
  BoundSubquery made;
  SLUICE_ASSIGN_OR_RETURN(made.plan, queries_.BindSubquery(query, scope_));
  for (const int column : OuterColumns(*made.plan)) {
    const auto found =
        std::find_if(scope_.columns.begin(), scope_.columns.end(),
                     [&](const ScopeColumn& candidate) { return candidate.index == column; });
    if (found == scope_.columns.end())
      return queries_.Unsupported(span, "a subquery over a column that is not in FROM");
    made.slot_of.emplace(column, static_cast<int>(made.slots.size()));
    made.slots.push_back(MakeColumn(column, *found->field, span));
  }
  made.text = ToSql(query);
  made.span = span;
  return made;
}

BoundPtr SubqueryBinder::Known(BoundSubquery::Kind kind, const std::string& text) const {
  for (size_t i = 0; i < bound_.size(); ++i) {
    const auto id = static_cast<int>(i);
    if (bound_[i].kind == kind && bound_[i].text == text && !joined_.contains(id))
      return bound_[i].placeholder;
  }
  return nullptr;
}

BoundPtr SubqueryBinder::Keep(BoundSubquery made, TypePtr type, bool nullable) {
  const int id = static_cast<int>(bound_.size());
  made.placeholder =
      MakeColumn(kSubqueryBase + id, *arrow::field("", std::move(type), nullable), made.span);
  bound_.push_back(std::move(made));
  return bound_.back().placeholder;
}

Result<BoundPtr> SubqueryBinder::BindScalar(const Query& query, Span span) {
  if (BoundPtr known = Known(BoundSubquery::Kind::kScalar, ToSql(query))) return known;
  SLUICE_ASSIGN_OR_RETURN(BoundSubquery made, BindPlan(query, span));
  if (made.plan->schema->num_fields() != 1) {
    return queries_.Error(
        span, "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
        fmt::format("a scalar subquery must return one column, but it has {}",
                    made.plan->schema->num_fields()));
  }
  TypePtr type = made.plan->schema->field(0)->type();
  return Keep(std::move(made), std::move(type), true);
}

Result<BoundPtr> SubqueryBinder::BindExists(const Query& query, Span span) {
  if (BoundPtr known = Known(BoundSubquery::Kind::kExists, ToSql(query))) return known;
  SLUICE_ASSIGN_OR_RETURN(BoundSubquery made, BindPlan(query, span));
  made.kind = BoundSubquery::Kind::kExists;
  return Keep(std::move(made), arrow::boolean(), false);
}

Result<BoundSubquery> SubqueryBinder::BindMatches(const InSubquery& in, ExpressionBinder* binder,
                                                  Span span) {
  std::vector<const Expr*> operands = {in.operand.get()};
  if (const auto* row = in.operand->As<Row>()) {
    operands.clear();
    for (const Expr& element : row->elements) operands.push_back(&element);
  }
  SLUICE_ASSIGN_OR_RETURN(BoundSubquery made, BindPlan(*in.query, span));
  made.kind = in.negated ? BoundSubquery::Kind::kNotIn : BoundSubquery::Kind::kIn;
  if (made.plan->schema->num_fields() != static_cast<int>(operands.size())) {
    return queries_.Error(
        span, "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
        fmt::format("the number of columns in the left hand side of an IN subquery ({}) does not "
                    "match the number of columns in its output ({})",
                    operands.size(), made.plan->schema->num_fields()));
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    made.text += " IN " + ToSql(*operands[i]);
    SLUICE_ASSIGN_OR_RETURN(BoundPtr operand, binder->Bind(*operands[i]));
    const auto column = static_cast<int>(i);
    SLUICE_ASSIGN_OR_RETURN(
        const BoundPtr equal,
        binder->functions().BindComparison(
            "=", operand, MakeColumn(column, *made.plan->schema->field(column), span), span));
    const int id = kOperandBase + column;
    made.slot_of.emplace(id, static_cast<int>(made.slots.size()));
    made.slots.push_back(equal->args[0]);
    const auto field = FieldFor("", *equal->args[0]);
    made.matches.push_back(
        WithArgs(*equal, {MakeColumn(kOuterBase + id, *field, span), equal->args[1]}));
  }
  return made;
}

Result<BoundPtr> SubqueryBinder::BindIn(const InSubquery& in, ExpressionBinder* binder, Span span) {
  SLUICE_ASSIGN_OR_RETURN(BoundSubquery made, BindMatches(in, binder, span));
  if (made.matches.size() == 1 && made.slots.back()->IsNullLiteral()) {
    // Unknown unless there is nothing to be in.
    SLUICE_ASSIGN_OR_RETURN(const BoundPtr any, BindExists(*in.query, span));
    const BoundPtr unknown = MakeLiteral(arrow::MakeNullScalar(arrow::boolean()));
    const BoundPtr empty = MakeLiteral(arrow::MakeScalar(in.negated));
    return MakeCall("case", {any, unknown, empty}, arrow::boolean(), true, span);
  }
  if (BoundPtr known = Known(made.kind, made.text)) return known;
  return Keep(std::move(made), arrow::boolean(), false);
}

bool SubqueryBinder::IsNullable(const BoundSubquery& in) {
  return std::any_of(in.matches.begin(), in.matches.end(),
                     [](const BoundPtr& match) { return match->nullable; });
}

std::set<int> SubqueryBinder::UsedBy(const std::vector<BoundPtr>& expressions) const {
  std::set<int> ids;
  std::vector<BoundPtr> pending = expressions;
  while (!pending.empty()) {
    const BoundPtr expression = pending.back();
    pending.pop_back();
    if (expression == nullptr) continue;
    for (const int column : ReferencedColumns(*expression)) {
      if (column < kSubqueryBase || column >= kOuterBase) continue;
      const int id = column - kSubqueryBase;
      if (!ids.insert(id).second) continue;
      const auto& slots = subquery(id).slots;
      pending.insert(pending.end(), slots.begin(), slots.end());
    }
  }
  return ids;
}

std::set<int> SubqueryBinder::Waiting() const {
  std::set<int> ids;
  for (int id = 0; id < static_cast<int>(bound_.size()); ++id) {
    if (!joined_.contains(id)) ids.insert(id);
  }
  return ids;
}

std::vector<BoundPtr*> SubqueryBinder::Slots() {
  std::vector<BoundPtr*> slots;
  for (const int id : Waiting()) {
    for (BoundPtr& slot : bound_[static_cast<size_t>(id)].slots) slots.push_back(&slot);
  }
  return slots;
}

BoundPtr SubqueryBinder::Resolve(const BoundPtr& expression,
                                 const std::map<int, BoundPtr>& values) {
  return Transform(expression, [&](const BoundPtr& node) -> BoundPtr {
    if (!IsSubquery(*node)) return nullptr;
    const auto found = values.find(node->index - kSubqueryBase);
    return found == values.end() ? nullptr : found->second;
  });
}

Result<PlanPtr> SubqueryBinder::Join(PlanPtr plan, const std::set<int>& ids,
                                     std::map<int, BoundPtr>* values) {
  // What a subquery's operands use was bound before it.
  for (const int id : ids) {
    BoundSubquery& one = bound_[static_cast<size_t>(id)];
    for (BoundPtr& slot : one.slots) {
      slot = Resolve(slot, *values);
      if (ExpressionBinder::HasAggregate(*slot) || ExpressionBinder::HasWindow(*slot))
        return queries_.Unsupported(one.span, "a subquery over an aggregate here");
    }
    BoundPtr value;
    auto joined = SubqueryJoin(plan, one).WithValue(&value);
    if (!joined.ok()) return Placed(queries_, joined.status(), one.span);
    plan = *std::move(joined);
    values->emplace(id, std::move(value));
    joined_.insert(id);
  }
  for (BoundPtr* slot : Slots()) *slot = Resolve(*slot, *values);
  return plan;
}

Result<PlanPtr> SubqueryBinder::JoinExists(PlanPtr plan, const Query& query, bool negated,
                                           Span span) {
  SLUICE_ASSIGN_OR_RETURN(BoundSubquery made, BindPlan(query, span));
  made.kind = BoundSubquery::Kind::kExists;
  auto kept = SubqueryJoin(std::move(plan), made).Keeping(negated);
  return kept.ok() ? kept : Placed(queries_, kept.status(), span);
}

Result<PlanPtr> SubqueryBinder::JoinIn(PlanPtr plan, const InSubquery& in, ExpressionBinder* binder,
                                       Span span) {
  SLUICE_ASSIGN_OR_RETURN(BoundSubquery made, BindMatches(in, binder, span));
  const bool simple = std::none_of(made.slots.begin(), made.slots.end(),
                                   [](const BoundPtr& slot) { return HasSubquery(*slot); });
  if (simple && !(in.negated && IsNullable(made))) {
    auto kept = SubqueryJoin(std::move(plan), made).Keeping(in.negated);
    return kept.ok() ? kept : Placed(queries_, kept.status(), span);
  }
  const BoundPtr value = Keep(std::move(made), arrow::boolean(), false);
  std::map<int, BoundPtr> values;
  SLUICE_ASSIGN_OR_RETURN(plan, Join(std::move(plan), UsedBy({value}), &values));
  return MakeFilter(std::move(plan), Resolve(value, values));
}

}  // namespace sluice::sql
