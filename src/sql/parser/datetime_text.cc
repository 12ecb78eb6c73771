#include "sql/parser/datetime_text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "codec/spark_time.h"

namespace sluice::sql {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

/// Reads a text from its front.
struct Reader {
  std::string_view rest;

  bool Take(char c) {
    if (rest.empty() || rest.front() != c) {
      return false;
    }
    rest.remove_prefix(1);
    return true;
  }
  /// Between `min` and `max` digits.
  std::optional<int64_t> Number(size_t min, size_t max) {
    size_t n = 0;
    int64_t value = 0;
    while (n < rest.size() && n < max && rest[n] >= '0' && rest[n] <= '9') {
      value = value * 10 + (rest[n++] - '0');
    }
    if (n < min || (n < rest.size() && rest[n] >= '0' && rest[n] <= '9')) {
      return std::nullopt;
    }
    rest.remove_prefix(n);
    return value;
  }
};

/// [+-]yyyy[-m[-d]]; leaves what follows.
std::optional<int64_t> TakeDate(Reader* reader) {
  const bool negative = reader->Take('-');
  if (!negative) {
    reader->Take('+');
  }
  const auto year = reader->Number(4, 6);
  if (!year) {
    return std::nullopt;
  }
  int64_t month = 1;
  int64_t day = 1;
  if (reader->Take('-')) {
    const auto m = reader->Number(1, 2);
    if (!m) {
      return std::nullopt;
    }
    month = *m;
    if (reader->Take('-')) {
      const auto d = reader->Number(1, 2);
      if (!d) {
        return std::nullopt;
      }
      day = *d;
    }
  }
  // std::chrono::year ends at 32767; the Gregorian calendar repeats every 400 years of 146097 days.
  const int64_t signed_year = negative ? -*year : *year;
  const int64_t cycles = (signed_year >= 0 ? signed_year : signed_year - 399) / 400;
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(signed_year - cycles * 400)),
      std::chrono::month(static_cast<unsigned>(month)),
      std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date).time_since_epoch().count() + cycles * 146'097;
}

/// h:m[:s[.ffffff..]]; leaves what follows.
std::optional<int64_t> TakeTime(Reader* reader) {
  std::array<int64_t, 3> fields{0, 0, 0};
  const auto hour = reader->Number(1, 2);
  if (!hour) {
    return std::nullopt;
  }
  fields[0] = *hour;
  int64_t fraction = 0;
  for (size_t i = 1; i < fields.size() && reader->Take(':'); ++i) {
    const auto value = reader->Number(1, 2);
    if (!value) {
      return std::nullopt;
    }
    fields[i] = *value;
    if (i == 2 && reader->Take('.')) {
      for (int64_t unit = kMicrosPerSecond / 10;
           !reader->rest.empty() && reader->rest[0] >= '0' && reader->rest[0] <= '9'; unit /= 10) {
        fraction += (reader->rest[0] - '0') * unit;
        reader->rest.remove_prefix(1);
      }
    }
  }
  if (fields[0] > 23 || fields[1] > 59 || fields[2] > 59) {
    return std::nullopt;
  }
  return ((fields[0] * 60 + fields[1]) * 60 + fields[2]) * kMicrosPerSecond + fraction;
}

/// "", "Z", "UTC", "+1", "-03:00", "GMT+05:30:15" -> seconds east of Greenwich.
std::optional<int64_t> ZoneOffset(std::string_view zone) {
  if (zone == "Z" || zone == "z") {
    return 0;
  }
  for (const std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (zone.starts_with(prefix)) {
      zone.remove_prefix(prefix.size());
      if (zone.empty()) {
        return 0;
      }
      break;
    }
  }
  Reader reader{zone};
  const bool negative = reader.Take('-');
  if (!negative && !reader.Take('+')) {
    return std::nullopt;
  }
  int64_t seconds = 0;
  int64_t unit = 3600;
  for (bool more = true; more && unit > 0; more = reader.Take(':'), unit /= 60) {
    const auto value = reader.Number(1, 2);
    if (!value || *value > 59) {
      return std::nullopt;
    }
    seconds += *value * unit;
  }
  if (!reader.rest.empty() || seconds > 18 * 3600) {
    return std::nullopt;
  }
  return negative ? -seconds : seconds;
}

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/// Seconds east of Greenwich where the clock of `zone` shows `local` seconds; nothing for a zone
/// that is not known.
std::optional<int64_t> OffsetAt(std::string_view zone, int64_t local) {
  if (const auto fixed = ZoneOffset(zone)) {
    return fixed;
  }
  const auto region = codec::TimeZone::Parse(zone);
  return region ? std::optional<int64_t>(local - region->LocalToUtc(local)) : std::nullopt;
}

}  // namespace

std::optional<int64_t> ParseDateText(std::string_view text) {
  Reader reader{Trim(text)};
  const auto days = TakeDate(&reader);
  if (!days || (!reader.rest.empty() && reader.rest[0] != 'T' && reader.rest[0] != ' ')) {
    return std::nullopt;
  }
  return days;
}

std::optional<TimestampText> ParseTimestampText(std::string_view text) {
  Reader reader{Trim(text)};
  const auto days = TakeDate(&reader);
  if (!days) {
    return std::nullopt;
  }
  TimestampText result;
  int64_t time = 0;
  const char* const time_begin = reader.rest.data();
  if (reader.Take('T') || reader.Take(' ')) {
    const auto taken = TakeTime(&reader);
    if (!taken) {
      return std::nullopt;
    }
    time = *taken;
  }
  int64_t local = 0;
  if (__builtin_mul_overflow(*days, kMicrosPerDay, &local) ||
      __builtin_add_overflow(local, time, &local)) {
    return std::nullopt;
  }
  result.local_microseconds = local;
  const bool has_time = reader.rest.empty() || reader.rest.data() > time_begin;
  if (!has_time) {
    return std::nullopt;
  }
  const std::string_view zone = Trim(reader.rest);
  int64_t offset = 0;
  if (!zone.empty()) {
    const auto seconds = OffsetAt(zone, FloorDivide(local, kMicrosPerSecond));
    if (!seconds) {
      return std::nullopt;
    }
    offset = *seconds;
    result.has_zone = true;
  }
  if (__builtin_sub_overflow(local, offset * kMicrosPerSecond, &result.microseconds)) {
    return std::nullopt;
  }
  return result;
}

std::optional<int64_t> ParseTimeText(std::string_view text) {
  Reader reader{Trim(text)};
  const auto time = TakeTime(&reader);
  return reader.rest.empty() ? time : std::nullopt;
}

std::string FormatDate(int64_t days) {
  // The same 400-year cycles as in reading keep std::chrono within its years.
  const int64_t cycles = FloorDivide(days, 146'097);
  const auto in_cycle = static_cast<int>(days - cycles * 146'097);
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(in_cycle))};
  const int64_t year = static_cast<int>(date.year()) + cycles * 400;
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%s%04lld-%02u-%02u",
                year < 0 ? "-" : (year > 9999 ? "+" : ""),
                static_cast<long long>(year < 0 ? -year : year),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return buffer.data();
}

std::string FormatTime(int64_t microseconds) {
  std::array<char, 40> buffer{};
  const int64_t seconds = microseconds / kMicrosPerSecond;
  std::snprintf(buffer.data(), buffer.size(), "%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string text = buffer.data();
  if (const int64_t fraction = microseconds % kMicrosPerSecond; fraction != 0) {
    std::snprintf(buffer.data(), buffer.size(), ".%06d", static_cast<int>(fraction));
    text += buffer.data();
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

std::string FormatTimestamp(int64_t microseconds) {
  const int64_t days = FloorDivide(microseconds, kMicrosPerDay);
  int64_t time = microseconds % kMicrosPerDay;
  if (time < 0) {
    time += kMicrosPerDay;
  }
  return FormatDate(days) + " " + FormatTime(time);
}

}  // namespace sluice::sql
