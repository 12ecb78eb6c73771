// WITH RECURSIVE. Part of QueryBinder.
#include <fmt/format.h>

#include "sql/analysis/query_binder.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

// Where the rows made last cannot be read: what is made of them must only grow by them.
bool IsWrongPlace(const LogicalPlan& node, int recursion) {
  if (node.kind == PlanKind::kAggregate) return ReadsRecursion(*node.input(), recursion);
  if (node.kind != PlanKind::kJoin && node.kind != PlanKind::kSetOp) return false;
  const bool left = ReadsRecursion(*node.inputs[0], recursion);
  const bool right = ReadsRecursion(*node.inputs[1], recursion);
  if (node.kind == PlanKind::kSetOp) return right && As<SetOpNode>(node).op == SetOpKind::kExcept;
  switch (As<JoinNode>(node).join) {
    case JoinKind::kLeft:
    case JoinKind::kLeftAnti: return right;
    case JoinKind::kRight: return left;
    case JoinKind::kFull: return left || right;
    default: return false;
  }
}

}  // namespace

Result<PlanPtr> QueryBinder::NameColumns(const CommonTable& table, PlanPtr plan) {
  if (table.columns.empty()) return plan;
  BoundRelation bound{plan, Scope::Of(*plan->schema, {})};
  SLUICE_ASSIGN_OR_RETURN(
      bound, AddAlias(TableAlias{table.name, table.columns}, std::move(bound), table.name.span));
  return bound.plan;
}

Status QueryBinder::BindRecursive(const CommonTable& table) {
  const std::string name = LowerAscii(table.name.text);
  const size_t scope = common_tables_.size() - 1;
  common_tables_[scope][name] = nullptr;
  const auto* body = table.query->As<SetOperation>();
  const bool plain = body == nullptr || body->op != SetOperator::kUnion || body->by_name ||
                     !table.query->with.empty() || !table.query->order_by.empty() ||
                     table.query->limit || table.query->offset;
  PlanPtr plan;
  if (plain) {
    SLUICE_ASSIGN_OR_RETURN(plan, BindQuery(*table.query));
    SLUICE_ASSIGN_OR_RETURN(plan, NameColumns(table, std::move(plan)));
  } else {
    SLUICE_ASSIGN_OR_RETURN(auto anchor, BindQuery(*body->left));
    SLUICE_ASSIGN_OR_RETURN(anchor, NameColumns(table, std::move(anchor)));
    SLUICE_ASSIGN_OR_RETURN(plan, BindStep(table, *body, std::move(anchor)));
  }
  common_tables_[scope][name] = std::move(plan);
  return Status::OK();
}

Result<PlanPtr> QueryBinder::BindStep(const CommonTable& table, const SetOperation& body,
                                      PlanPtr anchor) {
  const int id = recursions_++;
  arrow::FieldVector fields;
  for (const auto& field : anchor->schema->fields()) fields.push_back(field->WithNullable(true));
  auto last = std::make_shared<TableNode>();
  last->recursion = id;
  last->schema = arrow::schema(fields);
  common_tables_.back()[LowerAscii(table.name.text)] = last;
  SLUICE_ASSIGN_OR_RETURN(auto step, BindQuery(*body.right));
  if (!ReadsRecursion(*step, id)) {
    SLUICE_ASSIGN_OR_RETURN(auto plan, BindSetOperation(body, table.query->span));
    return NameColumns(table, std::move(plan));
  }
  if (!body.all)
    return Error(table.query->span, "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE",
                 "the UNION operator is not yet supported within recursive common table "
                 "expressions; use UNION ALL instead");
  if (step->schema->num_fields() != static_cast<int>(fields.size()))
    return Error(table.query->span, "NUM_COLUMNS_MISMATCH",
                 fmt::format("UNION ALL can only be performed on inputs with the same number of "
                             "columns, but the anchor has {} columns and the step has {} columns",
                             fields.size(), step->schema->num_fields()));
  std::vector<BoundPtr> columns;
  for (int i = 0; i < step->schema->num_fields(); ++i) {
    const TypePtr& wanted = fields[static_cast<size_t>(i)]->type();
    const auto& field = *step->schema->field(i);
    const TypePtr common = CommonType(wanted, field.type());
    if (common == nullptr || !common->Equals(*wanted))
      return Error(table.query->span, "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE",
                   fmt::format("failed to merge incompatible data types \"{}\" and \"{}\"",
                               SparkTypeSql(*wanted), SparkTypeSql(*field.type())));
    columns.push_back(MakeCast(MakeColumn(i, field), wanted));
  }
  if (AnyNode(*step, [&](const LogicalPlan& node) { return IsWrongPlace(node, id); }))
    return Error(table.query->span, "INVALID_RECURSIVE_REFERENCE.PLACE",
                 "recursive references cannot be used on the right side of left outer joins, on "
                 "the left side of right outer joins, in full outer joins, in aggregates, and in "
                 "subquery expressions that compute a value");
  auto made = std::make_shared<RecursionNode>();
  made->id = id;
  made->schema = last->schema;
  made->is_streaming = anchor->is_streaming || step->is_streaming;
  made->inputs = {std::move(anchor), MakeProject(std::move(step), std::move(columns), fields)};
  if (table.most_levels.has_value()) made->most_levels = *table.most_levels;
  made->span = table.query->span;
  return made;
}

}  // namespace sluice::sql
