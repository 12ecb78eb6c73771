#include <fmt/format.h>

#include "sql/query_binder_internal.h"

namespace sluice::sql {
namespace {

bool IsOuter(const BoundExpression& node) { return node.IsColumn() && node.index >= kOuterBase; }

bool UsesInner(const BoundExpression& expression) {
  return Any(expression,
             [](const BoundExpression& node) { return node.IsColumn() && !IsOuter(node); });
}

BoundPtr MoveColumns(const BoundPtr& expression, const std::function<int(int)>& to) {
  return Transform(expression, [&](const BoundPtr& node) -> BoundPtr {
    if (!node->IsColumn()) return nullptr;
    auto moved = std::make_shared<BoundExpression>(*node);
    moved->index = to(node->index);
    return moved;
  });
}

/// Outer columns as columns of the query around.
BoundPtr AsOuter(const BoundPtr& expression) {
  return MoveColumns(expression, [](int index) { return index - kOuterBase; });
}

/// "outer = inner" either way round.
bool IsKey(const BoundExpression& condition, BoundPtr* outer, BoundPtr* inner) {
  if (!condition.IsCall("=") && !condition.IsCall("<=>")) return false;
  for (size_t side = 0; side < 2; ++side) {
    const BoundPtr& a = condition.args[side];
    const BoundPtr& b = condition.args[1 - side];
    if (!HasOuter(*a) || UsesInner(*a) || HasOuter(*b)) continue;
    *outer = AsOuter(a);
    *inner = b;
    return true;
  }
  return false;
}

}  // namespace

bool HasOuter(const BoundExpression& expression) { return Any(expression, IsOuter); }

bool HasSubquery(const BoundExpression& expression) {
  return Any(expression, [](const BoundExpression& node) {
    return node.IsColumn() && node.index >= kSubqueryBase && node.index < kOuterBase;
  });
}

Result<PlanPtr> SubqueryBinder::AtMostOneRow(PlanPtr plan, Span span) {
  const auto& field = *plan->schema->field(0);
  auto rows = std::make_shared<AggregateNode>();
  AggregateCall value;
  value.function = "first";
  value.args = {MakeColumn(0, field, span)};
  value.type = field.type();
  AggregateCall count;
  count.function = "count";
  count.type = arrow::int64();
  count.nullable = false;
  rows->calls = {std::move(value), std::move(count)};
  rows->schema = arrow::schema({field.WithNullable(true), arrow::field("count", arrow::int64())});
  rows->inputs = {std::move(plan)};
  auto checked = MakeCall(
      "scalar_subquery",
      {MakeColumn(0, *rows->schema->field(0), span), MakeColumn(1, *rows->schema->field(1), span)},
      field.type(), true, span);
  return MakeProject(std::move(rows), {std::move(checked)}, {field.WithNullable(true)});
}

Result<BoundPtr> SubqueryBinder::BindScalar(const Query& query, Span span) {
  SubqueryTies ties;
  ties.outer = &scope_;
  Waiting made;
  SLUICE_ASSIGN_OR_RETURN(made.plan, queries_.BindSubquery(query, &ties));
  const int columns = made.plan->schema->num_fields() - static_cast<int>(ties.hidden);
  if (columns != 1) {
    return queries_.Error(
        span, "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
        fmt::format("a scalar subquery must return one column, but it has {}", columns));
  }
  for (const BoundPtr& condition : ties.conditions) {
    BoundPtr outer;
    BoundPtr inner;
    if (!ties.one_row || !IsKey(*condition, &outer, &inner)) {
      return queries_.Unsupported(
          span, "a correlated subquery that is not an aggregate tied by equality");
    }
    made.outer_keys.push_back(std::move(outer));
    made.inner_keys.push_back(std::move(inner));
    made.null_safe.push_back(condition->name == "<=>");
  }
  if (!ties.one_row) {
    SLUICE_ASSIGN_OR_RETURN(made.plan, AtMostOneRow(std::move(made.plan), span));
  }
  made.when_empty = ties.when_empty;
  made.span = span;
  const auto field = made.plan->schema->field(0)->WithNullable(true);
  waiting_.push_back(std::move(made));
  return MakeColumn(kSubqueryBase + joined_ + static_cast<int>(waiting_.size()) - 1, *field, span);
}

std::vector<BoundPtr*> SubqueryBinder::OuterKeys() {
  std::vector<BoundPtr*> keys;
  for (Waiting& one : waiting_) {
    for (BoundPtr& key : one.outer_keys) keys.push_back(&key);
  }
  return keys;
}

Result<PlanPtr> SubqueryBinder::Join(PlanPtr plan, int* first, std::vector<BoundPtr>* values) {
  *first = kSubqueryBase + joined_;
  for (Waiting& one : waiting_) {
    auto join = std::make_shared<JoinNode>();
    join->join = JoinKind::kLeft;
    const int left_columns = plan->schema->num_fields();
    arrow::FieldVector fields = plan->schema->fields();
    for (const auto& field : one.plan->schema->fields())
      fields.push_back(field->WithNullable(true));
    join->schema = arrow::schema(std::move(fields));
    join->is_streaming = plan->is_streaming || one.plan->is_streaming;
    join->inputs = {std::move(plan), one.plan};
    join->left_keys = one.outer_keys;
    join->right_keys = one.inner_keys;
    join->null_safe = one.null_safe;
    join->span = one.span;
    BoundPtr value = MakeColumn(left_columns, *join->schema->field(left_columns), one.span);
    if (one.when_empty != nullptr)
      value = MakeCall("coalesce", {value, one.when_empty}, value->type, false, one.span);
    values->push_back(std::move(value));
    plan = std::move(join);
  }
  joined_ += static_cast<int>(waiting_.size());
  waiting_.clear();
  return plan;
}

void SubqueryBinder::Split(const std::vector<BoundPtr>& conditions, int left_columns,
                           JoinNode* join) {
  std::vector<BoundPtr> others;
  if (join->residual != nullptr) others.push_back(join->residual);
  for (const BoundPtr& condition : conditions) {
    BoundPtr outer;
    BoundPtr inner;
    if (IsKey(*condition, &outer, &inner)) {
      join->left_keys.push_back(std::move(outer));
      join->right_keys.push_back(std::move(inner));
      join->null_safe.push_back(condition->name == "<=>");
    } else {
      others.push_back(MoveColumns(condition, [&](int index) {
        return index >= kOuterBase ? index - kOuterBase : index + left_columns;
      }));
    }
  }
  join->residual = JoinConjuncts(others);
}

Result<PlanPtr> SubqueryBinder::JoinExists(PlanPtr plan, const Query& query, bool negated,
                                           Span span) {
  SubqueryTies ties;
  ties.outer = &scope_;
  ties.exists_only = true;
  SLUICE_ASSIGN_OR_RETURN(auto subquery, queries_.BindSubquery(query, &ties));
  if (ties.when_empty != nullptr || (ties.one_row && !ties.conditions.empty()))
    return queries_.Unsupported(span, "EXISTS over an aggregate without GROUP BY");
  auto join = std::make_shared<JoinNode>();
  join->join = negated ? JoinKind::kLeftAnti : JoinKind::kLeftSemi;
  join->schema = plan->schema;
  join->is_streaming = plan->is_streaming || subquery->is_streaming;
  join->span = span;
  Split(ties.conditions, plan->schema->num_fields(), join.get());
  join->inputs = {std::move(plan), std::move(subquery)};
  return join;
}

Result<PlanPtr> SubqueryBinder::JoinIn(PlanPtr plan, const BoundPtr& operand, const Query& query,
                                       bool negated, FunctionBinder* functions, Span span) {
  SubqueryTies ties;
  ties.outer = &scope_;
  SLUICE_ASSIGN_OR_RETURN(auto subquery, queries_.BindSubquery(query, &ties));
  if (subquery->schema->num_fields() - static_cast<int>(ties.hidden) != 1) {
    return queries_.Error(span, "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
                          "the subquery of IN must have one column");
  }
  if (ties.one_row && !ties.conditions.empty())
    return queries_.Unsupported(span, "IN over a correlated aggregate without GROUP BY");
  const int left_columns = plan->schema->num_fields();
  SLUICE_ASSIGN_OR_RETURN(
      auto equal, functions->BindComparison(
                      "=", operand, MakeColumn(0, *subquery->schema->field(0), span), span));
  auto join = std::make_shared<JoinNode>();
  join->join = negated ? JoinKind::kLeftAnti : JoinKind::kLeftSemi;
  join->schema = plan->schema;
  join->is_streaming = plan->is_streaming || subquery->is_streaming;
  join->span = span;
  if (!negated || (!equal->args[0]->nullable && !equal->args[1]->nullable)) {
    join->left_keys = {equal->args[0]};
    join->right_keys = {equal->args[1]};
    join->null_safe = {false};
  } else {
    // NOT IN is not TRUE where the comparison is NULL.
    const BoundPtr right =
        MoveColumns(equal->args[1], [&](int index) { return index + left_columns; });
    const auto is_null = [&](const BoundPtr& side) {
      return MakeCall("isnull", {side}, arrow::boolean(), false, span);
    };
    const auto either = [&](BoundPtr a, BoundPtr b) {
      return MakeCall("or", {std::move(a), std::move(b)}, arrow::boolean(), true, span);
    };
    join->residual = either(WithArgs(*equal, {equal->args[0], right}),
                            either(is_null(equal->args[0]), is_null(right)));
  }
  Split(ties.conditions, left_columns, join.get());
  join->inputs = {std::move(plan), std::move(subquery)};
  return join;
}

}  // namespace sluice::sql
