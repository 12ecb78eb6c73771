// Binds one SELECT: FROM and WHERE, the select list, groups, predicates and order, then the plan
// over them. Part of the analyzer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/analysis/query_binder.h"

namespace sluice::sql {

class SelectBinder {
 public:
  SelectBinder(QueryBinder* queries, const Select& select, Span span)
      : queries_(*queries), select_(select), span_(span) {}
  Result<PlanPtr> Bind(const std::vector<OrderItem>& order_by);

 private:
  struct Item {
    std::string name;
    BoundPtr expression;
    Span span;
  };
  ExpressionBinder Binder(Collected* collected);
  Status BindFrom();
  // AND-ed conditions; x IN (SELECT ..) and EXISTS (..) among them become semi joins.
  Status BindWhere();
  /// EXISTS (..) or NOT EXISTS (..).
  static const Exists* ExistsIn(const Expr& expr);
  Status AddSemiJoin(const Expr& expr);
  /// Joins the subqueries whose values `expression` (null: everything that is still to be computed)
  /// uses; they become columns there.
  Status JoinSubqueries(BoundPtr* expression);
  /// Likewise for what aggregates and groups are made of.
  Status JoinBelowAggregate();
  Status ExpandStar(const Star& star, Span span);
  // GROUP BY window(ts, ..) offers its struct as a column `window`.
  Status BindWindowColumn();
  // explode(..) and its like as an item: rows are made before the other items are computed.
  Status BindGeneratorItem(const SelectItem& item, const FunctionCall& call);
  Status BindItems();
  Result<BoundPtr> Ordinal(const Expr& expr, std::string_view error_class);
  Status BindGroups();
  Result<BoundPtr> BindGroup(const Expr& expr);
  Result<std::vector<std::vector<size_t>>> BindSets(const GroupingElement& element);
  /// Its place among the groups.
  size_t AddGroup(const BoundPtr& expression);
  Status BindPredicates();
  void AddOrder(const OrderItem& item, const BoundPtr& expression);
  Status BindOrder(const std::vector<OrderItem>& order_by);
  // Over the output of the aggregate: groups, then calls. A column that is neither is an error.
  Result<BoundPtr> OverAggregate(const BoundPtr& expression, const AggregateNode& node);
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
    for (BoundPtr* slot : subqueries_.Slots()) SLUICE_RETURN_NOT_OK(apply(slot));
    SLUICE_RETURN_NOT_OK(apply(&having_));
    SLUICE_RETURN_NOT_OK(apply(&qualify_));
    for (WindowCall& call : collected_.windows) {
      for (BoundPtr& arg : call.args) SLUICE_RETURN_NOT_OK(apply(&arg));
      SLUICE_RETURN_NOT_OK(apply(&call.filter));
      for (BoundPtr& partition : call.partition) SLUICE_RETURN_NOT_OK(apply(&partition));
      for (SortKey& key : call.order) SLUICE_RETURN_NOT_OK(apply(&key.expression));
    }
    return Status::OK();
  }
  Status AddAggregate();
  /// GROUPING SETS: each row of plan_ once per set, the groups that a set leaves out being NULL.
  /// Fills in the groups of `node`.
  Status ExpandSets(AggregateNode* node);
  bool IsGrouping(const BoundExpression& expression) const;
  Result<BoundPtr> OverGrouping(const BoundPtr& call, const AggregateNode& node);
  Status RefuseGrouping();
  // QUALIFY row_number() OVER (..) = 1 over a stream, and what else is AND-ed to it.
  bool IsDedup(BoundPtr* rest) const;
  Status AddWindows();
  Result<PlanPtr> Finish();
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
  std::vector<std::vector<size_t>> sets_;  // of groups_; empty: GROUP BY has no sets
  bool grouped_ = false;
  bool generated_ = false;
  BoundPtr having_;
  BoundPtr qualify_;
  std::vector<SortKey> order_;
  SubqueryBinder subqueries_{&queries_, scope_};
};

/// That the times of the window(..) in `expressions` are there: Spark leaves out other rows. Null
/// when there is nothing to ask.
BoundPtr HasTimeOfWindow(const std::vector<BoundPtr>& expressions);

}  // namespace sluice::sql
