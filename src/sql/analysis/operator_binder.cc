// Operators of FunctionBinder: arithmetic, comparison, logic, CASE, IN, CAST, subscripts.
#include <fmt/format.h>

#include "sql/expressions/spark_type.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/function_binder.h"
#include "sql/functions/interval_binder.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

bool IsDateTime(const arrow::DataType& type) {
  return type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::TIMESTAMP;
}
bool IsString(const arrow::DataType& type) { return type.id() == arrow::Type::STRING; }

Result<BoundPtr> BindTimeDifference(FunctionBinder& binder, BoundPtr left, BoundPtr right,
                                    Span span) {
  const bool dates =
      left->type->id() == arrow::Type::DATE32 && right->type->id() == arrow::Type::DATE32;
  if (dates) return binder.Unsupported(span, "DATE - DATE (use datediff)");
  const TypePtr common = CommonType(left->type, right->type);
  const bool nullable = left->nullable || right->nullable;
  return MakeCall("time_difference", {MakeCast(left, common), MakeCast(right, common)},
                  arrow::duration(arrow::TimeUnit::MICRO), nullable, span);
}

}  // namespace

Result<BoundPtr> FunctionBinder::BindArithmetic(const std::string& op, BoundPtr left,
                                                BoundPtr right, Span span) {
  if (IsInterval(*left->type) || IsInterval(*right->type) || IsDateTime(*left->type) ||
      IsDateTime(*right->type)) {
    return BindTimeArithmetic(op, left, right, span);
  }
  // Strings take part as BIGINT beside an integer, as DOUBLE otherwise.
  auto numeric = [&op](const BoundPtr& side, const BoundPtr& other) -> BoundPtr {
    if (side->type->id() == arrow::Type::NA) {
      return MakeCast(side, IsNumeric(*other->type) ? other->type : arrow::float64());
    }
    if (!IsString(*side->type)) return side;
    return MakeCast(side,
                    IsIntegral(*other->type) && op != "/" ? arrow::int64() : arrow::float64());
  };
  const BoundPtr left_number = numeric(left, right);
  right = numeric(right, left);
  left = left_number;
  if (!IsNumeric(*left->type) || !IsNumeric(*right->type)) {
    const bool same = left->type->Equals(*right->type);
    return Error(
        span,
        same ? "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE" : "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
        fmt::format("cannot resolve \"({} {} {})\": the left and right operands have the types "
                    "\"{}\" and \"{}\"",
                    ToString(*left), op, ToString(*right), SparkTypeSql(*left->type),
                    SparkTypeSql(*right->type)));
  }
  const bool decimal = IsDecimal(*left->type) || IsDecimal(*right->type);
  const bool floating = IsFloating(*left->type) || IsFloating(*right->type);
  const bool nullable = left->nullable || right->nullable;
  if (op == "div") {
    if (floating)
      return Error(span, "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
                   "div requires integers or decimals");
    if (decimal) return Unsupported(span, "div of decimals");
    return MakeCall(op, {MakeCast(left, arrow::int64()), MakeCast(right, arrow::int64())},
                    arrow::int64(), nullable, span);
  }
  if (decimal && !floating) return BindDecimalArithmetic(op, left, right, span);
  TypePtr type = op == "/" ? arrow::float64() : CommonType(left->type, right->type);
  return MakeCall(op, {MakeCast(left, type), MakeCast(right, type)}, type, nullable, span);
}

Result<BoundPtr> FunctionBinder::BindDecimalArithmetic(const std::string& op, BoundPtr left,
                                                       BoundPtr right, Span span) {
  const auto left_type = DecimalFor(*left);
  const auto right_type = DecimalFor(*right);
  left = MakeCast(left, left_type);
  right = MakeCast(right, right_type);
  const bool nullable = left->nullable || right->nullable;
  return MakeCall(op, {left, right}, DecimalResult(op, *left_type, *right_type), nullable, span);
}

Result<BoundPtr> FunctionBinder::BindTimeArithmetic(const std::string& op, const BoundPtr& left,
                                                    const BoundPtr& right, Span span) {
  const bool scaled = op == "*" || op == "/";
  const bool with_time = IsDateTime(*left->type) || IsDateTime(*right->type) ||
                         (!scaled && (IsString(*left->type) || IsString(*right->type)));
  if (!with_time) return BindIntervalArithmetic(*this, op, left, right, false, span);
  if (op == "-" && IsDateTime(*left->type) && IsDateTime(*right->type))
    return BindTimeDifference(*this, left, right, span);
  if (op == "+" && IsInterval(*right->type) && IsInterval(*left->type))
    return Unsupported(span, "this sum of intervals");
  if (op == "+" && (IsInterval(*left->type) ||
                    (IsIntegral(*left->type) && right->type->id() == arrow::Type::DATE32))) {
    return BindTimeArithmetic(op, right, left, span);
  }
  if ((op != "+" && op != "-") || !(IsDateTime(*left->type) || IsString(*left->type))) {
    return Unsupported(
        span, fmt::format("{} {} {}", SparkTypeSql(*left->type), op, SparkTypeSql(*right->type)));
  }
  const bool nullable = left->nullable || right->nullable;
  if (left->type->id() == arrow::Type::DATE32 && IsIntegral(*right->type)) {
    return MakeCall(op == "+" ? "date_add" : "date_sub", {left, MakeCast(right, arrow::int32())},
                    arrow::date32(), nullable, span);
  }
  if (!IsInterval(*right->type)) {
    return Unsupported(
        span, fmt::format("{} {} {}", SparkTypeSql(*left->type), op, SparkTypeSql(*right->type)));
  }
  if (IsString(*left->type)) {
    return BindTimeArithmetic(op, MakeCast(left, SparkTimestamp()), right, span);
  }
  const std::string sign = op == "+" ? "add" : "subtract";
  if (left->type->id() == arrow::Type::DATE32) {
    // A DAY or YEAR TO MONTH interval keeps the date; a finer one makes it a timestamp.
    const bool days_only = right->IsLiteral() && right->name == "DAY";
    if (!right->IsLiteral() && HasFewerFields(*right))
      return Unsupported(span, "a date and a computed interval of fewer fields than DAY TO SECOND");
    if (right->type->id() == arrow::Type::INTERVAL_MONTHS || days_only) {
      return MakeCall("date_" + sign + "_interval", {left, right}, arrow::date32(), nullable, span);
    }
    return BindTimeArithmetic(op, MakeCast(left, SparkTimestamp()), right, span);
  }
  return MakeCall("time_" + sign + "_interval", {left, right}, left->type, nullable, span);
}

Result<BoundPtr> FunctionBinder::BindComparison(const std::string& op, BoundPtr left,
                                                BoundPtr right, Span span) {
  TypePtr common = CommonType(left->type, right->type);
  if (common == nullptr) {
    return Error(span, "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
                 fmt::format("cannot resolve \"({} {} {})\": the left and right operands of the "
                             "binary operator have "
                             "incompatible types (\"{}\" and \"{}\")",
                             ToString(*left), op, ToString(*right), SparkTypeSql(*left->type),
                             SparkTypeSql(*right->type)));
  }
  if (common->id() == arrow::Type::MAP) {
    return Error(span, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                 "cannot resolve: maps cannot be compared");
  }
  left = MakeCast(left, common);
  right = MakeCast(right, common);
  const bool nullable = op != "<=>" && (left->nullable || right->nullable);
  if (op == "<>") {
    SLUICE_ASSIGN_OR_RETURN(auto equal, BindComparison("=", left, right, span));
    return BindNot(std::move(equal), span);
  }
  return MakeCall(op, {left, right}, arrow::boolean(), nullable, span);
}

Result<BoundPtr> FunctionBinder::BindLogical(const std::string& op, BoundPtr left, BoundPtr right,
                                             Span span) {
  SLUICE_ASSIGN_OR_RETURN(left, Coerce(left, arrow::boolean(), op, 1));
  SLUICE_ASSIGN_OR_RETURN(right, Coerce(right, arrow::boolean(), op, 2));
  const bool nullable = left->nullable || right->nullable;
  return MakeCall(op, {left, right}, arrow::boolean(), nullable, span);
}

Result<BoundPtr> FunctionBinder::BindNot(BoundPtr operand, Span span) {
  SLUICE_ASSIGN_OR_RETURN(operand, Coerce(operand, arrow::boolean(), "not", 1));
  const bool nullable = operand->nullable;
  return MakeCall("not", {std::move(operand)}, arrow::boolean(), nullable, span);
}

Result<BoundPtr> FunctionBinder::BindCase(std::vector<BoundPtr> args, Span span) {
  std::vector<BoundPtr> results;
  for (size_t i = 1; i < args.size(); i += 2) results.push_back(args[i]);
  const bool has_else = args.size() % 2 == 1;
  if (has_else) results.push_back(args.back());
  SLUICE_RETURN_NOT_OK(Unify("CASE WHEN", &results, 0, span));
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    SLUICE_ASSIGN_OR_RETURN(
        args[i], Coerce(args[i], arrow::boolean(), "CASE WHEN", static_cast<int>(i) + 1));
    args[i + 1] = results[i / 2];
  }
  if (has_else) args.back() = results.back();
  const bool nullable = !has_else || AnyNullable(results);
  TypePtr type = results[0]->type;
  return MakeCall("case", std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> FunctionBinder::BindIn(std::vector<BoundPtr> args, Span span) {
  // Structs need not have the same names of fields.
  bool same_shape = args[0]->type->id() == arrow::Type::STRUCT;
  for (size_t i = 1; same_shape && i < args.size(); ++i) {
    const TypePtr common = CommonType(args[0]->type, args[i]->type);
    same_shape = !HasSameNames(*args[0]->type, *args[i]->type) && common == args[0]->type;
  }
  for (size_t i = 1; same_shape && i < args.size(); ++i) args[i] = MakeCast(args[i], args[0]->type);
  SLUICE_RETURN_NOT_OK(Unify("in", &args, 0, span));
  if (!IsOrderable(*args[0]->type)) return Unsupported(span, "IN over maps");
  const bool nullable = AnyNullable(args);
  return MakeCall("in", std::move(args), arrow::boolean(), nullable, span);
}

Result<BoundPtr> FunctionBinder::BindVariantPath(BoundPtr operand, const std::string& path,
                                                 Span span) {
  return Bind("variant_get", {std::move(operand), MakeLiteral(arrow::MakeScalar(path), span)},
              span);
}

Result<BoundPtr> FunctionBinder::BindCast(BoundPtr operand, const TypePtr& type, bool try_mode,
                                          Span span) {
  if (IsVariantType(*operand->type) && !IsVariantType(*type)) {
    const char* name = try_mode ? "try_variant_get" : "variant_get";
    const bool is_path = operand->IsCall("variant_get");  // the cast of a path is one step
    std::vector<BoundPtr> args = {operand, MakeLiteral(arrow::MakeScalar("$"), span)};
    if (is_path) args = operand->args;
    return MakeCall(name, std::move(args), type, true, span);
  }
  const bool of_null = operand->type->id() == arrow::Type::NA;
  if (IsVariantType(*type) && !IsVariantType(*operand->type) && !of_null)
    return Unsupported(span, "CAST to VARIANT");
  const bool fields_matter = IsInterval(*type) ? IsNumeric(*operand->type)
                                               : (IsNumeric(*type) && HasFewerFields(*operand)) ||
                                                     (IsInterval(*operand->type) &&
                                                      (IsIntegral(*type) || IsDecimal(*type)));
  if (fields_matter) return Unsupported(span, "CAST between numbers and intervals");
  if (!CanCast(*operand->type, *type)) {
    return Error(span, "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
                 fmt::format("cannot resolve \"CAST({} AS {})\": cannot cast \"{}\" to \"{}\"",
                             ToString(*operand), SparkTypeSql(*type), SparkTypeSql(*operand->type),
                             SparkTypeSql(*type)));
  }
  return MakeCast(std::move(operand), type, try_mode, span);
}

Result<BoundPtr> FunctionBinder::BindSubscript(BoundPtr operand, BoundPtr index, Span span) {
  if (operand->type->id() == arrow::Type::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(*operand->type);
    SLUICE_ASSIGN_OR_RETURN(index, Coerce(index, map.key_type(), "[]", 2));
    return MakeCall("map_value", {operand, index}, map.item_type(), true, span);
  }
  if (operand->type->id() == arrow::Type::LIST) {
    SLUICE_ASSIGN_OR_RETURN(index, Coerce(index, arrow::int32(), "[]", 2));
    // a[i] of an index outside the array is an error in ANSI mode.
    return MakeCall("array_item", {operand, index}, operand->type->field(0)->type(), true, span);
  }
  if (operand->type->id() == arrow::Type::STRUCT && index->IsLiteral() && IsString(*index->type)) {
    return Unsupported(span, "a field by a string subscript");
  }
  return Error(span, "INVALID_EXTRACT_BASE_FIELD_TYPE",
               fmt::format("cannot extract a value from \"{}\": need a complex type [STRUCT, "
                           "ARRAY, MAP] but got \"{}\"",
                           ToString(*operand), SparkTypeSql(*operand->type)));
}

}  // namespace sluice::sql
