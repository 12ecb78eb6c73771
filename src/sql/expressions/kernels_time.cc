// Dates and times, in UTC.
#include <fmt/format.h>

#include "base/calendar.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/cast_text.h"
#include "sql/expressions/datetime_pattern.h"
#include "sql/expressions/kernel.h"
#include "sql/expressions/spark_type.h"

namespace sluice::sql {
namespace {

using Text = std::string_view;

Status DateOverflow() {
  return MakeError("ARITHMETIC_OVERFLOW",
                   "[ARITHMETIC_OVERFLOW] integer overflow in a date. SQLSTATE: 22003");
}

Result<int32_t> ToDate(int64_t days) {
  if (!std::in_range<int32_t>(days)) return DateOverflow();
  return static_cast<int32_t>(days);
}

// First day of the unit that holds `days`; nothing for a unit that is not known.
std::optional<int64_t> TruncateDays(int64_t days, const std::string& unit) {
  const CivilDate date = CivilFromDays(days);
  if (unit == "year" || unit == "yyyy" || unit == "yy") return DaysFromCivil(date.year, 1, 1);
  if (unit == "quarter") return DaysFromCivil(date.year, (date.month - 1) / 3 * 3 + 1, 1);
  if (unit == "month" || unit == "mm" || unit == "mon")
    return DaysFromCivil(date.year, date.month, 1);
  if (unit == "week") return days - DayOfWeek(days);
  return std::nullopt;
}

// Microseconds of a unit that is always as long.
std::optional<int64_t> TruncationWidth(const std::string& unit) {
  static const std::map<std::string, int64_t> widths = {{"microsecond", 1},
                                                        {"millisecond", 1000},
                                                        {"second", kMicrosPerSecond},
                                                        {"minute", 60 * kMicrosPerSecond},
                                                        {"hour", 3600 * kMicrosPerSecond},
                                                        {"day", kMicrosPerDay},
                                                        {"dd", kMicrosPerDay}};
  const auto width = widths.find(unit);
  return width == widths.end() ? std::nullopt : std::optional<int64_t>(width->second);
}

std::optional<int64_t> TruncateMicros(int64_t micros, const std::string& unit) {
  if (const auto width = TruncationWidth(unit)) return FloorDiv(micros, *width) * *width;
  const auto days = TruncateDays(FloorDiv(micros, kMicrosPerDay), unit);
  if (!days.has_value()) return std::nullopt;
  return *days * kMicrosPerDay;
}

// A constant unit is looked up once.
Result<Kernel> DateTrunc(const BoundExpression& call) {
  const auto unit = ConstantText(call, 0);
  if (!unit.has_value()) {
    return Map<int64_t, Text, int64_t>(
        [](Text name, int64_t micros) { return TruncateMicros(micros, LowerAscii(name)); })(call);
  }
  const std::string name = LowerAscii(*unit);
  const auto width = TruncationWidth(name);
  return Kernel([name, width](const KernelCall& made) -> Result<ArrayPtr> {
    const std::vector<Value> times = {made.args[1]};
    const KernelCall inner{made.expression, times, made.rows, made.clock};
    if (width.has_value()) {
      return MapRows<int64_t, int64_t>(
          inner, [by = *width](int64_t micros) { return FloorDiv(micros, by) * by; },
          std::index_sequence<0>());
    }
    return MapRows<int64_t, int64_t>(
        inner, [&](int64_t micros) { return TruncateMicros(micros, name); },
        std::index_sequence<0>());
  });
}

template <typename Function>
KernelFactory OfDate(Function function) {
  return Map<int32_t, int32_t>(
      [function](int32_t days) { return static_cast<int32_t>(function(int64_t{days})); });
}

template <typename Function>
KernelFactory OfTime(Function function) {
  return Map<int32_t, int64_t>([function](int64_t micros) {
    return static_cast<int32_t>(function(FloorMod(micros, kMicrosPerDay)));
  });
}

int64_t NextDay(int64_t days, int weekday) {
  const int64_t ahead = FloorMod(weekday - DayOfWeek(days), 7);
  return days + (ahead == 0 ? 7 : ahead);
}

std::optional<int> Weekday(Text name) {
  static const std::map<std::string, int> names = {
      {"mo", 0}, {"mon", 0}, {"monday", 0},    {"tu", 1}, {"tue", 1}, {"tuesday", 1},
      {"we", 2}, {"wed", 2}, {"wednesday", 2}, {"th", 3}, {"thu", 3}, {"thursday", 3},
      {"fr", 4}, {"fri", 4}, {"friday", 4},    {"sa", 5}, {"sat", 5}, {"saturday", 5},
      {"su", 6}, {"sun", 6}, {"sunday", 6}};
  const auto found = names.find(LowerAscii(name));
  return found == names.end() ? std::nullopt : std::optional<int>(found->second);
}

KernelFactory Now(bool date) {
  return [date](const BoundExpression&) -> Result<Kernel> {
    return Kernel([date](const KernelCall& call) -> Result<ArrayPtr> {
      if (date)
        return arrow::MakeArrayFromScalar(
            arrow::Date32Scalar(static_cast<int32_t>(FloorDiv(call.clock, kMicrosPerDay))), 1);
      return arrow::MakeArrayFromScalar(arrow::TimestampScalar(call.clock, call.expression.type),
                                        1);
    });
  };
}

KernelFactory ParseTime(bool tried) {
  return [tried](const BoundExpression& expression) -> Result<Kernel> {
    const auto text = ConstantText(expression, 1);
    if (!text.has_value())
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: a datetime pattern that is not constant");
    SLUICE_ASSIGN_OR_RETURN(auto pattern, DatetimePattern::Make(*text));
    const bool to_date = expression.type->id() == arrow::Type::DATE32;
    return Kernel([pattern, tried, to_date,
                   text = *text](const KernelCall& call) -> Result<ArrayPtr> {
      auto parse = [&](Text value) -> Result<std::optional<int64_t>> {
        const auto micros = pattern.Parse(value);
        if (!micros.has_value() && !tried) {
          return MakeError("CANNOT_PARSE_TIMESTAMP",
                           fmt::format("[CANNOT_PARSE_TIMESTAMP] text '{}' could not be parsed by "
                                       "the pattern '{}'. SQLSTATE: 22007",
                                       value.substr(0, 200), text),
                           "use try_to_timestamp to get NULL instead");
        }
        return micros;
      };
      if (!to_date) return MapRows<int64_t, Text>(call, parse, std::index_sequence<0>());
      return MapRows<int32_t, Text>(
          call,
          [&](Text value) -> Result<std::optional<int32_t>> {
            SLUICE_ASSIGN_OR_RETURN(auto micros, parse(value));
            if (!micros.has_value()) return std::optional<int32_t>();
            return std::optional<int32_t>(static_cast<int32_t>(FloorDiv(*micros, kMicrosPerDay)));
          },
          std::index_sequence<0>());
    });
  };
}

Result<Kernel> FormatTime(const BoundExpression& expression) {
  const auto text = expression.args.size() > 1 ? ConstantText(expression, 1)
                                               : std::optional<std::string>("yyyy-MM-dd HH:mm:ss");
  if (!text.has_value())
    return MakeError("NOT_SUPPORTED_YET",
                     "not supported yet: a datetime pattern that is not constant");
  SLUICE_ASSIGN_OR_RETURN(auto pattern, DatetimePattern::Make(*text));
  const int64_t unit = expression.name == "from_unixtime" ? kMicrosPerSecond : 1;
  return Kernel([pattern, unit](const KernelCall& call) {
    std::string out;
    return MapRows<Text, int64_t>(
        call,
        [&](int64_t value) -> Result<Text> {
          int64_t micros = 0;
          if (__builtin_mul_overflow(value, unit, &micros)) return DateOverflow();
          out.clear();
          pattern.Format(micros, &out);
          return Text(out);
        },
        std::index_sequence<0>());
  });
}

// struct<start, end> of the window of `width` that holds the time; windows are aligned to `start`
// after 1970.
Result<Kernel> Window(const BoundExpression& expression) {
  const int64_t width = ConstantInt(expression, 1).value_or(0);
  const int64_t start = ConstantInt(expression, 2).value_or(0);
  SLUICE_CHECK(width > 0, "a window has a positive width");
  return Kernel([width, start](const KernelCall& call) -> Result<ArrayPtr> {
    const ArrayPtr& time = call.args[0].array;
    const auto* in = time->data()->GetValues<int64_t>(1);
    SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> starts,
                            arrow::AllocateBuffer(call.rows * 8));
    SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> ends,
                            arrow::AllocateBuffer(call.rows * 8));
    auto* first = reinterpret_cast<int64_t*>(starts->mutable_data());
    auto* last = reinterpret_cast<int64_t*>(ends->mutable_data());
    for (int64_t row = 0; row < call.rows; ++row) {
      first[row] = time->IsNull(row) ? 0 : FloorDiv(in[row] - start, width) * width + start;
      last[row] = first[row] + width;
    }
    std::shared_ptr<arrow::Buffer> valid;
    if (time->null_count() > 0) {
      arrow::TypedBufferBuilder<bool> bits;
      SLUICE_RETURN_NOT_OK(bits.Reserve(call.rows));
      for (int64_t row = 0; row < call.rows; ++row) bits.UnsafeAppend(!time->IsNull(row));
      SLUICE_ASSIGN_OR_RETURN(valid, bits.Finish());
    }
    auto start_data = arrow::ArrayData::Make(time->type(), call.rows, {valid, starts});
    auto end_data = arrow::ArrayData::Make(time->type(), call.rows, {valid, ends});
    return arrow::MakeArray(
        arrow::ArrayData::Make(call.expression.type, call.rows, {valid}, {start_data, end_data}));
  });
}

template <int kSign>
Result<ArrayPtr> AddInterval(const KernelCall& call) {
  const bool is_date = call.expression.type->id() == arrow::Type::DATE32;
  if (call.args[1].array->type_id() == arrow::Type::INTERVAL_MONTHS) {
    if (is_date) {
      return MapRows<int32_t, int32_t, int32_t>(
          call,
          [](int32_t days, int32_t months) {
            return ToDate(AddMonths(days, int64_t{kSign} * months));
          },
          std::index_sequence<0, 1>());
    }
    return MapRows<int64_t, int64_t, int32_t>(
        call,
        [](int64_t micros, int32_t months) {
          const int64_t days = FloorDiv(micros, kMicrosPerDay);
          return AddMonths(days, int64_t{kSign} * months) * kMicrosPerDay +
                 (micros - days * kMicrosPerDay);
        },
        std::index_sequence<0, 1>());
  }
  if (is_date) {
    return MapRows<int32_t, int32_t, int64_t>(
        call,
        [](int32_t days, int64_t micros) {
          return ToDate(days + kSign * (micros / kMicrosPerDay));
        },
        std::index_sequence<0, 1>());
  }
  return MapRows<int64_t, int64_t, int64_t>(
      call,
      [](int64_t micros, int64_t by) -> Result<int64_t> {
        int64_t out = 0;
        if (__builtin_add_overflow(micros, kSign * by, &out)) return DateOverflow();
        return out;
      },
      std::index_sequence<0, 1>());
}

Result<int32_t> MakeDate(int32_t year, int32_t month, int32_t day) {
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) {
    return MakeError(
        "DATETIME_FIELD_OUT_OF_BOUNDS",
        fmt::format(
            "[DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION] invalid date {}-{}-{}. SQLSTATE: 22023",
            year, month, day));
  }
  return ToDate(DaysFromCivil(year, month, day));
}

KernelFactory FromEpoch(int64_t unit) {
  return Map<int64_t, int64_t>([unit](int64_t value) -> Result<int64_t> {
    int64_t micros = 0;
    if (__builtin_mul_overflow(value, unit, &micros)) return DateOverflow();
    return micros;
  });
}

KernelFactory ToEpoch(int64_t unit) {
  return Map<int64_t, int64_t>([unit](int64_t micros) { return FloorDiv(micros, unit); });
}

constexpr const char* kDayNames[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr const char* kMonthNames[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

void RegisterTimeKernels(KernelMap* kernels) {
  auto& map = *kernels;
  map["current_timestamp"] = Now(false);
  map["localtimestamp"] = Now(false);
  map["current_date"] = Now(true);
  map["current_timezone"] = [](const BoundExpression&) -> Result<Kernel> {
    return Kernel([](const KernelCall&) -> Result<ArrayPtr> {
      return arrow::MakeArrayFromScalar(arrow::StringScalar("Etc/UTC"), 1);
    });
  };
  map["year"] = OfDate([](int64_t days) { return CivilFromDays(days).year; });
  map["quarter"] = OfDate([](int64_t days) { return (CivilFromDays(days).month - 1) / 3 + 1; });
  map["month"] = OfDate([](int64_t days) { return CivilFromDays(days).month; });
  map["day"] = OfDate([](int64_t days) { return CivilFromDays(days).day; });
  map["dayofyear"] = OfDate([](int64_t days) { return DayOfYear(days); });
  map["dayofweek"] = OfDate([](int64_t days) { return (DayOfWeek(days) + 1) % 7 + 1; });
  map["weekday"] = OfDate([](int64_t days) { return DayOfWeek(days); });
  map["weekofyear"] = OfDate([](int64_t days) { return WeekOfYear(days); });
  map["last_day"] = OfDate([](int64_t days) {
    const CivilDate date = CivilFromDays(days);
    return DaysFromCivil(date.year, date.month, DaysInMonth(date.year, date.month));
  });
  map["dayname"] =
      Map<Text, int32_t>([](int32_t days) { return Text(kDayNames[DayOfWeek(days)]); });
  map["monthname"] = Map<Text, int32_t>(
      [](int32_t days) { return Text(kMonthNames[CivilFromDays(days).month - 1]); });
  map["hour"] = OfTime([](int64_t time) { return time / (3600 * kMicrosPerSecond); });
  map["minute"] = OfTime([](int64_t time) { return time / (60 * kMicrosPerSecond) % 60; });
  map["second"] = OfTime([](int64_t time) { return time / kMicrosPerSecond % 60; });
  map["seconds_with_fraction"] = Map<arrow::Decimal128, int64_t>(
      [](int64_t micros) { return arrow::Decimal128(FloorMod(micros, 60 * kMicrosPerSecond)); });
  map["date_add"] = Map<int32_t, int32_t, int32_t>(
      [](int32_t days, int32_t by) { return ToDate(int64_t{days} + by); });
  map["date_sub"] = Map<int32_t, int32_t, int32_t>(
      [](int32_t days, int32_t by) { return ToDate(int64_t{days} - by); });
  map["datediff"] = Map<int32_t, int32_t, int32_t>(
      [](int32_t end, int32_t start) { return ToDate(int64_t{end} - start); });
  map["add_months"] = Map<int32_t, int32_t, int32_t>(
      [](int32_t days, int32_t months) { return ToDate(AddMonths(days, months)); });
  map["next_day"] = Map<int32_t, int32_t, Text>([](int32_t days, Text name) -> Result<int32_t> {
    const auto weekday = Weekday(name);
    if (!weekday.has_value())
      return MakeError(
          "ILLEGAL_DAY_OF_WEEK",
          fmt::format("[ILLEGAL_DAY_OF_WEEK] illegal input for day of week: {}. SQLSTATE: 22009",
                      name));
    return ToDate(NextDay(days, *weekday));
  });
  map["trunc"] = Map<int32_t, int32_t, Text>([](int32_t days, Text unit) -> std::optional<int32_t> {
    const auto truncated = TruncateDays(days, LowerAscii(unit));
    if (!truncated.has_value()) return std::nullopt;
    return static_cast<int32_t>(*truncated);
  });
  map["date_trunc"] = DateTrunc;
  map["unix_date"] = OfDate([](int64_t days) { return days; });
  map["date_from_unix_date"] = OfDate([](int64_t days) { return days; });
  map["unix_seconds"] = ToEpoch(kMicrosPerSecond);
  map["unix_millis"] = ToEpoch(1000);
  map["unix_micros"] = ToEpoch(1);
  map["timestamp_seconds"] = FromEpoch(kMicrosPerSecond);
  map["timestamp_millis"] = FromEpoch(1000);
  map["timestamp_micros"] = FromEpoch(1);
  map["make_date"] = Map<int32_t, int32_t, int32_t, int32_t>(MakeDate);
  map["parse_time"] = ParseTime(false);
  map["try_parse_time"] = ParseTime(true);
  map["date_format"] = FormatTime;
  map["from_unixtime"] = FormatTime;
  map["window"] = Window;
  for (const char* name : {"date_add_interval", "time_add_interval"})
    map[name] = Plain(AddInterval<1>);
  for (const char* name : {"date_subtract_interval", "time_subtract_interval"})
    map[name] = Plain(AddInterval<-1>);
}

}  // namespace sluice::sql
