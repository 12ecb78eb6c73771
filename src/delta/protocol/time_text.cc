#include "delta/protocol/time_text.h"

#include <cstdint>
#include <cstdio>

#include "base/calendar.h"

namespace sluice::delta {
namespace {

std::string FormatSeconds(int64_t seconds, char separator) {
  const int64_t days = FloorDiv(seconds, 86400);
  const int64_t rest = seconds - days * 86400;
  char text[40];
  std::snprintf(text, sizeof(text), "%c%02d:%02d:%02d", separator, static_cast<int>(rest / 3600),
                static_cast<int>(rest / 60 % 60), static_cast<int>(rest % 60));
  return FormatDate(days) + text;
}

/// Reads `digits` digits (or, with digits = 0, all there are).
std::optional<int64_t> TakeNumber(std::string_view* text, size_t digits) {
  size_t length = 0;
  int64_t value = 0;
  while (length < text->size() && (*text)[length] >= '0' && (*text)[length] <= '9' &&
         (digits == 0 || length < digits)) {
    if (length > 12) return std::nullopt;
    value = value * 10 + ((*text)[length] - '0');
    ++length;
  }
  if (length == 0) return std::nullopt;
  text->remove_prefix(length);
  return value;
}

bool TakeChar(std::string_view* text, char wanted) {
  if (text->empty() || text->front() != wanted) return false;
  text->remove_prefix(1);
  return true;
}

std::optional<int64_t> TakeDate(std::string_view* text) {
  const bool negative = TakeChar(text, '-');
  if (!negative) TakeChar(text, '+');
  const auto year = TakeNumber(text, 0);
  if (!year || !TakeChar(text, '-')) return std::nullopt;
  const auto month = TakeNumber(text, 2);
  if (!month || *month < 1 || *month > 12 || !TakeChar(text, '-')) return std::nullopt;
  const auto day = TakeNumber(text, 2);
  if (!day || *day < 1 || *day > 31) return std::nullopt;
  return DaysFromCivil(negative ? -*year : *year, static_cast<int>(*month), static_cast<int>(*day));
}

/// Fraction of a second as microseconds; further digits are cut.
int64_t TakeFraction(std::string_view* text) {
  int64_t micros = 0;
  int64_t scale = 100000;
  while (!text->empty() && text->front() >= '0' && text->front() <= '9') {
    micros += (text->front() - '0') * scale;
    scale /= 10;
    text->remove_prefix(1);
  }
  return micros;
}

/// Seconds east of UTC.
std::optional<int64_t> TakeZone(std::string_view* text) {
  if (text->empty() || TakeChar(text, 'Z')) return 0;
  int64_t sign = 0;
  if (TakeChar(text, '+')) sign = 1;
  if (sign == 0 && TakeChar(text, '-')) sign = -1;
  if (sign == 0) return std::nullopt;
  const auto hours = TakeNumber(text, 2);
  TakeChar(text, ':');
  const auto minutes = TakeNumber(text, 2);
  if (!hours) return std::nullopt;
  return sign * (*hours * 3600 + minutes.value_or(0) * 60);
}

}  // namespace

std::string FormatDate(int64_t days) {
  const CivilDate civil = CivilFromDays(days);
  char text[40];
  std::snprintf(text, sizeof(text), "%04lld-%02d-%02d", static_cast<long long>(civil.year),
                civil.month, civil.day);
  return text;
}

std::string FormatMicros(int64_t micros, char separator) {
  const int64_t seconds = FloorDiv(micros, 1000000);
  char fraction[16];
  std::snprintf(fraction, sizeof(fraction), ".%06d", static_cast<int>(micros - seconds * 1000000));
  return FormatSeconds(seconds, separator) + fraction;
}

std::string FormatMillis(int64_t millis) {
  const int64_t seconds = FloorDiv(millis, 1000);
  char fraction[16];
  std::snprintf(fraction, sizeof(fraction), ".%03d", static_cast<int>(millis - seconds * 1000));
  return FormatSeconds(seconds, 'T') + fraction;
}

std::optional<int32_t> ParseDate(std::string_view text) {
  const auto days = TakeDate(&text);
  if (!days || !text.empty() || *days < INT32_MIN || *days > INT32_MAX) return std::nullopt;
  return static_cast<int32_t>(*days);
}

std::optional<int64_t> ParseMicros(std::string_view text) {
  // Days that are below 2^63 microseconds with every time of theirs.
  constexpr int64_t kLastDay = INT64_MAX / (86400LL * 1000000) - 2;
  const auto days = TakeDate(&text);
  if (!days || *days > kLastDay || *days < -kLastDay) return std::nullopt;
  int64_t seconds = *days * 86400;
  int64_t micros = 0;
  if (!text.empty()) {
    if (!TakeChar(&text, 'T') && !TakeChar(&text, ' ')) return std::nullopt;
    const auto hour = TakeNumber(&text, 2);
    if (!hour || !TakeChar(&text, ':')) return std::nullopt;
    const auto minute = TakeNumber(&text, 2);
    if (!minute) return std::nullopt;
    int64_t second = 0;
    if (TakeChar(&text, ':')) {
      const auto parsed = TakeNumber(&text, 2);
      if (!parsed) return std::nullopt;
      second = *parsed;
      if (TakeChar(&text, '.')) micros = TakeFraction(&text);
    }
    const auto zone = TakeZone(&text);
    if (!zone || !text.empty() || *hour > 24 || *minute > 59 || second > 60) return std::nullopt;
    seconds += *hour * 3600 + *minute * 60 + second - *zone;
  }
  return seconds * 1000000 + micros;
}

}  // namespace sluice::delta
