// Filters down to the scans, unused columns out. Part of the query runner.
#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "sql/analysis/query_binder.h"
#include "sql/execution/query_stages_internal.h"

namespace sluice::sql {
namespace {

PlanPtr PushFilters(const PlanPtr& plan);

// Its value may be computed earlier and for more rows.
bool IsStable(const BoundExpression& expression) {
  static const std::set<std::string> kChanging = {
      "rand", "randn", "uuid", "shuffle", "randstr", "uniform", "monotonically_increasing_id"};
  return !Any(expression, [](const BoundExpression& node) {
    return node.kind == BoundKind::kCall && kChanging.contains(node.name);
  });
}

void SplitDisjuncts(const BoundPtr& condition, std::vector<BoundPtr>* disjuncts) {
  if (!condition->IsCall("or")) {
    disjuncts->push_back(condition);
    return;
  }
  for (const BoundPtr& arg : condition->args) SplitDisjuncts(arg, disjuncts);
}

// (a AND b) OR (a AND c) implies a, which may be the key of a join.
void AddCommonConjuncts(std::vector<BoundPtr>* conjuncts) {
  const size_t count = conjuncts->size();
  for (size_t i = 0; i < count; ++i) {
    std::vector<BoundPtr> disjuncts;
    SplitDisjuncts((*conjuncts)[i], &disjuncts);
    if (disjuncts.size() < 2) continue;
    std::vector<std::vector<BoundPtr>> parts;
    for (const BoundPtr& disjunct : disjuncts) parts.push_back(SplitConjuncts(disjunct));
    for (const BoundPtr& part : parts[0]) {
      const bool everywhere =
          std::all_of(parts.begin(), parts.end(), [&](const std::vector<BoundPtr>& others) {
            return std::any_of(others.begin(), others.end(),
                               [&](const BoundPtr& other) { return Equals(*other, *part); });
          });
      if (everywhere) conjuncts->push_back(part);
    }
  }
}

/// A filter over a join, taken apart: what one side alone decides moves to that side, and of an
/// inner join the rest becomes keys and residual.
class JoinFilter {
 public:
  explicit JoinFilter(const JoinNode& join)
      : made_(std::make_shared<JoinNode>(join)),
        left_columns_(join.inputs[0]->schema->num_fields()),
        inner_(join.join == JoinKind::kInner || join.join == JoinKind::kCross) {
    const int columns = left_columns_ + join.inputs[1]->schema->num_fields();
    for (int i = 0; i < columns; ++i) to_right_.push_back(i - left_columns_);
  }

  /// Null when nothing moves.
  PlanPtr Push(const BoundPtr& condition) {
    std::vector<BoundPtr> conjuncts = SplitConjuncts(condition);
    if (inner_) AddCommonConjuncts(&conjuncts);
    for (const BoundPtr& conjunct : conjuncts) Place(conjunct);
    if (above_.size() == conjuncts.size()) return nullptr;
    AddTo(0, left_);
    AddTo(1, right_);
    if (!both_.empty()) {
      if (made_->residual != nullptr) both_.push_back(made_->residual);
      made_->residual = JoinConjuncts(both_);
    }
    if (inner_ && (!made_->left_keys.empty() || made_->residual != nullptr))
      made_->join = JoinKind::kInner;
    return above_.empty() ? PlanPtr(made_) : MakeFilter(made_, JoinConjuncts(above_));
  }

 private:
  int Sides(const BoundExpression& expression) const {  // 1 left, 2 right, 3 both
    int sides = 0;
    for (int column : ReferencedColumns(expression)) sides |= column < left_columns_ ? 1 : 2;
    return sides;
  }

  void Place(const BoundPtr& conjunct) {
    const JoinKind kind = made_->join;
    const int sides = IsStable(*conjunct) ? Sides(*conjunct) : 0;
    if (sides == 1 && kind != JoinKind::kRight && kind != JoinKind::kFull) {
      left_.push_back(conjunct);
    } else if (sides == 2 && (inner_ || kind == JoinKind::kRight)) {
      right_.push_back(RemapColumns(conjunct, to_right_));
    } else if (sides == 3 && inner_) {
      if (!AddKey(*conjunct)) both_.push_back(conjunct);
    } else {
      above_.push_back(conjunct);
    }
  }

  bool AddKey(const BoundExpression& conjunct) {
    if (!conjunct.IsCall("=") && !conjunct.IsCall("<=>")) return false;
    const int first = Sides(*conjunct.args[0]);
    const int second = Sides(*conjunct.args[1]);
    if (first + second != 3 || first == 0 || second == 0) return false;
    made_->left_keys.push_back(conjunct.args[first == 1 ? 0 : 1]);
    made_->right_keys.push_back(RemapColumns(conjunct.args[first == 1 ? 1 : 0], to_right_));
    made_->null_safe.push_back(conjunct.name == "<=>");
    return true;
  }

  void AddTo(size_t input, const std::vector<BoundPtr>& conditions) {
    if (conditions.empty()) return;
    made_->inputs[input] = PushFilters(MakeFilter(made_->inputs[input], JoinConjuncts(conditions)));
  }

  std::shared_ptr<JoinNode> made_;
  const int left_columns_;
  const bool inner_;
  std::vector<int> to_right_;
  std::vector<BoundPtr> left_;
  std::vector<BoundPtr> right_;
  std::vector<BoundPtr> both_;
  std::vector<BoundPtr> above_;
};

// A filter over `condition` moves below projections and joins, so that it ends next to a scan.
PlanPtr PushFilters(const PlanPtr& plan) {
  if (plan->kind == PlanKind::kFilter) {
    const PlanPtr& input = plan->input();
    const BoundPtr& condition = As<FilterNode>(*plan).condition;
    if (input->kind == PlanKind::kProject) {
      const auto& project = As<ProjectNode>(*input);
      auto below = MakeFilter(input->input(), SubstituteColumns(condition, project.expressions));
      return MakeProject(PushFilters(below), project.expressions, project.schema->fields());
    }
    if (input->kind == PlanKind::kJoin) {
      PlanPtr pushed = JoinFilter(As<JoinNode>(*input)).Push(condition);
      return pushed == nullptr ? plan : pushed;
    }
    if (input->kind == PlanKind::kWatermark)
      return PushFilters(MakeFilter(input->input(), condition));
    if (input->kind == PlanKind::kFilter) {
      return PushFilters(
          MakeFilter(input->input(), JoinConjuncts({As<FilterNode>(*input).condition, condition})));
    }
  }
  return plan;
}

std::shared_ptr<arrow::Schema> Pick(const arrow::Schema& schema, const std::vector<int>& columns) {
  arrow::FieldVector fields;
  for (int column : columns) fields.push_back(schema.field(column));
  return arrow::schema(std::move(fields));
}

std::vector<int> All(const arrow::Schema& schema) {
  std::vector<int> columns(static_cast<size_t>(schema.num_fields()));
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

std::vector<int> Union(std::vector<int> left, const std::vector<int>& right) {
  left.insert(left.end(), right.begin(), right.end());
  std::sort(left.begin(), left.end());
  left.erase(std::unique(left.begin(), left.end()), left.end());
  return left;
}

// Where each column of the full schema is among `kept`; -1 = gone.
std::vector<int> Positions(const arrow::Schema& schema, const std::vector<int>& kept) {
  std::vector<int> positions(static_cast<size_t>(schema.num_fields()), -1);
  for (size_t i = 0; i < kept.size(); ++i)
    positions[static_cast<size_t>(kept[i])] = static_cast<int>(i);
  return positions;
}

PlanPtr Prune(const PlanPtr& plan, const std::vector<int>& needed);

PlanPtr PruneProject(const ProjectNode& project, const std::vector<int>& needed) {
  std::vector<BoundPtr> kept;
  arrow::FieldVector fields;
  for (int column : needed) {
    kept.push_back(project.expressions[static_cast<size_t>(column)]);
    fields.push_back(project.schema->field(column));
  }
  const std::vector<int> below = ReferencedColumns(kept);
  const std::vector<int> positions = Positions(*project.input()->schema, below);
  for (BoundPtr& expression : kept) expression = RemapColumns(expression, positions);
  return MakeProject(Prune(project.input(), below), std::move(kept), std::move(fields));
}

PlanPtr Narrowed(const PlanPtr& made, const std::vector<int>& have,
                 const std::vector<int>& needed) {
  if (have == needed) return made;
  std::vector<BoundPtr> columns;
  arrow::FieldVector fields;
  for (int column : needed) {
    const auto at = static_cast<int>(std::find(have.begin(), have.end(), column) - have.begin());
    columns.push_back(MakeColumn(at, *made->schema->field(at)));
    fields.push_back(made->schema->field(at));
  }
  return MakeProject(made, std::move(columns), std::move(fields));
}

PlanPtr PruneAggregate(const AggregateNode& node, const std::vector<int>& needed) {
  auto made = std::make_shared<AggregateNode>(node);
  std::vector<int> have = All(*arrow::schema(arrow::FieldVector(
      node.schema->fields().begin(),
      node.schema->fields().begin() + static_cast<std::ptrdiff_t>(node.groups.size()))));
  made->calls.clear();
  for (size_t i = 0; i < node.calls.size(); ++i) {
    const int column = static_cast<int>(node.groups.size() + i);
    if (!std::binary_search(needed.begin(), needed.end(), column)) continue;
    made->calls.push_back(node.calls[i]);
    have.push_back(column);
  }
  std::vector<BoundPtr> used = node.groups;
  for (const AggregateCall& call : made->calls) {
    used.insert(used.end(), call.args.begin(), call.args.end());
    if (call.filter != nullptr) used.push_back(call.filter);
  }
  const std::vector<int> below = ReferencedColumns(used);
  const std::vector<int> positions = Positions(*node.input()->schema, below);
  for (BoundPtr& group : made->groups) group = RemapColumns(group, positions);
  for (AggregateCall& call : made->calls) {
    for (BoundPtr& arg : call.args) arg = RemapColumns(arg, positions);
    if (call.filter != nullptr) call.filter = RemapColumns(call.filter, positions);
  }
  made->inputs = {Prune(node.input(), below)};
  made->schema = Pick(*node.schema, have);
  return Narrowed(made, have, needed);
}

PlanPtr PruneJoin(const JoinNode& node, const std::vector<int>& needed) {
  const int left_columns = node.inputs[0]->schema->num_fields();
  std::vector<int> left = ReferencedColumns(node.left_keys);
  std::vector<int> right = ReferencedColumns(node.right_keys);
  std::vector<int> both = needed;
  if (node.residual != nullptr) both = Union(both, ReferencedColumns(*node.residual));
  for (int column : both)
    (column < left_columns ? left : right)
        .push_back(column < left_columns ? column : column - left_columns);
  left = Union(left, {});
  right = Union(right, {});
  auto made = std::make_shared<JoinNode>(node);
  made->inputs = {Prune(node.inputs[0], left), Prune(node.inputs[1], right)};
  const std::vector<int> left_at = Positions(*node.inputs[0]->schema, left);
  const std::vector<int> right_at = Positions(*node.inputs[1]->schema, right);
  for (BoundPtr& key : made->left_keys) key = RemapColumns(key, left_at);
  for (BoundPtr& key : made->right_keys) key = RemapColumns(key, right_at);
  std::vector<int> at = left_at;
  std::vector<int> have = left;
  for (int position : right_at)
    at.push_back(position < 0 ? -1 : position + static_cast<int>(left.size()));
  const bool left_only = node.join == JoinKind::kLeftSemi || node.join == JoinKind::kLeftAnti;
  for (int column : right) {
    if (!left_only) have.push_back(column + left_columns);
  }
  if (node.residual != nullptr) made->residual = RemapColumns(node.residual, at);
  made->schema = Pick(*node.schema, have);
  return Narrowed(made, have, needed);
}

PlanPtr PruneFilter(const FilterNode& node, const std::vector<int>& needed) {
  const std::vector<int> below = Union(needed, ReferencedColumns(*node.condition));
  const BoundPtr condition = RemapColumns(node.condition, Positions(*node.schema, below));
  return Narrowed(MakeFilter(Prune(node.input(), below), condition), below, needed);
}

PlanPtr PruneGenerate(const GenerateNode& node, const std::vector<int>& needed) {
  const int columns = node.input()->schema->num_fields();
  std::vector<int> below = ReferencedColumns(*node.list);
  for (int column : needed) {
    if (column < columns) below.push_back(column);
  }
  below = Union(below, {});
  auto made = std::make_shared<GenerateNode>(node);
  made->inputs = {Prune(node.input(), below)};
  made->list = RemapColumns(node.list, Positions(*node.input()->schema, below));
  std::vector<int> have = below;
  for (int column = columns; column < node.schema->num_fields(); ++column) have.push_back(column);
  made->schema = Pick(*node.schema, have);
  return Narrowed(made, have, needed);
}

// Nodes that pass the columns through, whatever they are: all of them are kept.
// Of a shared node all readers see the same ones.
PlanPtr PruneInputs(const PlanPtr& plan) {
  if (plan->inputs.empty() || plan->kind == PlanKind::kRecursion) return plan;
  std::vector<PlanPtr> inputs;
  for (const PlanPtr& input : plan->inputs) inputs.push_back(Prune(input, All(*input->schema)));
  return WithInputs(*plan, std::move(inputs));
}

PlanPtr Prune(const PlanPtr& original, const std::vector<int>& needed) {
  const PlanPtr plan = PushFilters(original);
  switch (plan->kind) {
    case PlanKind::kProject: return PruneProject(As<ProjectNode>(*plan), needed);
    case PlanKind::kFilter: return PruneFilter(As<FilterNode>(*plan), needed);
    case PlanKind::kAggregate: return PruneAggregate(As<AggregateNode>(*plan), needed);
    case PlanKind::kJoin: return PruneJoin(As<JoinNode>(*plan), needed);
    case PlanKind::kGenerate: return PruneGenerate(As<GenerateNode>(*plan), needed);
    case PlanKind::kWatermark:
      return Prune(plan->input(), needed);  // means nothing to a bounded query
    default: return Narrowed(PruneInputs(plan), All(*plan->schema), needed);
  }
}

}  // namespace

PlanPtr NarrowPlan(const PlanPtr& plan) { return Prune(plan, All(*plan->schema)); }

}  // namespace sluice::sql
