// A subquery computed for all rows of the query around at once: each node carries the columns of
// the outer rows in front of its own.
#include <unordered_map>

#include "sql/analysis/decorrelation.h"
#include "sql/analysis/query_binder.h"

namespace sluice::sql {
namespace {

PlanPtr Cross(const PlanPtr& left, const PlanPtr& right) {
  auto made = std::make_shared<JoinNode>();
  made->join = JoinKind::kCross;
  made->inputs = {left, right};
  made->is_streaming = left->is_streaming || right->is_streaming;
  made->schema = arrow::schema(JoinFields(*made));
  return made;
}

template <typename Node>
std::shared_ptr<Node> Copy(const Node& node, PlanPtr input) {
  auto made = std::make_shared<Node>(node);
  made->is_streaming = input->is_streaming;
  made->inputs = {std::move(input)};
  return made;
}

/// One join under way: which sides carry the outer rows, and where their columns end up.
struct CarriedJoin {
  int width = 0;  // of the outer rows
  bool left_carries = false;
  bool right_carries = false;
  int left_own = 0;
  int right_own = 0;

  int left_columns() const { return left_own + (left_carries ? width : 0); }
  int LeftAt(int i) const { return i + (left_carries ? width : 0); }
  int RightAt(int i) const { return left_columns() + (right_carries ? width : 0) + i; }
};

class OuterRows {
 public:
  OuterRows(PlanPtr outer, const std::map<int, int>& positions)
      : outer_(std::move(outer)), positions_(positions), width_(outer_->schema->num_fields()) {}

  Result<PlanPtr> Run(const PlanPtr& plan) {
    if (!HasOuter(*plan)) return Cross(outer_, plan);
    switch (plan->kind) {
      case PlanKind::kProject: return Project(As<ProjectNode>(*plan));
      case PlanKind::kFilter: return Filter(As<FilterNode>(*plan));
      case PlanKind::kAggregate: return Aggregate(As<AggregateNode>(*plan));
      case PlanKind::kJoin: return Join(As<JoinNode>(*plan));
      case PlanKind::kDistinct: return Distinct(*plan);
      case PlanKind::kWindow: return Window(As<WindowNode>(*plan));
      case PlanKind::kSort: return Run(plan->input());
      case PlanKind::kLimit: return Limit(As<LimitNode>(*plan));
      case PlanKind::kSetOp: return SetOperation(As<SetOpNode>(*plan));
      case PlanKind::kGenerate: return Generate(As<GenerateNode>(*plan));
      case PlanKind::kWatermark: return Run(plan->input());
      case PlanKind::kShared: return Shared(As<SharedNode>(*plan));
      default: break;
    }
    return MakeError("NOT_SUPPORTED_YET", plan->kind == PlanKind::kRecursion
                                              ? "WITH RECURSIVE over columns of the query around"
                                              : "a sample of rows that depend on the query around");
  }

 private:
  /// Over outer rows followed by the node's input.
  BoundPtr Moved(const BoundPtr& expression) const {
    return MoveColumns(expression, [&](int index) {
      return index >= kOuterBase ? positions_.at(index - kOuterBase) : index + width_;
    });
  }
  std::vector<BoundPtr> Moved(std::vector<BoundPtr> expressions) const {
    for (BoundPtr& expression : expressions) {
      if (expression != nullptr) expression = Moved(expression);
    }
    return expressions;
  }
  std::vector<SortKey> Moved(std::vector<SortKey> keys) const {
    for (SortKey& key : keys) key.expression = Moved(key.expression);
    return keys;
  }
  std::vector<BoundPtr> OuterColumnsOf(const PlanPtr& plan) const {
    return ColumnsOf(*plan->schema, 0, width_);
  }
  arrow::FieldVector WithOuter(const arrow::FieldVector& own) const {
    arrow::FieldVector fields = outer_->schema->fields();
    fields.insert(fields.end(), own.begin(), own.end());
    return fields;
  }

  Result<PlanPtr> Project(const ProjectNode& node) {
    SLUICE_ASSIGN_OR_RETURN(auto below, Run(node.input()));
    std::vector<BoundPtr> columns = OuterColumnsOf(below);
    for (const BoundPtr& expression : node.expressions) columns.push_back(Moved(expression));
    return MakeProject(std::move(below), std::move(columns), WithOuter(node.schema->fields()));
  }

  Result<PlanPtr> Filter(const FilterNode& node) {
    SLUICE_ASSIGN_OR_RETURN(auto below, Run(node.input()));
    return MakeFilter(std::move(below), Moved(node.condition));
  }

  Result<PlanPtr> Distinct(const LogicalPlan& node) {
    SLUICE_ASSIGN_OR_RETURN(auto below, Run(node.input()));
    return MakeDistinct(std::move(below));
  }

  Result<PlanPtr> Aggregate(const AggregateNode& node) {
    SLUICE_ASSIGN_OR_RETURN(auto below, Run(node.input()));
    // Without groups there is a row for an outer row of which nothing is left, too.
    const int marker = node.groups.empty() ? below->schema->num_fields() : -1;
    if (marker >= 0) below = KeepAll(below);
    auto made = Copy(node, below);
    made->groups = OuterColumnsOf(below);
    for (const BoundPtr& group : node.groups) made->groups.push_back(Moved(group));
    for (AggregateCall& call : made->calls) {
      call.args = Moved(std::move(call.args));
      std::vector<BoundPtr> filters;
      if (marker >= 0)
        filters.push_back(MakeCall("isnotnull", {MakeColumn(marker, *below->schema->field(marker))},
                                   arrow::boolean(), false));
      if (call.filter != nullptr) filters.push_back(Moved(call.filter));
      call.filter = JoinConjuncts(filters);
    }
    made->schema = arrow::schema(WithOuter(node.schema->fields()));
    return made;
  }

  /// All outer rows, then the columns of `rows` behind the outer ones, and whether there are any.
  PlanPtr KeepAll(const PlanPtr& rows) {
    const int own = rows->schema->num_fields() - width_;
    const PlanPtr with_marker = WithMarker(rows);
    auto join = std::make_shared<JoinNode>();
    join->join = JoinKind::kLeft;
    join->inputs = {outer_, with_marker};
    join->is_streaming = rows->is_streaming;
    join->left_keys = OuterColumnsOf(outer_);
    join->right_keys = OuterColumnsOf(with_marker);
    join->null_safe.assign(static_cast<size_t>(width_), true);
    join->schema = arrow::schema(JoinFields(*join));
    std::vector<BoundPtr> columns = OuterColumnsOf(join);
    for (BoundPtr& column : ColumnsOf(*join->schema, 2 * width_, own + 1))
      columns.push_back(std::move(column));
    arrow::FieldVector kept = outer_->schema->fields();
    for (int i = 0; i <= own; ++i) kept.push_back(join->schema->field(2 * width_ + i));
    return MakeProject(join, std::move(columns), std::move(kept));
  }

  Result<PlanPtr> Window(const WindowNode& node) {
    SLUICE_ASSIGN_OR_RETURN(auto below, Run(node.input()));
    auto made = Copy(node, below);
    for (WindowCall& call : made->calls) {
      call.args = Moved(std::move(call.args));
      if (call.filter != nullptr) call.filter = Moved(call.filter);
      std::vector<BoundPtr> partition = OuterColumnsOf(below);
      for (const BoundPtr& expression : call.partition) partition.push_back(Moved(expression));
      call.partition = std::move(partition);
      call.order = Moved(std::move(call.order));
    }
    made->schema = arrow::schema(WithOuter(node.schema->fields()));
    return made;
  }

  /// Rows are numbered for each outer row.
  Result<PlanPtr> Limit(const LimitNode& node) {
    // Columns that were only sorted by are left out above the sort.
    const ProjectNode* picked = nullptr;
    PlanPtr input = node.input();
    if (input->kind == PlanKind::kProject && input->input()->kind == PlanKind::kSort) {
      picked = &As<ProjectNode>(*input);
      input = input->input();
    }
    const bool sorted = input->kind == PlanKind::kSort;
    SLUICE_ASSIGN_OR_RETURN(auto below, Run(sorted ? input->input() : input));
    auto window = std::make_shared<WindowNode>();
    WindowCall number;
    number.function = "row_number";
    number.partition = OuterColumnsOf(below);
    if (sorted) number.order = Moved(As<SortNode>(*input).keys);
    number.type = arrow::int32();
    number.nullable = false;
    const int place = below->schema->num_fields();
    arrow::FieldVector fields = below->schema->fields();
    const arrow::FieldVector kept = fields;
    fields.push_back(arrow::field("__row", arrow::int32(), false));
    window->calls = {std::move(number)};
    window->schema = arrow::schema(std::move(fields));
    window->is_streaming = below->is_streaming;
    window->inputs = {below};
    const BoundPtr row = MakeCast(MakeColumn(place, *window->schema->field(place)), arrow::int64());
    std::vector<BoundPtr> within;
    const auto compare = [&](const char* op, int64_t bound) {
      within.push_back(
          MakeCall(op, {row, MakeLiteral(arrow::MakeScalar(bound))}, arrow::boolean(), false));
    };
    if (node.offset > 0) compare(">", node.offset);
    if (node.limit >= 0) compare("<=", node.offset + node.limit);
    PlanPtr rows = within.empty() ? PlanPtr(window) : MakeFilter(window, JoinConjuncts(within));
    if (picked == nullptr)
      return MakeProject(std::move(rows), ColumnsOf(*below->schema, 0, place), kept);
    std::vector<BoundPtr> columns = OuterColumnsOf(below);
    for (const BoundPtr& expression : picked->expressions) columns.push_back(Moved(expression));
    return MakeProject(std::move(rows), std::move(columns), WithOuter(picked->schema->fields()));
  }

  Result<PlanPtr> SetOperation(const SetOpNode& node) {
    auto made = std::make_shared<SetOpNode>(node);
    SLUICE_ASSIGN_OR_RETURN(made->inputs[0], Run(node.inputs[0]));
    SLUICE_ASSIGN_OR_RETURN(made->inputs[1], Run(node.inputs[1]));
    made->is_streaming = made->inputs[0]->is_streaming || made->inputs[1]->is_streaming;
    made->schema = arrow::schema(WithOuter(node.schema->fields()));
    return made;
  }

  Result<PlanPtr> Generate(const GenerateNode& node) {
    SLUICE_ASSIGN_OR_RETURN(auto below, Run(node.input()));
    auto made = Copy(node, std::move(below));
    made->list = Moved(node.list);
    made->schema = arrow::schema(WithOuter(node.schema->fields()));
    return made;
  }

  Result<PlanPtr> Shared(const SharedNode& node) {
    const auto found = shared_.find(node.identity);
    if (found != shared_.end()) return found->second;
    SLUICE_ASSIGN_OR_RETURN(auto below, Run(node.input()));
    PlanPtr made = MakeShared(std::move(below));
    shared_.emplace(node.identity, made);
    return made;
  }

  Result<PlanPtr> Join(const JoinNode& node);
  PlanPtr Ordered(const PlanPtr& join, const CarriedJoin& places, const JoinNode& node) const;

  const PlanPtr outer_;
  const std::map<int, int>& positions_;
  const int width_;
  std::unordered_map<std::shared_ptr<const int>, PlanPtr> shared_;
};

Result<PlanPtr> OuterRows::Join(const JoinNode& node) {
  CarriedJoin places;
  places.width = width_;
  places.left_own = node.inputs[0]->schema->num_fields();
  places.right_own = node.inputs[1]->schema->num_fields();
  const bool right_uses = HasOuter(*node.inputs[1]);
  places.left_carries = HasOuter(*node.inputs[0]) || !right_uses;
  places.right_carries = right_uses;
  if (node.join == JoinKind::kRight || node.join == JoinKind::kFull) places.right_carries = true;
  if (node.join != JoinKind::kInner && node.join != JoinKind::kCross &&
      node.join != JoinKind::kRight)
    places.left_carries = true;
  auto made = std::make_shared<JoinNode>(node);
  for (size_t side = 0; side < 2; ++side) {
    if (side == 0 ? places.left_carries : places.right_carries) {
      SLUICE_ASSIGN_OR_RETURN(made->inputs[side], Run(node.inputs[side]));
    }
  }
  // All conditions over both sides; what are keys is found again.
  const bool outer_left = places.left_carries;
  const auto in_join = [&](int index) {
    if (index >= kOuterBase)
      return positions_.at(index - kOuterBase) + (outer_left ? 0 : places.left_columns());
    return index < places.left_own ? places.LeftAt(index) : places.RightAt(index - places.left_own);
  };
  std::vector<BoundPtr> conditions;
  for (size_t i = 0; i < node.left_keys.size(); ++i) {
    const BoundPtr right = MoveColumns(node.right_keys[i], [&](int index) {
      return index >= kOuterBase ? index : index + places.left_own;
    });
    conditions.push_back(MakeCall(node.null_safe[i] ? "<=>" : "=", {node.left_keys[i], right},
                                  arrow::boolean(), true));
  }
  if (node.residual != nullptr) conditions.push_back(node.residual);
  made->left_keys.clear();
  made->right_keys.clear();
  made->null_safe.clear();
  made->residual = nullptr;
  for (BoundPtr& condition : conditions) condition = MoveColumns(condition, in_join);
  if (places.left_carries && places.right_carries) {
    for (int i = 0; i < width_; ++i) {
      made->left_keys.push_back(MakeColumn(i, *outer_->schema->field(i)));
      made->right_keys.push_back(MakeColumn(i, *outer_->schema->field(i)));
      made->null_safe.push_back(true);
    }
  }
  if (made->join == JoinKind::kCross && !conditions.empty()) made->join = JoinKind::kInner;
  if (made->join == JoinKind::kCross && !made->left_keys.empty()) made->join = JoinKind::kInner;
  SplitJoinCondition(JoinConjuncts(conditions), places.left_columns(), made.get());
  made->is_streaming = made->inputs[0]->is_streaming || made->inputs[1]->is_streaming;
  made->schema = arrow::schema(JoinFields(*made));
  return Ordered(made, places, node);
}

// The outer columns in front: those of the side that has them for every row.
PlanPtr OuterRows::Ordered(const PlanPtr& join, const CarriedJoin& places,
                           const JoinNode& node) const {
  const arrow::Schema& schema = *join->schema;
  std::vector<BoundPtr> columns;
  const auto column = [&](int i) { return MakeColumn(i, *schema.field(i)); };
  const bool from_right = !places.left_carries || node.join == JoinKind::kRight;
  for (int i = 0; i < width_; ++i) {
    const int right = places.left_columns() + i;
    if (node.join == JoinKind::kFull) {
      columns.push_back(
          MakeCall("coalesce", {column(i), column(right)}, schema.field(i)->type(), true));
    } else {
      columns.push_back(column(from_right ? right : i));
    }
  }
  for (int i = 0; i < places.left_own; ++i) columns.push_back(column(places.LeftAt(i)));
  const bool left_only = schema.num_fields() == places.left_columns();
  for (int i = 0; i < places.right_own && !left_only; ++i)
    columns.push_back(column(places.RightAt(i)));
  return MakeProject(join, std::move(columns), WithOuter(node.schema->fields()));
}

}  // namespace

Result<PlanPtr> ForEachOuter(const PlanPtr& plan, const PlanPtr& outer,
                             const std::map<int, int>& positions) {
  return OuterRows(outer, positions).Run(plan);
}

}  // namespace sluice::sql
