#include "sql/analysis/logical_plan.h"

#include <fmt/format.h>

namespace sluice::sql {
namespace {

std::string List(const std::vector<BoundPtr>& expressions) {
  std::string text;
  for (const BoundPtr& expression : expressions) {
    if (!text.empty()) text += ", ";
    text += ToString(*expression);
  }
  return text;
}

std::string Keys(const std::vector<SortKey>& keys) {
  std::string text;
  for (const SortKey& key : keys) {
    if (!text.empty()) text += ", ";
    text += ToString(*key.expression) + (key.ascending ? "" : " DESC");
  }
  return text;
}

std::string Calls(const AggregateNode& aggregate) {
  std::string text;
  for (const AggregateCall& call : aggregate.calls) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{}({}{})", call.function, call.distinct ? "DISTINCT " : "",
                        call.args.empty() ? "*" : List(call.args));
  }
  return text;
}

std::string ScanLine(const ScanNode& scan) {
  std::string text = fmt::format("Scan {}{}", scan.is_streaming ? "STREAM " : "", scan.dataset);
  if (scan.version.has_value()) text += fmt::format(" version {}", *scan.version);
  if (scan.changes.has_value())
    text +=
        fmt::format(" changes {} to {}", scan.changes->from,
                    scan.changes->to.has_value() ? std::to_string(*scan.changes->to) : "newest");
  return text;
}

std::string Line(const LogicalPlan& plan) {
  switch (plan.kind) {
    case PlanKind::kScan: return ScanLine(As<ScanNode>(plan));
    case PlanKind::kTableFunctionScan:
      return "TableFunctionScan " + As<TableFunctionNode>(plan).function;
    case PlanKind::kValues: return fmt::format("Values {} rows", As<ValuesNode>(plan).rows.size());
    case PlanKind::kProject: return "Project " + List(As<ProjectNode>(plan).expressions);
    case PlanKind::kFilter: return "Filter " + ToString(*As<FilterNode>(plan).condition);
    case PlanKind::kAggregate:
      return fmt::format("Aggregate by [{}]: {}", List(As<AggregateNode>(plan).groups),
                         Calls(As<AggregateNode>(plan)));
    case PlanKind::kJoin: {
      static constexpr const char* kNames[] = {"Inner",    "Left",     "Right", "Full",
                                               "LeftSemi", "LeftAnti", "Cross"};
      const auto& join = As<JoinNode>(plan);
      return fmt::format("Join {} [{}] = [{}]{}", kNames[static_cast<int>(join.join)],
                         List(join.left_keys), List(join.right_keys),
                         join.residual ? " and " + ToString(*join.residual) : "");
    }
    case PlanKind::kDistinct: return "Distinct";
    case PlanKind::kDedupFirst:
      return fmt::format("DedupFirst by [{}] order [{}]", List(As<DedupFirstNode>(plan).keys),
                         Keys(As<DedupFirstNode>(plan).order));
    case PlanKind::kWindow: {
      std::string text = "Window ";
      for (const WindowCall& call : As<WindowNode>(plan).calls) {
        text += fmt::format("{}({}) over ([{}] order [{}]) ", call.function, List(call.args),
                            List(call.partition), Keys(call.order));
      }
      return text;
    }
    case PlanKind::kSort: return "Sort " + Keys(As<SortNode>(plan).keys);
    case PlanKind::kLimit:
      return fmt::format("Limit {} offset {}", As<LimitNode>(plan).limit,
                         As<LimitNode>(plan).offset);
    case PlanKind::kSetOp: {
      static constexpr const char* kNames[] = {"Union", "Intersect", "Except"};
      return fmt::format("{}{}", kNames[static_cast<int>(As<SetOpNode>(plan).op)],
                         As<SetOpNode>(plan).all ? " all" : "");
    }
    case PlanKind::kWatermark: {
      const auto& watermark = As<WatermarkNode>(plan);
      return fmt::format("Watermark {} delay {} us",
                         plan.schema->field(watermark.event_time)->name(), watermark.delay_micros);
    }
    case PlanKind::kGenerate:
      return fmt::format("Generate {}{}", ToString(*As<GenerateNode>(plan).list),
                         As<GenerateNode>(plan).outer ? " outer" : "");
    case PlanKind::kRecursion: return fmt::format("Recursion {}", As<RecursionNode>(plan).id);
    case PlanKind::kTable: return fmt::format("RecursionTable {}", As<TableNode>(plan).recursion);
    case PlanKind::kShared: return "Shared";
    case PlanKind::kSample:
      return fmt::format("Sample {} seed {}", As<SampleNode>(plan).fraction,
                         As<SampleNode>(plan).seed);
  }
  return "?";
}

void Print(const LogicalPlan& plan, int depth, std::string* out) {
  *out += std::string(static_cast<size_t>(depth) * 2, ' ') + Line(plan) + "\n";
  for (const PlanPtr& input : plan.inputs) Print(*input, depth + 1, out);
}

}  // namespace

std::string ToString(const LogicalPlan& plan) {
  std::string text;
  Print(plan, 0, &text);
  return text;
}

namespace {

template <typename Node>
PlanPtr CopyWith(const LogicalPlan& plan, std::vector<PlanPtr> inputs) {
  auto copy = std::make_shared<Node>(As<Node>(plan));
  copy->inputs = std::move(inputs);
  return copy;
}

}  // namespace

PlanPtr WithInputs(const LogicalPlan& plan, std::vector<PlanPtr> inputs) {
  switch (plan.kind) {
    case PlanKind::kScan: return CopyWith<ScanNode>(plan, std::move(inputs));
    case PlanKind::kTableFunctionScan: return CopyWith<TableFunctionNode>(plan, std::move(inputs));
    case PlanKind::kValues: return CopyWith<ValuesNode>(plan, std::move(inputs));
    case PlanKind::kProject: return CopyWith<ProjectNode>(plan, std::move(inputs));
    case PlanKind::kFilter: return CopyWith<FilterNode>(plan, std::move(inputs));
    case PlanKind::kAggregate: return CopyWith<AggregateNode>(plan, std::move(inputs));
    case PlanKind::kJoin: return CopyWith<JoinNode>(plan, std::move(inputs));
    case PlanKind::kDistinct: return CopyWith<DistinctNode>(plan, std::move(inputs));
    case PlanKind::kDedupFirst: return CopyWith<DedupFirstNode>(plan, std::move(inputs));
    case PlanKind::kWindow: return CopyWith<WindowNode>(plan, std::move(inputs));
    case PlanKind::kSort: return CopyWith<SortNode>(plan, std::move(inputs));
    case PlanKind::kLimit: return CopyWith<LimitNode>(plan, std::move(inputs));
    case PlanKind::kSetOp: return CopyWith<SetOpNode>(plan, std::move(inputs));
    case PlanKind::kWatermark: return CopyWith<WatermarkNode>(plan, std::move(inputs));
    case PlanKind::kGenerate: return CopyWith<GenerateNode>(plan, std::move(inputs));
    case PlanKind::kRecursion: return CopyWith<RecursionNode>(plan, std::move(inputs));
    case PlanKind::kTable: return CopyWith<TableNode>(plan, std::move(inputs));
    case PlanKind::kShared: return CopyWith<SharedNode>(plan, std::move(inputs));
    case PlanKind::kSample: return CopyWith<SampleNode>(plan, std::move(inputs));
  }
  return nullptr;
}

bool AnyNode(const LogicalPlan& plan, const std::function<bool(const LogicalPlan&)>& test) {
  if (test(plan)) return true;
  for (const PlanPtr& input : plan.inputs) {
    if (AnyNode(*input, test)) return true;
  }
  return false;
}

bool ReadsRecursion(const LogicalPlan& plan, int id) {
  if (plan.kind == PlanKind::kTable) return As<TableNode>(plan).recursion == id;
  // A view has numbers of its own.
  if (plan.kind == PlanKind::kRecursion && As<RecursionNode>(plan).id == id) return false;
  for (const PlanPtr& input : plan.inputs) {
    if (ReadsRecursion(*input, id)) return true;
  }
  return false;
}

}  // namespace sluice::sql
