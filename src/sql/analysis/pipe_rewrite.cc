#include "sql/analysis/pipe_rewrite.h"

#include <utility>

#include "sql/analysis/ast_walk.h"
#include "sql/print/print.h"

namespace sluice::sql {
namespace {

SelectItem StarItem(Span span) {
  SelectItem item;
  item.expr = Expr{Star{}, span};
  item.span = span;
  return item;
}

bool HasOrganization(const Query& query) {
  return !query.order_by.empty() || !query.sort_by.empty() || !query.cluster_by.empty() ||
         !query.distribute_by.empty() || query.limit || query.offset;
}

/// Whether a condition or items can be added to this SELECT * FROM .. without a subquery, so that
/// the names of its tables stay visible.
bool IsOpen(const Query& query) {
  const auto* select = query.As<Select>();
  return select != nullptr && query.with.empty() && !HasOrganization(query) && !select->distinct &&
         !select->group_by && !select->having && !select->qualify && select->windows.empty() &&
         select->items.size() == 1 && select->items[0].expr->As<Star>() != nullptr &&
         select->items[0].expr->As<Star>()->except.empty() &&
         select->items[0].expr->As<Star>()->qualifier.empty() && select->from;
}

/// Turns the steps of one pipe into nested SELECTs, from the inside out.
class PipeFolder {
 public:
  explicit PipeFolder(Query input) : current_(std::move(input)) {}

  void Apply(PipeStep step) {
    switch (step.kind) {
      case PipeStep::Kind::kSelect: return Items(std::move(step.items), step);
      case PipeStep::Kind::kExtend: return Extend(std::move(step));
      case PipeStep::Kind::kSet: break;  // refused before
      case PipeStep::Kind::kDrop: return Drop(step);
      case PipeStep::Kind::kAs: return As(step);
      case PipeStep::Kind::kWhere: return Where(std::move(step));
      case PipeStep::Kind::kAggregate: return Aggregate(std::move(step));
      case PipeStep::Kind::kJoin:
      case PipeStep::Kind::kRelation: return OnRelation(std::move(step));
      case PipeStep::Kind::kSetOperation: return Combine(std::move(step));
      case PipeStep::Kind::kOrganize: return Organize(std::move(step));
    }
  }

  Query Take() { return std::move(current_); }

 private:
  /// The current query as SELECT * FROM .. that may be added to.
  Select& Opened(Span span) {
    if (!IsOpen(current_)) {
      Relation relation;
      relation.span = current_.span;
      relation.node = SubqueryRelation{std::move(current_), false};
      Select select;
      select.items.push_back(StarItem(span));
      select.from = std::move(relation);
      current_ = Query{};
      current_.span = span;
      current_.body = std::move(select);
    }
    auto& select = *current_.As<Select>();
    select.from_only = false;
    return select;
  }

  void Items(std::vector<SelectItem> items, const PipeStep& step) {
    Select& select = Opened(step.span);
    select.items = std::move(items);
    select.distinct = step.distinct;
  }

  void Extend(PipeStep step) {
    Select& select = Opened(step.span);
    for (SelectItem& item : step.items) {
      select.items.push_back(std::move(item));
    }
  }

  void Drop(const PipeStep& step) {
    auto* star = Opened(step.span).items[0].expr->As<Star>();
    for (const Name& name : step.names) {
      star->except.push_back({{name}, name.span});
    }
  }

  void As(const PipeStep& step) {
    Relation relation;
    relation.span = step.span;
    relation.alias = TableAlias{step.names[0], {}};
    relation.node = SubqueryRelation{std::move(current_), false};
    Select select;
    select.items.push_back(StarItem(step.span));
    select.from = std::move(relation);
    current_ = Query{};
    current_.span = step.span;
    current_.body = std::move(select);
  }

  void Where(PipeStep step) {
    Select& select = Opened(step.span);
    if (select.where) {
      const Span span = Cover(select.where->span, step.condition->span);
      Binary both{BinaryOp::kAnd, std::move(select.where), std::move(step.condition)};
      select.where = Expr{std::move(both), span};
    } else {
      select.where = std::move(step.condition);
    }
  }

  // Grouping expressions come first, then the aggregates.
  void Aggregate(PipeStep step) {
    Select& select = Opened(step.span);
    select.items.clear();
    if (!step.group_by.empty()) {
      GroupBy group_by;
      group_by.span = step.span;
      for (SelectItem& item : step.group_by) {
        GroupingElement element;
        element.expr = item.expr;
        element.span = item.span;
        group_by.elements.push_back(std::move(element));
        select.items.push_back(std::move(item));
      }
      select.group_by = std::move(group_by);
    }
    for (SelectItem& item : step.items) {
      select.items.push_back(std::move(item));
    }
  }

  void OnRelation(PipeStep step) {
    Select* select = &Opened(step.span);
    if (select->where) {  // a filter before the join stays before it
      current_.span = step.span;
      select->items[0] = StarItem(step.span);
      Query inner = std::move(current_);
      Relation relation;
      relation.span = inner.span;
      relation.alias = AliasOf(*inner.As<Select>()->from);
      relation.node = SubqueryRelation{std::move(inner), false};
      Select outer;
      outer.items.push_back(StarItem(step.span));
      outer.from = std::move(relation);
      current_ = Query{};
      current_.span = step.span;
      current_.body = std::move(outer);
      select = current_.As<Select>();
    }
    Relation relation = std::move(*step.relation);
    if (relation.As<NestedRelation>() != nullptr) {
      relation.node = NestedRelation{std::move(select->from)};
    } else if (auto* join = relation.As<Join>()) {
      join->left = std::move(select->from);
    } else if (auto* pivot = relation.As<Pivot>()) {
      pivot->input = std::move(select->from);
    } else if (auto* unpivot = relation.As<Unpivot>()) {
      unpivot->input = std::move(select->from);
    } else if (auto* view = relation.As<LateralView>()) {
      view->input = std::move(select->from);
    }
    relation.span = step.span;
    select->from = std::move(relation);
  }

  /// The name under which a single relation is known, so that it survives in a subquery.
  static std::optional<TableAlias> AliasOf(const Relation& relation) {
    if (relation.alias) {
      return TableAlias{relation.alias->name, {}};
    }
    const auto* table = relation.As<TableRef>();
    return table == nullptr ? std::nullopt
                            : std::optional(TableAlias{table->name.parts.back(), {}});
  }

  void Combine(PipeStep step) {
    SetOperation operation = std::move(*step.operation);
    if (HasOrganization(current_) || !current_.with.empty()) {
      Query nested;
      nested.span = current_.span;
      nested.body = NestedQuery{std::move(current_)};
      current_ = std::move(nested);
    }
    operation.left = std::move(current_);
    current_ = Query{};
    current_.span = step.span;
    current_.body = std::move(operation);
  }

  void Organize(PipeStep step) {
    if (HasOrganization(current_)) {
      Opened(step.span);
    }
    current_.order_by = std::move(step.organize->order_by);
    current_.sort_by = std::move(step.organize->sort_by);
    current_.cluster_by = std::move(step.organize->cluster_by);
    current_.distribute_by = std::move(step.organize->distribute_by);
    current_.limit = std::move(step.organize->limit);
    current_.offset = std::move(step.organize->offset);
  }

  Query current_;
};

void RewriteQuery(Query* query);
void RewriteRelation(Relation* relation);

void RewriteExpr(Expr& expr) {
  if (const Query* query = SubqueryOf(expr)) {
    Query rewritten = *query;
    RewriteQuery(&rewritten);
    if (auto* in = expr.As<InSubquery>()) {
      in->query = std::move(rewritten);
    } else if (auto* exists = expr.As<Exists>()) {
      exists->query = std::move(rewritten);
    } else if (auto* scalar = expr.As<ScalarSubquery>()) {
      scalar->query = std::move(rewritten);
    } else if (auto* table = expr.As<TableArgument>()) {
      table->query = std::move(rewritten);
    }
  }
  VisitChildren(expr, RewriteExpr);
}

void RewriteBox(Box<Expr>* box) {
  if (*box) {
    RewriteExpr(**box);
  }
}

void RewriteItems(std::vector<SelectItem>* items) {
  for (SelectItem& item : *items) {
    RewriteBox(&item.expr);
  }
}

void RewriteRelationBox(Box<Relation>* box) {
  if (*box) {
    RewriteRelation(box->get());
  }
}

void RewriteRelation(Relation* relation) {
  if (auto* subquery = relation->As<SubqueryRelation>()) {
    RewriteQuery(subquery->query.get());
  } else if (auto* nested = relation->As<NestedRelation>()) {
    RewriteRelationBox(&nested->inner);
  } else if (auto* join = relation->As<Join>()) {
    RewriteRelationBox(&join->left);
    RewriteRelationBox(&join->right);
    RewriteBox(&join->on);
  } else if (auto* pivot = relation->As<Pivot>()) {
    RewriteRelationBox(&pivot->input);
  } else if (auto* unpivot = relation->As<Unpivot>()) {
    RewriteRelationBox(&unpivot->input);
  } else if (auto* view = relation->As<LateralView>()) {
    RewriteRelationBox(&view->input);
  } else if (auto* function = relation->As<TableFunction>()) {
    for (Argument& argument : function->arguments) {
      RewriteBox(&argument.value);
    }
  }
}

void RewriteSelect(Select* select) {
  RewriteItems(&select->items);
  RewriteRelationBox(&select->from);
  RewriteBox(&select->where);
  RewriteBox(&select->having);
  RewriteBox(&select->qualify);
}

void RewriteSteps(Query* query, PipeQuery pipe) {
  RewriteQuery(pipe.input.get());
  PipeFolder folder(std::move(*pipe.input));
  for (PipeStep& step : pipe.steps) {
    RewriteItems(&step.items);
    RewriteBox(&step.condition);
    RewriteRelationBox(&step.relation);
    if (step.operation) {
      RewriteQuery(step.operation->right.get());
    }
    folder.Apply(std::move(step));
  }
  Query plain = folder.Take();
  if (HasOrganization(*query) && HasOrganization(plain)) {
    Query nested;
    nested.span = plain.span;
    nested.body = NestedQuery{std::move(plain)};
    plain = std::move(nested);
  }
  if (!HasOrganization(*query)) {
    query->order_by = std::move(plain.order_by);
    query->sort_by = std::move(plain.sort_by);
    query->cluster_by = std::move(plain.cluster_by);
    query->distribute_by = std::move(plain.distribute_by);
    query->limit = std::move(plain.limit);
    query->offset = std::move(plain.offset);
  }
  for (CommonTable& table : plain.with) {
    query->with.push_back(std::move(table));
  }
  query->body = std::move(plain.body);
}

void RewriteQuery(Query* query) {
  for (CommonTable& table : query->with) {
    RewriteQuery(table.query.get());
  }
  if (auto* select = query->As<Select>()) {
    RewriteSelect(select);
  } else if (auto* operation = query->As<SetOperation>()) {
    RewriteQuery(operation->left.get());
    RewriteQuery(operation->right.get());
  } else if (auto* nested = query->As<NestedQuery>()) {
    RewriteQuery(nested->query.get());
  } else if (auto* pipe = query->As<PipeQuery>()) {
    PipeQuery taken = std::move(*pipe);
    RewriteSteps(query, std::move(taken));
  }
}

/// Looks for |> SET in the text, so that no place of the tree is forgotten.
bool UsesSetStep(const Query& query) { return ToSql(query).find(" |> SET ") != std::string::npos; }

}  // namespace

Status RewritePipes(Query* query) {
  // Changing a column in its place needs to know all columns, which only the analyzer does.
  if (UsesSetStep(*query)) {
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: |> SET",
                     "write |> SELECT with the columns, or |> EXTEND under another name");
  }
  RewriteQuery(query);
  return Status::OK();
}

}  // namespace sluice::sql
