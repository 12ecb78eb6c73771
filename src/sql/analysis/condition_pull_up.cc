// Conditions over columns of the query around, moved up to where a subquery is joined.
#include <set>

#include "sql/analysis/decorrelation.h"
#include "sql/analysis/query_binder.h"

namespace sluice::sql {
namespace {

using Tied = std::optional<TiedPlan>;

bool AnyOuter(const std::vector<BoundPtr>& expressions) {
  for (const BoundPtr& expression : expressions) {
    if (expression != nullptr && HasOuter(*expression)) return true;
  }
  return false;
}

bool AnyOuter(const AggregateNode& node) {
  for (const AggregateCall& call : node.calls) {
    if (AnyOuter(call.args) || AnyOuter({call.filter})) return true;
  }
  return AnyOuter(node.groups);
}

/// What an aggregate function is over no rows; null when that is not known here.
BoundPtr OverNothing(const AggregateCall& call) {
  static const std::set<std::string> kCounts = {"count", "count_if", "approx_count_distinct",
                                                "regr_count"};
  static const std::set<std::string> kNull = {
      "sum",    "avg",    "min",  "max",    "first",    "last",        "bool_and", "bool_or",
      "max_by", "min_by", "mode", "median", "var_samp", "stddev_samp", "var_pop",  "stddev_pop"};
  if (kCounts.contains(call.function) && call.type->id() == arrow::Type::INT64)
    return MakeLiteral(arrow::MakeScalar(int64_t{0}));
  if (kNull.contains(call.function)) return MakeLiteral(arrow::MakeNullScalar(call.type));
  return nullptr;
}

class PullUp {
 public:
  explicit PullUp(bool keep_repeats) : keep_repeats_(keep_repeats) {}

  Tied Run(const PlanPtr& plan) {
    if (!HasOuter(*plan)) return TiedPlan{plan, {}, {}};
    switch (plan->kind) {
      case PlanKind::kFilter: return Filter(As<FilterNode>(*plan));
      case PlanKind::kProject: return Project(As<ProjectNode>(*plan));
      case PlanKind::kJoin: return Join(As<JoinNode>(*plan));
      case PlanKind::kAggregate: return Aggregate(As<AggregateNode>(*plan));
      case PlanKind::kDistinct: return Distinct(*plan);
      case PlanKind::kSort:
        return AnyOuter(Expressions(As<SortNode>(*plan).keys)) ? Tied() : Run(plan->input());
      default: return std::nullopt;
    }
  }

 private:
  static std::vector<BoundPtr> Expressions(const std::vector<SortKey>& keys) {
    std::vector<BoundPtr> expressions;
    for (const SortKey& key : keys) expressions.push_back(key.expression);
    return expressions;
  }

  Tied Filter(const FilterNode& node) {
    Tied below = Run(node.input());
    if (!below.has_value() || !below->over_nothing.empty()) return std::nullopt;
    std::vector<BoundPtr> own;
    for (const BoundPtr& conjunct : SplitConjuncts(node.condition))
      (HasOuter(*conjunct) ? below->conditions : own).push_back(conjunct);
    if (!own.empty()) below->plan = MakeFilter(below->plan, JoinConjuncts(own));
    return below;
  }

  // What the conditions use goes on behind the columns.
  Tied Project(const ProjectNode& node) {
    if (AnyOuter(node.expressions)) return std::nullopt;
    Tied below = Run(node.input());
    if (!below.has_value()) return std::nullopt;
    std::vector<BoundPtr> columns = node.expressions;
    arrow::FieldVector fields = node.schema->fields();
    std::map<int, int> moved;
    for (BoundPtr& condition : below->conditions) {
      condition = MoveColumns(condition, [&](int index) {
        if (index >= kOuterBase) return index;
        const auto [at, added] = moved.emplace(index, static_cast<int>(columns.size()));
        if (added) {
          fields.push_back(below->plan->schema->field(index));
          columns.push_back(MakeColumn(index, *fields.back()));
        }
        return at->second;
      });
    }
    std::vector<BoundPtr> over_nothing;
    for (const BoundPtr& expression : node.expressions) {
      if (!below->over_nothing.empty())
        over_nothing.push_back(SubstituteColumns(expression, below->over_nothing));
    }
    return TiedPlan{MakeProject(below->plan, std::move(columns), std::move(fields)),
                    std::move(below->conditions), std::move(over_nothing)};
  }

  Tied Join(const JoinNode& node) {
    const bool inner = node.join == JoinKind::kInner || node.join == JoinKind::kCross;
    const bool left_driven = node.join == JoinKind::kLeft || node.join == JoinKind::kLeftSemi ||
                             node.join == JoinKind::kLeftAnti;
    if (AnyOuter(node.left_keys) || AnyOuter(node.right_keys)) return std::nullopt;
    const bool outer_residual = node.residual != nullptr && HasOuter(*node.residual);
    if (!inner && (!left_driven || HasOuter(*node.inputs[1]) || outer_residual))
      return std::nullopt;
    Tied left = Run(node.inputs[0]);
    Tied right = Run(node.inputs[1]);
    if (!left.has_value() || !right.has_value() || !left->over_nothing.empty() ||
        !right->over_nothing.empty())
      return std::nullopt;
    return Joined(node, *std::move(left), *std::move(right));
  }

  // The columns that the sides got for their conditions end behind the columns of the join.
  static Tied Joined(const JoinNode& node, TiedPlan left, TiedPlan right) {
    const int left_own = node.inputs[0]->schema->num_fields();
    const int right_own = node.inputs[1]->schema->num_fields();
    const int left_all = left.plan->schema->num_fields();
    const int right_all = right.plan->schema->num_fields();
    const auto in_join = [&](int index) {
      return index < left_own || index >= kOuterBase ? index : index - left_own + left_all;
    };
    auto join = std::make_shared<JoinNode>(node);
    join->inputs = {left.plan, right.plan};
    std::vector<BoundPtr> conditions;  // over the join
    std::vector<BoundPtr> residual;
    if (node.residual != nullptr) {
      for (const BoundPtr& conjunct : SplitConjuncts(node.residual))
        (HasOuter(*conjunct) ? conditions : residual).push_back(MoveColumns(conjunct, in_join));
    }
    join->residual = JoinConjuncts(residual);
    if (join->join == JoinKind::kInner && join->left_keys.empty() && residual.empty())
      join->join = JoinKind::kCross;
    join->schema = arrow::schema(JoinFields(*join));
    for (const BoundPtr& condition : left.conditions) conditions.push_back(condition);
    for (const BoundPtr& condition : right.conditions) {
      conditions.push_back(MoveColumns(
          condition, [&](int index) { return index >= kOuterBase ? index : index + left_all; }));
    }
    std::vector<int> order;
    for (int i = 0; i < left_own; ++i) order.push_back(i);
    const bool left_only = join->schema->num_fields() == left_all;
    for (int i = 0; i < right_own && !left_only; ++i) order.push_back(left_all + i);
    for (int i = left_own; i < left_all; ++i) order.push_back(i);
    for (int i = right_own; i < right_all && !left_only; ++i) order.push_back(left_all + i);
    return Picked(join, order, std::move(conditions));
  }

  static Tied Picked(const PlanPtr& plan, const std::vector<int>& order,
                     std::vector<BoundPtr> conditions) {
    std::vector<BoundPtr> columns;
    arrow::FieldVector fields;
    std::map<int, int> moved;
    for (const int column : order) {
      moved.emplace(column, static_cast<int>(columns.size()));
      fields.push_back(plan->schema->field(column));
      columns.push_back(MakeColumn(column, *fields.back()));
    }
    for (BoundPtr& condition : conditions) {
      condition = MoveColumns(
          condition, [&](int index) { return index >= kOuterBase ? index : moved.at(index); });
    }
    return TiedPlan{
        MakeProject(plan, std::move(columns), std::move(fields)), std::move(conditions), {}};
  }

  // Rows that are tied by equality only can be grouped by what they are tied with.
  Tied Aggregate(const AggregateNode& node) {
    if (AnyOuter(node)) return std::nullopt;
    Tied below = Run(node.input());
    if (!below.has_value() || !below->over_nothing.empty()) return std::nullopt;
    auto made = std::make_shared<AggregateNode>(node);
    made->inputs = {below->plan};
    const auto own_groups = static_cast<int>(node.groups.size());
    std::vector<BoundPtr> conditions;
    for (const BoundPtr& condition : below->conditions) {
      const bool equality = condition->IsCall("=") || condition->IsCall("<=>");
      const size_t inner = equality && HasOuter(*condition->args[0]) ? 1 : 0;
      if (!equality || HasOuter(*condition->args[inner]) || HasInner(*condition->args[1 - inner]))
        return std::nullopt;
      const auto place = static_cast<int>(made->groups.size());
      const auto field = FieldFor("__tie", *condition->args[inner]);
      made->groups.push_back(condition->args[inner]);
      std::vector<BoundPtr> args = condition->args;
      args[inner] = MakeColumn(place, *field);
      conditions.push_back(WithArgs(*condition, std::move(args)));
    }
    const auto groups = static_cast<int>(made->groups.size());
    arrow::FieldVector fields;
    for (const BoundPtr& group : made->groups) fields.push_back(FieldFor("__group", *group));
    for (const AggregateCall& call : made->calls)
      fields.push_back(arrow::field(call.function, call.type, call.nullable));
    made->schema = arrow::schema(std::move(fields));
    std::vector<int> order;
    for (int i = 0; i < own_groups; ++i) order.push_back(i);
    for (int i = groups; i < made->schema->num_fields(); ++i) order.push_back(i);
    for (int i = own_groups; i < groups; ++i) order.push_back(i);
    Tied tied = Picked(made, order, std::move(conditions));
    for (const AggregateCall& call : made->calls) {
      if (own_groups > 0) break;
      BoundPtr value = OverNothing(call);
      if (value == nullptr) return std::nullopt;
      tied->over_nothing.push_back(std::move(value));
    }
    return tied;
  }

  Tied Distinct(const LogicalPlan& plan) {
    if (keep_repeats_) return std::nullopt;
    Tied below = Run(plan.input());
    if (below.has_value() && !below->over_nothing.empty()) return std::nullopt;
    if (below.has_value()) below->plan = MakeDistinct(below->plan);
    return below;
  }

  const bool keep_repeats_;
};

}  // namespace

std::optional<TiedPlan> PullUpConditions(const PlanPtr& plan, bool keep_repeats) {
  return PullUp(keep_repeats).Run(plan);
}

}  // namespace sluice::sql
