// Dates and times across zones, between units, and parts of intervals. (The usual ones:
// kernels_time.cc.)
#include <fmt/format.h>

#include <cmath>

#include "base/calendar.h"
#include "codec/spark_time.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;
using codec::TimeZone;

Result<TimeZone> ZoneOf(Text id) {
  auto zone = TimeZone::Parse(id);
  if (zone.has_value()) return *zone;
  return MakeError("INVALID_TIMEZONE",
                   fmt::format("[INVALID_TIMEZONE] the timezone: {} is invalid. The timezone must "
                               "be either a region-based zone ID or a zone offset. SQLSTATE: 22009",
                               id.substr(0, 100)));
}

Status TimeOverflow() {
  return MakeError("DATETIME_OVERFLOW",
                   "[DATETIME_OVERFLOW] datetime operation overflow. SQLSTATE: 22008");
}

// `micros` as many seconds later as `moved` is after `seconds`.
Result<int64_t> MovedBy(int64_t micros, int64_t moved, int64_t seconds) {
  if (__builtin_add_overflow(micros, (moved - seconds) * kMicrosPerSecond, &micros))
    return TimeOverflow();
  return micros;
}

Result<int64_t> ToLocal(const TimeZone& zone, int64_t micros) {
  const int64_t seconds = FloorDiv(micros, kMicrosPerSecond);
  return MovedBy(micros, zone.UtcToLocal(seconds), seconds);
}

Result<int64_t> ToUtc(const TimeZone& zone, int64_t micros) {
  const int64_t seconds = FloorDiv(micros, kMicrosPerSecond);
  return MovedBy(micros, zone.LocalToUtc(seconds), seconds);
}

Result<int64_t> FromUtc(int64_t micros, Text zone_id) {
  SLUICE_ASSIGN_OR_RETURN(auto zone, ZoneOf(zone_id));
  return ToLocal(zone, micros);
}

Result<int64_t> FromLocal(int64_t micros, Text zone_id) {
  SLUICE_ASSIGN_OR_RETURN(auto zone, ZoneOf(zone_id));
  return ToUtc(zone, micros);
}

Result<int64_t> ConvertZone(Text from, Text to, int64_t micros) {
  SLUICE_ASSIGN_OR_RETURN(auto source, ZoneOf(from));
  SLUICE_ASSIGN_OR_RETURN(auto target, ZoneOf(to));
  SLUICE_ASSIGN_OR_RETURN(const int64_t utc, ToUtc(source, micros));
  return ToLocal(target, utc);
}

Result<BoundPtr> BindConvertTimezone(FunctionBinder& binder, const std::string& name, Args args,
                                     Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 3, span));
  if (args.size() == 2) args.insert(args.begin(), MakeLiteral(arrow::MakeScalar("Etc/UTC")));
  for (size_t i = 0; i < 3; ++i) {
    SLUICE_ASSIGN_OR_RETURN(
        args[i], binder.Coerce(args[i], i < 2 ? arrow::utf8() : SparkTimestampNtz(), name,
                               static_cast<int>(i) + 1));
  }
  const bool nullable = AnyNullable(args);
  return MakeCall(name, std::move(args), SparkTimestampNtz(), nullable, span);
}

// Whole months and a fraction of 31 days, unless both are the same day of month or both the last.
double MonthsBetween(int64_t first, int64_t second, bool round) {
  const int64_t first_days = FloorDiv(first, kMicrosPerDay);
  const int64_t second_days = FloorDiv(second, kMicrosPerDay);
  const CivilDate a = CivilFromDays(first_days);
  const CivilDate b = CivilFromDays(second_days);
  const auto months = static_cast<double>((a.year - b.year) * 12 + (a.month - b.month));
  const bool both_last =
      a.day == DaysInMonth(a.year, a.month) && b.day == DaysInMonth(b.year, b.month);
  if (a.day == b.day || both_last) return months;
  const int64_t seconds_of_first = FloorMod(first, kMicrosPerDay) / kMicrosPerSecond;
  const int64_t seconds_of_second = FloorMod(second, kMicrosPerDay) / kMicrosPerSecond;
  const int64_t seconds = int64_t{a.day - b.day} * 86'400 + seconds_of_first - seconds_of_second;
  const double difference = months + static_cast<double>(seconds) / (31.0 * 86'400.0);
  return round ? std::round(difference * 1e8) / 1e8 : difference;
}

// What an interval consists of, each with its sign.
enum class Part { kYear, kMonth, kDay, kHour, kMinute, kSecond };

std::optional<Part> PartOf(const std::string& field, bool months) {
  static const std::map<std::string, Part> of_months = {
      {"year", Part::kYear}, {"y", Part::kYear},     {"years", Part::kYear},
      {"yr", Part::kYear},   {"yrs", Part::kYear},   {"month", Part::kMonth},
      {"mon", Part::kMonth}, {"mons", Part::kMonth}, {"months", Part::kMonth}};
  static const std::map<std::string, Part> of_time = {
      {"day", Part::kDay},        {"d", Part::kDay},          {"days", Part::kDay},
      {"hour", Part::kHour},      {"h", Part::kHour},         {"hours", Part::kHour},
      {"hr", Part::kHour},        {"hrs", Part::kHour},       {"minute", Part::kMinute},
      {"m", Part::kMinute},       {"min", Part::kMinute},     {"mins", Part::kMinute},
      {"minutes", Part::kMinute}, {"second", Part::kSecond},  {"s", Part::kSecond},
      {"sec", Part::kSecond},     {"seconds", Part::kSecond}, {"secs", Part::kSecond}};
  const auto& parts = months ? of_months : of_time;
  const auto found = parts.find(field);
  return found == parts.end() ? std::nullopt : std::optional<Part>(found->second);
}

Result<Kernel> IntervalPart(const BoundExpression& call) {
  const auto part = static_cast<Part>(ConstantInt(call, 1).value_or(0));
  switch (part) {
    case Part::kYear:
      return Map<int32_t, int32_t>([](int32_t months) { return months / 12; })(call);
    case Part::kMonth:
      return Map<int8_t, int32_t>([](int32_t months) { return static_cast<int8_t>(months % 12); })(
          call);
    case Part::kDay:
      return Map<int32_t, int64_t>(
          [](int64_t micros) { return static_cast<int32_t>(micros / kMicrosPerDay); })(call);
    case Part::kHour:
      return Map<int8_t, int64_t>([](int64_t micros) {
        return static_cast<int8_t>(micros % kMicrosPerDay / (3600 * kMicrosPerSecond));
      })(call);
    case Part::kMinute:
      return Map<int8_t, int64_t>([](int64_t micros) {
        return static_cast<int8_t>(micros / (60 * kMicrosPerSecond) % 60);
      })(call);
    case Part::kSecond: break;
  }
  return Map<arrow::Decimal128, int64_t>(
      [](int64_t micros) { return arrow::Decimal128(micros % (60 * kMicrosPerSecond)); })(call);
}

// date_part of intervals; of dates and times as before.
BindFunction BindDatePart(const BindFunction* plain) {
  return [plain = *plain](FunctionBinder& binder, const std::string& name, Args args,
                          Span span) -> Result<BoundPtr> {
    const auto id = args.size() == 2 ? args[1]->type->id() : arrow::Type::NA;
    const bool months = id == arrow::Type::INTERVAL_MONTHS;
    if (!months && id != arrow::Type::DURATION) return plain(binder, name, std::move(args), span);
    SLUICE_ASSIGN_OR_RETURN(auto field, binder.ConstantString(name, args[0], span));
    const auto part = PartOf(LowerAscii(field), months);
    if (!part.has_value())
      return binder.Error(span, "INVALID_EXTRACT_FIELD",
                          "cannot extract `" + field + "` from the interval");
    TypePtr type = *part == Part::kSecond                        ? arrow::decimal128(8, 6)
                   : *part == Part::kYear || *part == Part::kDay ? arrow::int32()
                                                                 : arrow::int8();
    const bool nullable = args[1]->nullable;
    return MakeCall("interval_part",
                    {args[1], MakeLiteral(arrow::MakeScalar(static_cast<int32_t>(*part)))},
                    std::move(type), nullable, span);
  };
}

// Units of timestampadd and its like: months, or microseconds.
struct Unit {
  int64_t months = 0;
  int64_t micros = 0;
};

std::optional<Unit> UnitOf(const std::string& name) {
  static const std::map<std::string, Unit> units = {{"microsecond", {0, 1}},
                                                    {"millisecond", {0, 1000}},
                                                    {"second", {0, kMicrosPerSecond}},
                                                    {"minute", {0, 60 * kMicrosPerSecond}},
                                                    {"hour", {0, 3600 * kMicrosPerSecond}},
                                                    {"day", {0, kMicrosPerDay}},
                                                    {"dayofyear", {0, kMicrosPerDay}},
                                                    {"week", {0, 7 * kMicrosPerDay}},
                                                    {"month", {1, 0}},
                                                    {"quarter", {3, 0}},
                                                    {"year", {12, 0}}};
  const auto found = units.find(LowerAscii(name));
  return found == units.end() ? std::nullopt : std::optional<Unit>(found->second);
}

// `months` and `micros` later. Years are held within what a date can be.
Result<int64_t> AddTo(int64_t time, int64_t months, int64_t micros) {
  if (months != 0) {
    const int64_t days = FloorDiv(time, kMicrosPerDay);
    if (months > INT32_MAX || months < INT32_MIN) return TimeOverflow();
    const int64_t moved = AddMonths(days, months);
    int64_t start = 0;
    if (__builtin_mul_overflow(moved, kMicrosPerDay, &start) ||
        __builtin_add_overflow(start, FloorMod(time, kMicrosPerDay), &time))
      return TimeOverflow();
  }
  if (__builtin_add_overflow(time, micros, &time)) return TimeOverflow();
  return time;
}

Result<BoundPtr> UnitArgument(FunctionBinder* binder, const std::string& name, const BoundPtr& arg,
                              Span span, Unit* unit) {
  SLUICE_ASSIGN_OR_RETURN(auto text, binder->ConstantString(name, arg, span));
  const auto found = UnitOf(text);
  if (!found.has_value())
    return binder->Error(arg->span, "INVALID_PARAMETER_VALUE.DATETIME_UNIT",
                         "`" + name +
                             "` expects one of the units without quotes YEAR, QUARTER, "
                             "MONTH, WEEK, DAY, DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, "
                             "MICROSECOND, but got '" +
                             text + "'");
  *unit = *found;
  return arg;
}

// timestampadd(unit, count, time), dateadd with a unit.
Result<BoundPtr> BindTimestampAdd(FunctionBinder& binder, const std::string& name, Args args,
                                  Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 3, 3, span));
  Unit unit;
  SLUICE_RETURN_NOT_OK(UnitArgument(&binder, name, args[0], span, &unit).status());
  SLUICE_ASSIGN_OR_RETURN(args[1], binder.Coerce(args[1], arrow::int64(), name, 2));
  TypePtr type = IsTimestampNtz(*args[2]->type) ? SparkTimestampNtz() : SparkTimestamp();
  SLUICE_ASSIGN_OR_RETURN(args[2], binder.Coerce(args[2], type, name, 3));
  const bool nullable = args[1]->nullable || args[2]->nullable;
  return MakeCall("timestampadd",
                  {args[1], args[2], MakeLiteral(arrow::MakeScalar(unit.months)),
                   MakeLiteral(arrow::MakeScalar(unit.micros))},
                  std::move(type), nullable, span);
}

Result<int64_t> TimestampAdd(int64_t count, int64_t time, int64_t months, int64_t micros) {
  if (__builtin_mul_overflow(count, months, &months) ||
      __builtin_mul_overflow(count, micros, &micros))
    return TimeOverflow();
  return AddTo(time, months, micros);
}

Result<BoundPtr> BindTimestampDiff(FunctionBinder& binder, const std::string& name, Args args,
                                   Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 3, 3, span));
  Unit unit;
  SLUICE_RETURN_NOT_OK(UnitArgument(&binder, name, args[0], span, &unit).status());
  for (size_t i = 1; i < 3; ++i) {
    SLUICE_ASSIGN_OR_RETURN(
        args[i], binder.Coerce(args[i], SparkTimestamp(), name, static_cast<int>(i) + 1));
  }
  const bool nullable = args[1]->nullable || args[2]->nullable;
  return MakeCall("timestampdiff",
                  {args[1], args[2], MakeLiteral(arrow::MakeScalar(unit.months)),
                   MakeLiteral(arrow::MakeScalar(unit.micros))},
                  arrow::int64(), nullable, span);
}

// Whole units from `start` to `end`, cut towards zero.
Result<int64_t> TimestampDiff(int64_t start, int64_t end, int64_t months, int64_t micros) {
  int64_t difference = 0;
  if (__builtin_sub_overflow(end, start, &difference)) return TimeOverflow();
  if (months == 0) return difference / micros;
  const CivilDate a = CivilFromDays(FloorDiv(start, kMicrosPerDay));
  const CivilDate b = CivilFromDays(FloorDiv(end, kMicrosPerDay));
  int64_t whole = (b.year - a.year) * 12 + (b.month - a.month);
  const int64_t rest_of_a = int64_t{a.day} * kMicrosPerDay + FloorMod(start, kMicrosPerDay);
  const int64_t rest_of_b = int64_t{b.day} * kMicrosPerDay + FloorMod(end, kMicrosPerDay);
  if (whole > 0 && rest_of_b < rest_of_a) --whole;
  if (whole < 0 && rest_of_b > rest_of_a) ++whole;
  return whole / months;
}

// With three arguments dateadd and datediff take a unit first.
BindFunction WithUnit(const BindFunction* plain, BindFunction with_unit) {
  return [plain = *plain, with_unit](FunctionBinder& binder, const std::string& name, Args args,
                                     Span span) {
    return (args.size() == 3 ? with_unit : plain)(binder, name, std::move(args), span);
  };
}

// time_bucket(width, time[, origin]): where the bucket begins that holds the time.
Result<BoundPtr> BindTimeBucket(FunctionBinder& binder, const std::string& name, Args args,
                                Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 3, span));
  const auto id = args[0]->type->id();
  if (id != arrow::Type::DURATION && id != arrow::Type::INTERVAL_MONTHS)
    return binder.WrongType(name, 1, "INTERVAL", args[0]);
  if (!args[0]->IsLiteral() || !args[0]->literal->is_valid)
    return binder.Unsupported(span, "time_bucket with a width that is not constant");
  if (args.size() == 2) {
    args.push_back(MakeLiteral(std::make_shared<arrow::TimestampScalar>(0, SparkTimestamp())));
  }
  for (size_t i = 1; i < 3; ++i) {
    SLUICE_ASSIGN_OR_RETURN(
        args[i], binder.Coerce(args[i], SparkTimestamp(), name, static_cast<int>(i) + 1));
  }
  const int64_t width =
      id == arrow::Type::DURATION
          ? static_cast<const arrow::DurationScalar&>(*args[0]->literal).value
          : static_cast<const arrow::MonthIntervalScalar&>(*args[0]->literal).value;
  if (width <= 0)
    return binder.Error(span, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                        "the width of time_bucket must be positive");
  const bool nullable = args[1]->nullable || args[2]->nullable;
  return MakeCall(id == arrow::Type::DURATION ? "time_bucket" : "month_bucket",
                  {MakeLiteral(arrow::MakeScalar(width)), args[1], args[2]}, SparkTimestamp(),
                  nullable, span);
}

Result<int64_t> TimeBucket(int64_t width, int64_t time, int64_t origin) {
  int64_t since = 0;
  int64_t start = 0;
  if (__builtin_sub_overflow(time, origin, &since)) return TimeOverflow();
  if (__builtin_add_overflow(origin, FloorDiv(since, width) * width, &start)) return TimeOverflow();
  return start;
}

Result<int64_t> MonthBucket(int64_t width, int64_t time, int64_t origin) {
  const CivilDate a = CivilFromDays(FloorDiv(origin, kMicrosPerDay));
  const CivilDate b = CivilFromDays(FloorDiv(time, kMicrosPerDay));
  const int64_t months = (b.year - a.year) * 12 + (b.month - a.month);
  int64_t steps = FloorDiv(months, width) + 1;
  for (;; --steps) {
    SLUICE_ASSIGN_OR_RETURN(const int64_t start, AddTo(origin, steps * width, 0));
    if (start <= time) return start;
  }
}

// window_time(window): the last microsecond of the window.
Result<BoundPtr> BindWindowTime(FunctionBinder& binder, const std::string& name, Args args,
                                Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
  const arrow::DataType& type = *args[0]->type;
  if (type.id() != arrow::Type::STRUCT || type.num_fields() != 2 ||
      type.field(1)->name() != "end" || type.field(1)->type()->id() != arrow::Type::TIMESTAMP)
    return binder.WrongType(name, 1, "STRUCT<start, end>", args[0]);
  TypePtr time = type.field(1)->type();
  const bool nullable = args[0]->nullable;
  return MakeCall(name, {MakeField(args[0], 1, span)}, std::move(time), nullable, span);
}

}  // namespace

void RegisterTimeFunctions(FunctionRegistry* registry) {
  registry->Add({"from_utc_timestamp", "Ts", 'T'}, Map<int64_t, int64_t, Text>(FromUtc), true);
  registry->Add({"to_utc_timestamp", "Ts", 'T'}, Map<int64_t, int64_t, Text>(FromLocal), true);
  registry->Special("convert_timezone", BindConvertTimezone);
  registry->Compute("convert_timezone", Map<int64_t, Text, Text, int64_t>(ConvertZone), true);
  registry->Add({"months_between", "TT|b", 'd'}, [](const BoundExpression& call) -> Result<Kernel> {
    if (call.args.size() == 2) {
      return Map<double, int64_t, int64_t>(
          [](int64_t a, int64_t b) { return MonthsBetween(a, b, true); })(call);
    }
    return Map<double, int64_t, int64_t, bool>(MonthsBetween)(call);
  });
  registry->Special("date_part", BindDatePart(registry->Find("date_part")));
  // Toward zero, where unix_seconds goes down.
  registry->Compute("unix_timestamp", Map<int64_t, int64_t>([](int64_t micros) {
                      return micros / kMicrosPerSecond;
                    }));
  registry->Compute("interval_part", IntervalPart);
  registry->Special("timestampadd", BindTimestampAdd);
  registry->Special("timestampdiff", BindTimestampDiff);
  registry->Special("date_add", WithUnit(registry->Find("date_add"), BindTimestampAdd));
  registry->Special("datediff", WithUnit(registry->Find("datediff"), BindTimestampDiff));
  registry->Compute("timestampadd", Map<int64_t, int64_t, int64_t, int64_t, int64_t>(TimestampAdd),
                    true);
  registry->Compute("timestampdiff",
                    Map<int64_t, int64_t, int64_t, int64_t, int64_t>(TimestampDiff), true);
  registry->Special("time_bucket", BindTimeBucket);
  registry->Compute("time_bucket", Map<int64_t, int64_t, int64_t, int64_t>(TimeBucket), true);
  registry->Compute("month_bucket", Map<int64_t, int64_t, int64_t, int64_t>(MonthBucket), true);
  registry->Special("window_time", BindWindowTime);
  registry->Compute("window_time", Map<int64_t, int64_t>([](int64_t end) { return end - 1; }));
}

}  // namespace sluice::sql
