#include "sql/parser/interval_text.h"

#include <algorithm>
#include <array>
#include <vector>

#include "sql/parser/token_cursor.h"

namespace sluice::sql {
namespace {

constexpr int64_t kSecond = 1'000'000;

struct Unit {
  std::string_view name;
  int64_t months;
  int64_t microseconds;
  IntervalField field;
};

constexpr std::array<Unit, 10> kUnits{{
    {"YEAR", 12, 0, IntervalField::kYear},
    {"MONTH", 1, 0, IntervalField::kMonth},
    {"WEEK", 0, 7 * 86'400 * kSecond, IntervalField::kDay},
    {"DAY", 0, 86'400 * kSecond, IntervalField::kDay},
    {"HOUR", 0, 3'600 * kSecond, IntervalField::kHour},
    {"MINUTE", 0, 60 * kSecond, IntervalField::kMinute},
    {"SECOND", 0, kSecond, IntervalField::kSecond},
    {"MILLISECOND", 0, 1'000, IntervalField::kSecond},
    {"MICROSECOND", 0, 1, IntervalField::kSecond},
    {"NANOSECOND", 0, 0, IntervalField::kSecond},
}};

constexpr std::array<std::string_view, 6> kFieldNames{"YEAR", "MONTH",  "DAY",
                                                      "HOUR", "MINUTE", "SECOND"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Takes digits from the front of `text`; false if there are none or too many.
bool TakeInteger(std::string_view* text, int64_t* value) {
  size_t n = 0;
  *value = 0;
  while (n < text->size() && IsDigit((*text)[n])) {
    if (__builtin_mul_overflow(*value, int64_t{10}, value) ||
        __builtin_add_overflow(*value, int64_t{(*text)[n] - '0'}, value)) {
      return false;
    }
    ++n;
  }
  text->remove_prefix(n);
  return n > 0;
}

/// Takes ".123456789" from the front of `text` as microseconds; the rest after six digits is cut.
int64_t TakeFraction(std::string_view* text) {
  int64_t result = 0;
  if (text->empty() || text->front() != '.') {
    return result;
  }
  text->remove_prefix(1);
  for (int64_t unit = kSecond / 10; !text->empty() && IsDigit(text->front()); unit /= 10) {
    result += (text->front() - '0') * unit;
    text->remove_prefix(1);
  }
  return result;
}

/// Takes a sign; true for minus.
bool TakeMinus(std::string_view* text) {
  const bool minus = !text->empty() && text->front() == '-';
  if (minus || (!text->empty() && text->front() == '+')) {
    text->remove_prefix(1);
  }
  return minus;
}

const Unit* FindUnit(std::string_view name) {
  std::string upper = ToUpper(name);
  for (const Unit& unit : kUnits) {
    if (upper == unit.name || (upper.size() == unit.name.size() + 1 && upper.back() == 'S' &&
                               upper.starts_with(unit.name))) {
      return &unit;
    }
  }
  return nullptr;
}

bool AddScaled(int64_t amount, int64_t factor, int64_t* total) {
  int64_t product = 0;
  return !__builtin_mul_overflow(amount, factor, &product) &&
         !__builtin_add_overflow(*total, product, total);
}

}  // namespace

bool AddIntervalPart(std::string_view amount, std::string_view unit_name, bool* first,
                     IntervalValue* value) {
  const Unit* unit = FindUnit(unit_name);
  const bool minus = TakeMinus(&amount);
  int64_t count = 0;
  if (unit == nullptr || (!amount.starts_with(".") && !TakeInteger(&amount, &count))) {
    return false;
  }
  int64_t fraction = 0;
  if (unit->name == "SECOND") {
    fraction = TakeFraction(&amount);
  } else if (unit->name == "NANOSECOND") {
    fraction = count / 1'000;
  }
  if (!amount.empty() || !AddScaled(minus ? -count : count, unit->months, &value->months) ||
      !AddScaled(minus ? -count : count, unit->microseconds, &value->microseconds) ||
      !AddScaled(minus ? -fraction : fraction, 1, &value->microseconds)) {
    return false;
  }
  value->from = *first ? unit->field : std::min(value->from, unit->field);
  value->to = *first ? unit->field : std::max(value->to, unit->field);
  *first = false;
  return true;
}

std::optional<IntervalValue> ParseIntervalText(std::string_view text) {
  // Words and numbers, also without a blank between them ("10minutes" is not valid in Spark).
  std::vector<std::string_view> words;
  for (size_t i = 0; i < text.size();) {
    if (static_cast<unsigned char>(text[i]) <= ' ') {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < text.size() && static_cast<unsigned char>(text[end]) > ' ') {
      ++end;
    }
    words.push_back(text.substr(i, end - i));
    i = end;
  }
  if (!words.empty() && EqualsIgnoreCase(words[0], "INTERVAL")) {
    words.erase(words.begin());
  }
  IntervalValue value;
  bool first = true;
  std::string sign;
  for (size_t i = 0; i < words.size();) {
    if (words[i] == "-" || words[i] == "+") {
      sign = words[i++];
      continue;
    }
    if (i + 1 >= words.size() ||
        !AddIntervalPart(sign + std::string(words[i]), words[i + 1], &first, &value)) {
      return std::nullopt;
    }
    sign.clear();
    i += 2;
  }
  return first || !sign.empty() ? std::nullopt : std::optional(value);
}

std::optional<IntervalValue> ParseIntervalFields(std::string_view text, IntervalField from,
                                                 IntervalField to) {
  constexpr std::array<int64_t, 6> kFactors{12,           1,      86'400 * kSecond, 3600 * kSecond,
                                            60 * kSecond, kSecond};
  constexpr std::string_view kSeparators = "- ::";  // after year, day, hour, minute
  constexpr std::array<size_t, 5> kSeparatorOf{0, 0, 1, 2, 3};
  if (from > to || (from <= IntervalField::kMonth) != (to <= IntervalField::kMonth)) {
    return std::nullopt;
  }
  IntervalValue value;
  value.from = from;
  value.to = to;
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  const bool minus = TakeMinus(&text);
  int64_t total = 0;
  for (auto field = static_cast<size_t>(from); field <= static_cast<size_t>(to); ++field) {
    int64_t count = 0;
    if (!TakeInteger(&text, &count) || !AddScaled(count, kFactors[field], &total)) {
      return std::nullopt;
    }
    if (field == static_cast<size_t>(to)) {
      break;
    }
    if (text.empty() || text.front() != kSeparators[kSeparatorOf[field]]) {
      return std::nullopt;
    }
    text.remove_prefix(1);
  }
  if (to == IntervalField::kSecond && !AddScaled(TakeFraction(&text), 1, &total)) {
    return std::nullopt;
  }
  if (text.find_first_not_of(' ') != std::string_view::npos) {
    return std::nullopt;
  }
  (value.is_year_month() ? value.months : value.microseconds) = minus ? -total : total;
  return value;
}

std::string FormatInterval(const IntervalValue& value) {
  constexpr std::array<int64_t, 6> kFactors{12,           1,      86'400 * kSecond, 3600 * kSecond,
                                            60 * kSecond, kSecond};
  constexpr std::array<std::string_view, 5> kSeparators{"-", "", " ", ":", ":"};
  const int64_t total = value.is_year_month() ? value.months : value.microseconds;
  uint64_t rest = total < 0 ? ~static_cast<uint64_t>(total) + 1 : static_cast<uint64_t>(total);
  std::string text = total < 0 ? "-" : "";
  const auto from = static_cast<size_t>(value.from);
  const auto to = static_cast<size_t>(value.to);
  for (size_t field = from; field <= to; ++field) {
    const auto factor = static_cast<uint64_t>(kFactors[field]);
    std::string digits = std::to_string(rest / factor);
    const bool pad = field > static_cast<size_t>(IntervalField::kDay);
    text += (pad && digits.size() < 2 ? "0" : "") + digits;
    rest %= factor;
    if (field < to) {
      text += kSeparators[field];
    }
  }
  if (value.to == IntervalField::kSecond && rest > 0) {
    std::string fraction = std::to_string(rest);
    fraction.insert(0, 6 - fraction.size(), '0');
    text += "." + fraction.substr(0, fraction.find_last_not_of('0') + 1);
  }
  text = "'" + text + "' " + std::string(kFieldNames[from]);
  return from == to ? text : text + " TO " + std::string(kFieldNames[to]);
}

}  // namespace sluice::sql
