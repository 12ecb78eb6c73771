// Functions of FunctionBinder over dates and times.
#include <fmt/format.h>

#include "sql/expressions/analysis_error.h"
#include "sql/expressions/datetime_pattern.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/function_binder.h"
#include "sql/parser/data_type_parser.h"
#include "sql/parser/interval_text.h"

namespace sluice::sql {

using Args = std::vector<BoundPtr>;

Result<int64_t> FunctionBinder::ConstantMicros(const std::string& function, const BoundPtr& arg,
                                               Span span) const {
  if (arg->IsLiteral() && arg->literal->is_valid && arg->type->id() == arrow::Type::DURATION) {
    return static_cast<const arrow::DurationScalar&>(*arg->literal).value;
  }
  SLUICE_ASSIGN_OR_RETURN(auto text, ConstantString(function, arg, span));
  const auto interval = ParseIntervalText(text);
  if (!interval.has_value()) {
    return Error(span, "INVALID_INTERVAL_FORMAT",
                 fmt::format("error parsing '{}' to interval", text));
  }
  if (interval->months != 0) return Unsupported(span, function + " with an interval of months");
  return interval->microseconds;
}

Result<BoundPtr> FunctionBinder::Clock(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 0, 0, span));
  TypePtr type = name == "current_date"     ? arrow::date32()
                 : name == "localtimestamp" ? SparkTimestampNtz()
                                            : SparkTimestamp();
  return MakeCall(name, {}, std::move(type), false, span);
}

Result<BoundPtr> FunctionBinder::ToTime(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, 2, span));
  const bool tried = name.starts_with("try_");
  TypePtr type = name.ends_with("date")  ? arrow::date32()
                 : name.ends_with("ntz") ? SparkTimestampNtz()
                                         : SparkTimestamp();
  if (args[0]->type->id() == arrow::Type::NA) args[0] = MakeCast(args[0], arrow::utf8());
  if (args.size() == 1 || args[0]->type->id() != arrow::Type::STRING) {
    return BindCast(args[0], type, tried, span);
  }
  SLUICE_ASSIGN_OR_RETURN(auto pattern, ConstantString(name, args[1], span));
  auto parsed = DatetimePattern::Make(pattern);
  if (!parsed.ok() || !parsed->CanParse())
    return Unsupported(span, fmt::format("{} with the pattern '{}'", name, pattern));
  return MakeCall(tried ? "try_parse_time" : "parse_time", std::move(args), std::move(type), true,
                  span);
}

Result<BoundPtr> FunctionBinder::UnixTime(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 0, 2, span));
  if (args.empty()) {
    return MakeCall("unix_seconds",
                    {MakeCall("current_timestamp", {}, SparkTimestamp(), false, span)},
                    arrow::int64(), false, span);
  }
  if (args[0]->type->id() == arrow::Type::STRING) {
    if (args.size() == 1) args.push_back(MakeLiteral(arrow::MakeScalar("yyyy-MM-dd HH:mm:ss")));
    SLUICE_ASSIGN_OR_RETURN(auto time, ToTime("to_timestamp", std::move(args), span));
    args = {std::move(time)};
  } else {
    SLUICE_ASSIGN_OR_RETURN(args[0], Coerce(args[0], SparkTimestamp(), name, 1));
  }
  const bool nullable = args[0]->nullable;
  return MakeCall("unix_timestamp", {args[0]}, arrow::int64(), nullable, span);
}

Result<BoundPtr> FunctionBinder::TimestampFromNumber(const std::string& name, Args args,
                                                     Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, 1, span));
  if (name != "timestamp_seconds" || IsIntegral(*args[0]->type)) {
    if (!IsIntegral(*args[0]->type)) return Coerce(args[0], arrow::int64(), name, 1);
    args[0] = MakeCast(args[0], arrow::int64());
  } else if (IsNumeric(*args[0]->type)) {
    return BindCast(args[0], SparkTimestamp(), false, span);
  } else {
    SLUICE_ASSIGN_OR_RETURN(args[0], Coerce(args[0], arrow::int64(), name, 1));
  }
  const bool nullable = args[0]->nullable;
  return MakeCall(name, std::move(args), SparkTimestamp(), nullable, span);
}

Result<BoundPtr> FunctionBinder::DateFormat(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 2, 2, span));
  SLUICE_ASSIGN_OR_RETURN(args[0], Coerce(args[0], SparkTimestamp(), name, 1));
  SLUICE_ASSIGN_OR_RETURN(auto pattern, ConstantString(name, args[1], span));
  if (!DatetimePattern::Make(pattern).ok())
    return Unsupported(span, fmt::format("{} with the pattern '{}'", name, pattern));
  const bool nullable = args[0]->nullable;
  return MakeCall(name, std::move(args), arrow::utf8(), nullable, span);
}

Result<BoundPtr> FunctionBinder::Extract(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 2, 2, span));
  SLUICE_ASSIGN_OR_RETURN(auto field, ConstantString(name, args[0], span));
  if (args[1]->type->id() == arrow::Type::DURATION ||
      args[1]->type->id() == arrow::Type::INTERVAL_MONTHS) {
    return Unsupported(span, name + " of an interval");
  }
  static const std::map<std::string, std::string> fields = {
      {"year", "year"},      {"y", "year"},
      {"years", "year"},     {"yr", "year"},
      {"yrs", "year"},       {"quarter", "quarter"},
      {"qtr", "quarter"},    {"month", "month"},
      {"mon", "month"},      {"mons", "month"},
      {"months", "month"},   {"week", "weekofyear"},
      {"w", "weekofyear"},   {"weeks", "weekofyear"},
      {"day", "day"},        {"d", "day"},
      {"days", "day"},       {"doy", "dayofyear"},
      {"dow", "dayofweek"},  {"dayofweek", "dayofweek"},
      {"hour", "hour"},      {"h", "hour"},
      {"hours", "hour"},     {"hr", "hour"},
      {"hrs", "hour"},       {"minute", "minute"},
      {"m", "minute"},       {"min", "minute"},
      {"mins", "minute"},    {"minutes", "minute"},
      {"second", "seconds"}, {"s", "seconds"},
      {"sec", "seconds"},    {"secs", "seconds"},
      {"seconds", "seconds"}};
  const auto found = fields.find(LowerAscii(field));
  if (found == fields.end()) return Unsupported(span, fmt::format("{} of '{}'", name, field));
  if (found->second == "seconds") {
    SLUICE_ASSIGN_OR_RETURN(args[1], Coerce(args[1], SparkTimestamp(), name, 2));
    const bool nullable = args[1]->nullable;
    return MakeCall("seconds_with_fraction", {args[1]}, arrow::decimal128(8, 6), nullable, span);
  }
  return Bind(found->second, {args[1]}, span);
}

Result<BoundPtr> FunctionBinder::TimeWindow(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 2, 4, span));
  if (args[0]->type->id() != arrow::Type::TIMESTAMP) {
    SLUICE_ASSIGN_OR_RETURN(args[0], Coerce(args[0], SparkTimestamp(), name, 1));
  }
  std::vector<int64_t> micros;
  for (size_t i = 1; i < args.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(auto value, ConstantMicros(name, args[i], span));
    micros.push_back(value);
  }
  const int64_t width = micros[0];
  const int64_t slide = micros.size() > 1 ? micros[1] : width;
  const int64_t start = micros.size() > 2 ? micros[2] : 0;
  if (width <= 0)
    return Error(span, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                 "cannot resolve \"window\": the window duration must be positive");
  if (slide != width) return Unsupported(span, "sliding windows");
  auto type =
      arrow::struct_({arrow::field("start", args[0]->type), arrow::field("end", args[0]->type)});
  const bool nullable = args[0]->nullable;
  return MakeCall(
      name, {args[0], MakeLiteral(arrow::MakeScalar(width)), MakeLiteral(arrow::MakeScalar(start))},
      type, nullable, span);
}

}  // namespace sluice::sql
