#include "sql/analysis/decorrelation.h"

#include <set>

#include "sql/analysis/query_binder.h"

namespace sluice::sql {
namespace {

using Visit = std::function<void(const BoundExpression&)>;

void VisitAll(const std::vector<BoundPtr>& expressions, const Visit& visit) {
  for (const BoundPtr& expression : expressions) {
    if (expression != nullptr) visit(*expression);
  }
}

void VisitKeys(const std::vector<SortKey>& keys, const Visit& visit) {
  for (const SortKey& key : keys) visit(*key.expression);
}

void VisitAggregate(const AggregateNode& node, const Visit& visit) {
  VisitAll(node.groups, visit);
  for (const AggregateCall& call : node.calls) {
    VisitAll(call.args, visit);
    VisitAll({call.filter}, visit);
  }
}

void VisitWindow(const WindowNode& node, const Visit& visit) {
  for (const WindowCall& call : node.calls) {
    VisitAll(call.args, visit);
    VisitAll({call.filter}, visit);
    VisitAll(call.partition, visit);
    VisitKeys(call.order, visit);
  }
}

// The expressions of the node itself.
void VisitNode(const LogicalPlan& plan, const Visit& visit) {
  switch (plan.kind) {
    case PlanKind::kValues:
      for (const auto& row : As<ValuesNode>(plan).rows) VisitAll(row, visit);
      return;
    case PlanKind::kProject: return VisitAll(As<ProjectNode>(plan).expressions, visit);
    case PlanKind::kFilter: return VisitAll({As<FilterNode>(plan).condition}, visit);
    case PlanKind::kAggregate: return VisitAggregate(As<AggregateNode>(plan), visit);
    case PlanKind::kJoin: {
      const auto& join = As<JoinNode>(plan);
      VisitAll(join.left_keys, visit);
      VisitAll(join.right_keys, visit);
      return VisitAll({join.residual}, visit);
    }
    case PlanKind::kDedupFirst:
      VisitAll(As<DedupFirstNode>(plan).keys, visit);
      return VisitKeys(As<DedupFirstNode>(plan).order, visit);
    case PlanKind::kWindow: return VisitWindow(As<WindowNode>(plan), visit);
    case PlanKind::kSort: return VisitKeys(As<SortNode>(plan).keys, visit);
    case PlanKind::kGenerate: return VisitAll({As<GenerateNode>(plan).list}, visit);
    default: return;
  }
}

void VisitPlan(const LogicalPlan& plan, const Visit& visit) {
  VisitNode(plan, visit);
  for (const PlanPtr& input : plan.inputs) VisitPlan(*input, visit);
}

bool IsOuter(const BoundExpression& node) {
  return node.IsColumn() && node.index >= kOuterBase && node.index < 2 * kOuterBase;
}

}  // namespace

bool HasOuter(const BoundExpression& expression) { return Any(expression, IsOuter); }

bool HasInner(const BoundExpression& expression) {
  return Any(expression,
             [](const BoundExpression& node) { return node.IsColumn() && !IsOuter(node); });
}

bool HasOuter(const LogicalPlan& plan) { return !OuterColumns(plan).empty(); }

std::vector<int> OuterColumns(const LogicalPlan& plan) {
  std::set<int> columns;
  VisitPlan(plan, [&](const BoundExpression& expression) {
    for (const int column : ReferencedColumns(expression)) {
      if (column >= kOuterBase) columns.insert(column - kOuterBase);
    }
  });
  return {columns.begin(), columns.end()};
}

BoundPtr MoveColumns(const BoundPtr& expression, const std::function<int(int)>& to) {
  return Transform(expression, [&](const BoundPtr& node) -> BoundPtr {
    if (!node->IsColumn()) return nullptr;
    const int index = to(node->index);
    if (index == node->index) return nullptr;
    auto moved = std::make_shared<BoundExpression>(*node);
    moved->index = index;
    return moved;
  });
}

std::vector<BoundPtr> ColumnsOf(const arrow::Schema& schema, int from, int count) {
  std::vector<BoundPtr> columns;
  for (int i = from; i < from + count; ++i) columns.push_back(MakeColumn(i, *schema.field(i)));
  return columns;
}

PlanPtr WithMarker(const PlanPtr& plan) {
  std::vector<BoundPtr> columns = ColumnsOf(*plan->schema, 0, plan->schema->num_fields());
  arrow::FieldVector fields = plan->schema->fields();
  columns.push_back(MakeLiteral(arrow::MakeScalar(true)));
  fields.push_back(arrow::field("__any", arrow::boolean(), false));
  return MakeProject(plan, std::move(columns), std::move(fields));
}

PlanPtr MakeShared(PlanPtr input) {
  if (input->kind == PlanKind::kShared) return input;
  auto made = std::make_shared<SharedNode>();
  made->schema = input->schema;
  made->is_streaming = input->is_streaming;
  made->inputs = {std::move(input)};
  return made;
}

PlanPtr MakeDistinct(PlanPtr input) {
  auto made = std::make_shared<DistinctNode>();
  made->schema = input->schema;
  made->is_streaming = input->is_streaming;
  made->inputs = {std::move(input)};
  return made;
}

}  // namespace sluice::sql
