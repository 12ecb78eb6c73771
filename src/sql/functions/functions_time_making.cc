// make_timestamp and its like, intervals made of numbers.
#include <fmt/format.h>

#include "base/calendar.h"
#include "codec/spark_time.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;
using arrow::Decimal128;

Status OutOfBounds(const std::string& what) {
  return MakeError("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION",
                   "[DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION] " + what +
                       ". If necessary set `try_make_timestamp`. SQLSTATE: 22023");
}

// Microseconds of a local time; 60 seconds without a fraction are the next minute.
Result<int64_t> LocalTime(const int32_t (&fields)[5], int64_t second_micros) {
  const auto [year, month, day, hour, minute] = fields;
  const int64_t seconds = FloorDiv(second_micros, kMicrosPerSecond);
  const int64_t fraction = FloorMod(second_micros, kMicrosPerSecond);
  if (month < 1 || month > 12) return OutOfBounds(fmt::format("invalid month {}", month));
  if (year < -290308 || year > 294247) return OutOfBounds(fmt::format("invalid year {}", year));
  if (day < 1 || day > DaysInMonth(year, month))
    return OutOfBounds(fmt::format("invalid day {} of month {}", day, month));
  if (hour < 0 || hour > 23) return OutOfBounds(fmt::format("invalid hour {}", hour));
  if (minute < 0 || minute > 59) return OutOfBounds(fmt::format("invalid minute {}", minute));
  if (seconds < 0 || seconds > 60) return OutOfBounds(fmt::format("invalid second {}", seconds));
  if (seconds == 60 && fraction != 0)
    return MakeError("INVALID_FRACTION_OF_SECOND",
                     "[INVALID_FRACTION_OF_SECOND] valid range for seconds is [0, 60] (inclusive), "
                     "with no fraction at 60. SQLSTATE: 22023");
  const int64_t time = (int64_t{hour} * 60 + minute) * 60 + seconds;
  int64_t micros = 0;
  if (__builtin_mul_overflow(DaysFromCivil(year, month, day), kMicrosPerDay, &micros) ||
      __builtin_add_overflow(micros, time * kMicrosPerSecond + fraction, &micros))
    return OutOfBounds(fmt::format("invalid year {}", year));
  return micros;
}

Result<int64_t> InZone(int64_t local, Text id) {
  const auto zone = codec::TimeZone::Parse(id);
  if (!zone.has_value())
    return MakeError("INVALID_TIMEZONE",
                     fmt::format("[INVALID_TIMEZONE] the timezone: {} is invalid. SQLSTATE: 22009",
                                 id.substr(0, 100)));
  const int64_t seconds = FloorDiv(local, kMicrosPerSecond);
  return local + (zone->LocalToUtc(seconds) - seconds) * kMicrosPerSecond;
}

Result<ArrayPtr> MakeTimestamps(const KernelCall& call) {
  const bool tried = call.expression.name == "try_make_timestamp";
  std::vector<Reader<int32_t>> fields;
  for (size_t i = 0; i < 5; ++i) fields.emplace_back(call.args[i]);
  const Reader<Decimal128> seconds(call.args[5]);
  std::optional<Reader<Text>> zone;
  if (call.args.size() == 7) zone.emplace(call.args[6]);
  Writer<int64_t> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    bool present = !seconds.IsNull(row) && !(zone && zone->IsNull(row));
    int32_t values[5] = {};
    for (size_t i = 0; i < 5; ++i) {
      present &= !fields[i].IsNull(row);
      if (present) values[i] = fields[i].Get(row);
    }
    if (!present) {
      SLUICE_RETURN_NOT_OK(writer.Null());
      continue;
    }
    auto micros = LocalTime(values, static_cast<int64_t>(seconds.Get(row).low_bits()));
    if (micros.ok() && zone) micros = InZone(*micros, zone->Get(row));
    if (!micros.ok() && !tried) return micros.status();
    SLUICE_RETURN_NOT_OK(micros.ok() ? writer.Set(*micros) : writer.Null());
  }
  return writer.Finish();
}

// make_timestamp(date, time[, zone]): of a TIME literal.
Result<BoundPtr> BindDateAndTime(FunctionBinder& binder, const std::string& name, Args args,
                                 Span span) {
  SLUICE_ASSIGN_OR_RETURN(args[0], binder.Coerce(args[0], arrow::date32(), name, 1));
  if (args[1]->type->id() != arrow::Type::TIME64 || !args[1]->IsLiteral())
    return binder.WrongType(name, 2, "TIME", args[1]);
  const int64_t time = static_cast<const arrow::Time64Scalar&>(*args[1]->literal).value;
  args[1] = MakeLiteral(arrow::MakeScalar(time), args[1]->span);
  if (args.size() == 3) {
    SLUICE_ASSIGN_OR_RETURN(args[2], binder.Coerce(args[2], arrow::utf8(), name, 3));
  }
  return MakeCall("timestamp_of_date", std::move(args),
                  name.ends_with("_ntz") ? SparkTimestampNtz() : SparkTimestamp(), true, span);
}

Result<int64_t> OfDate(int32_t days, int64_t time) {
  int64_t micros = 0;
  if (__builtin_mul_overflow(int64_t{days}, kMicrosPerDay, &micros) ||
      __builtin_add_overflow(micros, time, &micros))
    return OutOfBounds("the date is too far away");
  return micros;
}

Result<Kernel> TimestampOfDate(const BoundExpression& call) {
  if (call.args.size() == 2) return Map<int64_t, int32_t, int64_t>(OfDate)(call);
  return Map<int64_t, int32_t, int64_t, Text>(
      [](int32_t days, int64_t time, Text zone) -> Result<int64_t> {
        SLUICE_ASSIGN_OR_RETURN(const int64_t local, OfDate(days, time));
        return InZone(local, zone);
      })(call);
}

// make_timestamp(year, month, day, hour, minute, seconds[, zone]) and its spellings.
Result<BoundPtr> BindMakeTimestamp(FunctionBinder& binder, const std::string& name, Args args,
                                   Span span) {
  const bool ntz = name.ends_with("_ntz");
  if (args.size() == 2 || (args.size() == 3 && !ntz))
    return BindDateAndTime(binder, name, std::move(args), span);
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 6, ntz ? 6 : 7, span));
  for (size_t i = 0; i < args.size(); ++i) {
    TypePtr wanted = i < 5 ? arrow::int32() : i == 5 ? arrow::decimal128(16, 6) : arrow::utf8();
    if (i == 5 && IsNumeric(*args[i]->type)) {
      args[i] = MakeCast(args[i], wanted);
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(args[i], binder.Coerce(args[i], wanted, name, static_cast<int>(i) + 1));
  }
  const bool tried = name.starts_with("try_");
  return MakeCall(tried ? "try_make_timestamp" : "make_timestamp", std::move(args),
                  ntz ? SparkTimestampNtz() : SparkTimestamp(), true, span);
}

Status IntervalOverflow(const char* function) {
  return MakeError("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION",
                   std::string("[INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION] integer overflow "
                               "in ") +
                       function + ". SQLSTATE: 22015");
}

Result<int32_t> MakeMonths(int32_t years, int32_t months) {
  int32_t total = 0;
  if (__builtin_mul_overflow(years, 12, &total) || __builtin_add_overflow(total, months, &total))
    return IntervalOverflow("make_ym_interval");
  return total;
}

Result<int64_t> MakeMicros(int32_t days, int32_t hours, int32_t minutes,
                           const Decimal128& seconds) {
  int64_t total = static_cast<int64_t>(seconds.low_bits());
  int64_t part = 0;
  const int64_t whole = (int64_t{hours} * 60 + minutes) * 60;
  if (__builtin_mul_overflow(whole, kMicrosPerSecond, &part) ||
      __builtin_add_overflow(total, part, &total) ||
      __builtin_mul_overflow(int64_t{days}, kMicrosPerDay, &part) ||
      __builtin_add_overflow(total, part, &total))
    return IntervalOverflow("make_dt_interval");
  return total;
}

Result<BoundPtr> BindMakeDayTime(FunctionBinder& binder, const std::string& name, Args args,
                                 Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 0, 4, span));
  while (args.size() < 4) args.push_back(MakeLiteral(arrow::MakeScalar(int32_t{0})));
  for (size_t i = 0; i < 4; ++i) {
    if (i == 3 && IsNumeric(*args[i]->type)) {
      args[i] = MakeCast(args[i], arrow::decimal128(18, 6));
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(
        args[i], binder.Coerce(args[i], i < 3 ? arrow::int32() : arrow::decimal128(18, 6), name,
                               static_cast<int>(i) + 1));
  }
  const bool nullable = AnyNullable(args);
  return MakeCall(name, std::move(args), arrow::duration(arrow::TimeUnit::MICRO), nullable, span);
}

Result<BoundPtr> BindMakeYearMonth(FunctionBinder& binder, const std::string& name, Args args,
                                   Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 0, 2, span));
  while (args.size() < 2) args.push_back(MakeLiteral(arrow::MakeScalar(int32_t{0})));
  for (size_t i = 0; i < 2; ++i) {
    SLUICE_ASSIGN_OR_RETURN(args[i],
                            binder.Coerce(args[i], arrow::int32(), name, static_cast<int>(i) + 1));
  }
  const bool nullable = AnyNullable(args);
  return MakeCall(name, std::move(args), arrow::month_interval(), nullable, span);
}

}  // namespace

void RegisterTimeMakingFunctions(FunctionRegistry* registry) {
  for (const char* name :
       {"make_timestamp", "make_timestamp_ltz", "make_timestamp_ntz", "try_make_timestamp",
        "try_make_timestamp_ltz", "try_make_timestamp_ntz"})
    registry->Special(name, BindMakeTimestamp);
  registry->Compute("make_timestamp", Plain(MakeTimestamps), true);
  registry->Compute("try_make_timestamp", Plain(MakeTimestamps));
  registry->Compute("timestamp_of_date", TimestampOfDate, true);
  registry->Special("make_dt_interval", BindMakeDayTime);
  registry->Compute("make_dt_interval",
                    Map<int64_t, int32_t, int32_t, int32_t, Decimal128>(MakeMicros), true);
  registry->Special("make_ym_interval", BindMakeYearMonth);
  registry->Compute("make_ym_interval", Map<int32_t, int32_t, int32_t>(MakeMonths), true);
}

}  // namespace sluice::sql
