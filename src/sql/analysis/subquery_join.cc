#include "sql/analysis/subquery_join_internal.h"

#include <algorithm>

#include "sql/analysis/query_binder.h"

namespace sluice::sql {
namespace {

BoundPtr Call(const char* function, std::vector<BoundPtr> args, bool nullable) {
  return MakeCall(function, std::move(args), arrow::boolean(), nullable);
}

BoundPtr Either(const std::vector<BoundPtr>& terms) {
  BoundPtr all;
  for (const BoundPtr& term : terms)
    all = all == nullptr ? term : Call("or", {all, term}, all->nullable || term->nullable);
  return all;
}

BoundPtr IsNull(const BoundPtr& value) { return Call("isnull", {value}, false); }

/// Whether it has a row at all is the same below these.
PlanPtr WithoutShape(PlanPtr plan) {
  for (;;) {
    const bool passes = plan->kind == PlanKind::kSort || plan->kind == PlanKind::kProject ||
                        plan->kind == PlanKind::kDistinct || plan->kind == PlanKind::kWindow;
    const bool grouped =
        plan->kind == PlanKind::kAggregate && !As<AggregateNode>(*plan).groups.empty();
    const bool limited = plan->kind == PlanKind::kLimit && As<LimitNode>(*plan).limit != 0 &&
                         As<LimitNode>(*plan).offset == 0;
    if (!passes && !grouped && !limited) return plan;
    plan = plan->input();
  }
}

/// Whether it has one row, or none, whatever it reads.
bool HasOneRow(const LogicalPlan& plan) {
  if (plan.kind == PlanKind::kProject || plan.kind == PlanKind::kSort)
    return HasOneRow(*plan.input());
  if (plan.kind == PlanKind::kAggregate) return As<AggregateNode>(plan).groups.empty();
  return plan.kind == PlanKind::kValues && As<ValuesNode>(plan).rows.size() == 1;
}

/// "The value" and "how many" of the rows for each of `groups`.
PlanPtr CountedRows(const PlanPtr& plan, std::vector<BoundPtr> groups) {
  const auto& field = *plan->schema->field(0);
  auto rows = std::make_shared<AggregateNode>();
  arrow::FieldVector fields;
  for (const BoundPtr& group : groups) fields.push_back(FieldFor("__tie", *group));
  AggregateCall value;
  value.function = "first";
  value.args = {MakeColumn(0, field)};
  value.type = field.type();
  AggregateCall count;
  count.function = "count";
  count.type = arrow::int64();
  count.nullable = false;
  rows->groups = std::move(groups);
  rows->calls = {std::move(value), std::move(count)};
  fields.push_back(field.WithNullable(true));
  fields.push_back(arrow::field("count", arrow::int64()));
  rows->schema = arrow::schema(std::move(fields));
  rows->is_streaming = plan->is_streaming;
  rows->inputs = {plan};
  return rows;
}

}  // namespace

const BoundPtr& SubqueryJoin::Slot(int id) const {
  return subquery_.slots[static_cast<size_t>(subquery_.slot_of.at(id))];
}

BoundPtr SubqueryJoin::TiedTo(int id, BoundPtr column) const {
  const BoundExpression& slot = *Slot(id);
  BoundPtr outer = MakeColumn(kOuterBase + id, *FieldFor("", slot), slot.span);
  return Call("<=>", {std::move(outer), std::move(column)}, false);
}

BoundPtr SubqueryJoin::SlotOf(const BoundPtr& outer) const {
  return Transform(outer, [&](const BoundPtr& node) -> BoundPtr {
    if (!node->IsColumn() || node->index < kOuterBase) return nullptr;
    return Slot(node->index - kOuterBase);
  });
}

// What is put in for an outer column is over the left side already.
BoundPtr SubqueryJoin::OverJoin(const BoundPtr& condition, int left_columns) const {
  if (condition->IsColumn() && condition->index < kOuterBase)
    return MoveColumns(condition, [&](int index) { return index + left_columns; });
  if (!HasInner(*condition)) return HasOuter(*condition) ? SlotOf(condition) : condition;
  std::vector<BoundPtr> args;
  for (const BoundPtr& arg : condition->args) args.push_back(OverJoin(arg, left_columns));
  return WithArgs(*condition, std::move(args));
}

bool SubqueryJoin::IsKey(const BoundExpression& condition, BoundPtr* outer, BoundPtr* inner) const {
  if (!condition.IsCall("=") && !condition.IsCall("<=>")) return false;
  for (size_t side = 0; side < 2; ++side) {
    const BoundPtr& a = condition.args[side];
    const BoundPtr& b = condition.args[1 - side];
    if (!HasOuter(*a) || HasInner(*a) || HasOuter(*b)) continue;
    *outer = SlotOf(a);
    *inner = b;
    return true;
  }
  return false;
}

void SubqueryJoin::AddConditions(const std::vector<BoundPtr>& conditions, JoinNode* join) const {
  const int left_columns = join->inputs[0]->schema->num_fields();
  std::vector<BoundPtr> residual;
  for (const BoundPtr& condition : conditions) {
    BoundPtr outer;
    BoundPtr inner;
    if (IsKey(*condition, &outer, &inner)) {
      join->left_keys.push_back(std::move(outer));
      join->right_keys.push_back(std::move(inner));
      join->null_safe.push_back(condition->name == "<=>");
    } else {
      residual.push_back(OverJoin(condition, left_columns));
    }
  }
  join->residual = JoinConjuncts(residual);
}

std::shared_ptr<JoinNode> SubqueryJoin::NewJoin(JoinKind kind,
                                                const std::vector<BoundPtr>& conditions,
                                                PlanPtr right) const {
  auto join = std::make_shared<JoinNode>();
  join->join = kind;
  join->is_streaming = rows_->is_streaming || right->is_streaming;
  join->span = subquery_.span;
  join->inputs = {rows_, std::move(right)};
  AddConditions(conditions, join.get());
  join->schema = arrow::schema(JoinFields(*join));
  return join;
}

PlanPtr SubqueryJoin::OuterValues(const std::vector<int>& ids) {
  rows_ = MakeShared(rows_);
  std::vector<BoundPtr> columns;
  arrow::FieldVector fields;
  for (const int id : ids) {
    columns.push_back(Slot(id));
    fields.push_back(FieldFor("__outer", *columns.back()));
  }
  return MakeShared(MakeDistinct(MakeProject(rows_, std::move(columns), std::move(fields))));
}

Result<TiedPlan> SubqueryJoin::TieToRows(const PlanPtr& plan) {
  const std::vector<int> ids = OuterColumns(*plan);
  std::map<int, int> positions;
  for (const int id : ids) {
    const auto& slot = *Slot(id);
    if (slot.type->id() == arrow::Type::MAP)
      return MakeError("NOT_SUPPORTED_YET", "a MAP column of the query around in this subquery");
    positions.emplace(id, static_cast<int>(positions.size()));
  }
  SLUICE_ASSIGN_OR_RETURN(const PlanPtr each, ForEachOuter(plan, OuterValues(ids), positions));
  const auto width = static_cast<int>(ids.size());
  const int own = plan->schema->num_fields();
  TiedPlan tied;
  std::vector<BoundPtr> columns;
  arrow::FieldVector fields;
  for (int i = 0; i < own + width; ++i) {
    const int from = i < own ? width + i : i - own;
    fields.push_back(each->schema->field(from));
    columns.push_back(MakeColumn(from, *fields.back()));
  }
  for (int i = 0; i < width; ++i) {
    const int id = ids[static_cast<size_t>(i)];
    tied.conditions.push_back(
        TiedTo(id, MakeColumn(own + i, *fields[static_cast<size_t>(own + i)])));
  }
  tied.plan = MakeProject(each, std::move(columns), std::move(fields));
  return tied;
}

Result<TiedPlan> SubqueryJoin::Tie(const PlanPtr& plan, Use use) {
  if (!HasOuter(*plan)) return TiedPlan{plan, {}, {}};
  auto tied = PullUpConditions(plan, use != Use::kAnyRow);
  const auto is_key = [&](const BoundPtr& condition) {
    BoundPtr outer;
    BoundPtr inner;
    return IsKey(*condition, &outer, &inner);
  };
  if (tied.has_value() &&
      (use == Use::kOneRow ? std::all_of(tied->conditions.begin(), tied->conditions.end(), is_key)
                           : tied->over_nothing.empty()))
    return *std::move(tied);
  return TieToRows(plan);
}

Result<BoundPtr> SubqueryJoin::Scalar() {
  SLUICE_ASSIGN_OR_RETURN(TiedPlan tied, Tie(subquery_.plan, Use::kOneRow));
  const int base = rows_->schema->num_fields();
  if (!tied.over_nothing.empty()) {
    const int marker = base + tied.plan->schema->num_fields();
    rows_ = NewJoin(JoinKind::kLeft, tied.conditions, WithMarker(tied.plan));
    const BoundPtr value = MakeColumn(base, *rows_->schema->field(base), subquery_.span);
    const BoundPtr& otherwise = tied.over_nothing[0];
    if (otherwise->IsNullLiteral()) return value;
    const BoundPtr any =
        Call("isnotnull", {MakeColumn(marker, *rows_->schema->field(marker))}, false);
    return MakeCall("case", {any, value, otherwise}, value->type, true, subquery_.span);
  }
  if (tied.conditions.empty() && HasOneRow(*tied.plan)) {
    rows_ = NewJoin(JoinKind::kLeft, {}, tied.plan);
    return MakeColumn(base, *rows_->schema->field(base), subquery_.span);
  }
  std::vector<BoundPtr> groups;
  for (BoundPtr& condition : tied.conditions) {
    const size_t inner = HasOuter(*condition->args[0]) ? 1 : 0;
    std::vector<BoundPtr> args = condition->args;
    groups.push_back(args[inner]);
    args[inner] =
        MakeColumn(static_cast<int>(groups.size()) - 1, *FieldFor("__tie", *groups.back()));
    condition = WithArgs(*condition, std::move(args));
  }
  const int place = base + static_cast<int>(groups.size());
  rows_ = NewJoin(JoinKind::kLeft, tied.conditions, CountedRows(tied.plan, std::move(groups)));
  return MakeCall("scalar_subquery",
                  {MakeColumn(place, *rows_->schema->field(place), subquery_.span),
                   MakeColumn(place + 1, *rows_->schema->field(place + 1), subquery_.span)},
                  rows_->schema->field(place)->type(), true, subquery_.span);
}

BoundPtr SubqueryJoin::Mark(PlanPtr plan, const std::vector<BoundPtr>& conditions,
                            const BoundPtr& candidates) {
  std::vector<BoundPtr> keys;
  std::vector<BoundPtr> tied;  // over outer columns and `keys`
  for (const BoundPtr& condition : conditions) {
    BoundPtr outer;
    BoundPtr inner;
    if (candidates != nullptr || !IsKey(*condition, &outer, &inner)) break;
    const size_t side = HasOuter(*condition->args[0]) ? 1 : 0;
    std::vector<BoundPtr> args = condition->args;
    args[side] = MakeColumn(static_cast<int>(keys.size()), *FieldFor("__tie", *inner));
    tied.push_back(WithArgs(*condition, std::move(args)));
    keys.push_back(std::move(inner));
  }
  PlanPtr matching;
  if (candidates == nullptr && keys.size() == conditions.size()) {
    arrow::FieldVector fields;
    for (const BoundPtr& key : keys) fields.push_back(FieldFor("__tie", *key));
    const bool any = keys.empty();
    matching = MakeProject(std::move(plan), std::move(keys), std::move(fields));
    matching = any ? MakeLimit(std::move(matching), 1, 0) : MakeDistinct(std::move(matching));
  } else {
    matching = MatchingValues(std::move(plan), conditions, candidates, &tied);
  }
  const int marker = rows_->schema->num_fields() + matching->schema->num_fields();
  rows_ = NewJoin(JoinKind::kLeft, tied, WithMarker(matching));
  return Call("isnotnull", {MakeColumn(marker, *rows_->schema->field(marker))}, false);
}

PlanPtr SubqueryJoin::MatchingValues(PlanPtr plan, const std::vector<BoundPtr>& conditions,
                                     const BoundPtr& candidates, std::vector<BoundPtr>* tied) {
  std::map<int, int> positions;
  const auto note = [&](const BoundPtr& expression) {
    for (const int column : ReferencedColumns(*expression)) {
      if (column >= kOuterBase) positions.emplace(column - kOuterBase, 0);
    }
  };
  for (const BoundPtr& condition : conditions) note(condition);
  if (candidates != nullptr) note(candidates);
  std::vector<int> ids;
  for (auto& [id, position] : positions) {
    position = static_cast<int>(ids.size());
    ids.push_back(id);
  }
  PlanPtr values = OuterValues(ids);
  const auto width = static_cast<int>(ids.size());
  const auto over = [&](const BoundPtr& expression) {
    return MoveColumns(expression, [&](int index) {
      return index >= kOuterBase ? positions.at(index - kOuterBase) : index + width;
    });
  };
  tied->clear();
  for (int i = 0; i < width; ++i) {
    const int id = ids[static_cast<size_t>(i)];
    tied->push_back(TiedTo(id, MakeColumn(i, *values->schema->field(i))));
  }
  if (candidates != nullptr) values = MakeFilter(values, over(candidates));
  auto join = std::make_shared<JoinNode>();
  join->join = JoinKind::kLeftSemi;
  join->is_streaming = values->is_streaming || plan->is_streaming;
  join->span = subquery_.span;
  join->inputs = {std::move(values), std::move(plan)};
  join->schema = join->inputs[0]->schema;
  std::vector<BoundPtr> moved;
  for (const BoundPtr& condition : conditions) moved.push_back(over(condition));
  SplitJoinCondition(JoinConjuncts(moved), width, join.get());
  return join;
}

// Whether a row matches; of NOT IN: whether none matches, or might.
Result<BoundPtr> SubqueryJoin::In() {
  SLUICE_ASSIGN_OR_RETURN(TiedPlan tied, Tie(subquery_.plan, Use::kAnyRow));
  const bool negated = subquery_.kind == BoundSubquery::Kind::kNotIn;
  const bool unknown = negated && std::any_of(subquery_.matches.begin(), subquery_.matches.end(),
                                              [](const auto& match) { return match->nullable; });
  if (unknown) tied.plan = MakeShared(tied.plan);
  std::vector<BoundPtr> matching = tied.conditions;
  for (const BoundPtr& match : subquery_.matches) matching.push_back(match);
  BoundPtr found = Mark(tied.plan, matching, nullptr);
  if (unknown) found = Either({found, MightMatch(tied)});
  return negated ? Call("not", {found}, false) : found;
}

BoundPtr SubqueryJoin::MightMatch(const TiedPlan& tied) {
  std::vector<BoundPtr> null_operands;
  std::vector<BoundPtr> null_columns;
  std::vector<BoundPtr> possible = tied.conditions;
  for (const BoundPtr& match : subquery_.matches) {
    null_operands.push_back(IsNull(match->args[0]));
    null_columns.push_back(IsNull(match->args[1]));
    if (subquery_.matches.size() > 1)
      possible.push_back(Either({match, null_operands.back(), null_columns.back()}));
  }
  const BoundPtr by_operand = Mark(tied.plan, possible, Either(null_operands));
  const BoundPtr by_column = Mark(MakeFilter(tied.plan, Either(null_columns)), possible, nullptr);
  return Either({by_operand, by_column});
}

Result<PlanPtr> SubqueryJoin::WithValue(BoundPtr* value) {
  switch (subquery_.kind) {
    case BoundSubquery::Kind::kScalar: {
      SLUICE_ASSIGN_OR_RETURN(*value, Scalar());
      break;
    }
    case BoundSubquery::Kind::kExists: {
      SLUICE_ASSIGN_OR_RETURN(TiedPlan tied, Tie(WithoutShape(subquery_.plan), Use::kAnyRow));
      *value = Mark(tied.plan, tied.conditions, nullptr);
      break;
    }
    case BoundSubquery::Kind::kIn:
    case BoundSubquery::Kind::kNotIn: {
      SLUICE_ASSIGN_OR_RETURN(*value, In());
      break;
    }
  }
  return rows_;
}

Result<PlanPtr> SubqueryJoin::Keeping(bool negated) {
  const bool exists = subquery_.kind == BoundSubquery::Kind::kExists;
  SLUICE_ASSIGN_OR_RETURN(
      TiedPlan tied, Tie(exists ? WithoutShape(subquery_.plan) : subquery_.plan, Use::kAnyRow));
  for (const BoundPtr& match : subquery_.matches) tied.conditions.push_back(match);
  return PlanPtr(NewJoin(negated ? JoinKind::kLeftAnti : JoinKind::kLeftSemi, tied.conditions,
                         std::move(tied.plan)));
}

Result<PlanPtr> SubqueryJoin::WithRows(JoinKind kind, const BoundPtr& condition) {
  SLUICE_ASSIGN_OR_RETURN(TiedPlan tied, Tie(subquery_.plan, Use::kAllRows));
  auto join = NewJoin(kind, tied.conditions, tied.plan);
  const int left_columns = rows_->schema->num_fields();
  if (condition != nullptr) SplitJoinCondition(condition, left_columns, join.get());
  const bool bare = join->left_keys.empty() && join->residual == nullptr;
  if (kind != JoinKind::kLeft) join->join = bare ? JoinKind::kCross : JoinKind::kInner;
  const int columns = left_columns + subquery_.plan->schema->num_fields();
  if (columns == join->schema->num_fields()) return PlanPtr(join);
  std::vector<BoundPtr> kept;
  arrow::FieldVector fields;
  for (int i = 0; i < columns; ++i) {
    fields.push_back(join->schema->field(i));
    kept.push_back(MakeColumn(i, *fields.back()));
  }
  return MakeProject(std::move(join), std::move(kept), std::move(fields));
}

}  // namespace sluice::sql
