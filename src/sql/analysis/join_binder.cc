// Joins of FROM: their conditions, subqueries within them, LATERAL subqueries. Part of QueryBinder.
#include <fmt/format.h>

#include "sql/analysis/query_binder.h"
#include "sql/analysis/subquery_join_internal.h"
#include "sql/expressions/analysis_error.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {

void SplitJoinCondition(const BoundPtr& condition, int left_columns, JoinNode* join) {
  if (condition == nullptr) return;
  std::vector<int> to_right(
      static_cast<size_t>(left_columns + join->inputs[1]->schema->num_fields()));
  for (size_t i = 0; i < to_right.size(); ++i) to_right[i] = static_cast<int>(i) - left_columns;
  // 1 left, 2 right, 3 both, 0 none; columns of a query around are of neither.
  auto side = [&](const BoundPtr& expression) {
    int sides = HasOuter(*expression) ? 4 : 0;
    for (int column : ReferencedColumns(*expression)) sides |= column < left_columns ? 1 : 2;
    return sides;
  };
  std::vector<BoundPtr> rest;
  if (join->residual != nullptr) rest.push_back(join->residual);
  for (const BoundPtr& conjunct : SplitConjuncts(condition)) {
    const bool equality = conjunct->IsCall("=") || conjunct->IsCall("<=>");
    if (equality) {
      const int first = side(conjunct->args[0]);
      const int second = side(conjunct->args[1]);
      if ((first == 1 && second == 2) || (first == 2 && second == 1)) {
        join->left_keys.push_back(conjunct->args[first == 1 ? 0 : 1]);
        join->right_keys.push_back(RemapColumns(conjunct->args[first == 1 ? 1 : 0], to_right));
        join->null_safe.push_back(conjunct->name == "<=>");
        continue;
      }
    }
    rest.push_back(conjunct);
  }
  join->residual = JoinConjuncts(rest);
}

JoinKind KindOf(JoinType type) {
  switch (type) {
    case JoinType::kInner: return JoinKind::kInner;
    case JoinType::kLeft: return JoinKind::kLeft;
    case JoinType::kRight: return JoinKind::kRight;
    case JoinType::kFull: return JoinKind::kFull;
    case JoinType::kCross: return JoinKind::kCross;
    case JoinType::kLeftSemi: return JoinKind::kLeftSemi;
    case JoinType::kLeftAnti: return JoinKind::kLeftAnti;
  }
  return JoinKind::kInner;
}

arrow::FieldVector JoinFields(const JoinNode& join) {
  arrow::FieldVector fields;
  const bool null_left = join.join == JoinKind::kRight || join.join == JoinKind::kFull;
  const bool null_right = join.join == JoinKind::kLeft || join.join == JoinKind::kFull;
  for (const auto& field : join.inputs[0]->schema->fields())
    fields.push_back(null_left ? field->WithNullable(true) : field);
  if (join.join == JoinKind::kLeftSemi || join.join == JoinKind::kLeftAnti) return fields;
  for (const auto& field : join.inputs[1]->schema->fields())
    fields.push_back(null_right ? field->WithNullable(true) : field);
  return fields;
}

Result<PlanPtr> QueryBinder::AddOn(const Expr& on, const Scope& both,
                                   std::shared_ptr<JoinNode> join) {
  SubqueryBinder subqueries(this, both);
  ExpressionBinder binder(source_, options_, both, nullptr);
  binder.SetSubqueries(&subqueries);
  binder.SetOuter(outer_);
  SLUICE_ASSIGN_OR_RETURN(auto condition, binder.Bind(on));
  if (condition->type->id() != arrow::Type::BOOL && condition->type->id() != arrow::Type::NA)
    return Error(on.span, "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE",
                 fmt::format("the join condition {} has the invalid type \"{}\", expected "
                             "\"BOOLEAN\"",
                             ToString(*condition), SparkTypeSql(*condition->type)));
  SLUICE_ASSIGN_OR_RETURN(condition,
                          binder.functions().Coerce(condition, arrow::boolean(), "ON", 1));
  if (HasSubquery(*condition))
    return AddSubqueries(&subqueries, std::move(condition), std::move(join), on.span);
  if (join->join == JoinKind::kCross) join->join = JoinKind::kInner;
  SplitJoinCondition(condition, join->inputs[0]->schema->num_fields(), join.get());
  join->schema = arrow::schema(JoinFields(*join));
  return PlanPtr(std::move(join));
}

namespace {

/// Sides of a join that `expressions` use: 1 left, 2 right.
int SidesOf(const std::vector<BoundPtr>& expressions, int left_columns) {
  int sides = 0;
  for (const int column : ReferencedColumns(expressions)) {
    if (column < kSubqueryBase) sides |= column < left_columns ? 1 : 2;
  }
  return sides;
}

/// The first `left` columns of the left side, then `right` of the right one.
PlanPtr OwnColumns(const PlanPtr& join, int left, int left_all, int right) {
  std::vector<BoundPtr> columns;
  arrow::FieldVector fields;
  for (int i = 0; i < left + right; ++i) {
    const int at = i < left ? i : left_all + i - left;
    fields.push_back(join->schema->field(at));
    columns.push_back(MakeColumn(at, *fields.back()));
  }
  return MakeProject(join, std::move(columns), std::move(fields));
}

}  // namespace

// The value of a subquery is a column of the side whose columns it uses. One that uses both is
// joined to what an inner join makes of the other conditions.
Result<PlanPtr> QueryBinder::AddSubqueries(SubqueryBinder* subqueries, BoundPtr condition,
                                           std::shared_ptr<JoinNode> join, Span span) {
  const int left = join->inputs[0]->schema->num_fields();
  const int right = join->inputs[1]->schema->num_fields();
  const bool inner = join->join == JoinKind::kInner || join->join == JoinKind::kCross;
  std::set<int> of_left;
  std::set<int> of_right;
  bool of_both = false;
  for (const int id : subqueries->UsedBy({condition})) {
    std::vector<BoundPtr> used = subqueries->subquery(id).slots;
    for (const int below : subqueries->UsedBy(used)) {
      const auto& slots = subqueries->subquery(below).slots;
      used.insert(used.end(), slots.begin(), slots.end());
    }
    const int sides = SidesOf(used, left);
    of_both |= sides == 3;
    (sides == 2 ? of_right : of_left).insert(id);
  }
  std::map<int, BoundPtr> values;
  if (of_both) {
    if (!inner) return Unsupported(span, "a subquery over both sides of an outer join");
    join->join = JoinKind::kCross;
    join->schema = arrow::schema(JoinFields(*join));
    SLUICE_ASSIGN_OR_RETURN(
        PlanPtr plan, subqueries->Join(std::move(join), subqueries->UsedBy({condition}), &values));
    plan = MakeFilter(std::move(plan), SubqueryBinder::Resolve(condition, values));
    return OwnColumns(plan, left + right, left + right, 0);
  }
  // Of the right side: its columns begin at 0 while its subqueries are joined.
  for (BoundPtr* slot : subqueries->Slots()) {
    *slot =
        MoveColumns(*slot, [&](int i) { return i >= left && i < kSubqueryBase ? i - left : i; });
  }
  std::map<int, BoundPtr> right_values;
  SLUICE_ASSIGN_OR_RETURN(join->inputs[0], subqueries->Join(join->inputs[0], of_left, &values));
  SLUICE_ASSIGN_OR_RETURN(join->inputs[1],
                          subqueries->Join(join->inputs[1], of_right, &right_values));
  const int left_all = join->inputs[0]->schema->num_fields();
  condition = MoveColumns(
      condition, [&](int i) { return i >= left && i < kSubqueryBase ? i - left + left_all : i; });
  for (const auto& [id, value] : right_values) {
    values.emplace(id,
                   MoveColumns(value, [&](int i) { return i < kSubqueryBase ? i + left_all : i; }));
  }
  if (join->join == JoinKind::kCross) join->join = JoinKind::kInner;
  SplitJoinCondition(SubqueryBinder::Resolve(condition, values), left_all, join.get());
  join->schema = arrow::schema(JoinFields(*join));
  const bool left_only = join->join == JoinKind::kLeftSemi || join->join == JoinKind::kLeftAnti;
  return OwnColumns(std::move(join), left, left_all, left_only ? 0 : right);
}

Result<std::optional<BoundRelation>> QueryBinder::BindLateralSubquery(const Join& join, Span span) {
  const auto* lateral = join.right->As<SubqueryRelation>();
  if (lateral == nullptr || !lateral->lateral) return std::optional<BoundRelation>();
  if (join.natural || !join.using_columns.empty())
    return Error(span, "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING", "JOIN USING with LATERAL");
  const JoinKind kind = KindOf(join.type);
  if (kind != JoinKind::kInner && kind != JoinKind::kCross && kind != JoinKind::kLeft)
    return Error(span, "INVALID_LATERAL_JOIN_TYPE",
                 "a LATERAL subquery can only be joined by an INNER, CROSS or LEFT join");
  SLUICE_ASSIGN_OR_RETURN(BoundRelation left, BindRelation(*join.left));
  const Scope* around = outer_;
  outer_ = &left.scope;
  auto bound = BindRelation(*join.right);
  outer_ = around;
  SLUICE_RETURN_NOT_OK(bound.status());
  BoundSubquery subquery;
  subquery.plan = bound->plan;
  subquery.span = span;
  for (const int column : OuterColumns(*subquery.plan)) {
    subquery.slot_of.emplace(column, static_cast<int>(subquery.slots.size()));
    subquery.slots.push_back(MakeColumn(column, *left.plan->schema->field(column), span));
  }
  const int left_columns = left.plan->schema->num_fields();
  Scope both = left.scope;
  for (ScopeColumn column : bound->scope.columns) {
    column.index += left_columns;
    both.columns.push_back(std::move(column));
  }
  BoundPtr condition;
  if (join.on) {
    ExpressionBinder binder(source_, options_, both, nullptr);
    binder.SetOuter(outer_);
    SLUICE_ASSIGN_OR_RETURN(condition, binder.Bind(*join.on));
    SLUICE_ASSIGN_OR_RETURN(condition,
                            binder.functions().Coerce(condition, arrow::boolean(), "ON", 1));
  }
  auto plan = SubqueryJoin(left.plan, subquery).WithRows(kind, condition);
  if (HasCode(plan.status(), "NOT_SUPPORTED_YET"))
    return Unsupported(span, plan.status().message());
  SLUICE_RETURN_NOT_OK(plan.status());
  for (ScopeColumn& column : both.columns) column.field = (*plan)->schema->field(column.index);
  return std::optional<BoundRelation>(BoundRelation{*std::move(plan), std::move(both)});
}

Result<BoundRelation> QueryBinder::BindJoin(const Join& join, Span span) {
  SLUICE_ASSIGN_OR_RETURN(auto lateral, BindLateralJoin(join, span));
  if (lateral.has_value()) return *std::move(lateral);
  SLUICE_ASSIGN_OR_RETURN(lateral, BindLateralSubquery(join, span));
  if (lateral.has_value()) return *std::move(lateral);
  SLUICE_ASSIGN_OR_RETURN(auto left, BindRelation(*join.left));
  SLUICE_ASSIGN_OR_RETURN(auto right, BindRelation(*join.right));
  std::vector<std::string> names;
  for (const Name& name : join.using_columns) names.push_back(LowerAscii(name.text));
  if (join.natural) {
    for (const ScopeColumn& column : left.scope.columns) {
      for (const ScopeColumn& other : right.scope.columns) {
        if (column.in_star && other.in_star && other.name == column.name)
          names.push_back(column.name);
      }
    }
  }
  if (!names.empty()) return BindUsing(join, names, std::move(left), std::move(right), span);

  auto made = std::make_shared<JoinNode>();
  made->join = KindOf(join.type);
  made->inputs = {left.plan, right.plan};
  made->is_streaming = left.plan->is_streaming || right.plan->is_streaming;
  made->span = span;
  const int left_columns = left.plan->schema->num_fields();
  Scope both = left.scope;
  for (ScopeColumn column : right.scope.columns) {
    column.index += left_columns;
    both.columns.push_back(std::move(column));
  }
  PlanPtr plan;
  if (join.on) {
    SLUICE_ASSIGN_OR_RETURN(plan, AddOn(*join.on, both, std::move(made)));
  } else {
    if (made->join == JoinKind::kInner) made->join = JoinKind::kCross;
    made->schema = arrow::schema(JoinFields(*made));
    plan = std::move(made);
  }
  Scope scope = plan->schema->num_fields() == left_columns ? left.scope : both;
  for (ScopeColumn& column : scope.columns) column.field = plan->schema->field(column.index);
  return BoundRelation{std::move(plan), std::move(scope)};
}

}  // namespace sluice::sql
