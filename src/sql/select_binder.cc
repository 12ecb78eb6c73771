// SELECT: the select list, WHERE, GROUP BY, HAVING, QUALIFY, DISTINCT, ORDER BY. Part of the
// analyzer.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis_error.h"
#include "sql/ast_walk.h"
#include "sql/print.h"
#include "sql/query_binder_internal.h"
#include "sql/spark_type.h"

namespace sluice::sql {
namespace {

class SelectBinder {
 public:
  SelectBinder(QueryBinder* queries, const Select& select, Span span)
      : queries_(*queries), select_(select), span_(span) {}

  Result<PlanPtr> Bind(const std::vector<OrderItem>& order_by) {
    SLUICE_RETURN_NOT_OK(BindFrom());
    SLUICE_RETURN_NOT_OK(BindWhere());
    SLUICE_RETURN_NOT_OK(BindItems());
    SLUICE_RETURN_NOT_OK(BindGroups());
    SLUICE_RETURN_NOT_OK(BindPredicates());
    SLUICE_RETURN_NOT_OK(BindOrder(order_by));
    if (grouped_ || !collected_.aggregates.empty()) SLUICE_RETURN_NOT_OK(AddAggregate());
    if (select_.having) plan_ = MakeFilter(plan_, having_);
    SLUICE_RETURN_NOT_OK(AddWindows());
    return Finish();
  }

 private:
  struct Item {
    std::string name;
    BoundPtr expression;
    Span span;
  };

  ExpressionBinder Binder(Collected* collected) {
    ExpressionBinder binder(queries_.source(), queries_.options(), scope_, collected);
    binder.SetNamedWindows(&select_.windows);
    return binder;
  }

  Status BindFrom() {
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

  // AND-ed conditions; x IN (SELECT ..) among them becomes a semi join.
  Status BindWhere() {
    if (!select_.where) return Status::OK();
    std::vector<BoundPtr> conditions;
    std::vector<const Expr*> pending = {select_.where.get()};
    std::vector<const Expr*> subqueries;
    while (!pending.empty()) {
      const Expr* expr = pending.back();
      pending.pop_back();
      const auto* binary = expr->As<Binary>();
      if (binary != nullptr && binary->op == BinaryOp::kAnd) {
        pending.push_back(binary->right.get());
        pending.push_back(binary->left.get());
      } else if (expr->As<InSubquery>() != nullptr) {
        subqueries.push_back(expr);
      } else {
        ExpressionBinder binder = Binder(nullptr);
        SLUICE_ASSIGN_OR_RETURN(auto condition, binder.Bind(*expr));
        SLUICE_ASSIGN_OR_RETURN(condition,
                                binder.functions().Coerce(condition, arrow::boolean(), "WHERE", 1));
        conditions.push_back(std::move(condition));
      }
    }
    if (BoundPtr all = JoinConjuncts(conditions)) plan_ = MakeFilter(plan_, all);
    for (const Expr* expr : subqueries)
      SLUICE_RETURN_NOT_OK(AddSemiJoin(*expr->As<InSubquery>(), expr->span));
    return Status::OK();
  }

  Status AddSemiJoin(const InSubquery& in, Span span) {
    if (in.negated) return queries_.Unsupported(span, "NOT IN (SELECT ..)");
    ExpressionBinder binder = Binder(nullptr);
    SLUICE_ASSIGN_OR_RETURN(auto operand, binder.Bind(*in.operand));
    SLUICE_ASSIGN_OR_RETURN(auto subquery, queries_.BindQuery(*in.query));
    if (subquery->schema->num_fields() != 1) {
      return queries_.Error(span, "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
                            "the subquery of IN must have one column");
    }
    SLUICE_ASSIGN_OR_RETURN(
        auto equal, binder.functions().BindComparison(
                        "=", operand, MakeColumn(0, *subquery->schema->field(0), span), span));
    auto join = std::make_shared<JoinNode>();
    join->join = JoinKind::kLeftSemi;
    join->schema = plan_->schema;
    join->is_streaming = plan_->is_streaming || subquery->is_streaming;
    join->inputs = {plan_, subquery};
    join->left_keys = {equal->args[0]};
    join->right_keys = {equal->args[1]};
    join->null_safe = {false};
    join->span = span;
    plan_ = std::move(join);
    return Status::OK();
  }

  Status ExpandStar(const Star& star, Span span) {
    std::vector<std::string> except;
    for (const QualifiedName& name : star.except) {
      if (name.parts.size() > 1) return queries_.Unsupported(span, "EXCEPT of a qualified name");
      except.push_back(LowerAscii(name.last()));
    }
    std::vector<bool> used(except.size(), false);
    bool any = false;
    if (!star.qualifier.empty() && StarOfStruct(star, span, &any)) return Status::OK();
    for (const ScopeColumn& column : scope_.columns) {
      if (star.qualifier.empty() ? !column.in_star : !QualifiedBy(column, star.qualifier)) continue;
      any = true;
      const auto excluded = std::find(except.begin(), except.end(), column.name);
      if (excluded != except.end()) {
        used[static_cast<size_t>(excluded - except.begin())] = true;
        continue;
      }
      items_.push_back({column.field->name(), MakeColumn(column.index, *column.field, span), span});
    }
    if (!any && !star.qualifier.empty()) {
      return queries_.Error(
          span, "CANNOT_RESOLVE_STAR_EXPAND",
          fmt::format("cannot resolve `{}`.* given input columns", star.qualifier.back().text));
    }
    for (size_t i = 0; i < except.size(); ++i) {
      if (!used[i])
        return queries_.Error(span, "EXCEPT_NON_EXISTENT_COLUMN",
                              fmt::format("the column `{}` of EXCEPT does not exist", except[i]));
    }
    return Status::OK();
  }

  static bool QualifiedBy(const ScopeColumn& column, const std::vector<Name>& qualifier) {
    if (qualifier.size() > column.qualifier.size()) return false;
    for (size_t i = 0; i < qualifier.size(); ++i) {
      if (column.qualifier[column.qualifier.size() - qualifier.size() + i] !=
          LowerAscii(qualifier[i].text))
        return false;
    }
    return true;
  }

  // s.* of a struct column s.
  bool StarOfStruct(const Star& star, Span span, bool* any) {
    if (star.qualifier.size() != 1 || !star.except.empty()) return false;
    for (const ScopeColumn& column : scope_.columns) {
      if (QualifiedBy(column, star.qualifier)) return false;
    }
    for (const ScopeColumn& column : scope_.columns) {
      if (column.name != LowerAscii(star.qualifier[0].text) ||
          column.field->type()->id() != arrow::Type::STRUCT)
        continue;
      const BoundPtr of = MakeColumn(column.index, *column.field, span);
      for (int i = 0; i < column.field->type()->num_fields(); ++i) {
        const BoundPtr field = MakeField(of, i, span);
        items_.push_back({field->name, field, span});
      }
      *any = true;
      return true;
    }
    return false;
  }

  // GROUP BY window(ts, ..) offers its struct as a column `window`.
  Status BindWindowColumn() {
    if (!select_.group_by.has_value()) return Status::OK();
    for (const GroupingElement& element : select_.group_by->elements) {
      const auto* call = element.expr ? element.expr->As<FunctionCall>() : nullptr;
      if (call == nullptr) continue;
      const std::string name = LowerAscii(call->name.last());
      if (name == "session_window")
        return queries_.Unsupported(element.span, "function session_window");
      if (name != "window") continue;
      ExpressionBinder binder = Binder(nullptr);
      SLUICE_ASSIGN_OR_RETURN(auto bound, binder.Bind(*element.expr));
      aliases_.emplace("window", std::move(bound));
    }
    return Status::OK();
  }

  Status BindItems() {
    if (select_.from_only) return ExpandStar(Star{}, span_);
    SLUICE_RETURN_NOT_OK(BindWindowColumn());
    for (const SelectItem& item : select_.items) {
      if (const auto* star = item.expr->As<Star>()) {
        SLUICE_RETURN_NOT_OK(ExpandStar(*star, item.span));
        continue;
      }
      if (item.aliases.size() > 1)
        return queries_.Unsupported(item.span, "generators with several aliases");
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

  Result<BoundPtr> Ordinal(const Expr& expr, std::string_view error_class) {
    const auto* literal = expr.As<Literal>();
    if (literal == nullptr || literal->kind != LiteralKind::kInteger) return BoundPtr();
    if (literal->integer < 1 || literal->integer > static_cast<int64_t>(items_.size())) {
      return queries_.Error(
          expr.span, error_class,
          fmt::format("position {} is not in the select list (valid range is [1, {}])",
                      literal->integer, items_.size()));
    }
    return items_[static_cast<size_t>(literal->integer - 1)].expression;
  }

  Status BindGroups() {
    if (!select_.group_by.has_value()) return Status::OK();
    grouped_ = true;
    if (select_.group_by->all) {
      for (const Item& item : items_) {
        if (!ExpressionBinder::HasAggregate(*item.expression)) AddGroup(item.expression);
      }
      return Status::OK();
    }
    for (const GroupingElement& element : select_.group_by->elements) {
      if (element.kind != GroupingElement::Kind::kExpression) {
        return queries_.Unsupported(element.span, "GROUPING SETS, CUBE and ROLLUP");
      }
      SLUICE_ASSIGN_OR_RETURN(auto bound, Ordinal(*element.expr, "GROUP_BY_POS_OUT_OF_RANGE"));
      if (bound == nullptr) {
        ExpressionBinder binder = Binder(nullptr);
        binder.SetAliases(&outputs_);
        SLUICE_ASSIGN_OR_RETURN(bound, binder.Bind(*element.expr));
      }
      if (ExpressionBinder::HasAggregate(*bound) || ExpressionBinder::HasWindow(*bound)) {
        return queries_.Error(
            element.span, "GROUP_BY_AGGREGATE",
            fmt::format("aggregate functions are not allowed in GROUP BY, but found {}",
                        ToString(*bound)));
      }
      if (bound->type->id() == arrow::Type::MAP) {
        return queries_.Error(element.span, "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
                              "a map cannot be used in GROUP BY");
      }
      AddGroup(bound);
    }
    return Status::OK();
  }

  void AddGroup(const BoundPtr& expression) {
    for (const BoundPtr& known : groups_) {
      if (Equals(*known, *expression)) return;
    }
    groups_.push_back(expression);
  }

  Status BindPredicates() {
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
    }
    return Status::OK();
  }

  Status BindOrder(const std::vector<OrderItem>& order_by) {
    for (const OrderItem& item : order_by) {
      SortKey key;
      SLUICE_ASSIGN_OR_RETURN(key.expression, Ordinal(*item.expr, "ORDER_BY_POS_OUT_OF_RANGE"));
      if (key.expression == nullptr) {
        ExpressionBinder binder = Binder(&collected_);
        binder.SetAliases(&outputs_, true);
        SLUICE_ASSIGN_OR_RETURN(key.expression, binder.Bind(*item.expr));
      }
      key.ascending = !item.descending;
      key.nulls_first = item.nulls == OrderItem::Nulls::kDefault
                            ? key.ascending
                            : item.nulls == OrderItem::Nulls::kFirst;
      order_.push_back(std::move(key));
    }
    return Status::OK();
  }

  // Over the output of the aggregate: groups, then calls. A column that is neither is an error.
  Result<BoundPtr> OverAggregate(const BoundPtr& expression, const AggregateNode& node) {
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (Equals(*groups_[i], *expression)) {
        return MakeColumn(static_cast<int>(i), *node.schema->field(static_cast<int>(i)),
                          expression->span);
      }
    }
    if (expression->IsColumn()) {
      if (expression->index >= kWindowBase) return expression;
      if (expression->index >= kAggregateBase) {
        const int index = static_cast<int>(groups_.size()) + expression->index - kAggregateBase;
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

  // Applies `move` to every expression that is still to be computed.
  template <typename Move>
  Status MoveAll(Move move) {
    auto apply = [&](BoundPtr* expression) -> Status {
      if (*expression == nullptr) return Status::OK();
      SLUICE_ASSIGN_OR_RETURN(*expression, move(*expression));
      return Status::OK();
    };
    for (Item& item : items_) SLUICE_RETURN_NOT_OK(apply(&item.expression));
    for (SortKey& key : order_) SLUICE_RETURN_NOT_OK(apply(&key.expression));
    SLUICE_RETURN_NOT_OK(apply(&having_));
    SLUICE_RETURN_NOT_OK(apply(&qualify_));
    for (WindowCall& call : collected_.windows) {
      for (BoundPtr& arg : call.args) SLUICE_RETURN_NOT_OK(apply(&arg));
      for (BoundPtr& partition : call.partition) SLUICE_RETURN_NOT_OK(apply(&partition));
      for (SortKey& key : call.order) SLUICE_RETURN_NOT_OK(apply(&key.expression));
    }
    return Status::OK();
  }

  Status AddAggregate() {
    auto made = std::make_shared<AggregateNode>();
    made->inputs = {plan_};
    made->is_streaming = plan_->is_streaming;
    made->groups = groups_;
    made->calls = collected_.aggregates;
    arrow::FieldVector fields;
    for (const BoundPtr& group : groups_) fields.push_back(FieldFor(ToString(*group), *group));
    for (const AggregateCall& call : made->calls)
      fields.push_back(arrow::field(call.function, call.type, call.nullable));
    made->schema = arrow::schema(std::move(fields));
    plan_ = made;
    return MoveAll([&](const BoundPtr& expression) { return OverAggregate(expression, *made); });
  }

  // QUALIFY row_number() OVER (..) = 1 over a stream, and what else is AND-ed to it.
  bool IsDedup(BoundPtr* rest) const {
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

  Status AddWindows() {
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
          if (!node->IsColumn() || node->index < kWindowBase) return nullptr;
          const int index = base + node->index - kWindowBase;
          return MakeColumn(index, *made->schema->field(index), node->span);
        });
      }));
    }
    if (qualify_ != nullptr) plan_ = MakeFilter(plan_, qualify_);
    return Status::OK();
  }

  Result<PlanPtr> Finish() {
    std::vector<BoundPtr> columns;
    arrow::FieldVector fields;
    for (const Item& item : items_) {
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
    PlanPtr plan = MakeProject(plan_, columns, fields);
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

  QueryBinder& queries_;
  const Select& select_;
  const Span span_;
  PlanPtr plan_;
  Scope scope_;
  Collected collected_;
  std::vector<Item> items_;
  std::map<std::string, BoundPtr> aliases_;  // written aliases, for later items
  std::map<std::string, BoundPtr> outputs_;  // all result names
  std::vector<BoundPtr> groups_;
  bool grouped_ = false;
  BoundPtr having_;
  BoundPtr qualify_;
  std::vector<SortKey> order_;
};

}  // namespace

Result<PlanPtr> BindSelect(QueryBinder* queries, const Select& select,
                           const std::vector<OrderItem>& order_by, Span span) {
  return SelectBinder(queries, select, span).Bind(order_by);
}

}  // namespace sluice::sql
