#include "sql/expressions/datetime_pattern.h"

#include <fmt/format.h>

#include <iterator>

#include "base/calendar.h"

namespace sluice::sql {
namespace {

constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                   "May",       "June",     "July",     "August",
                                   "September", "October",  "November", "December"};
constexpr const char* kDays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                 "Friday", "Saturday", "Sunday"};

Status Unsupported(std::string_view pattern) {
  return MakeError("NOT_SUPPORTED_YET",
                   fmt::format("not supported yet: the datetime pattern '{}'", pattern));
}

int MaxWidth(char letter) {
  switch (letter) {
    case 'y': return 4;
    case 'M': return 4;
    case 'E': return 4;
    case 'S': return 6;
    case 'D': return 3;
    case 'a': return 1;
    case 'Q': return 2;
    case 'd':
    case 'H':
    case 'h':
    case 'm':
    case 's': return 2;
    default: return 0;
  }
}

// Reads `least` to `most` digits.
std::optional<int64_t> Digits(std::string_view text, size_t* at, int least, int most) {
  int64_t value = 0;
  int count = 0;
  while (count < most && *at < text.size() && text[*at] >= '0' && text[*at] <= '9') {
    value = value * 10 + (text[(*at)++] - '0');
    ++count;
  }
  return count < least ? std::nullopt : std::optional<int64_t>(value);
}

struct Fields {
  int64_t year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0;
};

}  // namespace

Result<DatetimePattern> DatetimePattern::Make(std::string_view pattern) {
  DatetimePattern made;
  for (size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    Part part;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      part.letter = c;
      while (i < pattern.size() && pattern[i] == c) {
        ++part.width;
        ++i;
      }
      if (part.width > MaxWidth(c) || (c == 'y' && part.width == 3) || (c == 'h'))
        return Unsupported(pattern);
      made.can_parse_ &=
          !((c == 'M' && part.width > 2) || c == 'E' || c == 'D' || c == 'a' || c == 'Q');
      // Adjacent numeric fields are read by width in Java; here only fixed widths are.
      if (!made.parts_.empty() && made.parts_.back().letter != 0 &&
          (part.width == 1 || made.parts_.back().width == 1)) {
        made.can_parse_ = false;
      }
    } else if (c == '\'') {
      for (++i; i < pattern.size(); ++i) {
        if (pattern[i] == '\'') {
          if (i + 1 >= pattern.size() || pattern[i + 1] != '\'') break;
          ++i;
        }
        part.text += pattern[i];
      }
      if (i >= pattern.size()) return Unsupported(pattern);
      if (part.text.empty()) part.text = "'";
      ++i;
    } else if (c == '[' || c == ']' || c == '{' || c == '}' || c == '#') {
      return Unsupported(pattern);
    } else {
      part.text = c;
      ++i;
    }
    made.parts_.push_back(std::move(part));
  }
  return made;
}

void DatetimePattern::FormatPart(const Part& part, int64_t days, int64_t time,
                                 std::string* out) const {
  auto number = [&](int64_t value) {
    fmt::format_to(std::back_inserter(*out), "{:0{}}", value, part.width);
  };
  const CivilDate date = CivilFromDays(days);
  switch (part.letter) {
    case 0: *out += part.text; break;
    case 'y':
      if (part.width == 2) {
        fmt::format_to(std::back_inserter(*out), "{:02}", FloorMod(date.year, 100));
      } else {
        if (part.width == 4 && date.year > 9999) *out += '+';
        number(date.year);
      }
      break;
    case 'M':
      if (part.width == 3) *out += std::string_view(kMonths[date.month - 1]).substr(0, 3);
      if (part.width == 4) *out += kMonths[date.month - 1];
      if (part.width < 3) number(date.month);
      break;
    case 'E':
      *out += part.width < 4 ? std::string_view(kDays[DayOfWeek(days)]).substr(0, 3)
                             : std::string_view(kDays[DayOfWeek(days)]);
      break;
    case 'd': number(date.day); break;
    case 'D': number(DayOfYear(days)); break;
    case 'Q': number((date.month - 1) / 3 + 1); break;
    case 'H': number(time / (3600 * kMicrosPerSecond)); break;
    case 'm': number(time / (60 * kMicrosPerSecond) % 60); break;
    case 's': number(time / kMicrosPerSecond % 60); break;
    case 'a': *out += time >= kMicrosPerDay / 2 ? "PM" : "AM"; break;
    case 'S':
      *out +=
          fmt::format("{:06}", time % kMicrosPerSecond).substr(0, static_cast<size_t>(part.width));
      break;
    default: break;
  }
}

void DatetimePattern::Format(int64_t micros, std::string* out) const {
  const int64_t days = FloorDiv(micros, kMicrosPerDay);
  const int64_t time = micros - days * kMicrosPerDay;
  for (const Part& part : parts_) FormatPart(part, days, time, out);
}

std::optional<int64_t> DatetimePattern::Parse(std::string_view text) const {
  Fields fields;
  size_t at = 0;
  for (const Part& part : parts_) {
    if (part.letter == 0) {
      if (text.substr(at, part.text.size()) != part.text) return std::nullopt;
      at += part.text.size();
      continue;
    }
    int least = part.width;
    int most = part.width;
    if (part.letter == 'y')
      most = part.width == 2 ? 2 : 4;
    else if (part.width == 1 && part.letter != 'S')
      most = 2;
    const size_t before = at;
    const auto value = Digits(text, &at, least, most);
    if (!value.has_value()) return std::nullopt;
    switch (part.letter) {
      case 'y': fields.year = part.width == 2 ? 2000 + *value : *value; break;
      case 'M': fields.month = *value; break;
      case 'd': fields.day = *value; break;
      case 'H': fields.hour = *value; break;
      case 'm': fields.minute = *value; break;
      case 's': fields.second = *value; break;
      case 'S': {
        int64_t scaled = *value;
        for (size_t digits = at - before; digits < 6; ++digits) scaled *= 10;
        fields.micros = scaled;
        break;
      }
      default: return std::nullopt;
    }
  }
  const bool valid = at == text.size() && fields.month >= 1 && fields.month <= 12 &&
                     fields.day >= 1 &&
                     fields.day <= DaysInMonth(fields.year, static_cast<int>(fields.month)) &&
                     fields.hour < 24 && fields.minute < 60 && fields.second < 60;
  if (!valid) return std::nullopt;
  const int64_t days =
      DaysFromCivil(fields.year, static_cast<int>(fields.month), static_cast<int>(fields.day));
  return days * kMicrosPerDay +
         ((fields.hour * 60 + fields.minute) * 60 + fields.second) * kMicrosPerSecond +
         fields.micros;
}

}  // namespace sluice::sql
