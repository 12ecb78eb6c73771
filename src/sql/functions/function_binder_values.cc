// Functions of FunctionBinder with rules of their own: alternatives, numbers, strings, collections.
#include <fmt/format.h>

#include "sql/expressions/spark_type.h"
#include "sql/functions/evaluator.h"
#include "sql/functions/function_binder.h"
#include "sql/functions/interval_binder.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {

using Args = std::vector<BoundPtr>;

Result<std::string> FunctionBinder::ConstantString(const std::string& function, const BoundPtr& arg,
                                                   Span span) const {
  if (!arg->IsLiteral() || !arg->literal->is_valid || arg->type->id() != arrow::Type::STRING) {
    return Error(
        span, "NON_FOLDABLE_ARGUMENT",
        fmt::format("the function `{}` requires a foldable string that is not NULL as argument",
                    function));
  }
  return std::string(static_cast<const arrow::StringScalar&>(*arg->literal).view());
}

Result<BoundPtr> FunctionBinder::ArithmeticFunction(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 2, 2, span));
  static const std::map<std::string, std::string> operators = {{"try_add", "+"},
                                                               {"try_subtract", "-"},
                                                               {"try_multiply", "*"},
                                                               {"try_divide", "/"},
                                                               {"try_mod", "%"}};
  const auto tried = operators.find(name);
  const std::string op = tried != operators.end() ? tried->second : name == "pmod" ? "%" : name;
  SLUICE_ASSIGN_OR_RETURN(auto bound, BindArithmetic(op, args[0], args[1], span));
  if (tried != operators.end() && bound->name.starts_with("interval_"))
    return BindIntervalArithmetic(*this, op, args[0], args[1], true, span);
  if (name == "pmod") return MakeCall("pmod", bound->args, bound->type, bound->nullable, span);
  if (tried == operators.end()) return bound;
  if (bound->name != op) return Unsupported(span, name + " of dates and times");
  return MakeCall("try_" + op, bound->args, bound->type, true, span);
}

Result<BoundPtr> FunctionBinder::Alternatives(const std::string& name, Args args, Span span) {
  if (name == "coalesce") {
    SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, SIZE_MAX, span));
    SLUICE_RETURN_NOT_OK(Unify(name, &args, 0, span));
    bool nullable = true;
    for (const BoundPtr& arg : args) nullable &= arg->nullable;
    TypePtr type = args[0]->type;
    return MakeCall(name, std::move(args), std::move(type), nullable, span);
  }
  if (name == "if" || name == "when") {
    SLUICE_RETURN_NOT_OK(
        CheckCount(name, args.size(), name == "if" ? 3 : 2, name == "if" ? 3 : SIZE_MAX, span));
    return BindCase(std::move(args), span);
  }
  if (name == "isnull" || name == "isnotnull") {
    SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, 1, span));
    return MakeCall(name, std::move(args), arrow::boolean(), false, span);
  }
  if (name == "nvl2") {
    SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 3, 3, span));
    auto present = MakeCall("isnotnull", {args[0]}, arrow::boolean(), false, span);
    return BindCase({present, args[1], args[2]}, span);
  }
  if (name == "nullif" || name == "nullifzero") {
    const size_t count = name == "nullif" ? 2 : 1;
    SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), count, count, span));
    const BoundPtr other = count == 2 ? args[1] : MakeLiteral(arrow::MakeScalar(int32_t{0}));
    SLUICE_ASSIGN_OR_RETURN(auto equal, BindComparison("=", args[0], other, span));
    return BindCase({equal, MakeLiteral(arrow::MakeNullScalar(args[0]->type)), args[0]}, span);
  }
  if (name == "zeroifnull") {
    SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, 1, span));
    args.push_back(MakeLiteral(arrow::MakeScalar(int32_t{0})));
    return Alternatives("coalesce", std::move(args), span);
  }
  if (name == "equal_null") {
    SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 2, 2, span));
    return BindComparison("<=>", args[0], args[1], span);
  }
  const size_t count = name == "isnan" ? 1 : 2;
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), count, count, span));
  for (size_t i = 0; i < count; ++i) {
    if (IsDecimal(*args[i]->type)) args[i] = MakeCast(args[i], arrow::float64());
    SLUICE_ASSIGN_OR_RETURN(args[i],
                            Coerce(args[i], arrow::float64(), name, static_cast<int>(i) + 1));
  }
  if (name == "isnan") return MakeCall(name, std::move(args), arrow::boolean(), false, span);
  const bool nullable = AnyNullable(args);
  return MakeCall(name, std::move(args), arrow::float64(), nullable, span);
}

Result<BoundPtr> FunctionBinder::Extremes(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 2, SIZE_MAX, span));
  SLUICE_RETURN_NOT_OK(Unify(name, &args, 0, span));
  if (args[0]->type->num_fields() > 0) return Unsupported(span, name + " of nested values");
  bool nullable = true;
  for (const BoundPtr& arg : args) nullable &= arg->nullable;
  TypePtr type = args[0]->type;
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> FunctionBinder::Concat(const std::string& name, Args args, Span span) {
  bool all_binary = !args.empty();
  const bool arrays = std::any_of(args.begin(), args.end(), [](const BoundPtr& arg) {
    return arg->type->id() == arrow::Type::LIST;
  });
  if (arrays) {
    SLUICE_RETURN_NOT_OK(Unify(name, &args, 0, span));
    TypePtr type = args[0]->type;
    const bool any = AnyNullable(args);
    return MakeCall("concat_arrays", std::move(args), std::move(type), any, span);
  }
  for (const BoundPtr& arg : args) {
    all_binary &= arg->type->id() == arrow::Type::BINARY;
  }
  if (!all_binary) {
    for (size_t i = 0; i < args.size(); ++i) {
      if (args[i]->type->id() == arrow::Type::BINARY) {
        args[i] = MakeCast(args[i], arrow::utf8());
        continue;
      }
      SLUICE_ASSIGN_OR_RETURN(args[i],
                              Coerce(args[i], arrow::utf8(), name, static_cast<int>(i) + 1));
    }
  }
  const bool nullable = AnyNullable(args);
  return MakeCall(name, std::move(args), all_binary ? arrow::binary() : arrow::utf8(), nullable,
                  span);
}

Result<BoundPtr> FunctionBinder::ConcatWs(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, SIZE_MAX, span));
  for (size_t i = 0; i < args.size(); ++i) {
    const bool is_list = i > 0 && args[i]->type->id() == arrow::Type::LIST;
    SLUICE_ASSIGN_OR_RETURN(
        args[i], Coerce(args[i], is_list ? SparkArray(arrow::utf8()) : arrow::utf8(), name,
                        static_cast<int>(i) + 1));
  }
  const bool nullable = args[0]->nullable;
  return MakeCall(name, std::move(args), arrow::utf8(), nullable, span);
}

Result<BoundPtr> FunctionBinder::Rounding(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, 2, span));
  const bool to_integer = name == "ceil" || name == "floor";
  if (args[0]->type->id() == arrow::Type::STRING || args[0]->type->id() == arrow::Type::NA) {
    args[0] = MakeCast(args[0], arrow::float64());
  }
  if (!IsNumeric(*args[0]->type)) return Coerce(args[0], arrow::float64(), name, 1);
  int64_t digits = 0;
  if (args.size() == 2) {
    if (to_integer) return Unsupported(span, name + " with a target scale");
    const BoundPtr& scale = args[1];
    if (!scale->IsLiteral() || !scale->literal->is_valid ||
        scale->type->id() != arrow::Type::INT32) {
      return Error(scale->span, "NON_FOLDABLE_ARGUMENT",
                   fmt::format("the function `{}` requires a foldable INT as scale", name));
    }
    digits = static_cast<const arrow::Int32Scalar&>(*scale->literal).value;
  }
  TypePtr type = args[0]->type;
  if (IsDecimal(*type)) {
    const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type);
    const int integer_digits = decimal.precision() - decimal.scale() + 1;
    if (to_integer) {
      if (decimal.scale() == 0) return args[0];
      type = BoundedDecimal(integer_digits, 0);
    } else {
      const int scale =
          static_cast<int>(std::min<int64_t>(decimal.scale(), std::max<int64_t>(digits, 0)));
      const int precision = digits < 0 ? std::max(integer_digits, static_cast<int>(-digits) + 1)
                                       : integer_digits + scale;
      type = BoundedDecimal(precision, scale);
    }
  } else if (to_integer) {
    type = arrow::int64();
    if (IsIntegral(*args[0]->type)) return MakeCast(args[0], type);
  }
  const bool nullable = args[0]->nullable;
  return MakeCall(name, {args[0], MakeLiteral(arrow::MakeScalar(static_cast<int32_t>(digits)))},
                  type, nullable, span);
}

Result<BoundPtr> FunctionBinder::SameNumber(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, 1, span));
  if (args[0]->type->id() == arrow::Type::STRING || args[0]->type->id() == arrow::Type::NA) {
    args[0] = MakeCast(args[0], arrow::float64());
  }
  if (IsInterval(*args[0]->type) && name != "positive")
    return BindIntervalSign(name, args[0], span);
  if (IsInterval(*args[0]->type)) return args[0];
  if (!IsNumeric(*args[0]->type)) return Coerce(args[0], arrow::float64(), name, 1);
  if (name == "positive") return args[0];
  TypePtr type = args[0]->type;
  const bool nullable = args[0]->nullable;
  const bool is_literal = args[0]->IsLiteral();
  BoundPtr made = MakeCall(name, std::move(args), std::move(type), nullable, span);
  if (!is_literal) return made;
  const auto value = Evaluator::EvaluateConstant(made, 0);
  return value.ok() ? MakeLiteral(*value, span) : made;
}

Result<BoundPtr> FunctionBinder::Bits(const std::string& name, Args args, Span span) {
  const size_t count = name == "~" || name == "bit_count" ? 1 : 2;
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), count, count, span));
  for (const BoundPtr& arg : args) {
    if (!IsIntegral(*arg->type) && !(name == "bit_count" && arg->type->id() == arrow::Type::BOOL)) {
      return Error(
          span, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
          fmt::format(
              "cannot resolve \"{}\": it requires integers, however \"{}\" has the type \"{}\"",
              name, ToString(*arg), SparkTypeSql(*arg->type)));
    }
  }
  const bool nullable = AnyNullable(args);
  if (name == "bit_count")
    return MakeCall(name, {MakeCast(args[0], arrow::int64())}, arrow::int32(), nullable, span);
  TypePtr type = args[0]->type;
  if (name.starts_with("shift")) {
    if (type->id() != arrow::Type::INT64) type = arrow::int32();
    return MakeCall(name, {MakeCast(args[0], type), MakeCast(args[1], arrow::int32())}, type,
                    nullable, span);
  }
  if (count == 2) {
    SLUICE_RETURN_NOT_OK(Unify(name, &args, 0, span));
    type = args[0]->type;
  }
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> FunctionBinder::Regex(const std::string& name, Args args, Span span) {
  const size_t most = name == "rlike" ? 2 : 3;
  const size_t least = name == "regexp_replace" ? 3 : 2;
  if (name == "regexp_replace" && args.size() == 4)
    return Unsupported(span, "regexp_replace with a position");
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), least, most, span));
  for (size_t i = 0; i < args.size(); ++i) {
    const bool is_number = i == 2 && name != "regexp_replace";
    SLUICE_ASSIGN_OR_RETURN(args[i], Coerce(args[i], is_number ? arrow::int32() : arrow::utf8(),
                                            name, static_cast<int>(i) + 1));
  }
  // Patterns are translated when the query is planned.
  if (!args[1]->IsLiteral())
    return Unsupported(span, name + " with a pattern that is not constant");
  if (name == "regexp_extract") {
    if (args.size() == 2) args.push_back(MakeLiteral(arrow::MakeScalar(int32_t{1})));
    if (!args[2]->IsLiteral())
      return Unsupported(span, name + " with a group that is not constant");
  }
  if (name == "split") {
    if (args.size() == 2) args.push_back(MakeLiteral(arrow::MakeScalar(int32_t{-1})));
    if (!args[2]->IsLiteral())
      return Unsupported(span, name + " with a limit that is not constant");
  }
  const bool nullable = AnyNullable(args);
  TypePtr type = name == "rlike"   ? arrow::boolean()
                 : name == "split" ? SparkArray(arrow::utf8())
                                   : arrow::utf8();
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> FunctionBinder::TypeOf(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, 1, span));
  return MakeLiteral(arrow::MakeScalar(SparkTypeName(*args[0]->type)), span);
}

Result<BoundPtr> FunctionBinder::CastFunction(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, 1, span));
  SLUICE_ASSIGN_OR_RETURN(auto type, ParseDataType(name));
  return BindCast(args[0], type, false, span);
}

}  // namespace sluice::sql
