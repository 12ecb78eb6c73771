// Dates, times and timestamps in the forms Spark accepts in SQL text, and as it prints them.
// Proleptic Gregorian calendar. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::sql {

/// "2024", "2024-2", "2024-02-03", "+12024-1-1", with anything after a 'T' or blank -> days since
/// 1970-01-01.
std::optional<int64_t> ParseDateText(std::string_view text);

struct TimestampText {
  int64_t microseconds = 0;        // since the epoch; the zone, if any, is applied
  int64_t local_microseconds = 0;  // as written, the zone left aside
  bool has_zone = false;
};
/// "2024-01-02 03:04:05.678901+02:00", also with T, Z, UTC+1, GMT-3, Europe/Berlin, and cut
/// short after any field.
std::optional<TimestampText> ParseTimestampText(std::string_view text);

/// "12:34:56.789" -> microseconds since midnight.
std::optional<int64_t> ParseTimeText(std::string_view text);

/// "2024-01-02".
std::string FormatDate(int64_t days);
/// "2024-01-02 03:04:05.678" without trailing zeros of the fraction.
std::string FormatTimestamp(int64_t microseconds);
/// "03:04:05.678".
std::string FormatTime(int64_t microseconds);

}  // namespace sluice::sql
