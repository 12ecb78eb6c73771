// Dates, timestamps and time zones as text, with Spark's rules (CORRECTED policy, proleptic
// Gregorian calendar). Pure functions on immutable values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::codec {

/// A zone as Spark accepts it: Z, +1:00, +0130, UTC+1, EST, Europe/Paris.
class TimeZone {
 public:
  /// UTC.
  TimeZone() = default;
  static std::optional<TimeZone> Parse(std::string_view id);

  bool is_fixed() const { return region_ == nullptr; }
  int32_t offset_seconds() const { return offset_seconds_; }
  /// UTC of a local time: in a gap the clock is moved forward by its length, in an overlap the
  /// earlier one is taken.
  int64_t LocalToUtc(int64_t local_seconds) const;
  int64_t UtcToLocal(int64_t utc_seconds) const;

 private:
  int32_t offset_seconds_ = 0;
  const void* region_ = nullptr;  // of the process's zone database, never freed
};

/// Spark's casts of text. `now_micros` gives the date of a text that is only a time.
bool ParseTimestamp(std::string_view text, const TimeZone& zone, int64_t now_micros,
                    int64_t* micros);
/// Refuses text with a zone and text that is only a time.
bool ParseTimestampNtz(std::string_view text, int64_t* micros);
bool ParseDate(std::string_view text, int32_t* days);
/// As ParseDate; then, as from_json, a plain integer is a count of days in the old (Julian before
/// 1582) calendar.
bool ParseDateLenient(std::string_view text, int32_t* days);

/// 2024-03-01; years outside 0..9999 with a sign.
void AppendDate(int32_t days, std::string* out);
/// 2024-03-01T12:00:00.123 with `fraction_digits` (3 or 6) digits cut off, not rounded.
void AppendLocalTimestamp(int64_t micros, int fraction_digits, std::string* out);

/// Reads "YYYY-MM-DDTHH:MM:SS[.f]" and "Z" or "+HH:MM" in front of the closing quote at `end`: the
/// form nearly all producers write. False for everything else, which ParseTimestamp then judges.
bool ParseIsoTimestampFast(const char* begin, const char* end, int64_t* micros);

}  // namespace sluice::codec
