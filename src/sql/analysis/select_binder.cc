#include "sql/analysis/select_binder_internal.h"

#include <fmt/format.h>

#include "sql/analysis/ast_walk.h"
#include "sql/expressions/analysis_error.h"
#include "sql/print/print.h"

namespace sluice::sql {

Result<PlanPtr> SelectBinder::Bind(const std::vector<OrderItem>& order_by) {
  SLUICE_RETURN_NOT_OK(BindFrom());
  SLUICE_RETURN_NOT_OK(BindWhere());
  SLUICE_RETURN_NOT_OK(BindItems());
  SLUICE_RETURN_NOT_OK(BindGroups());
  SLUICE_RETURN_NOT_OK(BindPredicates());
  SLUICE_RETURN_NOT_OK(BindOrder(order_by));
  std::vector<BoundPtr> windowed = groups_;
  for (const Item& item : items_) windowed.push_back(item.expression);
  if (const BoundPtr present = HasTimeOfWindow(windowed)) plan_ = MakeFilter(plan_, present);
  const bool aggregates = grouped_ || !collected_.aggregates.empty();
  SLUICE_RETURN_NOT_OK(aggregates ? AddAggregate() : RefuseGrouping());
  SLUICE_RETURN_NOT_OK(JoinSubqueries(nullptr));
  if (select_.having) plan_ = MakeFilter(plan_, having_);
  SLUICE_RETURN_NOT_OK(AddWindows());
  return Finish();
}

ExpressionBinder SelectBinder::Binder(Collected* collected) {
  ExpressionBinder binder(queries_.source(), queries_.options(), scope_, collected);
  binder.SetNamedWindows(&select_.windows);
  binder.SetSubqueries(&subqueries_);
  binder.SetOuter(queries_.outer());
  return binder;
}

Status SelectBinder::BindFrom() {
  if (select_.from) {
    SLUICE_ASSIGN_OR_RETURN(auto bound, queries_.BindRelation(*select_.from));
    plan_ = std::move(bound.plan);
    scope_ = std::move(bound.scope);
    return Status::OK();
  }
  auto one_row = std::make_shared<ValuesNode>();
  one_row->schema = arrow::schema({});
  one_row->rows.emplace_back();
  plan_ = std::move(one_row);
  return Status::OK();
}

Status SelectBinder::ExpandStar(const Star& star, Span span) {
  SLUICE_ASSIGN_OR_RETURN(auto columns, BindStar(queries_, scope_, star, span));
  for (BoundPtr& column : columns) items_.push_back({column->name, std::move(column), span});
  return Status::OK();
}

Status SelectBinder::BindWindowColumn() {
  if (!select_.group_by.has_value()) return Status::OK();
  ExpressionBinder binder = Binder(nullptr);
  SLUICE_ASSIGN_OR_RETURN(auto window, BindGroupWindow(&binder, *select_.group_by));
  if (window != nullptr) aliases_.emplace("window", std::move(window));
  return Status::OK();
}

Status SelectBinder::BindGeneratorItem(const SelectItem& item, const FunctionCall& call) {
  ExpressionBinder binder = Binder(&collected_);
  binder.SetAliases(&aliases_);
  const int base = plan_->schema->num_fields();
  SLUICE_ASSIGN_OR_RETURN(plan_, AddGenerator(plan_, &binder, call, item, &generated_));
  for (int i = base; i < plan_->schema->num_fields(); ++i) {
    const std::string& name = plan_->schema->field(i)->name();
    const BoundPtr column = MakeColumn(i, *plan_->schema->field(i), item.span);
    if (!item.aliases.empty()) aliases_.emplace(LowerAscii(name), column);
    items_.push_back({name, column, item.span});
  }
  return Status::OK();
}

Status SelectBinder::BindItems() {
  if (select_.from_only) return ExpandStar(Star{}, span_);
  SLUICE_RETURN_NOT_OK(BindWindowColumn());
  for (const SelectItem& item : select_.items) {
    if (const auto* star = item.expr->As<Star>()) {
      SLUICE_RETURN_NOT_OK(ExpandStar(*star, item.span));
      continue;
    }
    const auto* call = item.expr->As<FunctionCall>();
    if (call != nullptr && IsGenerator(LowerAscii(call->name.last()))) {
      SLUICE_RETURN_NOT_OK(BindGeneratorItem(item, *call));
      continue;
    }
    if (item.aliases.size() > 1)
      return queries_.Error(item.span, "MULTI_ALIAS_WITHOUT_GENERATOR",
                            "several aliases are for functions that make several columns");
    ExpressionBinder binder = Binder(&collected_);
    binder.SetAliases(&aliases_);
    SLUICE_ASSIGN_OR_RETURN(auto bound, binder.Bind(*item.expr));
    const std::string name = item.aliases.empty() ? ColumnName(*item.expr) : item.aliases[0].text;
    if (!item.aliases.empty()) aliases_.emplace(LowerAscii(name), bound);
    items_.push_back({name, std::move(bound), item.span});
  }
  for (const Item& item : items_) outputs_.emplace(LowerAscii(item.name), item.expression);
  return Status::OK();
}

Result<BoundPtr> SelectBinder::Ordinal(const Expr& expr, std::string_view error_class) {
  const auto* literal = expr.As<Literal>();
  const bool position = literal != nullptr && literal->kind == LiteralKind::kInteger &&
                        literal->type->id() == arrow::Type::INT32;
  if (!position) return BoundPtr();
  if (literal->integer < 1 || literal->integer > static_cast<int64_t>(items_.size())) {
    return queries_.Error(
        expr.span, error_class,
        fmt::format("position {} is not in the select list (valid range is [1, {}])",
                    literal->integer, items_.size()));
  }
  return items_[static_cast<size_t>(literal->integer - 1)].expression;
}

Status SelectBinder::BindPredicates() {
  auto bind = [&](const Expr& expr, const char* clause) -> Result<BoundPtr> {
    ExpressionBinder binder = Binder(&collected_);
    binder.SetAliases(&outputs_);
    SLUICE_ASSIGN_OR_RETURN(auto bound, binder.Bind(expr));
    return binder.functions().Coerce(bound, arrow::boolean(), clause, 1);
  };
  if (select_.having) {
    SLUICE_ASSIGN_OR_RETURN(having_, bind(*select_.having, "HAVING"));
    if (!grouped_ && collected_.aggregates.empty()) grouped_ = true;
  }
  if (select_.qualify) {
    SLUICE_ASSIGN_OR_RETURN(qualify_, bind(*select_.qualify, "QUALIFY"));
    if (collected_.windows.empty())
      return queries_.Error(select_.qualify->span, "QUALIFY_REQUIRES_WINDOW_FUNCTION",
                            "QUALIFY requires a window function in the SELECT list or in QUALIFY");
  }
  return Status::OK();
}

void SelectBinder::AddOrder(const OrderItem& item, const BoundPtr& expression) {
  SortKey key;
  key.expression = expression;
  key.ascending = !item.descending;
  key.nulls_first = item.nulls == OrderItem::Nulls::kDefault
                        ? key.ascending
                        : item.nulls == OrderItem::Nulls::kFirst;
  order_.push_back(std::move(key));
}

Status SelectBinder::BindOrder(const std::vector<OrderItem>& order_by) {
  for (const OrderItem& item : order_by) {
    const auto* all = item.expr->As<ColumnRef>();
    if (all != nullptr && order_by.size() == 1 && all->parts.size() == 1 &&
        LowerAscii(all->parts[0].text) == "all" && !outputs_.contains("all")) {
      for (const Item& column : items_) {
        SLUICE_RETURN_NOT_OK(queries_.CheckOrdered(*column.expression, item.span));
        AddOrder(item, column.expression);
      }
      continue;
    }
    SortKey key;
    SLUICE_ASSIGN_OR_RETURN(key.expression, Ordinal(*item.expr, "ORDER_BY_POS_OUT_OF_RANGE"));
    if (key.expression == nullptr) {
      ExpressionBinder binder = Binder(&collected_);
      binder.SetAliases(&outputs_, true);
      SLUICE_ASSIGN_OR_RETURN(key.expression, binder.Bind(*item.expr));
    }
    SLUICE_RETURN_NOT_OK(queries_.CheckOrdered(*key.expression, item.span));
    AddOrder(item, key.expression);
  }
  return Status::OK();
}

Result<PlanPtr> BindSelect(QueryBinder* queries, const Select& select,
                           const std::vector<OrderItem>& order_by, Span span) {
  return SelectBinder(queries, select, span).Bind(order_by);
}

}  // namespace sluice::sql
