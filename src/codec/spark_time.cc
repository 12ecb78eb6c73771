#include "codec/spark_time.h"

#include <arrow/vendored/datetime.h>

#include <array>
#include <charconv>
#include <stdexcept>

#include "base/calendar.h"

namespace sluice::codec {

namespace date = arrow_vendored::date;

namespace {

constexpr int kMaxOffsetSeconds = 18 * 3600;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
int TwoDigits(const char* at) { return (at[0] - '0') * 10 + (at[1] - '0'); }
bool AreDigits(std::string_view text) {
  for (const char c : text) {
    if (!IsDigit(c)) return false;
  }
  return !text.empty();
}

// java.time.ZoneId.SHORT_IDS.
struct ShortId {
  std::string_view id;
  std::string_view zone;
};
constexpr std::array<ShortId, 28> kShortIds = {{
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},
    {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"},
    {"EST", "-05:00"},
    {"MST", "-07:00"},
    {"HST", "-10:00"},
}};

// "+h", "+hh", "+hh:mm", "+hhmm", "+hh:mm:ss", "+hhmmss", and Spark's old "+h:mm", "+hh:m".
bool ParseOffset(std::string_view text, int32_t* seconds) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return false;
  const int sign = text[0] == '-' ? -1 : 1;
  std::string normal(text.substr(1));
  if (normal.size() >= 2 && IsDigit(normal[0]) && normal[1] == ':') normal.insert(0, 1, '0');
  if (normal.size() == 4 && normal[2] == ':' && IsDigit(normal[3])) normal.insert(3, 1, '0');
  if (normal.size() == 1) normal.insert(0, 1, '0');
  int parts[3] = {0, 0, 0};
  const bool colons = normal.size() > 2 && normal[2] == ':';
  const size_t step = colons ? 3 : 2;
  if (colons ? (normal.size() != 5 && normal.size() != 8)
             : (normal.size() % 2 != 0 || normal.size() > 6))
    return false;
  size_t part = 0;
  for (size_t at = 0; at < normal.size(); at += step, ++part) {
    if (at + 2 > normal.size() || !IsDigit(normal[at]) || !IsDigit(normal[at + 1])) return false;
    if (colons && at + 2 < normal.size() && normal[at + 2] != ':') return false;
    parts[part] = TwoDigits(normal.data() + at);
  }
  if (parts[1] > 59 || parts[2] > 59) return false;
  *seconds = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
  return *seconds >= -kMaxOffsetSeconds && *seconds <= kMaxOffsetSeconds;
}

const date::time_zone* FindRegion(std::string_view id) {
  try {
    return date::locate_zone(id);
  } catch (const std::exception&) {  // how the zone database says "no such zone"
    return nullptr;
  }
}

using LocalSeconds = date::local_time<std::chrono::seconds>;
using SystemSeconds = date::sys_time<std::chrono::seconds>;

// What the text of a timestamp consists of; -1 = no such segment was closed.
struct Segments {
  std::array<int64_t, 9> value = {1, 1, 1, 0, 0, 0, 0, 0, 0};
  std::optional<TimeZone> zone;
  bool only_time = false;
};

bool AreValidDigits(int segment, int digits) {
  switch (segment) {
    case 6: return true;
    case 0: return digits >= 4 && digits <= 6;
    case 7: return digits <= 2;
    default: return digits > 0 && digits <= 2;
  }
}

bool IsTrimmed(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7F;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsTrimmed(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsTrimmed(text.back())) text.remove_suffix(1);
  return text;
}

// Reads the segments year, month, day, hour, minute, second, fraction one after the other.
class SegmentReader {
 public:
  SegmentReader(std::string_view text, size_t trimmed_before)
      : text_(text), at_start_(trimmed_before == 0) {}

  bool Read(Segments* out) {
    size_t at = 0;
    int year_sign = 0;
    if (text_[0] == '-' || text_[0] == '+') {
      year_sign = text_[0] == '-' ? -1 : 1;
      at = 1;
    }
    while (at < text_.size()) {
      const char c = text_[at];
      if (IsDigit(c)) {
        AddDigit(c);
      } else if (segment_ >= 5 && segment_ <= 6 && !(c == '.' && segment_ == 5)) {
        return Close(out) && ReadZone(text_.substr(at), out) && Finish(year_sign, out);
      } else if (!Separator(c, at, year_sign, out)) {
        return false;
      }
      ++at;
    }
    if (!AreValidDigits(segment_, digits_)) return false;
    out->value[static_cast<size_t>(segment_)] = current_;
    return Finish(year_sign, out);
  }

 private:
  void AddDigit(char c) {
    if (segment_ == 6) ++fraction_digits_;
    if (segment_ != 6 || digits_ < 6) current_ = current_ * 10 + (c - '0');
    if (current_ > 99'999'999) current_ = 99'999'999;  // too many digits anyway
    ++digits_;
  }

  bool Close(Segments* out) {
    if (!AreValidDigits(segment_, digits_)) return false;
    out->value[static_cast<size_t>(segment_)] = current_;
    current_ = 0;
    digits_ = 0;
    ++segment_;
    return true;
  }

  bool Separator(char c, size_t at, int year_sign, Segments* out) {
    if (at == 0 && at_start_ && c == 'T') {
      out->only_time = true;
      segment_ += 3;
      return true;
    }
    if (segment_ == 0 && c == ':' && year_sign == 0) {
      out->only_time = true;
      segment_ = 3;
      return Close(out);
    }
    switch (segment_) {
      case 0:
      case 1: return c == '-' && Close(out);
      case 2: return (c == ' ' || c == 'T') && Close(out);
      case 3:
      case 4: return c == ':' && Close(out);
      case 5: return c == '.' && Close(out);
      default: return false;
    }
  }

  static bool ReadZone(std::string_view text, Segments* out) {
    out->zone = TimeZone::Parse(Trim(text));
    return out->zone.has_value();
  }

  bool Finish(int year_sign, Segments* out) const {
    for (int digits = fraction_digits_; digits < 6; ++digits) out->value[6] *= 10;
    if (year_sign < 0) out->value[0] = -out->value[0];
    return true;
  }

  const std::string_view text_;
  const bool at_start_;
  int segment_ = 0;
  int64_t current_ = 0;
  int digits_ = 0;
  int fraction_digits_ = 0;
};

bool ReadSegments(std::string_view text, Segments* out) {
  const std::string_view trimmed = Trim(text);
  if (trimmed.empty()) return false;
  SegmentReader reader(trimmed, static_cast<size_t>(trimmed.data() - text.data()));
  if (!reader.Read(out)) return false;
  const auto& value = out->value;
  if (value[3] > 23 || value[4] > 59 || value[5] > 59) return false;
  return out->only_time || IsValidDate(value[0], value[1], value[2]);
}

bool ToMicros(int64_t seconds, int64_t micros, int64_t* out) {
  return !__builtin_mul_overflow(seconds, kMicrosPerSecond, out) &&
         !__builtin_add_overflow(*out, micros, out);
}

bool SecondsToMicros(int64_t seconds, int64_t fraction, int64_t* out) {
  if (seconds < 0 && fraction > 0) return ToMicros(seconds + 1, fraction - kMicrosPerSecond, out);
  return ToMicros(seconds, fraction, out);
}

int64_t LocalSecondsOf(const Segments& segments, int64_t days) {
  const auto& value = segments.value;
  return days * kSecondsPerDay + value[3] * 3600 + value[4] * 60 + value[5];
}

void AppendPadded(int64_t value, int width, std::string* out) {
  const std::string digits = std::to_string(value);
  for (auto i = static_cast<int>(digits.size()); i < width; ++i) out->push_back('0');
  out->append(digits);
}

}  // namespace

std::optional<TimeZone> TimeZone::Parse(std::string_view id) {
  TimeZone zone;
  if (id == "Z" || id == "UTC" || id == "GMT" || id == "UT") return zone;
  for (const ShortId& short_id : kShortIds) {
    if (short_id.id == id) {
      id = short_id.zone;
      break;
    }
  }
  if (!id.empty() && (id[0] == '+' || id[0] == '-')) {
    if (!ParseOffset(id, &zone.offset_seconds_)) return std::nullopt;
    return zone;
  }
  for (const std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (id.size() > prefix.size() && id.substr(0, prefix.size()) == prefix &&
        (id[prefix.size()] == '+' || id[prefix.size()] == '-')) {
      if (!ParseOffset(id.substr(prefix.size()), &zone.offset_seconds_)) return std::nullopt;
      return zone;
    }
  }
  if (id.size() < 2) return std::nullopt;
  zone.region_ = FindRegion(id);
  if (zone.region_ == nullptr) return std::nullopt;
  return zone;
}

int64_t TimeZone::LocalToUtc(int64_t local_seconds) const {
  if (region_ == nullptr) return local_seconds - offset_seconds_;
  const auto* region = static_cast<const date::time_zone*>(region_);
  const date::local_info info = region->get_info(LocalSeconds(std::chrono::seconds(local_seconds)));
  // In a gap Java keeps the wall clock distance: the offset before the gap applies. In an overlap:
  // the earlier offset.
  return local_seconds - info.first.offset.count();
}

int64_t TimeZone::UtcToLocal(int64_t utc_seconds) const {
  if (region_ == nullptr) return utc_seconds + offset_seconds_;
  const auto* region = static_cast<const date::time_zone*>(region_);
  return utc_seconds +
         region->get_info(SystemSeconds(std::chrono::seconds(utc_seconds))).offset.count();
}

bool ParseTimestamp(std::string_view text, const TimeZone& session_zone, int64_t now_micros,
                    int64_t* micros) {
  Segments segments;
  if (!ReadSegments(text, &segments)) return false;
  const TimeZone& zone = segments.zone.has_value() ? *segments.zone : session_zone;
  int64_t days = 0;
  if (segments.only_time) {
    days = FloorDiv(zone.UtcToLocal(FloorDiv(now_micros, kMicrosPerSecond)), kSecondsPerDay);
  } else {
    days = DaysFromCivil(segments.value[0], static_cast<int>(segments.value[1]),
                         static_cast<int>(segments.value[2]));
  }
  return SecondsToMicros(zone.LocalToUtc(LocalSecondsOf(segments, days)), segments.value[6],
                         micros);
}

bool ParseTimestampNtz(std::string_view text, int64_t* micros) {
  Segments segments;
  if (!ReadSegments(text, &segments) || segments.only_time || segments.zone.has_value())
    return false;
  const int64_t days = DaysFromCivil(segments.value[0], static_cast<int>(segments.value[1]),
                                     static_cast<int>(segments.value[2]));
  return SecondsToMicros(LocalSecondsOf(segments, days), segments.value[6], micros);
}

bool ParseDate(std::string_view text, int32_t* days) {
  text = Trim(text);
  if (text.empty()) return false;
  int64_t sign = 1;
  if (text[0] == '-' || text[0] == '+') {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  int64_t value[3] = {1, 1, 1};
  size_t segment = 0;
  size_t at = 0;
  while (true) {
    size_t end = at;
    while (end < text.size() && IsDigit(text[end])) ++end;
    const size_t digits = end - at;
    if (segment == 0 ? (digits < 4 || digits > 7) : (digits < 1 || digits > 2)) return false;
    std::from_chars(text.data() + at, text.data() + end, value[segment]);
    if (end == text.size()) break;
    if (segment == 2) {
      if (text[end] != ' ' && text[end] != 'T') return false;
      break;
    }
    if (text[end] != '-') return false;
    at = end + 1;
    ++segment;
  }
  if (!IsValidDate(sign * value[0], value[1], value[2])) return false;
  const int64_t result =
      DaysFromCivil(sign * value[0], static_cast<int>(value[1]), static_cast<int>(value[2]));
  if (result < INT32_MIN || result > INT32_MAX) return false;
  *days = static_cast<int32_t>(result);
  return true;
}

bool ParseDateLenient(std::string_view text, int32_t* days) {
  if (ParseDate(text, days)) return true;
  std::string_view digits = text;
  if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) digits.remove_prefix(1);
  if (!AreDigits(digits)) return false;
  if (text[0] == '+') text.remove_prefix(1);
  int32_t count = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), count);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return false;
  constexpr int32_t kGregorianStart = -141427;  // 1582-10-15
  if (count >= kGregorianStart) {
    *days = count;
    return true;
  }
  // The Julian date of that day, read as a Gregorian one.
  const int64_t shifted = static_cast<int64_t>(count) + 719470;  // days from 0000-03-01 (Julian)
  const int64_t cycle = FloorDiv(shifted, 1461);
  const int64_t day_of_cycle = shifted - cycle * 1461;
  const int64_t year_of_cycle = (day_of_cycle - day_of_cycle / 1460) / 365;
  const int64_t day_of_year = day_of_cycle - 365 * year_of_cycle;
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const auto month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  const int64_t rebased =
      DaysFromCivil(cycle * 4 + year_of_cycle + (month <= 2 ? 1 : 0), month, day);
  if (rebased < INT32_MIN) return false;
  *days = static_cast<int32_t>(rebased);
  return true;
}

void AppendDate(int32_t days, std::string* out) {
  const CivilDate civil = CivilFromDays(days);
  if (civil.year < 0) out->push_back('-');
  if (civil.year > 9999) out->push_back('+');
  AppendPadded(civil.year < 0 ? -civil.year : civil.year, 4, out);
  const char rest[] = {
      '-', static_cast<char>('0' + civil.month / 10), static_cast<char>('0' + civil.month % 10),
      '-', static_cast<char>('0' + civil.day / 10),   static_cast<char>('0' + civil.day % 10)};
  out->append(rest, sizeof(rest));
}

void AppendLocalTimestamp(int64_t micros, int fraction_digits, std::string* out) {
  const int64_t seconds = FloorDiv(micros, kMicrosPerSecond);
  int64_t fraction = micros % kMicrosPerSecond;  // of the second below, also before 1970
  if (fraction < 0) fraction += kMicrosPerSecond;
  const int64_t days = FloorDiv(seconds, kSecondsPerDay);
  const auto second_of_day = static_cast<int>(seconds - days * kSecondsPerDay);
  AppendDate(static_cast<int32_t>(days), out);
  const int parts[3] = {second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60};
  for (int i = 0; i < 3; ++i) {
    out->push_back(i == 0 ? 'T' : ':');
    out->push_back(static_cast<char>('0' + parts[i] / 10));
    out->push_back(static_cast<char>('0' + parts[i] % 10));
  }
  out->push_back('.');
  AppendPadded(fraction_digits >= 6 ? fraction : fraction / 1000, fraction_digits, out);
}

bool ParseIsoTimestampFast(const char* begin, const char* end, int64_t* micros) {
  const int64_t size = end - begin;
  if (size < 20 || size > 35) return false;
  constexpr char kShape[] = "dddd-dd-dd?dd:dd:dd";
  unsigned bad = begin[10] != 'T' && begin[10] != ' ';
  for (size_t i = 0; i < 19; ++i) {
    const auto c = static_cast<unsigned char>(begin[i]);
    if (kShape[i] == 'd') {
      bad |= static_cast<unsigned>(c - unsigned{'0'} > 9U);
    } else if (kShape[i] != '?') {
      bad |= static_cast<unsigned>(c != kShape[i]);
    }
  }
  if (bad != 0) return false;
  const int year = TwoDigits(begin) * 100 + TwoDigits(begin + 2);
  const int month = TwoDigits(begin + 5);
  const int day = TwoDigits(begin + 8);
  const int hour = TwoDigits(begin + 11);
  const int minute = TwoDigits(begin + 14);
  const int second = TwoDigits(begin + 17);
  if (hour > 23 || minute > 59 || second > 59 || !IsValidDate(year, month, day)) return false;
  const char* at = begin + 19;
  int64_t fraction = 0;
  if (*at == '.') {
    int64_t scale = 100'000;
    for (++at; at < end && IsDigit(*at); ++at) {
      fraction += (*at - '0') * scale;
      scale /= 10;
    }
  }
  int64_t offset = 0;
  if (end - at == 1 && *at == 'Z') {
    offset = 0;
  } else if (end - at == 6 && (*at == '+' || *at == '-') && at[3] == ':') {
    int32_t seconds = 0;
    if (!IsDigit(at[1]) || !IsDigit(at[2]) || !IsDigit(at[4]) || !IsDigit(at[5])) return false;
    seconds = TwoDigits(at + 1) * 3600 + TwoDigits(at + 4) * 60;
    if (at[4] > '5' || seconds > kMaxOffsetSeconds) return false;
    offset = *at == '-' ? -seconds : seconds;
  } else {
    return false;
  }
  *micros = (DaysFromCivil(year, month, day) * kSecondsPerDay + hour * 3600 + minute * 60 + second -
             offset) *
                kMicrosPerSecond +
            fraction;
  return true;
}

}  // namespace sluice::codec
