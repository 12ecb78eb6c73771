// SELECT: the select list, WHERE, GROUP BY, HAVING, QUALIFY, DISTINCT, ORDER BY. Part of the
// analyzer.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/analysis_error.h"
#include "sql/ast_walk.h"
#include "sql/print.h"
#include "sql/query_binder_internal.h"
#include "sql/spark_type.h"

namespace sluice::sql {
namespace {

class SelectBinder {
 public:
  SelectBinder(QueryBinder* queries, const Select& select, Span span, SubqueryTies* ties)
      : queries_(*queries), select_(select), span_(span), ties_(ties) {}

  Result<PlanPtr> Bind(const std::vector<OrderItem>& order_by) {
    SLUICE_RETURN_NOT_OK(BindFrom());
    SLUICE_RETURN_NOT_OK(BindWhere());
    SLUICE_RETURN_NOT_OK(BindItems());
    SLUICE_RETURN_NOT_OK(BindGroups());
    SLUICE_RETURN_NOT_OK(BindPredicates());
    SLUICE_RETURN_NOT_OK(BindOrder(order_by));
    SLUICE_RETURN_NOT_OK(Tie());
    if (grouped_ || !collected_.aggregates.empty()) SLUICE_RETURN_NOT_OK(AddAggregate());
    SLUICE_RETURN_NOT_OK(JoinScalars(nullptr));
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
    binder.SetSubqueries(&subqueries_);
    if (ties_ != nullptr) binder.SetOuter(ties_->outer);
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

  // AND-ed conditions; x IN (SELECT ..) and EXISTS (..) among them become semi joins, those that
  // use columns of the query around tie the subquery to it.
  Status BindWhere() {
    if (!select_.where) return Status::OK();
    std::vector<BoundPtr> conditions;
    std::vector<const Expr*> pending = {select_.where.get()};
    std::vector<const Expr*> subqueries;
    std::vector<BoundPtr> with_scalars;
    while (!pending.empty()) {
      const Expr* expr = pending.back();
      pending.pop_back();
      const auto* binary = expr->As<Binary>();
      if (binary != nullptr && binary->op == BinaryOp::kAnd) {
        pending.push_back(binary->right.get());
        pending.push_back(binary->left.get());
      } else if (expr->As<InSubquery>() != nullptr || ExistsIn(*expr) != nullptr) {
        subqueries.push_back(expr);
      } else {
        ExpressionBinder binder = Binder(nullptr);
        SLUICE_ASSIGN_OR_RETURN(auto condition, binder.Bind(*expr));
        SLUICE_ASSIGN_OR_RETURN(condition,
                                binder.functions().Coerce(condition, arrow::boolean(), "WHERE", 1));
        if (HasOuter(*condition)) {
          if (HasSubquery(*condition))
            return queries_.Unsupported(expr->span, "a subquery and an outer column in one term");
          ties_->conditions.push_back(std::move(condition));
        } else {
          (HasSubquery(*condition) ? with_scalars : conditions).push_back(std::move(condition));
        }
      }
    }
    if (BoundPtr all = JoinConjuncts(conditions)) plan_ = MakeFilter(plan_, all);
    if (BoundPtr all = JoinConjuncts(with_scalars)) {
      SLUICE_RETURN_NOT_OK(JoinScalars(&all));
      plan_ = MakeFilter(plan_, all);
    }
    for (const Expr* expr : subqueries) SLUICE_RETURN_NOT_OK(AddSemiJoin(*expr));
    return Status::OK();
  }

  /// EXISTS (..) or NOT EXISTS (..).
  static const Exists* ExistsIn(const Expr& expr) {
    const auto* unary = expr.As<Unary>();
    if (unary != nullptr && unary->op == UnaryOp::kNot) return unary->operand->As<Exists>();
    return expr.As<Exists>();
  }

  Status AddSemiJoin(const Expr& expr) {
    if (const Exists* exists = ExistsIn(expr)) {
      SLUICE_ASSIGN_OR_RETURN(
          plan_,
          subqueries_.JoinExists(plan_, *exists->query, expr.As<Unary>() != nullptr, expr.span));
      return Status::OK();
    }
    const auto& in = *expr.As<InSubquery>();
    ExpressionBinder binder = Binder(nullptr);
    SLUICE_ASSIGN_OR_RETURN(auto operand, binder.Bind(*in.operand));
    if (HasOuter(*operand) || HasSubquery(*operand))
      return queries_.Unsupported(expr.span, "IN (SELECT ..) of an outer column or a subquery");
    SLUICE_ASSIGN_OR_RETURN(plan_, subqueries_.JoinIn(plan_, operand, *in.query, in.negated,
                                                      &binder.functions(), expr.span));
    return Status::OK();
  }

  /// Joins the scalar subqueries that were bound so far; their placeholders in `expression` (null:
  /// in everything that is still to be computed) become columns.
  Status JoinScalars(BoundPtr* expression) {
    if (!subqueries_.waiting()) return Status::OK();
    int first = 0;
    std::vector<BoundPtr> values;
    SLUICE_ASSIGN_OR_RETURN(plan_, subqueries_.Join(plan_, &first, &values));
    const auto resolve = [&](const BoundPtr& from) -> Result<BoundPtr> {
      return Transform(from, [&](const BoundPtr& node) -> BoundPtr {
        if (!node->IsColumn() || !HasSubquery(*node)) return nullptr;
        return values[static_cast<size_t>(node->index - first)];
      });
    };
    if (expression == nullptr) return MoveAll(resolve);
    SLUICE_ASSIGN_OR_RETURN(*expression, resolve(*expression));
    return Status::OK();
  }

  /// What the conditions that tie a subquery to the query around use of this SELECT becomes hidden
  /// columns, groups when it aggregates.
  Status Tie() {
    for (const AggregateCall& call : collected_.aggregates) {
      for (const BoundPtr& arg : call.args) {
        if (HasOuter(*arg) || HasSubquery(*arg))
          return queries_.Unsupported(call.span, "a subquery or outer column in an aggregate");
      }
    }
    for (const BoundPtr& group : groups_) {
      if (HasOuter(*group) || HasSubquery(*group))
        return queries_.Unsupported(group->span, "a subquery or outer column in GROUP BY");
    }
    if (ties_ == nullptr) return Status::OK();
    const bool aggregates = grouped_ || !collected_.aggregates.empty();
    ties_->one_row = aggregates && !select_.group_by.has_value();
    if (ties_->conditions.empty()) return NoOuterLeft();
    if (ties_->exists_only && !aggregates) items_.clear();
    if (ties_->one_row) SLUICE_RETURN_NOT_OK(NoteValueOverNothing());
    for (BoundPtr& condition : ties_->conditions) condition = HideInner(condition);
    if (aggregates) {
      grouped_ = true;
      for (const BoundPtr& hidden : hidden_) AddGroup(hidden);
    }
    order_.clear();
    return NoOuterLeft();
  }

  Status NoOuterLeft() {
    return MoveAll([&](const BoundPtr& expression) -> Result<BoundPtr> {
      if (!HasOuter(*expression)) return expression;
      return queries_.Unsupported(expression->span,
                                  "a column of the query around, other than in WHERE");
    });
  }

  /// The parts of a tie that use this SELECT only become hidden columns.
  BoundPtr HideInner(const BoundPtr& expression) {
    if (!HasOuter(*expression)) {
      if (expression->IsLiteral()) return expression;
      hidden_.push_back(expression);
      const auto field = FieldFor("", *expression);
      return MakeColumn(static_cast<int>(hidden_.size()) - 1, *field, expression->span);
    }
    if (expression->args.empty()) return expression;
    std::vector<BoundPtr> args;
    for (const BoundPtr& arg : expression->args) args.push_back(HideInner(arg));
    return WithArgs(*expression, std::move(args));
  }

  /// An outer row without inner rows has no group, yet count is 0 for it.
  Status NoteValueOverNothing() {
    static const std::set<std::string> kNeverNull = {
        "count",         "count_if",   "approx_count_distinct", "collect_list",
        "collect_set",   "regr_count", "bitmap_construct_agg",  "bitmap_or_agg",
        "bitmap_and_agg"};
    for (const Item& item : items_) {
      const bool any = Any(*item.expression, [&](const BoundExpression& node) {
        return node.IsColumn() && ExpressionBinder::HasAggregate(node) &&
               kNeverNull.count(AggregateOf(node).function) != 0;
      });
      if (!any) continue;
      if (!item.expression->IsColumn() || having_ != nullptr ||
          item.expression->type->id() != arrow::Type::INT64) {
        return queries_.Unsupported(item.span, "a count within a correlated subquery's expression");
      }
      ties_->when_empty = MakeLiteral(arrow::MakeScalar(int64_t{0}), item.span);
    }
    return Status::OK();
  }

  const AggregateCall& AggregateOf(const BoundExpression& placeholder) const {
    return collected_.aggregates[static_cast<size_t>(placeholder.index - kAggregateBase)];
  }

  Status ExpandStar(const Star& star, Span span) {
    SLUICE_ASSIGN_OR_RETURN(auto columns, BindStar(queries_, scope_, star, span));
    for (BoundPtr& column : columns) items_.push_back({column->name, std::move(column), span});
    return Status::OK();
  }

  // GROUP BY window(ts, ..) offers its struct as a column `window`.
  Status BindWindowColumn() {
    if (!select_.group_by.has_value()) return Status::OK();
    ExpressionBinder binder = Binder(nullptr);
    SLUICE_ASSIGN_OR_RETURN(auto window, BindGroupWindow(&binder, *select_.group_by));
    if (window != nullptr) aliases_.emplace("window", std::move(window));
    return Status::OK();
  }

  // explode(..) and its like as an item: rows are made before the other items are computed.
  Status BindGeneratorItem(const SelectItem& item, const FunctionCall& call) {
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

  Status BindItems() {
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
    for (BoundPtr& hidden : hidden_) SLUICE_RETURN_NOT_OK(apply(&hidden));
    for (BoundPtr* key : subqueries_.OuterKeys()) SLUICE_RETURN_NOT_OK(apply(key));
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
    if (generated_) return queries_.Unsupported(span_, "a generator beside aggregates");
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
      if (item.expression->type->id() == arrow::Type::TIME64)
        return queries_.Error(item.span, "UNSUPPORTED_TIME_TYPE",
                              "the data type TIME is not supported");
      columns.push_back(item.expression);
      fields.push_back(FieldFor(item.name, *item.expression));
    }
    std::vector<SortKey> keys;
    if (ties_ != nullptr && !ties_->conditions.empty()) {
      const int shown = static_cast<int>(columns.size());
      for (const BoundPtr& hidden : hidden_) {
        fields.push_back(FieldFor(fmt::format("__tie_{}", columns.size()), *hidden));
        columns.push_back(hidden);
      }
      ties_->hidden = hidden_.size();
      for (BoundPtr& condition : ties_->conditions) {
        condition = Transform(condition, [&](const BoundPtr& node) -> BoundPtr {
          if (!node->IsColumn() || node->index >= kOuterBase) return nullptr;
          const int index = node->index + shown;
          return MakeColumn(index, *fields[static_cast<size_t>(index)], node->span);
        });
      }
    }
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
  bool generated_ = false;
  BoundPtr having_;
  BoundPtr qualify_;
  std::vector<SortKey> order_;
  SubqueryTies* const ties_;  // null: not a subquery
  std::vector<BoundPtr> hidden_;
  SubqueryBinder subqueries_{&queries_, scope_};
};

}  // namespace

Result<PlanPtr> BindSelect(QueryBinder* queries, const Select& select,
                           const std::vector<OrderItem>& order_by, Span span, SubqueryTies* ties) {
  return SelectBinder(queries, select, span, ties).Bind(order_by);
}

}  // namespace sluice::sql
