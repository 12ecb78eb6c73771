#include "sql/analysis/query_binder.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/negative_zero.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/evaluator.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {

std::shared_ptr<arrow::Field> FieldFor(const std::string& name, const BoundExpression& expression) {
  return arrow::field(name, expression.type, expression.nullable);
}

PlanPtr MakeProject(PlanPtr input, std::vector<BoundPtr> expressions, arrow::FieldVector fields) {
  auto made = std::make_shared<ProjectNode>();
  made->schema = arrow::schema(std::move(fields));
  made->is_streaming = input->is_streaming;
  made->inputs = {std::move(input)};
  made->expressions = std::move(expressions);
  return made;
}

PlanPtr MakeFilter(PlanPtr input, BoundPtr condition) {
  auto made = std::make_shared<FilterNode>();
  made->schema = input->schema;
  made->is_streaming = input->is_streaming;
  made->inputs = {std::move(input)};
  made->condition = std::move(condition);
  return made;
}

PlanPtr MakeSort(PlanPtr input, std::vector<SortKey> keys) {
  auto made = std::make_shared<SortNode>();
  made->schema = input->schema;
  made->is_streaming = input->is_streaming;
  made->inputs = {std::move(input)};
  made->keys = std::move(keys);
  return made;
}

Status QueryBinder::Error(Span span, std::string_view error_class,
                          const std::string& message) const {
  return AnalysisError(source_, span, error_class, message);
}

Status QueryBinder::Unsupported(Span span, const std::string& what) const {
  return NotSupportedYet(source_, span, what);
}

Status QueryBinder::CheckOrdered(const BoundExpression& key, Span span) const {
  if (!IsOrderable(*key.type))
    return Error(span, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                 fmt::format("cannot order by {}: the type \"{}\" has no order", ToString(key),
                             SparkTypeSql(*key.type)));
  return Status::OK();
}

Result<int64_t> QueryBinder::RowCountOf(const Expr& expr) {
  const Scope empty;
  ExpressionBinder binder(source_, options_, empty, nullptr);
  const auto fail = [&](const char* subclass, const std::string& message) {
    return Error(expr.span, fmt::format("INVALID_LIMIT_LIKE_EXPRESSION.{}", subclass),
                 "the limit like expression " + message);
  };
  auto bound = binder.Bind(expr);
  if (!bound.ok()) return fail("IS_UNFOLDABLE", "must evaluate to a constant value");
  if (!IsIntegral(*(*bound)->type) || (*bound)->type->id() == arrow::Type::INT64)
    return fail("DATA_TYPE", "must be integer type, but got " + SparkTypeSql(*(*bound)->type));
  SLUICE_ASSIGN_OR_RETURN(auto value, Evaluator::EvaluateConstant(*bound, 0));
  if (!value->is_valid) return fail("IS_NULL", "must not be NULL");
  SLUICE_ASSIGN_OR_RETURN(auto wide, value->CastTo(arrow::int64()));
  const int64_t count = static_cast<const arrow::Int64Scalar&>(*wide).value;
  if (count < 0) return fail("IS_NEGATIVE", "must be equal to or greater than 0");
  return count;
}

PlanPtr MakeLimit(PlanPtr input, int64_t limit, int64_t offset) {
  auto made = std::make_shared<LimitNode>();
  made->limit = limit;
  made->offset = offset;
  made->schema = input->schema;
  made->is_streaming = input->is_streaming;
  made->inputs = {std::move(input)};
  return made;
}

Result<PlanPtr> QueryBinder::AddLimit(const Query& query, PlanPtr plan) {
  if (!query.limit && !query.offset) return plan;
  int64_t limit = -1;
  int64_t offset = 0;
  if (query.limit) {
    SLUICE_ASSIGN_OR_RETURN(limit, RowCountOf(*query.limit));
  }
  if (query.offset) {
    SLUICE_ASSIGN_OR_RETURN(offset, RowCountOf(*query.offset));
  }
  return MakeLimit(std::move(plan), limit, offset);
}

Result<PlanPtr> QueryBinder::BindSubquery(const Query& query, const Scope& outer) {
  const Scope* around = outer_;
  outer_ = &outer;
  auto plan = BindQuery(query);
  outer_ = around;
  return plan;
}

Result<PlanPtr> QueryBinder::BindQuery(const Query& query) {
  if (++depth_ > 100) return Unsupported(query.span, "queries nested deeper than 100");
  common_tables_.emplace_back();
  for (const CommonTable& table : query.with) {
    const std::string name = LowerAscii(table.name.text);
    if (common_tables_.back().contains(name))
      return Error(table.name.span, "DUPLICATED_CTE_NAMES",
                   fmt::format("CTE definition can't have duplicate names: `{}`", name));
    if (query.recursive) {
      SLUICE_RETURN_NOT_OK(BindRecursive(table));
    } else {
      SLUICE_ASSIGN_OR_RETURN(auto plan, BindQuery(*table.query));
      SLUICE_ASSIGN_OR_RETURN(common_tables_.back()[name], NameColumns(table, std::move(plan)));
    }
    const PlanPtr& made = common_tables_.back()[name];
    if (HasOuter(*made)) common_outer_[made.get()] = outer_;
  }
  auto plan = BindBody(query);
  common_tables_.pop_back();
  --depth_;
  return plan;
}

namespace {

// There is one partition: SORT BY and CLUSTER BY order all rows, DISTRIBUTE BY has nothing to do.
std::vector<OrderItem> OrderOf(const Query& query) {
  if (!query.order_by.empty()) return query.order_by;
  std::vector<OrderItem> items = query.sort_by;
  for (const Expr& expr : query.cluster_by) {
    items.emplace_back();
    items.back().expr = expr;
    items.back().span = expr.span;
  }
  return items;
}

}  // namespace

Result<PlanPtr> QueryBinder::BindBody(const Query& query) {
  if (auto* select = query.As<Select>()) {
    if (!query.distribute_by.empty()) {  // decides nothing here, but must be right
      std::vector<OrderItem> distributed;
      for (const Expr& expr : query.distribute_by) {
        distributed.emplace_back();
        distributed.back().expr = expr;
        distributed.back().span = expr.span;
      }
      SLUICE_RETURN_NOT_OK(BindSelect(this, *select, distributed, query.span).status());
    }
    SLUICE_ASSIGN_OR_RETURN(auto plan, BindSelect(this, *select, OrderOf(query), query.span));
    return AddLimit(query, std::move(plan));
  }
  PlanPtr plan;
  if (auto* values = query.As<Values>()) {
    SLUICE_ASSIGN_OR_RETURN(plan, BindValues(*values, query.span));
  } else if (auto* operation = query.As<SetOperation>()) {
    SLUICE_ASSIGN_OR_RETURN(plan, BindSetOperation(*operation, query.span));
  } else if (auto* nested = query.As<NestedQuery>()) {
    SLUICE_ASSIGN_OR_RETURN(plan, BindQuery(*nested->query));
  } else if (auto* table = query.As<TableQuery>()) {
    TableRef reference;
    reference.name = table->name;
    SLUICE_ASSIGN_OR_RETURN(auto bound, BindTable(reference, query.span));
    plan = bound.plan;
  } else {
    return Unsupported(query.span, "pipe syntax (|>)");
  }
  const std::vector<OrderItem> order_by = OrderOf(query);
  if (!order_by.empty()) {
    const Scope scope = Scope::Of(*plan->schema, {});
    ExpressionBinder binder(source_, options_, scope, nullptr);
    std::vector<SortKey> keys;
    for (const OrderItem& item : order_by) {
      SortKey key;
      const auto* ordinal = item.expr->As<Literal>();
      if (ordinal != nullptr && ordinal->kind == LiteralKind::kInteger) {
        if (ordinal->integer < 1 || ordinal->integer > plan->schema->num_fields()) {
          return Error(
              item.span, "ORDER_BY_POS_OUT_OF_RANGE",
              fmt::format("ORDER BY position {} is not in the select list", ordinal->integer));
        }
        const int index = static_cast<int>(ordinal->integer) - 1;
        key.expression = MakeColumn(index, *plan->schema->field(index), item.span);
      } else {
        SLUICE_ASSIGN_OR_RETURN(key.expression, binder.Bind(*item.expr));
      }
      SLUICE_RETURN_NOT_OK(CheckOrdered(*key.expression, item.span));
      key.ascending = !item.descending;
      key.nulls_first = item.nulls == OrderItem::Nulls::kDefault
                            ? key.ascending
                            : item.nulls == OrderItem::Nulls::kFirst;
      keys.push_back(std::move(key));
    }
    plan = MakeSort(std::move(plan), std::move(keys));
  }
  return AddLimit(query, std::move(plan));
}

Result<PlanPtr> QueryBinder::BindValues(const Values& values, Span span) {
  auto made = std::make_shared<ValuesNode>();
  const Scope empty;
  ExpressionBinder binder(source_, options_, empty, nullptr);
  binder.SetOuter(outer_);
  for (const auto& row : values.rows) {
    std::vector<BoundPtr> bound;
    for (const Expr& expr : row) {
      SLUICE_ASSIGN_OR_RETURN(auto value, binder.Bind(expr));
      if (HasOuter(*value))
        return Error(expr.span, "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE",
                     fmt::format("cannot evaluate {} in an inline table", ToString(*value)));
      bound.push_back(std::move(value));
    }
    if (!made->rows.empty() && bound.size() != made->rows[0].size()) {
      return Error(span, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH",
                   "inline table rows have different numbers of columns");
    }
    made->rows.push_back(std::move(bound));
  }
  arrow::FieldVector fields;
  for (size_t c = 0; !made->rows.empty() && c < made->rows[0].size(); ++c) {
    TypePtr common = arrow::null();
    bool nullable = false;
    for (const auto& row : made->rows) {
      // A string is not taken for anything else here.
      const bool mixed =
          common != nullptr && common->id() != arrow::Type::NA &&
          row[c]->type->id() != arrow::Type::NA &&
          (common->id() == arrow::Type::STRING) != (row[c]->type->id() == arrow::Type::STRING);
      common = common == nullptr || mixed ? nullptr : CommonType(common, row[c]->type);
      nullable |= row[c]->nullable;
    }
    if (common == nullptr) {
      return Error(
          span, "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE",
          fmt::format("found incompatible types in the column `col{}` of the inline table", c + 1));
    }
    for (auto& row : made->rows) row[c] = MakeCast(row[c], common);
    fields.push_back(arrow::field(fmt::format("col{}", c + 1), common, nullable));
  }
  made->schema = arrow::schema(std::move(fields));
  return made;
}

Result<std::pair<PlanPtr, PlanPtr>> QueryBinder::UnifyColumns(PlanPtr left, PlanPtr right,
                                                              Span span) {
  const int count = left->schema->num_fields();
  if (count != right->schema->num_fields()) {
    return Error(span, "NUM_COLUMNS_MISMATCH",
                 fmt::format("set operations can only be performed on inputs with the same number "
                             "of columns, but the first "
                             "has {} columns and the second has {} columns",
                             count, right->schema->num_fields()));
  }
  arrow::FieldVector fields;
  std::vector<BoundPtr> left_columns;
  std::vector<BoundPtr> right_columns;
  bool change_left = false;
  bool change_right = false;
  for (int i = 0; i < count; ++i) {
    const auto& a = left->schema->field(i);
    const auto& b = right->schema->field(i);
    TypePtr common = CommonType(a->type(), b->type());
    if (common == nullptr) {
      return Error(span, "INCOMPATIBLE_COLUMN_TYPE",
                   fmt::format("column {} has the incompatible types \"{}\" and \"{}\"", i + 1,
                               SparkTypeSql(*a->type()), SparkTypeSql(*b->type())));
    }
    change_left |= !common->Equals(*a->type());
    change_right |= !common->Equals(*b->type());
    left_columns.push_back(MakeCast(MakeColumn(i, *a), common));
    right_columns.push_back(MakeCast(MakeColumn(i, *b), common));
    fields.push_back(arrow::field(a->name(), common, a->nullable() || b->nullable()));
  }
  if (change_left) left = MakeProject(left, std::move(left_columns), fields);
  if (change_right) right = MakeProject(right, std::move(right_columns), fields);
  return std::make_pair(std::move(left), std::move(right));
}

namespace {

// Rows that are told apart know no -0.0.
PlanPtr WithoutNegativeZeros(PlanPtr side) {
  std::vector<BoundPtr> columns;
  bool changed = false;
  for (int i = 0; i < side->schema->num_fields(); ++i) {
    const BoundPtr column = MakeColumn(i, *side->schema->field(i));
    columns.push_back(WithoutNegativeZero(column));
    changed |= columns.back() != column;
  }
  if (!changed) return side;
  arrow::FieldVector fields = side->schema->fields();
  return MakeProject(std::move(side), std::move(columns), std::move(fields));
}

}  // namespace

Result<PlanPtr> QueryBinder::BindSetOperation(const SetOperation& operation, Span span) {
  SLUICE_ASSIGN_OR_RETURN(auto left, BindQuery(*operation.left));
  SLUICE_ASSIGN_OR_RETURN(auto right, BindQuery(*operation.right));
  if (operation.by_name) {
    std::vector<BoundPtr> columns;
    arrow::FieldVector fields;
    for (const auto& field : left->schema->fields()) {
      int found = -1;
      for (int i = 0; i < right->schema->num_fields(); ++i) {
        if (LowerAscii(right->schema->field(i)->name()) == LowerAscii(field->name())) found = i;
      }
      if (found < 0 || left->schema->num_fields() != right->schema->num_fields()) {
        return Error(
            span, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
            fmt::format("UNION BY NAME: the other side has no column `{}`, or has more columns",
                        field->name()));
      }
      columns.push_back(MakeColumn(found, *right->schema->field(found)));
      fields.push_back(right->schema->field(found));
    }
    right = MakeProject(right, std::move(columns), std::move(fields));
  }
  for (const auto& field : left->schema->fields()) {
    if (field->type()->id() == arrow::Type::MAP &&
        (operation.op != SetOperator::kUnion || !operation.all))
      return Error(span, "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE",
                   fmt::format("cannot have MAP type columns in DataFrame which calls set "
                               "operations, but the type of column `{}` is \"{}\"",
                               field->name(), SparkTypeSql(*field->type())));
  }
  SLUICE_ASSIGN_OR_RETURN(auto sides, UnifyColumns(std::move(left), std::move(right), span));
  auto made = std::make_shared<SetOpNode>();
  made->op = operation.op == SetOperator::kUnion       ? SetOpKind::kUnion
             : operation.op == SetOperator::kIntersect ? SetOpKind::kIntersect
                                                       : SetOpKind::kExcept;
  made->all = operation.all;
  arrow::FieldVector fields;
  for (int i = 0; i < sides.first->schema->num_fields(); ++i) {
    const auto& field = sides.first->schema->field(i);
    fields.push_back(
        field->WithNullable(field->nullable() || sides.second->schema->field(i)->nullable()));
  }
  made->schema = arrow::schema(std::move(fields));
  made->is_streaming = sides.first->is_streaming || sides.second->is_streaming;
  if (operation.op != SetOperator::kUnion || !operation.all) {
    sides.first = WithoutNegativeZeros(std::move(sides.first));
    sides.second = WithoutNegativeZeros(std::move(sides.second));
  }
  made->inputs = {sides.first, sides.second};
  return made;
}

}  // namespace sluice::sql
