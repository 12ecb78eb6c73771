// The plan over the rows of a SELECT: aggregate, windows, projection, DISTINCT and order.
#include "sql/analysis/select_binder_internal.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/negative_zero.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/interval_binder.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {

Result<BoundPtr> SelectBinder::OverAggregate(const BoundPtr& expression,
                                             const AggregateNode& node) {
  if (IsGrouping(*expression)) return OverGrouping(expression, node);
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (Equals(*groups_[i], *expression)) {
      return MakeColumn(static_cast<int>(i), *node.schema->field(static_cast<int>(i)),
                        expression->span);
    }
  }
  if (expression->IsColumn()) {
    if (expression->index >= kWindowBase) return expression;
    if (expression->index >= kAggregateBase) {
      const int index = static_cast<int>(node.groups.size()) + expression->index - kAggregateBase;
      return MakeColumn(index, *node.schema->field(index), expression->span);
    }
    if (groups_.empty() && !select_.group_by.has_value()) {
      return queries_.Error(expression->span, "MISSING_GROUP_BY",
                            "the query does not include a GROUP BY clause. Add GROUP BY or turn "
                            "it into the window functions using OVER clauses");
    }
    return queries_.Error(expression->span, "MISSING_AGGREGATION",
                          fmt::format("the non-aggregating expression \"{}\" is based on columns "
                                      "which are not participating in the "
                                      "GROUP BY clause. Add the columns or the expression to the "
                                      "GROUP BY, aggregate the expression, "
                                      "or use \"any_value({})\" if you do not care which of the "
                                      "values within a group is returned",
                                      ToString(*expression), ToString(*expression)));
  }
  std::vector<BoundPtr> args;
  for (const BoundPtr& arg : expression->args) {
    SLUICE_ASSIGN_OR_RETURN(auto moved, OverAggregate(arg, node));
    args.push_back(std::move(moved));
  }
  return args.empty() ? expression : WithArgs(*expression, std::move(args));
}

Status SelectBinder::AddAggregate() {
  if (generated_) return queries_.Unsupported(span_, "a generator beside aggregates");
  SLUICE_RETURN_NOT_OK(JoinBelowAggregate());
  auto made = std::make_shared<AggregateNode>();
  if (sets_.empty()) {
    made->groups = groups_;
  } else {
    SLUICE_RETURN_NOT_OK(ExpandSets(made.get()));
  }
  // Keys of groups know no -0.0, as in Spark.
  for (BoundPtr& group : made->groups)
    group = group->IsLiteral() ? group : WithoutNegativeZero(group);
  made->inputs = {plan_};
  made->is_streaming = plan_->is_streaming;
  made->calls = collected_.aggregates;
  arrow::FieldVector fields;
  for (const BoundPtr& group : made->groups) {
    const BoundPtr& written = group->IsCall("positive_zero") ? group->args[0] : group;
    fields.push_back(FieldFor(ToString(*written), *group));
  }
  for (const AggregateCall& call : made->calls)
    fields.push_back(arrow::field(call.function, call.type, call.nullable));
  made->schema = arrow::schema(std::move(fields));
  plan_ = made;
  if (having_ != nullptr) {
    const auto over = OverAggregate(having_, *made);
    if (ErrorCode(over.status()) == "MISSING_AGGREGATION")
      return queries_.Error(select_.having->span, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
                            "HAVING uses a column that is neither grouped by nor aggregated");
  }
  return MoveAll([&](const BoundPtr& expression) { return OverAggregate(expression, *made); });
}

bool SelectBinder::IsDedup(BoundPtr* rest) const {
  if (!plan_->is_streaming || collected_.windows.size() != 1 || qualify_ == nullptr) return false;
  if (collected_.windows[0].function != "row_number" || collected_.windows[0].partition.empty())
    return false;
  std::vector<BoundPtr> others;
  bool found = false;
  for (const BoundPtr& conjunct : SplitConjuncts(qualify_)) {
    const bool compares = conjunct->IsCall("=") || conjunct->IsCall("<=");
    if (compares && conjunct->args[0]->IsColumn() && conjunct->args[0]->index == kWindowBase &&
        conjunct->args[1]->IsLiteral() && conjunct->args[1]->literal->ToString() == "1") {
      found = true;
      continue;
    }
    others.push_back(conjunct);
  }
  *rest = JoinConjuncts(others);
  auto uses_window = [](const BoundPtr& expression) {
    return expression && ExpressionBinder::HasWindow(*expression);
  };
  for (const Item& item : items_) {
    if (uses_window(item.expression)) return false;
  }
  for (const SortKey& key : order_) {
    if (uses_window(key.expression)) return false;
  }
  return found && !uses_window(*rest);
}

Status SelectBinder::AddWindows() {
  BoundPtr rest;
  if (IsDedup(&rest)) {
    auto made = std::make_shared<DedupFirstNode>();
    made->schema = plan_->schema;
    made->is_streaming = true;
    made->inputs = {plan_};
    made->keys = collected_.windows[0].partition;
    made->order = collected_.windows[0].order;
    made->span = select_.qualify->span;
    plan_ = std::move(made);
    if (rest != nullptr) plan_ = MakeFilter(plan_, rest);
    return Status::OK();
  }
  if (!collected_.windows.empty()) {
    auto made = std::make_shared<WindowNode>();
    made->is_streaming = plan_->is_streaming;
    made->calls = collected_.windows;
    arrow::FieldVector fields = plan_->schema->fields();
    const int base = static_cast<int>(fields.size());
    for (const WindowCall& call : made->calls)
      fields.push_back(arrow::field(call.function, call.type, call.nullable));
    made->schema = arrow::schema(std::move(fields));
    made->inputs = {plan_};
    plan_ = made;
    SLUICE_RETURN_NOT_OK(MoveAll([&](const BoundPtr& expression) -> Result<BoundPtr> {
      return Transform(expression, [&](const BoundPtr& node) -> BoundPtr {
        if (!node->IsColumn() || !ExpressionBinder::HasWindow(*node)) return nullptr;
        const int index = base + node->index - kWindowBase;
        return MakeColumn(index, *made->schema->field(index), node->span);
      });
    }));
  }
  if (qualify_ != nullptr) plan_ = MakeFilter(plan_, qualify_);
  return Status::OK();
}

namespace {

// What may be a column of a result.
template <typename Queries>
Status CheckColumn(const Queries& queries, const BoundExpression& column, Span span) {
  if (column.type->id() == arrow::Type::TIME64)
    return queries.Error(span, "UNSUPPORTED_TIME_TYPE", "the data type TIME is not supported");
  if (!HasFewerFields(column)) return Status::OK();
  return queries.Unsupported(span,
                             "an interval of other fields than DAY TO SECOND or YEAR TO MONTH as "
                             "a column");
}

}  // namespace

Result<PlanPtr> SelectBinder::Finish() {
  std::vector<BoundPtr> columns;
  arrow::FieldVector fields;
  for (const Item& item : items_) {
    SLUICE_RETURN_NOT_OK(CheckColumn(queries_, *item.expression, item.span));
    columns.push_back(item.expression);
    fields.push_back(FieldFor(item.name, *item.expression));
  }
  std::vector<SortKey> keys;
  const size_t visible = columns.size();
  for (const SortKey& key : order_) {
    auto known = std::find_if(columns.begin(), columns.end(), [&](const BoundPtr& column) {
      return Equals(*column, *key.expression);
    });
    if (known == columns.end()) {
      if (select_.distinct) {
        return queries_.Error(
            key.expression->span, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
            "with SELECT DISTINCT, ORDER BY expressions must be in the select list");
      }
      columns.push_back(key.expression);
      fields.push_back(FieldFor(fmt::format("__order_{}", columns.size()), *key.expression));
      known = columns.end() - 1;
    }
    const int index = static_cast<int>(known - columns.begin());
    keys.push_back(
        {MakeColumn(index, *fields[static_cast<size_t>(index)]), key.ascending, key.nulls_first});
  }
  for (size_t i = 0; select_.distinct && i < visible; ++i)
    columns[i] = columns[i]->IsLiteral() ? columns[i] : WithoutNegativeZero(columns[i]);
  PlanPtr plan = MakeProject(plan_, columns, fields);
  for (size_t i = 0; select_.distinct && i < visible; ++i) {
    if (fields[i]->type()->id() == arrow::Type::MAP)
      return queries_.Error(span_, "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE",
                            fmt::format("cannot have MAP type columns in DISTINCT, but the type of "
                                        "column `{}` is \"{}\"",
                                        fields[i]->name(), SparkTypeSql(*fields[i]->type())));
  }
  if (select_.distinct) {
    auto made = std::make_shared<DistinctNode>();
    made->schema = plan->schema;
    made->is_streaming = plan->is_streaming;
    made->inputs = {plan};
    plan = std::move(made);
  }
  if (!keys.empty()) plan = MakeSort(std::move(plan), std::move(keys));
  if (columns.size() > visible) {
    columns.clear();
    fields.resize(visible);
    for (size_t i = 0; i < visible; ++i)
      columns.push_back(MakeColumn(static_cast<int>(i), *fields[i]));
    plan = MakeProject(std::move(plan), std::move(columns), std::move(fields));
  }
  return plan;
}

}  // namespace sluice::sql
