#include "codec/time_pattern.h"

#include <algorithm>
#include <array>

#include "base/calendar.h"

namespace sluice::codec {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::string_view kNumericLetters = "yuMLdDHkKhmsS";
constexpr int kNoValue = -1;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool TakeText(std::string_view expected, std::string_view text, size_t* at) {
  if (text.size() - *at < expected.size()) return false;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (Lower(text[*at + i]) != Lower(expected[i])) return false;
  }
  *at += expected.size();
  return true;
}

// One of `names` (or its first three letters), counted from 1.
template <size_t kCount>
bool TakeName(const std::array<std::string_view, kCount>& names, bool full, std::string_view text,
              size_t* at, int* out) {
  for (size_t i = 0; i < kCount; ++i) {
    if (TakeText(full ? names[i] : names[i].substr(0, 3), text, at)) {
      *out = static_cast<int>(i) + 1;
      return true;
    }
  }
  return false;
}

bool TakeDigits(int min, int max, std::string_view text, size_t* at, int64_t* out) {
  int64_t value = 0;
  int count = 0;
  while (count < max && *at < text.size() && IsDigit(text[*at])) {
    value = value * 10 + (text[(*at)++] - '0');
    ++count;
  }
  *out = value;
  return count >= min;
}

Status Unsupported(std::string_view pattern, std::string_view part) {
  return MakeError(
      "JSON_INVALID_OPTION",
      "unsupported datetime pattern: " + std::string(pattern) + ", at " + std::string(part),
      "supported letters: y u M L d D H k K h a m s S X x Z V, 'text' and [optional] parts");
}

bool IsSupported(char letter, int count) {
  switch (letter) {
    case 'y':
    case 'u': return count <= 6;
    case 'M':
    case 'L': return count <= 4;
    case 'D': return count <= 3;
    case 'd':
    case 'H':
    case 'k':
    case 'K':
    case 'h':
    case 'm':
    case 's':
    case 'V': return count <= 2 && (letter != 'V' || count == 2);
    case 'a': return count == 1;
    case 'S': return count <= 9;
    case 'X':
    case 'x': return count <= 5;
    case 'Z': return count <= 3 || count == 5;
    default: return false;
  }
}

// "+HH", "+HHMM" or "+HH:MM" with seconds where the letters allow it.
bool TakeOffset(char letter, int count, std::string_view text, size_t* at,
                std::optional<TimeZone>* zone) {
  const bool zulu = letter == 'X' || (letter == 'Z' && count == 5);
  if (*at >= text.size()) return false;
  if (zulu && Lower(text[*at]) == 'z') {
    ++*at;
    *zone = TimeZone();
    return true;
  }
  if (text[*at] != '+' && text[*at] != '-') return false;
  const bool colons = letter == 'Z' ? count == 5 : count == 3 || count == 5;
  const bool minutes_optional = letter != 'Z' && count == 1;
  const size_t begin = (*at)++;
  int64_t ignored = 0;
  if (!TakeDigits(2, 2, text, at, &ignored)) return false;
  const size_t after_hours = *at;
  const bool colon_ok = !colons || (*at < text.size() && text[*at] == ':');
  if (colons && colon_ok) ++*at;
  if (!colon_ok || !TakeDigits(2, 2, text, at, &ignored)) {
    if (!minutes_optional) return false;
    *at = after_hours;
  }
  *zone = TimeZone::Parse(text.substr(begin, *at - begin));
  return zone->has_value();
}

bool TakeZoneId(std::string_view text, size_t* at, std::optional<TimeZone>* zone) {
  size_t end = *at;
  while (end < text.size() &&
         (IsLetter(text[end]) || IsDigit(text[end]) ||
          std::string_view("/_+-:").find(text[end]) != std::string_view::npos)) {
    ++end;
  }
  *zone = TimeZone::Parse(text.substr(*at, end - *at));
  *at = end;
  return zone->has_value();
}

}  // namespace

struct TimePattern::Fields {
  int64_t year = 1970;
  int64_t month = 1;
  int64_t day = 1;
  int64_t day_of_year = kNoValue;
  int64_t hour = 0;
  int64_t hour_of_half = kNoValue;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t micros = 0;
  bool afternoon = false;
  std::optional<TimeZone> zone;
};

Result<TimePattern> TimePattern::Make(std::string_view pattern) {
  TimePattern out;
  int open = 0;
  for (size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    Item item;
    if (c == '\'') {
      const size_t end = pattern.find('\'', at + 1);
      if (end == std::string_view::npos) return Unsupported(pattern, pattern.substr(at));
      item.literal = end == at + 1 ? "'" : std::string(pattern.substr(at + 1, end - at - 1));
      at = end + 1;
    } else if (c == '[' || c == ']') {
      open += c == '[' ? 1 : -1;
      if (open < 0) return Unsupported(pattern, pattern.substr(at));
      item.letter = c;
      ++at;
    } else if (IsLetter(c)) {
      const size_t begin = at;
      while (at < pattern.size() && pattern[at] == c) ++at;
      item.letter = c == 'y' ? 'u' : c;
      item.count = static_cast<int>(at - begin);
      if (!IsSupported(c, item.count)) return Unsupported(pattern, pattern.substr(begin));
    } else {
      if (c == '{' || c == '}' || c == '#') return Unsupported(pattern, pattern.substr(at));
      item.literal = std::string(1, c);
      ++at;
    }
    out.items_.push_back(std::move(item));
  }
  if (open != 0) return Unsupported(pattern, "[");
  for (size_t i = 0; i + 1 < out.items_.size(); ++i) {
    out.items_[i].adjacent =
        kNumericLetters.find(out.items_[i + 1].letter) != std::string_view::npos &&
        out.items_[i + 1].letter != 0;
  }
  return out;
}

bool TimePattern::ParseItem(const Item& item, std::string_view text, size_t* at, Fields* fields) {
  int64_t value = 0;
  int name = 0;
  const int max = item.count >= 2 || item.adjacent ? item.count : 19;
  switch (item.letter) {
    case 0: return TakeText(item.literal, text, at);
    case 'u': {
      if (item.count == 2) {
        if (!TakeDigits(2, 2, text, at, &value)) return false;
        fields->year = 2000 + value;
        return true;
      }
      const bool has_sign = *at < text.size() && (text[*at] == '+' || text[*at] == '-');
      const bool negative = has_sign && text[*at] == '-';
      *at += has_sign ? 1 : 0;
      const int year_max = has_sign && item.count >= 4 ? 9 : item.count >= 3 ? item.count : 9;
      if (!TakeDigits(item.count, year_max, text, at, &value)) return false;
      fields->year = negative ? -value : value;
      return true;
    }
    case 'M':
    case 'L':
      if (item.count >= 3) {
        if (!TakeName(kMonths, item.count == 4, text, at, &name)) return false;
        fields->month = name;
        return true;
      }
      return TakeDigits(item.count, max, text, at, &fields->month);
    case 'd': return TakeDigits(item.count, max, text, at, &fields->day);
    case 'D': return TakeDigits(item.count, std::max(max, 3), text, at, &fields->day_of_year);
    case 'H':
      if (!TakeDigits(item.count, max, text, at, &fields->hour)) return false;
      return fields->hour <= 23;
    case 'k':
      if (!TakeDigits(item.count, max, text, at, &fields->hour) || fields->hour < 1 ||
          fields->hour > 24)
        return false;
      fields->hour %= 24;
      return true;
    case 'h':
      if (!TakeDigits(item.count, max, text, at, &value) || value < 1 || value > 12) return false;
      fields->hour_of_half = value % 12;
      return true;
    case 'K':
      fields->hour_of_half = 0;
      return TakeDigits(item.count, max, text, at, &fields->hour_of_half) &&
             fields->hour_of_half <= 11;
    case 'm': return TakeDigits(item.count, max, text, at, &fields->minute) && fields->minute <= 59;
    case 's': return TakeDigits(item.count, max, text, at, &fields->second) && fields->second <= 59;
    case 'S': {
      const size_t begin = *at;
      if (!TakeDigits(1, item.count, text, at, &value)) return false;
      for (size_t digits = *at - begin; digits < 6; ++digits) value *= 10;
      for (size_t digits = *at - begin; digits > 6; --digits) value /= 10;
      fields->micros = value;
      return true;
    }
    case 'a':
      fields->afternoon = TakeText("PM", text, at);
      return fields->afternoon || TakeText("AM", text, at);
    case 'V': return TakeZoneId(text, at, &fields->zone);
    default: return TakeOffset(item.letter, item.count, text, at, &fields->zone);
  }
}

bool TimePattern::ParseItems(std::string_view text, size_t from, size_t to, size_t* at,
                             Fields* fields) const {
  for (size_t i = from; i < to; ++i) {
    if (items_[i].letter == '[') {
      size_t end = i + 1;
      for (int open = 1; open > 0; ++end)
        open += items_[end].letter == '[' ? 1 : items_[end].letter == ']' ? -1 : 0;
      size_t tried_at = *at;
      Fields tried = *fields;
      if (ParseItems(text, i + 1, end - 1, &tried_at, &tried)) {
        *at = tried_at;
        *fields = tried;
      }
      i = end - 1;
    } else if (!ParseItem(items_[i], text, at, fields)) {
      return false;
    }
  }
  return true;
}

bool TimePattern::Parse(std::string_view text, Parsed* out) const {
  Fields fields;
  size_t at = 0;
  if (!ParseItems(text, 0, items_.size(), &at, &fields) || at != text.size()) return false;
  if (fields.day_of_year != kNoValue) {
    const bool leap = IsValidDate(fields.year, 2, 29);
    if (fields.day_of_year < 1 || fields.day_of_year > (leap ? 366 : 365)) return false;
    out->days = DaysFromCivil(fields.year, 1, 1) + fields.day_of_year - 1;
  } else {
    if (!IsValidDate(fields.year, fields.month, fields.day)) return false;
    out->days =
        DaysFromCivil(fields.year, static_cast<int>(fields.month), static_cast<int>(fields.day));
  }
  if (fields.hour_of_half != kNoValue)
    fields.hour = fields.hour_of_half + (fields.afternoon ? 12 : 0);
  out->micros_of_day =
      (fields.hour * 3600 + fields.minute * 60 + fields.second) * kMicrosPerSecond + fields.micros;
  out->zone = fields.zone;
  return true;
}

}  // namespace sluice::codec
