// PIVOT as an aggregate with a filter per value, UNPIVOT as a generator of the values' rows. Part
// of QueryBinder.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/query_binder.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/evaluator.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"
#include "sql/print/print.h"

namespace sluice::sql {
namespace {

BoundPtr And(const BoundPtr& left, const BoundPtr& right) {
  if (left == nullptr) return right;
  return MakeCall("and", {left, right}, arrow::boolean(), left->nullable || right->nullable);
}

// Types of which Spark makes pivots by looking a cell up; a cell without rows is NULL even for a
// count. For all others the aggregate sees no rows.
bool IsLookedUp(const arrow::DataType& type) {
  return IsNumeric(type) || type.id() == arrow::Type::BOOL;
}

class PivotBinder {
 public:
  PivotBinder(QueryBinder* queries, const Pivot& pivot, BoundRelation input, Span span)
      : queries_(*queries), pivot_(pivot), input_(std::move(input)), span_(span) {}

  Result<BoundRelation> Bind() {
    ExpressionBinder binder(queries_.source(), queries_.options(), input_.scope, &collected_);
    for (const SelectItem& item : pivot_.aggregates)
      SLUICE_RETURN_NOT_OK(BindAggregate(&binder, item));
    SLUICE_RETURN_NOT_OK(BindColumns(&binder));
    FindGroups();
    columns_ = GroupColumns();
    for (const Pivot::Value& value : pivot_.values) SLUICE_RETURN_NOT_OK(AddValue(&binder, value));
    return Finish();
  }

 private:
  Status BindAggregate(ExpressionBinder* binder, const SelectItem& item) {
    SLUICE_ASSIGN_OR_RETURN(auto bound, binder->Bind(*item.expr));
    if (!ExpressionBinder::HasAggregate(*bound))
      return queries_.Error(item.span, "PIVOT_AGGREGATE_EXPECTED",
                            "aggregate expression required for pivot, but there is no aggregate "
                            "function");
    if (ExpressionBinder::HasWindow(*bound))
      return queries_.Unsupported(item.span, "window functions in PIVOT");
    looked_up_ &= IsLookedUp(*bound->type);
    names_.push_back(item.aliases.empty() ? ColumnName(*item.expr) : item.aliases[0].text);
    items_.push_back(std::move(bound));
    return Status::OK();
  }

  Status BindColumns(ExpressionBinder* binder) {
    for (const Name& name : pivot_.columns) {
      Expr column;
      column.node = ColumnRef{{name}};
      column.span = name.span;
      SLUICE_ASSIGN_OR_RETURN(auto bound, binder->Bind(column));
      keys_.push_back(std::move(bound));
    }
    return Status::OK();
  }

  // All columns that neither an aggregate nor FOR mentions.
  void FindGroups() {
    std::vector<BoundPtr> mentioned = keys_;
    for (const AggregateCall& call : collected_.aggregates) {
      mentioned.insert(mentioned.end(), call.args.begin(), call.args.end());
      if (call.filter != nullptr) mentioned.push_back(call.filter);
    }
    const std::vector<int> used = ReferencedColumns(mentioned);
    for (const ScopeColumn& column : input_.scope.columns) {
      if (!column.in_star || std::binary_search(used.begin(), used.end(), column.index)) continue;
      groups_.push_back(column);
    }
  }

  std::vector<BoundPtr> GroupColumns() {
    std::vector<BoundPtr> columns;
    for (const ScopeColumn& group : groups_) {
      columns.push_back(MakeColumn(static_cast<int>(columns.size()), *group.field, span_));
      fields_.push_back(group.field);
    }
    return columns;
  }

  // The value as a constant of the type of its column; several columns have a row of values.
  Result<BoundPtr> Matches(ExpressionBinder* binder, const Expr& value, std::string* name) {
    std::vector<const Expr*> parts = {&value};
    if (keys_.size() > 1) {
      const Row* row = value.As<Row>();
      if (row == nullptr || row->elements.size() != keys_.size())
        return queries_.Error(value.span, "PIVOT_VALUE_DATA_TYPE_MISMATCH",
                              "the pivot value does not have one part per pivot column");
      parts.clear();
      for (const Expr& element : row->elements) parts.push_back(&element);
    }
    BoundPtr all;
    for (size_t i = 0; i < parts.size(); ++i) {
      SLUICE_ASSIGN_OR_RETURN(auto bound, binder->Bind(*parts[i]));
      if (!ReferencedColumns(*bound).empty())
        return queries_.Error(value.span, "NON_LITERAL_PIVOT_VALUES",
                              "literal expressions are required for pivot values");
      SLUICE_ASSIGN_OR_RETURN(auto text,
                              Evaluator::EvaluateConstant(MakeCast(bound, arrow::utf8()), 0));
      *name += i == 0 ? "" : ", ";
      *name += text->is_valid ? text->ToString() : "null";
      if (CommonType(bound->type, keys_[i]->type) == nullptr)
        return queries_.Error(
            value.span, "PIVOT_VALUE_DATA_TYPE_MISMATCH",
            fmt::format("the pivot column has the type \"{}\", the value \"{}\"",
                        SparkTypeSql(*keys_[i]->type), SparkTypeSql(*bound->type)));
      all = And(all, MakeCall("<=>", {keys_[i], MakeCast(bound, keys_[i]->type)}, arrow::boolean(),
                              false, value.span));
    }
    if (parts.size() > 1) *name = "{" + *name + "}";
    return all;
  }

  Status AddValue(ExpressionBinder* binder, const Pivot::Value& value) {
    std::string name;
    SLUICE_ASSIGN_OR_RETURN(auto matches, Matches(binder, *value.value, &name));
    if (value.alias.has_value()) name = value.alias->text;
    const int first = static_cast<int>(groups_.size() + calls_.size());
    for (AggregateCall call : collected_.aggregates) {
      call.filter = And(call.filter, matches);
      call.nullable = call.nullable || call.function != "count";
      if (call.function == "first" || call.function == "last") call.ignore_nulls = true;
      calls_.push_back(std::move(call));
    }
    AggregateCall rows;
    rows.function = "count";
    rows.filter = matches;
    rows.type = arrow::int64();
    rows.nullable = false;
    const int count = static_cast<int>(groups_.size() + calls_.size());
    calls_.push_back(std::move(rows));
    for (size_t i = 0; i < items_.size(); ++i) AddCell(i, first, count, name);
    return Status::OK();
  }

  void AddCell(size_t item, int first, int count, const std::string& value) {
    BoundPtr cell = Transform(items_[item], [&](const BoundPtr& node) -> BoundPtr {
      if (!node->IsColumn() || node->index < kAggregateBase) return nullptr;
      auto moved = std::make_shared<BoundExpression>(*node);
      moved->index = first + node->index - kAggregateBase;
      return moved;
    });
    if (looked_up_) {
      const auto rows = MakeColumn(count, *arrow::field("count", arrow::int64(), false), span_);
      const auto zero = MakeLiteral(arrow::MakeScalar(int64_t{0}));
      const auto some = MakeCall(">", {rows, zero}, arrow::boolean(), false, span_);
      cell = MakeCall("case", {some, cell}, cell->type, true, span_);
    }
    const std::string name = items_.size() == 1 ? value : value + "_" + names_[item];
    fields_.push_back(arrow::field(name, cell->type, true));
    columns_.push_back(std::move(cell));
  }

  Result<BoundRelation> Finish() {
    auto made = std::make_shared<AggregateNode>();
    made->is_streaming = input_.plan->is_streaming;
    arrow::FieldVector fields;
    for (const ScopeColumn& group : groups_) {
      made->groups.push_back(MakeColumn(group.index, *group.field, span_));
      fields.push_back(group.field);
    }
    for (const AggregateCall& call : calls_)
      fields.push_back(arrow::field(call.function, call.type, call.nullable));
    made->calls = calls_;
    made->schema = arrow::schema(std::move(fields));
    made->inputs = {std::move(input_.plan)};
    BoundRelation bound;
    bound.plan = MakeProject(std::move(made), std::move(columns_), fields_);
    bound.scope = Scope::Of(*bound.plan->schema, {});
    for (size_t i = 0; i < groups_.size(); ++i)
      bound.scope.columns[i].qualifier = groups_[i].qualifier;
    return bound;
  }

  QueryBinder& queries_;
  const Pivot& pivot_;
  BoundRelation input_;
  const Span span_;
  Collected collected_;
  std::vector<BoundPtr> items_;  // the aggregates, over collected_
  std::vector<std::string> names_;
  std::vector<BoundPtr> keys_;  // the columns of FOR
  std::vector<ScopeColumn> groups_;
  bool looked_up_ = true;
  std::vector<AggregateCall> calls_;
  std::vector<BoundPtr> columns_;  // of the result, over the aggregate
  arrow::FieldVector fields_;
};

}  // namespace

Result<BoundRelation> QueryBinder::BindPivot(const Pivot& pivot, Span span) {
  SLUICE_ASSIGN_OR_RETURN(auto input, BindRelation(*pivot.input));
  return PivotBinder(this, pivot, std::move(input), span).Bind();
}

namespace {

/// The columns that UNPIVOT turns into rows: [row][value].
using UnpivotRows = std::vector<std::vector<BoundPtr>>;

Result<UnpivotRows> BindUnpivotColumns(const QueryBinder& queries, ExpressionBinder* binder,
                                       const Unpivot& unpivot, std::vector<std::string>* names) {
  UnpivotRows rows;
  for (const Unpivot::Column& column : unpivot.columns) {
    rows.emplace_back();
    std::string name;
    for (const QualifiedName& part : column.columns) {
      Expr expr;
      expr.node = ColumnRef{part.parts};
      expr.span = part.span;
      SLUICE_ASSIGN_OR_RETURN(auto bound, binder->Bind(expr));
      if (!bound->IsColumn())
        return queries.Error(part.span, "UNPIVOT_REQUIRES_ATTRIBUTES",
                             "UNPIVOT requires all given columns to be columns of its input");
      name += (name.empty() ? "" : "_") + bound->name;
      rows.back().push_back(std::move(bound));
    }
    if (rows.back().size() != unpivot.values.size())
      return queries.Error(unpivot.name.span, "UNPIVOT_VALUE_SIZE_MISMATCH",
                           "all unpivot value columns must have the same size as there are value "
                           "column names");
    names->push_back(column.alias.has_value() ? column.alias->text : name);
  }
  for (size_t v = 0; v < unpivot.values.size(); ++v) {
    TypePtr common = rows[0][v]->type;
    for (const auto& row : rows) {
      const bool text =
          (common->id() == arrow::Type::STRING) != (row[v]->type->id() == arrow::Type::STRING);
      common = text ? nullptr : CommonType(common, row[v]->type);
      if (common == nullptr)
        return queries.Error(unpivot.values[v].span, "UNPIVOT_VALUE_DATA_TYPE_MISMATCH",
                             fmt::format("the values of the column `{}` have no common type",
                                         unpivot.values[v].text));
    }
    for (auto& row : rows) row[v] = MakeCast(row[v], common);
  }
  return rows;
}

Generator UnpivotGenerator(const Unpivot& unpivot, const UnpivotRows& rows,
                           const std::vector<std::string>& names, Span span) {
  Generator generator;
  generator.spread = true;
  generator.columns.push_back(arrow::field(unpivot.name.text, arrow::utf8(), false));
  for (size_t v = 0; v < unpivot.values.size(); ++v)
    generator.columns.push_back(arrow::field(unpivot.values[v].text, rows[0][v]->type));
  std::vector<BoundPtr> structs;
  const auto type = arrow::struct_(generator.columns);
  for (size_t r = 0; r < rows.size(); ++r) {
    std::vector<BoundPtr> values = {MakeLiteral(arrow::MakeScalar(names[r]))};
    values.insert(values.end(), rows[r].begin(), rows[r].end());
    structs.push_back(MakeCall("struct", std::move(values), type, false, span));
  }
  generator.list = MakeCall("array", std::move(structs), SparkArray(type), false, span);
  return generator;
}

}  // namespace

Result<BoundRelation> QueryBinder::BindUnpivot(const Unpivot& unpivot, Span span) {
  SLUICE_ASSIGN_OR_RETURN(auto input, BindRelation(*unpivot.input));
  ExpressionBinder binder(source_, options_, input.scope, nullptr);
  std::vector<std::string> names;
  SLUICE_ASSIGN_OR_RETURN(auto rows, BindUnpivotColumns(*this, &binder, unpivot, &names));
  std::vector<BoundPtr> turned;
  for (const auto& row : rows) turned.insert(turned.end(), row.begin(), row.end());
  const std::vector<int> used = ReferencedColumns(turned);
  const Generator generator = UnpivotGenerator(unpivot, rows, names, span);
  const int base = input.plan->schema->num_fields();
  std::vector<std::string> made_names;
  for (const auto& field : generator.columns) made_names.push_back(field->name());
  PlanPtr plan = MakeGenerate(std::move(input.plan), generator, made_names);
  if (!unpivot.include_nulls) {
    BoundPtr some;
    for (int i = base + 1; i < plan->schema->num_fields(); ++i) {
      auto present = MakeCall("isnotnull", {MakeColumn(i, *plan->schema->field(i))},
                              arrow::boolean(), false, span);
      some = some == nullptr ? present
                             : MakeCall("or", {some, present}, arrow::boolean(), false, span);
    }
    plan = MakeFilter(std::move(plan), std::move(some));
  }
  std::vector<BoundPtr> columns;
  arrow::FieldVector fields;
  std::vector<std::vector<std::string>> qualifiers;
  for (const ScopeColumn& column : input.scope.columns) {
    if (!column.in_star || std::binary_search(used.begin(), used.end(), column.index)) continue;
    columns.push_back(MakeColumn(column.index, *column.field, span));
    fields.push_back(column.field);
    qualifiers.push_back(column.qualifier);
  }
  for (int i = base; i < plan->schema->num_fields(); ++i) {
    columns.push_back(MakeColumn(i, *plan->schema->field(i), span));
    fields.push_back(plan->schema->field(i));
    qualifiers.emplace_back();
  }
  BoundRelation bound;
  bound.plan = MakeProject(std::move(plan), std::move(columns), std::move(fields));
  bound.scope = Scope::Of(*bound.plan->schema, {});
  for (size_t i = 0; i < qualifiers.size(); ++i) bound.scope.columns[i].qualifier = qualifiers[i];
  return bound;
}

}  // namespace sluice::sql
