// Aggregate and window functions of ExpressionBinder.
#include <fmt/format.h>

#include "sql/analysis/aggregate_names.h"
#include "sql/analysis/expression_binder_internal.h"
#include "sql/analysis/negative_zero.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/evaluator.h"
#include "sql/functions/interval_binder.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"
#include "sql/print/print.h"

namespace sluice::sql {
namespace {

bool SameArgs(const std::vector<BoundPtr>& left, const std::vector<BoundPtr>& right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (!Equals(*left[i], *right[i])) return false;
  }
  return true;
}

bool SameFilter(const BoundPtr& left, const BoundPtr& right) {
  return left == nullptr || right == nullptr ? left == right : Equals(*left, *right);
}

/// min and max of nested values: those with the least and the greatest key.
Status ExtremeByKey(const FunctionBinder& functions, const std::string& written,
                    AggregateCall* call) {
  const BoundPtr value = call->args[0];
  if (!IsOrderable(*call->type))
    return functions.WrongType(written, 1, "a type with an order", value);
  call->args.push_back(MakeCall("sort_key", {value}, arrow::binary(), value->nullable));
  call->function += "_by";
  return Status::OK();
}

/// max_by and min_by: keys of nested type are compared by their bytes in Spark's order.
Status TypeByKey(const FunctionBinder& functions, const std::string& written, AggregateCall* call) {
  BoundPtr& key = call->args[1];
  if (!IsOrderable(*key->type)) return functions.WrongType(written, 2, "a type with an order", key);
  if (key->type->num_fields() > 0)
    key = MakeCall("sort_key", {key}, arrow::binary(), key->nullable);
  call->type = call->args[0]->type;
  return Status::OK();
}

}  // namespace

int Collected::Add(AggregateCall call) {
  for (size_t i = 0; i < aggregates.size(); ++i) {
    const AggregateCall& known = aggregates[i];
    if (known.function == call.function && known.distinct == call.distinct &&
        known.ignore_nulls == call.ignore_nulls && SameArgs(known.args, call.args) &&
        SameFilter(known.filter, call.filter)) {
      return static_cast<int>(i);
    }
  }
  aggregates.push_back(std::move(call));
  return static_cast<int>(aggregates.size()) - 1;
}

Status ExpressionBinder::TypeAggregate(AggregateCall* call, const std::string& written) {
  const std::string& f = call->function;
  auto& args = call->args;
  const bool two = f == "max_by" || f == "min_by" || f == "corr" || f.starts_with("covar");
  const size_t least = f == "count" ? 0 : two || f == "percentile_approx" ? 2 : 1;
  const size_t most = f == "count"                         ? 64
                      : f == "percentile_approx"           ? 3
                      : two || f == "first" || f == "last" ? 2
                      : f == "approx_count_distinct"       ? 2
                                                           : 1;
  SLUICE_ASSIGN_OR_RETURN(const bool typed, TypeLessUsual(call, written));
  if (typed) return Status::OK();
  for (const BoundPtr& arg : args) {
    if (IsInterval(*arg->type) && f != "count")
      return functions_.Unsupported(call->span, f + " of intervals");
  }
  if (args.size() < least || args.size() > most) {
    return functions_.Error(
        call->span, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        fmt::format("the `{}` requires {} parameters but the actual number is {}", written, least,
                    args.size()));
  }
  call->nullable = true;
  auto as_double = [&](size_t i) -> Status {
    if (IsDecimal(*args[i]->type)) args[i] = MakeCast(args[i], arrow::float64());
    SLUICE_ASSIGN_OR_RETURN(
        args[i], functions_.Coerce(args[i], arrow::float64(), written, static_cast<int>(i) + 1));
    return Status::OK();
  };
  if (f == "count" || f == "approx_count_distinct" || f == "count_if") {
    if (f == "count_if") {
      SLUICE_ASSIGN_OR_RETURN(args[0], functions_.Coerce(args[0], arrow::boolean(), written, 1));
    }
    if (f == "approx_count_distinct") args.resize(1);
    call->type = arrow::int64();
    call->nullable = false;
  } else if (f == "sum" || f == "avg" || f.starts_with("try_")) {
    if (args[0]->type->id() == arrow::Type::STRING || args[0]->type->id() == arrow::Type::NA)
      SLUICE_RETURN_NOT_OK(as_double(0));
    if (!IsNumeric(*args[0]->type))
      return functions_.Coerce(args[0], arrow::float64(), written, 1).status();
    if (IsDecimal(*args[0]->type)) {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(*args[0]->type);
      call->type = f.ends_with("sum")
                       ? BoundedDecimal(decimal.precision() + 10, decimal.scale())
                       : BoundedDecimal(decimal.precision() + 4, decimal.scale() + 4);
    } else {
      call->type =
          f.ends_with("sum") && IsIntegral(*args[0]->type) ? arrow::int64() : arrow::float64();
    }
  } else if (f == "min" || f == "max" || f == "first" || f == "last") {
    call->type = args[0]->type;
    if (args.size() == 2) {
      if (!args[1]->IsLiteral() || args[1]->type->id() != arrow::Type::BOOL) {
        return functions_.Error(
            args[1]->span, "NON_FOLDABLE_ARGUMENT",
            fmt::format("the function `{}` requires a foldable BOOLEAN", written));
      }
      call->ignore_nulls = static_cast<const arrow::BooleanScalar&>(*args[1]->literal).value;
      args.resize(1);
    }
    if (call->type->num_fields() > 0 && (f == "min" || f == "max"))
      SLUICE_RETURN_NOT_OK(ExtremeByKey(functions_, written, call));
  } else if (f == "percentile_approx") {
    if (!IsNumeric(*args[0]->type))
      return functions_.Unsupported(call->span, written + " of " + SparkTypeName(*args[0]->type));
    for (size_t i = 1; i < args.size(); ++i) {
      if (!args[i]->IsLiteral() || !args[i]->literal->is_valid) {
        return functions_.Error(
            args[i]->span, "NON_FOLDABLE_ARGUMENT",
            fmt::format("the function `{}` requires a foldable percentage and accuracy", written));
      }
    }
    SLUICE_ASSIGN_OR_RETURN(auto percentage,
                            Evaluator::EvaluateConstant(MakeCast(args[1], arrow::float64()), 0));
    const double value = static_cast<const arrow::DoubleScalar&>(*percentage).value;
    if (!(value >= 0 && value <= 1)) {
      return functions_.Error(args[1]->span, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                              "the percentage must be between [0.0, 1.0]");
    }
    args[1] = MakeLiteral(percentage, args[1]->span);
    call->type = args[0]->type;
  } else if (f == "collect_list" || f == "collect_set") {
    if (f == "collect_set" && IsFloating(*args[0]->type)) args[0] = WithoutNegativeZero(args[0]);
    call->type = SparkArray(args[0]->type);
    call->nullable = false;
  } else if (f == "bool_and" || f == "bool_or") {
    SLUICE_ASSIGN_OR_RETURN(args[0], functions_.Coerce(args[0], arrow::boolean(), written, 1));
    call->type = arrow::boolean();
  } else if (f == "max_by" || f == "min_by") {
    SLUICE_RETURN_NOT_OK(TypeByKey(functions_, written, call));
  } else if (f.starts_with("bit_")) {
    if (!IsIntegral(*args[0]->type))
      return functions_.Coerce(args[0], arrow::int64(), written, 1).status();
    call->type = args[0]->type;
  } else {
    for (size_t i = 0; i < args.size(); ++i) SLUICE_RETURN_NOT_OK(as_double(i));
    call->type = arrow::float64();
  }
  return Status::OK();
}

Result<AggregateCall> ExpressionBinder::MakeAggregate(const std::string& name,
                                                      const FunctionCall& call, const Expr& expr) {
  AggregateCall made;
  made.function = CanonicalAggregate(name);
  made.distinct = call.distinct;
  made.ignore_nulls = call.ignore_nulls || name == "any_value";
  if (name == "any_value") made.ignore_nulls = call.ignore_nulls;
  made.span = expr.span;
  const bool ordered = IsOrderedAggregate(made.function);
  if (!call.order_by.empty() || (!call.within_group.empty() && !ordered)) {
    return NotSupportedYet(source_, expr.span, "ORDER BY in aggregate " + name);
  }
  for (const Argument& argument : call.arguments) {
    if (argument.value->As<Star>() != nullptr) {
      if (made.function != "count" || call.arguments.size() != 1 || call.distinct) {
        return NotSupportedYet(source_, expr.span, "* in aggregate " + name);
      }
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(auto bound, Bind(*argument.value));
    made.args.push_back(std::move(bound));
  }
  if (made.function == "count" && call.arguments.empty()) {
    return AnalysisError(source_, expr.span, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                         "the `count` requires > 0 parameters");
  }
  if (ordered) {
    SLUICE_ASSIGN_OR_RETURN(auto keys, BindOrder(call.within_group));
    SLUICE_RETURN_NOT_OK(ReadWithinGroup(&made, std::move(keys)));
  }
  SLUICE_RETURN_NOT_OK(TypeAggregate(&made, name));
  // count(literal) counts rows, as count(*).
  if (made.function == "count" && made.args.size() == 1 && made.args[0]->IsLiteral() &&
      !made.distinct && !made.args[0]->IsNullLiteral()) {
    made.args.clear();
  }
  if (call.filter) {
    SLUICE_ASSIGN_OR_RETURN(made.filter, Bind(*call.filter));
    SLUICE_ASSIGN_OR_RETURN(made.filter,
                            functions_.Coerce(made.filter, arrow::boolean(), "FILTER", 1));
  }
  return made;
}

Result<BoundPtr> ExpressionBinder::BindAggregate(const std::string& name, const FunctionCall& call,
                                                 const Expr& expr) {
  if (collected_ == nullptr) {
    return AnalysisError(source_, expr.span, "INVALID_WHERE_CONDITION",
                         fmt::format("aggregate function {} is not allowed here", name));
  }
  if (inside_aggregate_) {
    return AnalysisError(source_, expr.span, "NESTED_AGGREGATE_FUNCTION",
                         "it is not allowed to use an aggregate function in the argument of "
                         "another aggregate function");
  }
  inside_aggregate_ = true;
  auto made = MakeAggregate(name, call, expr);
  inside_aggregate_ = false;
  SLUICE_RETURN_NOT_OK(made.status());
  const arrow::Field field(ColumnName(expr), made->type, made->nullable);
  const int index = collected_->Add(std::move(made).ValueUnsafe());
  return MakeColumn(kAggregateBase + index, field, expr.span);
}

Result<std::vector<SortKey>> ExpressionBinder::BindOrder(const std::vector<OrderItem>& items) {
  std::vector<SortKey> keys;
  for (const OrderItem& item : items) {
    SortKey key;
    SLUICE_ASSIGN_OR_RETURN(key.expression, Bind(*item.expr));
    key.ascending = !item.descending;
    key.nulls_first = item.nulls == OrderItem::Nulls::kDefault
                          ? key.ascending
                          : item.nulls == OrderItem::Nulls::kFirst;
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace sluice::sql
