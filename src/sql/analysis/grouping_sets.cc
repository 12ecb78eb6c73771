// GROUP BY of a SELECT: its expressions, and GROUPING SETS, CUBE and ROLLUP, for which the rows are
// made once per set, with NULL in place of the groups that the set leaves out.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/select_binder_internal.h"
#include "sql/expressions/spark_type.h"

namespace sluice::sql {
namespace {

using Sets = std::vector<std::vector<size_t>>;

constexpr size_t kMostSets = 4096;
constexpr size_t kMostGroups = 63;  // bits of grouping_id()

std::vector<size_t> United(const std::vector<size_t>& left, const std::vector<size_t>& right) {
  std::vector<size_t> all = left;
  all.insert(all.end(), right.begin(), right.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// Every set of one element with every set of the other.
Sets Crossed(const Sets& left, const Sets& right) {
  Sets crossed;
  for (const auto& a : left) {
    for (const auto& b : right) crossed.push_back(United(a, b));
  }
  return crossed;
}

// (a, b, c), (a, b), (a), ()
Sets Rollup(const Sets& parts) {
  Sets sets;
  for (size_t count = parts.size() + 1; count-- > 0;) {
    std::vector<size_t> set;
    for (size_t i = 0; i < count; ++i) set = United(set, parts[i]);
    sets.push_back(std::move(set));
  }
  return sets;
}

Sets Cube(const Sets& parts) {
  Sets sets;
  for (size_t left_out = 0; left_out < (size_t{1} << parts.size()); ++left_out) {
    std::vector<size_t> set;
    for (size_t i = 0; i < parts.size(); ++i) {
      if ((left_out >> (parts.size() - 1 - i) & 1) == 0) set = United(set, parts[i]);
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

int64_t GroupingId(const std::vector<size_t>& set, size_t groups) {
  int64_t id = 0;
  for (size_t i = 0; i < groups; ++i)
    id = id << 1 | (std::binary_search(set.begin(), set.end(), i) ? 0 : 1);
  return id;
}

}  // namespace

size_t SelectBinder::AddGroup(const BoundPtr& expression) {
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (Equals(*groups_[i], *expression)) return i;
  }
  groups_.push_back(expression);
  return groups_.size() - 1;
}

Result<BoundPtr> SelectBinder::BindGroup(const Expr& expr) {
  SLUICE_ASSIGN_OR_RETURN(auto bound, Ordinal(expr, "GROUP_BY_POS_OUT_OF_RANGE"));
  const bool by_position = bound != nullptr;
  if (!by_position) {
    Collected refused;
    ExpressionBinder binder = Binder(&refused);
    binder.SetAliases(&outputs_);
    SLUICE_ASSIGN_OR_RETURN(bound, binder.Bind(expr));
  }
  if (ExpressionBinder::HasAggregate(*bound) || ExpressionBinder::HasWindow(*bound)) {
    if (by_position)
      return queries_.Error(expr.span, "GROUP_BY_POS_AGGREGATE",
                            "GROUP BY refers to an item that contains an aggregate function");
    return queries_.Error(
        expr.span, "GROUP_BY_AGGREGATE",
        fmt::format("aggregate functions are not allowed in GROUP BY, but found {}",
                    ToString(*bound)));
  }
  if (bound->type->id() == arrow::Type::MAP)
    return queries_.Unsupported(expr.span, "GROUP BY of a map");
  return bound;
}

Result<Sets> SelectBinder::BindSets(const GroupingElement& element) {
  Sets parts;
  for (const auto& written : element.sets) {
    std::vector<size_t> part;
    for (const Expr& expr : written) {
      SLUICE_ASSIGN_OR_RETURN(auto bound, BindGroup(expr));
      part.push_back(AddGroup(bound));
    }
    parts.push_back(United(part, {}));
  }
  if (element.kind == GroupingElement::Kind::kRollup) return Rollup(parts);
  if (element.kind != GroupingElement::Kind::kCube) return parts;
  if (parts.size() > 12) return queries_.Unsupported(element.span, "CUBE of more than 12 parts");
  return Cube(parts);
}

Status SelectBinder::BindGroups() {
  if (!select_.group_by.has_value()) return Status::OK();
  grouped_ = true;
  if (select_.group_by->all) {
    for (const Item& item : items_) {
      if (!ExpressionBinder::HasAggregate(*item.expression)) AddGroup(item.expression);
    }
    return Status::OK();
  }
  bool has_sets = false;
  Sets sets = {{}};
  for (const GroupingElement& element : select_.group_by->elements) {
    if (element.kind == GroupingElement::Kind::kExpression) {
      SLUICE_ASSIGN_OR_RETURN(auto bound, BindGroup(*element.expr));
      sets = Crossed(sets, {{AddGroup(bound)}});
      continue;
    }
    has_sets = true;
    SLUICE_ASSIGN_OR_RETURN(auto more, BindSets(element));
    if (more.size() * sets.size() > kMostSets)
      return queries_.Unsupported(element.span, fmt::format("more than {} sets", kMostSets));
    sets = Crossed(sets, more);
  }
  if (groups_.size() > kMostGroups && has_sets)
    return queries_.Error(select_.group_by->span, "GROUPING_SIZE_LIMIT_EXCEEDED",
                          fmt::format("grouping sets size cannot be greater than {}", kMostGroups));
  // Sets of nothing but () are an aggregate without groups.
  if (has_sets && !groups_.empty()) sets_ = std::move(sets);
  return Status::OK();
}

// Below the aggregate: Generate makes (place of the set, grouping id) for each row, and a Project
// puts the groups of the set behind the input's columns, which the aggregates go on to use.
Status SelectBinder::ExpandSets(AggregateNode* node) {
  Generator generator;
  generator.positions = true;
  std::vector<BoundPtr> literals;
  for (const auto& set : sets_)
    literals.push_back(MakeLiteral(arrow::MakeScalar(GroupingId(set, groups_.size()))));
  generator.list = MakeCall("array", std::move(literals), SparkArray(arrow::int64()), false, span_);
  generator.columns = {arrow::field("pos", arrow::int32(), false),
                       arrow::field("id", arrow::int64(), false)};
  const int base = plan_->schema->num_fields();
  plan_ = MakeGenerate(plan_, generator, {"__set", "__grouping_id"});
  std::vector<BoundPtr> columns;
  arrow::FieldVector fields = plan_->schema->fields();
  for (int i = 0; i < plan_->schema->num_fields(); ++i)
    columns.push_back(MakeColumn(i, *plan_->schema->field(i)));
  const BoundPtr place = columns[static_cast<size_t>(base)];
  for (size_t i = 0; i < groups_.size(); ++i) {
    std::vector<BoundPtr> test = {place};
    for (size_t s = 0; s < sets_.size(); ++s) {
      if (!std::binary_search(sets_[s].begin(), sets_[s].end(), i))
        test.push_back(MakeLiteral(arrow::MakeScalar(static_cast<int32_t>(s))));
    }
    BoundPtr value = groups_[i];
    if (test.size() > 1) {
      auto left_out = MakeCall("in", std::move(test), arrow::boolean(), false, span_);
      auto nothing = MakeLiteral(arrow::MakeNullScalar(value->type));
      value = MakeCall("case", {left_out, nothing, value}, value->type, true, span_);
    }
    fields.push_back(FieldFor(fmt::format("__group_{}", i), *value));
    node->groups.push_back(
        MakeColumn(static_cast<int>(columns.size()), *fields.back(), groups_[i]->span));
    columns.push_back(std::move(value));
  }
  node->groups.push_back(columns[static_cast<size_t>(base) + 1]);
  node->groups.push_back(place);
  plan_ = MakeProject(plan_, std::move(columns), std::move(fields));
  return Status::OK();
}

bool SelectBinder::IsGrouping(const BoundExpression& expression) const {
  return expression.IsCall("grouping") || expression.IsCall("grouping_id");
}

Result<BoundPtr> SelectBinder::OverGrouping(const BoundPtr& call, const AggregateNode& node) {
  if (sets_.empty())
    return queries_.Error(
        call->span, "UNSUPPORTED_GROUPING_EXPRESSION",
        "grouping()/grouping_id() can only be used with GroupingSets/Cube/Rollup");
  const int at = static_cast<int>(groups_.size());
  const BoundPtr id = MakeColumn(at, *node.schema->field(at), call->span);
  if (call->IsCall("grouping_id")) {
    bool same = call->args.empty() || call->args.size() == groups_.size();
    for (size_t i = 0; same && i < call->args.size(); ++i)
      same = Equals(*call->args[i], *groups_[i]);
    if (same) return id;
    return queries_.Error(call->span, "GROUPING_ID_COLUMN_MISMATCH",
                          "columns of grouping_id do not match the grouping columns");
  }
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (!Equals(*groups_[i], *call->args[0])) continue;
    const auto shift = static_cast<int32_t>(groups_.size() - 1 - i);
    FunctionBinder functions(queries_.source());
    SLUICE_ASSIGN_OR_RETURN(
        auto bit,
        functions.Bind("shiftright", {id, MakeLiteral(arrow::MakeScalar(shift))}, call->span));
    SLUICE_ASSIGN_OR_RETURN(
        bit, functions.Bind("&", {bit, MakeLiteral(arrow::MakeScalar(int64_t{1}))}, call->span));
    return MakeCast(bit, arrow::int8(), false, call->span);
  }
  return queries_.Error(
      call->span, "GROUPING_COLUMN_MISMATCH",
      fmt::format("column of grouping ({}) cannot be found in the grouping columns",
                  ToString(*call->args[0])));
}

// grouping() of a query that does not aggregate.
Status SelectBinder::RefuseGrouping() {
  return MoveAll([&](const BoundPtr& expression) -> Result<BoundPtr> {
    if (!Any(*expression, [&](const BoundExpression& node) { return IsGrouping(node); }))
      return expression;
    return OverGrouping(expression, AggregateNode());
  });
}

}  // namespace sluice::sql
