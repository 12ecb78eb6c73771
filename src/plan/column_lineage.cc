#include "plan/column_lineage.h"

#include <algorithm>

namespace sluice::plan {
namespace {

using Origins = std::set<ColumnOrigin>;
using sql::BoundExpression;
using sql::BoundKind;
using sql::BoundPtr;
using sql::PlanKind;

/// The weaker of two derivations one after the other: an aggregate of a transformation is an
/// aggregate; what is indirect stays so.
Derivation Compose(Derivation inner, Derivation outer) {
  if (!IsDirect(inner)) return inner;
  if (!IsDirect(outer)) return outer;
  return std::max(inner, outer);
}

void AddAll(const Origins& from, Derivation how, Origins* to) {
  for (const ColumnOrigin& origin : from)
    to->insert({origin.dataset, origin.column, Compose(origin.how, how)});
}

/// What the values of an expression over the columns `inputs` depend on.
class ExpressionLineage {
 public:
  explicit ExpressionLineage(const std::vector<Origins>& inputs) : inputs_(inputs) {}

  void Add(const BoundExpression& expression, Derivation how, Origins* out) const {
    switch (expression.kind) {
      case BoundKind::kLiteral: return;
      case BoundKind::kColumn: return AddColumn(expression.index, how, out);
      case BoundKind::kField: return AddField(expression, how, out);
      case BoundKind::kCast:
        return Add(*expression.args[0], Compose(how, Derivation::kTransformation), out);
      case BoundKind::kCall: return AddCall(expression, how, out);
    }
  }

  Origins Of(const std::vector<BoundPtr>& expressions, Derivation how) const {
    Origins origins;
    for (const BoundPtr& expression : expressions) {
      if (expression != nullptr) Add(*expression, how, &origins);
    }
    return origins;
  }

 private:
  void AddColumn(int index, Derivation how, Origins* out) const {
    if (index >= 0 && static_cast<size_t>(index) < inputs_.size())
      AddAll(inputs_[static_cast<size_t>(index)], how, out);
  }

  /// A field of a struct that was just made depends on that field only.
  void AddField(const BoundExpression& field, Derivation how, Origins* out) const {
    const BoundExpression& of = *field.args[0];
    const auto at = static_cast<size_t>(field.index);
    if (of.IsCall("struct") && at < of.args.size()) return Add(*of.args[at], how, out);
    if (of.IsCall("named_struct") && 2 * at + 1 < of.args.size())
      return Add(*of.args[2 * at + 1], how, out);
    Add(of, Compose(how, Derivation::kTransformation), out);
  }

  /// Lambdas use what is around them through the last arguments of their call.
  void AddCall(const BoundExpression& call, Derivation how, Origins* out) const {
    const Derivation made = Compose(how, Derivation::kTransformation);
    for (size_t i = 0; i < call.args.size(); ++i) {
      const bool condition = (call.name == "if" && i == 0) ||
                             (call.name == "case" && i % 2 == 0 && i + 1 < call.args.size());
      Add(*call.args[i], condition ? Compose(how, Derivation::kConditional) : made, out);
    }
  }

  const std::vector<Origins>& inputs_;
};

std::vector<BoundPtr> Expressions(const std::vector<sql::SortKey>& keys) {
  std::vector<BoundPtr> expressions;
  for (const sql::SortKey& key : keys) expressions.push_back(key.expression);
  return expressions;
}

void Insert(const Origins& from, Origins* to) { to->insert(from.begin(), from.end()); }

ColumnLineage OfScan(const sql::LogicalPlan& plan, const std::string& dataset) {
  ColumnLineage lineage;
  for (const auto& field : plan.schema->fields())
    lineage.columns.push_back({{dataset, field->name(), Derivation::kIdentity}});
  return lineage;
}

/// "read_kafka(orders)": the function and what it reads.
std::string SourceName(const sql::TableFunctionNode& function) {
  for (const char* key : {"subscribe", "subscribePattern", "assign", "path", "0"}) {
    const auto found = function.args.find(key);
    if (found != function.args.end()) return function.function + "(" + found->second + ")";
  }
  return function.function;
}

ColumnLineage OfValues(const sql::ValuesNode& values) {
  ColumnLineage lineage;
  lineage.columns.resize(static_cast<size_t>(values.schema->num_fields()));
  return lineage;
}

ColumnLineage OfProject(const sql::ProjectNode& project, ColumnLineage input) {
  ColumnLineage lineage;
  lineage.rows = std::move(input.rows);
  const ExpressionLineage expressions(input.columns);
  for (const BoundPtr& expression : project.expressions)
    lineage.columns.push_back(expressions.Of({expression}, Derivation::kIdentity));
  return lineage;
}

ColumnLineage OfAggregate(const sql::AggregateNode& aggregate, ColumnLineage input) {
  ColumnLineage lineage;
  lineage.rows = std::move(input.rows);
  const ExpressionLineage expressions(input.columns);
  for (const BoundPtr& group : aggregate.groups)
    lineage.columns.push_back(expressions.Of({group}, Derivation::kIdentity));
  Insert(expressions.Of(aggregate.groups, Derivation::kGroupBy), &lineage.rows);
  for (const sql::AggregateCall& call : aggregate.calls) {
    Origins origins = expressions.Of(call.args, Derivation::kAggregation);
    Insert(expressions.Of({call.filter}, Derivation::kFilter), &origins);
    lineage.columns.push_back(std::move(origins));
  }
  return lineage;
}

/// The columns of both sides; of a semi or anti join the left side's only.
ColumnLineage OfJoin(const sql::JoinNode& join, ColumnLineage left, const ColumnLineage& right) {
  ColumnLineage lineage = std::move(left);
  Insert(ExpressionLineage(lineage.columns).Of(join.left_keys, Derivation::kJoin), &lineage.rows);
  Insert(ExpressionLineage(right.columns).Of(join.right_keys, Derivation::kJoin), &lineage.rows);
  const size_t left_columns = lineage.columns.size();
  lineage.columns.insert(lineage.columns.end(), right.columns.begin(), right.columns.end());
  Insert(ExpressionLineage(lineage.columns).Of({join.residual}, Derivation::kJoin), &lineage.rows);
  Insert(right.rows, &lineage.rows);
  if (join.join == sql::JoinKind::kLeftSemi || join.join == sql::JoinKind::kLeftAnti)
    lineage.columns.resize(left_columns);
  return lineage;
}

ColumnLineage OfWindow(const sql::WindowNode& window, ColumnLineage input) {
  const std::vector<Origins> columns = input.columns;
  const ExpressionLineage expressions(columns);
  for (const sql::WindowCall& call : window.calls) {
    Origins origins = expressions.Of(call.args, Derivation::kAggregation);
    Insert(expressions.Of(call.partition, Derivation::kWindow), &origins);
    Insert(expressions.Of(Expressions(call.order), Derivation::kWindow), &origins);
    input.columns.push_back(std::move(origins));
  }
  return input;
}

ColumnLineage OfGenerate(const sql::GenerateNode& generate, ColumnLineage input) {
  const Origins list =
      ExpressionLineage(input.columns).Of({generate.list}, Derivation::kTransformation);
  input.columns.resize(static_cast<size_t>(generate.schema->num_fields()), list);
  return input;
}

/// By position. What INTERSECT and EXCEPT look for on the right decides about rows only.
ColumnLineage OfSetOperation(const sql::SetOpNode& operation, ColumnLineage left,
                             const ColumnLineage& right) {
  if (operation.op == sql::SetOpKind::kUnion) {
    Merge(right, &left);
  } else {
    Insert(right.rows, &left.rows);
    for (const Origins& column : right.columns) AddAll(column, Derivation::kJoin, &left.rows);
  }
  if (operation.all) return left;
  Origins keys;
  for (const Origins& column : left.columns) AddAll(column, Derivation::kGroupBy, &keys);
  Insert(keys, &left.rows);
  return left;
}

/// Nodes that pass all columns on and decide about rows by some expressions.
ColumnLineage OfRows(const std::vector<BoundPtr>& expressions, Derivation how,
                     ColumnLineage input) {
  Insert(ExpressionLineage(input.columns).Of(expressions, how), &input.rows);
  return input;
}

ColumnLineage OfDistinct(ColumnLineage input) {
  for (const Origins& column : input.columns) AddAll(column, Derivation::kGroupBy, &input.rows);
  return input;
}

ColumnLineage OfDedup(const sql::DedupFirstNode& dedup, ColumnLineage input) {
  input = OfRows(dedup.keys, Derivation::kGroupBy, std::move(input));
  return OfRows(Expressions(dedup.order), Derivation::kWindow, std::move(input));
}

ColumnLineage OfWatermark(const sql::WatermarkNode& watermark, ColumnLineage input) {
  if (watermark.event_time >= 0) {
    const auto& field = *watermark.schema->field(watermark.event_time);
    return OfRows({sql::MakeColumn(watermark.event_time, field)}, Derivation::kFilter,
                  std::move(input));
  }
  return input;
}

/// Of a node that is not known here: a column may be made of the columns at its place, or of all
/// where an input has others.
ColumnLineage OfInputs(const sql::LogicalPlan& plan) {
  ColumnLineage lineage;
  lineage.columns.resize(static_cast<size_t>(plan.schema->num_fields()));
  for (const sql::PlanPtr& input : plan.inputs) {
    const ColumnLineage below = FindColumnLineage(*input);
    const bool by_position = below.columns.size() == lineage.columns.size();
    for (size_t i = 0; i < lineage.columns.size(); ++i) {
      for (size_t j = 0; j < below.columns.size(); ++j) {
        if (by_position && i != j) continue;
        AddAll(below.columns[j], by_position ? Derivation::kIdentity : Derivation::kTransformation,
               &lineage.columns[i]);
      }
    }
    Insert(below.rows, &lineage.rows);
  }
  return lineage;
}

}  // namespace

std::string_view DerivationName(Derivation how) {
  switch (how) {
    case Derivation::kIdentity: return "IDENTITY";
    case Derivation::kTransformation: return "TRANSFORMATION";
    case Derivation::kAggregation: return "AGGREGATION";
    case Derivation::kConditional: return "CONDITIONAL";
    case Derivation::kFilter: return "FILTER";
    case Derivation::kJoin: return "JOIN";
    case Derivation::kGroupBy: return "GROUP_BY";
    case Derivation::kSort: return "SORT";
    case Derivation::kWindow: return "WINDOW";
  }
  return "";
}

ColumnLineage FindColumnLineage(const sql::LogicalPlan& plan) {
  const auto input = [&](size_t i = 0) { return FindColumnLineage(*plan.inputs[i]); };
  switch (plan.kind) {
    case PlanKind::kScan: return OfScan(plan, sql::As<sql::ScanNode>(plan).dataset);
    case PlanKind::kTableFunctionScan:
      return OfScan(plan, SourceName(sql::As<sql::TableFunctionNode>(plan)));
    case PlanKind::kValues: return OfValues(sql::As<sql::ValuesNode>(plan));
    case PlanKind::kProject: return OfProject(sql::As<sql::ProjectNode>(plan), input());
    case PlanKind::kFilter:
      return OfRows({sql::As<sql::FilterNode>(plan).condition}, Derivation::kFilter, input());
    case PlanKind::kAggregate: return OfAggregate(sql::As<sql::AggregateNode>(plan), input());
    case PlanKind::kJoin: return OfJoin(sql::As<sql::JoinNode>(plan), input(), input(1));
    case PlanKind::kDistinct: return OfDistinct(input());
    case PlanKind::kDedupFirst: return OfDedup(sql::As<sql::DedupFirstNode>(plan), input());
    case PlanKind::kWindow: return OfWindow(sql::As<sql::WindowNode>(plan), input());
    case PlanKind::kSort:
      return OfRows(Expressions(sql::As<sql::SortNode>(plan).keys), Derivation::kSort, input());
    case PlanKind::kLimit: return input();
    case PlanKind::kSetOp: return OfSetOperation(sql::As<sql::SetOpNode>(plan), input(), input(1));
    case PlanKind::kWatermark: return OfWatermark(sql::As<sql::WatermarkNode>(plan), input());
    case PlanKind::kGenerate: return OfGenerate(sql::As<sql::GenerateNode>(plan), input());
    default: break;
  }
  return OfInputs(plan);
}

ColumnLineage LineageOf(const AnalyzedPipeline& pipeline, const AnalyzedDataset& dataset) {
  if (dataset.view != nullptr) return FindColumnLineage(*dataset.view);
  ColumnLineage lineage;
  lineage.columns.resize(static_cast<size_t>(dataset.schema->num_fields()));
  for (const AnalyzedFlow& flow : pipeline.flows) {
    if (flow.definition->target == dataset.definition->name)
      Merge(FindColumnLineage(*flow.plan), &lineage);
  }
  return lineage;
}

void Merge(const ColumnLineage& other, ColumnLineage* lineage) {
  lineage->columns.resize(std::max(lineage->columns.size(), other.columns.size()));
  for (size_t i = 0; i < other.columns.size(); ++i) Insert(other.columns[i], &lineage->columns[i]);
  Insert(other.rows, &lineage->rows);
}

}  // namespace sluice::plan
