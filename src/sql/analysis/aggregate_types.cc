// Result types and WITHIN GROUP of the less usual aggregates, of ExpressionBinder: statistics,
// percentiles, lists of text, bitmaps.
#include <fmt/format.h>

#include <set>

#include "sql/analysis/expression_binder_internal.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/evaluator.h"
#include "sql/parser/data_type_name.h"

namespace sluice::sql {
namespace {

bool IsPercentile(const std::string& function) { return function.starts_with("percentile"); }

std::string OrderLetters(const std::vector<SortKey>& keys) {
  std::string letters;  // a letter a key: a/d, in capitals when NULLs come first
  for (const SortKey& key : keys) {
    const char c = key.ascending ? 'a' : 'd';
    letters += key.nulls_first ? static_cast<char>(c - 32) : c;
  }
  return letters;
}

// mode(x, true): of the most frequent values the lowest, which is the order "ASC".
Status TypeTiesOfMode(const FunctionBinder& functions, AggregateCall* call) {
  auto& args = call->args;
  if (args.size() != 2) return Status::OK();
  if (args[1]->type->id() != arrow::Type::BOOL)
    return functions.WrongType(call->function, 2, "BOOLEAN", args[1]);
  if (!args[1]->IsLiteral() || args[1]->IsNullLiteral())
    return functions.Unsupported(call->span, "mode with a second argument that is not constant");
  const bool lowest = static_cast<const arrow::BooleanScalar&>(*args[1]->literal).value;
  args.resize(1);
  if (lowest) args.push_back(MakeLiteral(arrow::MakeScalar("ASC")));
  return Status::OK();
}

}  // namespace

bool IsOrderedAggregate(const std::string& function) {
  static const std::set<std::string> ordered = {"listagg", "percentile_cont", "percentile_disc",
                                                "mode"};
  return ordered.contains(function);
}

// listagg(value[, delimiter]) -> value, delimiter, keys ..., their order.
Status ExpressionBinder::ReadWithinGroup(AggregateCall* call, std::vector<SortKey> keys) {
  const std::string& f = call->function;
  auto& args = call->args;
  if (f == "listagg") {
    if (args.empty() || args.size() > 2)
      return functions_.CheckCount(f, args.size(), 1, 2, call->span);
    if (args.size() == 1) args.push_back(MakeLiteral(arrow::MakeScalar("")));
    if (args[1]->IsNullLiteral()) args[1] = MakeLiteral(arrow::MakeScalar(""));
    std::string order = OrderLetters(keys);
    if (call->distinct) {
      const bool by_itself =
          keys.empty() || (keys.size() == 1 && Equals(*keys[0].expression, *args[0]));
      if (!by_itself)
        return functions_.Unsupported(call->span, "listagg(DISTINCT ..) ordered by something else");
      order += '!';
      call->distinct = false;
    }
    for (SortKey& key : keys) args.push_back(std::move(key.expression));
    args.push_back(MakeLiteral(arrow::MakeScalar(order)));
    return Status::OK();
  }
  if (keys.empty()) {
    if (f == "mode" && !args.empty()) return TypeTiesOfMode(functions_, call);
    return functions_.Error(call->span,
                            "INVALID_INVERSE_DISTRIBUTION_FUNCTION.WITHIN_GROUP_MISSING",
                            f + " needs WITHIN GROUP (ORDER BY ..)");
  }
  if (keys.size() != 1)
    return functions_.Error(call->span, "INVALID_INVERSE_DISTRIBUTION_FUNCTION.WRONG_NUM_ORDERINGS",
                            f + " needs one ordering");
  if (f == "mode") {
    args.insert(args.begin(), keys[0].expression);
    args.push_back(MakeLiteral(arrow::MakeScalar(keys[0].ascending ? "ASC" : "DESC")));
    return Status::OK();
  }
  args.insert(args.begin(), keys[0].expression);
  args.push_back(MakeLiteral(arrow::MakeScalar(!keys[0].ascending)));
  return Status::OK();
}

// The percentage (or the array of them) as DOUBLE constants within [0, 1].
Status ExpressionBinder::ConstantPercentages(AggregateCall* call, size_t index) {
  BoundPtr& arg = call->args[index];
  const bool many = arg->type->id() == arrow::Type::LIST;
  if (!ReferencedColumns(*arg).empty())
    return functions_.Error(arg->span, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                            "the percentage of " + call->function + " must be constant");
  const TypePtr type = many ? SparkArray(arrow::float64()) : arrow::float64();
  SLUICE_ASSIGN_OR_RETURN(auto value, Evaluator::EvaluateConstant(MakeCast(arg, type), 0));
  auto in_range = [](const arrow::Array& values) {
    const auto& numbers = static_cast<const arrow::DoubleArray&>(values);
    for (int64_t i = 0; i < numbers.length(); ++i) {
      if (numbers.IsNull(i) || !(numbers.Value(i) >= 0 && numbers.Value(i) <= 1)) return false;
    }
    return true;
  };
  bool good = value->is_valid;
  if (good && many) {
    good = in_range(*static_cast<const arrow::ListScalar&>(*value).value);
  } else if (good) {
    const double number = static_cast<const arrow::DoubleScalar&>(*value).value;
    good = number >= 0 && number <= 1;
  }
  if (!good)
    return functions_.Error(arg->span, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                            "the percentage must be between [0.0, 1.0]");
  arg = MakeLiteral(value, arg->span);
  return Status::OK();
}

Status ExpressionBinder::TypePercentile(AggregateCall* call, const std::string& written) {
  auto& args = call->args;
  const bool within = call->function != "percentile";
  SLUICE_RETURN_NOT_OK(functions_.CheckCount(written, args.size(), within ? 3 : 2, 3, call->span));
  const auto id = args[0]->type->id();
  if (id == arrow::Type::STRING || id == arrow::Type::NA)
    args[0] = MakeCast(args[0], arrow::float64());
  if (id == arrow::Type::DURATION || id == arrow::Type::INTERVAL_MONTHS)
    return functions_.Unsupported(call->span, written + " of intervals");
  if (!IsNumeric(*args[0]->type)) return functions_.WrongType(written, 1, "NUMERIC", args[0]);
  args[0] = MakeCast(args[0], arrow::float64());
  SLUICE_RETURN_NOT_OK(ConstantPercentages(call, 1));
  if (!within && args.size() == 3) {
    SLUICE_ASSIGN_OR_RETURN(args[2], functions_.Coerce(args[2], arrow::int64(), written, 3));
  }
  const bool many = args[1]->type->id() == arrow::Type::LIST;
  call->type = many ? SparkArray(args[0]->type) : args[0]->type;
  return Status::OK();
}

Status ExpressionBinder::TypeListAgg(AggregateCall* call, const std::string& written) {
  auto& args = call->args;
  const bool binary = args[0]->type->id() == arrow::Type::BINARY;
  TypePtr type = binary ? arrow::binary() : arrow::utf8();
  if (!args[1]->IsLiteral())
    return functions_.Error(args[1]->span, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                            "the delimiter of " + written + " must be constant");
  for (size_t i = 0; i < 2; ++i) {
    SLUICE_ASSIGN_OR_RETURN(args[i],
                            functions_.Coerce(args[i], type, written, static_cast<int>(i) + 1));
  }
  for (size_t i = 2; i + 1 < args.size(); ++i) {
    if (!IsOrderable(*args[i]->type))
      return functions_.Error(args[i]->span, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                              "the order of " + written + " must be of a type with an order");
  }
  call->type = std::move(type);
  return Status::OK();
}

// regr_*, kurtosis, skewness: over DOUBLEs.
Status ExpressionBinder::TypeStatistics(AggregateCall* call, const std::string& written) {
  auto& args = call->args;
  const size_t count = call->function.starts_with("regr_") ? 2 : 1;
  SLUICE_RETURN_NOT_OK(functions_.CheckCount(written, args.size(), count, count, call->span));
  for (size_t i = 0; i < count; ++i) {
    if (IsDecimal(*args[i]->type)) args[i] = MakeCast(args[i], arrow::float64());
    SLUICE_ASSIGN_OR_RETURN(
        args[i], functions_.Coerce(args[i], arrow::float64(), written, static_cast<int>(i) + 1));
  }
  call->type = call->function == "regr_count" ? arrow::int64() : arrow::float64();
  call->nullable = call->function != "regr_count";
  return Status::OK();
}

// max_by(x, y, n), min_by: the n best, best first.
Status ExpressionBinder::TypeBestOf(AggregateCall* call, const std::string& written) {
  auto& args = call->args;
  if (!IsOrderable(*args[1]->type))
    return functions_.Error(args[1]->span, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                            "the order of " + written + " must be of a type with an order");
  if (!args[2]->IsLiteral() || !args[2]->literal->is_valid || !IsIntegral(*args[2]->type))
    return functions_.Error(args[2]->span, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                            "the count of " + written + " must be a constant integer");
  args[2] = MakeCast(args[2], arrow::int64());
  const int64_t count = static_cast<const arrow::Int64Scalar&>(*args[2]->literal).value;
  if (count < 1 || count > 100'000)
    return functions_.Error(args[2]->span, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                            "the count of " + written + " must be between [1, 100000]");
  call->type = SparkArray(args[0]->type);
  return Status::OK();
}

Result<bool> ExpressionBinder::TypeLessUsual(AggregateCall* call, const std::string& written) {
  const std::string& f = call->function;
  auto& args = call->args;
  call->nullable = true;
  if (f == "try_avg" && !args.empty() && IsDecimal(*args[0]->type))
    return functions_.Unsupported(call->span, "try_avg of decimals");
  if (f.starts_with("regr_") || f == "kurtosis" || f == "skewness") {
    SLUICE_RETURN_NOT_OK(TypeStatistics(call, written));
  } else if (IsPercentile(f) && f != "percentile_approx") {
    SLUICE_RETURN_NOT_OK(TypePercentile(call, written));
  } else if (f == "percentile_approx" && args.size() > 1 &&
             args[1]->type->id() == arrow::Type::LIST) {
    SLUICE_RETURN_NOT_OK(functions_.CheckCount(written, args.size(), 2, 3, call->span));
    if (!IsNumeric(*args[0]->type)) return functions_.WrongType(written, 1, "NUMERIC", args[0]);
    SLUICE_RETURN_NOT_OK(ConstantPercentages(call, 1));
    call->type = SparkArray(args[0]->type);
  } else if (f == "listagg") {
    SLUICE_RETURN_NOT_OK(TypeListAgg(call, written));
  } else if ((f == "max_by" || f == "min_by") && args.size() == 3) {
    SLUICE_RETURN_NOT_OK(TypeBestOf(call, written));
  } else if (f == "mode") {
    SLUICE_RETURN_NOT_OK(functions_.CheckCount(written, args.size(), 1, 2, call->span));
    if (args[0]->type->num_fields() > 0)
      return functions_.Unsupported(call->span, "mode of nested values");
    call->type = args[0]->type;
  } else if (f == "bitmap_construct_agg") {
    SLUICE_RETURN_NOT_OK(functions_.CheckCount(written, args.size(), 1, 1, call->span));
    SLUICE_ASSIGN_OR_RETURN(args[0], functions_.Coerce(args[0], arrow::int64(), written, 1));
    call->type = arrow::binary();
    call->nullable = false;
  } else if (f == "bitmap_or_agg" || f == "bitmap_and_agg") {
    SLUICE_RETURN_NOT_OK(functions_.CheckCount(written, args.size(), 1, 1, call->span));
    if (args[0]->type->id() != arrow::Type::BINARY)
      return functions_.WrongType(written, 1, "BINARY", args[0]);
    call->type = arrow::binary();
    call->nullable = false;
  } else {
    return false;
  }
  if (call->distinct && f != "listagg")
    return functions_.Unsupported(call->span, "DISTINCT in " + written);
  return true;
}

}  // namespace sluice::sql
