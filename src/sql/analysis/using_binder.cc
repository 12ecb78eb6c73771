// Joins by columns of the same name: USING and NATURAL. Part of QueryBinder.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/query_binder.h"

namespace sluice::sql {
namespace {

/// Output: the shared columns once, then the other columns of the left and of the right side.
class UsingBinder {
 public:
  UsingBinder(QueryBinder* queries, JoinType type, BoundRelation left, BoundRelation right,
              Span span)
      : queries_(*queries),
        left_(std::move(left)),
        right_(std::move(right)),
        left_columns_(left_.plan->schema->num_fields()),
        span_(span) {
    join_->join = KindOf(type);
    join_->inputs = {left_.plan, right_.plan};
    join_->is_streaming = left_.plan->is_streaming || right_.plan->is_streaming;
    join_->span = span;
    left_only_ = join_->join == JoinKind::kLeftSemi || join_->join == JoinKind::kLeftAnti;
  }

  Result<BoundRelation> Bind(const std::vector<std::string>& names) {
    FunctionBinder functions(queries_.source());
    for (const std::string& name : names) {
      SLUICE_ASSIGN_OR_RETURN(const ScopeColumn* a, Find(left_.scope, name));
      SLUICE_ASSIGN_OR_RETURN(const ScopeColumn* b, Find(right_.scope, name));
      SLUICE_ASSIGN_OR_RETURN(
          auto equal, functions.BindComparison("=", MakeColumn(a->index, *a->field, span_),
                                               MakeColumn(b->index, *b->field, span_), span_));
      join_->left_keys.push_back(equal->args[0]);
      join_->right_keys.push_back(equal->args[1]);
      join_->null_safe.push_back(false);
      pairs_.emplace_back(a, b);
    }
    join_->schema = arrow::schema(JoinFields(*join_));
    SLUICE_RETURN_NOT_OK(AddShared(&functions));
    AddHidden();
    AddOthers();
    return BoundRelation{MakeProject(join_, std::move(columns_), std::move(fields_)),
                         std::move(scope_)};
  }

 private:
  Result<const ScopeColumn*> Find(const Scope& scope, const std::string& name) const {
    const ScopeColumn* found = nullptr;
    for (const ScopeColumn& column : scope.columns) {
      if (column.name != name || !column.in_star) continue;
      if (found != nullptr && found->index != column.index)
        return queries_.Error(span_, "AMBIGUOUS_REFERENCE",
                              fmt::format("reference `{}` is ambiguous", name));
      found = &column;
    }
    if (found != nullptr) return found;
    return queries_.Error(
        span_, "UNRESOLVED_USING_COLUMN_FOR_JOIN",
        fmt::format("USING column `{}` cannot be resolved on one side of the join", name));
  }

  BoundPtr Left(const ScopeColumn& column) const {
    return MakeColumn(column.index, *join_->schema->field(column.index), span_);
  }
  BoundPtr Right(const ScopeColumn& column) const {
    const int index = left_columns_ + column.index;
    return MakeColumn(index, *join_->schema->field(index), span_);
  }

  void Add(ScopeColumn column, BoundPtr expression) {
    column.index = static_cast<int>(columns_.size());
    fields_.push_back(FieldFor(column.field->name(), *expression));
    column.field = fields_.back();
    columns_.push_back(std::move(expression));
    scope_.columns.push_back(std::move(column));
  }

  Status AddShared(FunctionBinder* functions) {
    for (const auto& [a, b] : pairs_) {
      if (join_->join == JoinKind::kRight) {
        Add(*b, Right(*b));
      } else if (join_->join == JoinKind::kFull) {
        ScopeColumn shown = *a;
        shown.qualifier.clear();
        SLUICE_ASSIGN_OR_RETURN(auto value,
                                functions->Bind("coalesce", {Left(*a), Right(*b)}, span_));
        Add(std::move(shown), std::move(value));
      } else {
        Add(*a, Left(*a));
      }
    }
    return Status::OK();
  }

  // The sides' own columns can still be had by their qualified names.
  void AddHidden() {
    for (const auto& [a, b] : pairs_) {
      if (left_only_) return;
      ScopeColumn hidden = *a;
      hidden.in_star = false;
      if (join_->join == JoinKind::kRight || join_->join == JoinKind::kFull) Add(hidden, Left(*a));
      hidden = *b;
      hidden.in_star = false;
      if (join_->join != JoinKind::kRight) Add(hidden, Right(*b));
    }
  }

  void AddOthers() {
    for (const ScopeColumn& column : left_.scope.columns) {
      if (std::none_of(pairs_.begin(), pairs_.end(),
                       [&](const auto& pair) { return pair.first->index == column.index; }))
        Add(column, Left(column));
    }
    for (const ScopeColumn& column : right_.scope.columns) {
      if (left_only_) return;
      if (std::none_of(pairs_.begin(), pairs_.end(),
                       [&](const auto& pair) { return pair.second->index == column.index; }))
        Add(column, Right(column));
    }
  }

  QueryBinder& queries_;
  const BoundRelation left_;
  const BoundRelation right_;
  const int left_columns_;
  const Span span_;
  bool left_only_ = false;
  std::shared_ptr<JoinNode> join_ = std::make_shared<JoinNode>();
  std::vector<std::pair<const ScopeColumn*, const ScopeColumn*>> pairs_;
  std::vector<BoundPtr> columns_;
  arrow::FieldVector fields_;
  Scope scope_;
};

}  // namespace

Result<BoundRelation> QueryBinder::BindUsing(const Join& join,
                                             const std::vector<std::string>& names,
                                             BoundRelation left, BoundRelation right, Span span) {
  return UsingBinder(this, join.type, std::move(left), std::move(right), span).Bind(names);
}

}  // namespace sluice::sql
