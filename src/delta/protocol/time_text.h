// Dates and timestamps <-> the texts of the Delta log (partition values, statistics). Proleptic
// Gregorian, UTC. Thread-safe (pure functions).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::delta {

/// 2024-01-31
std::string FormatDate(int64_t days);
/// With six digits of fraction: 2024-01-31T10:00:00.123456 (separator 'T' or ' '); no zone.
std::string FormatMicros(int64_t micros, char separator);
/// With three digits, rounded down: 2024-01-31T10:00:00.123; no zone.
std::string FormatMillis(int64_t millis);

std::optional<int32_t> ParseDate(std::string_view text);
/// Date and time by 'T' or blank, fraction of any length, zone "Z", "+hh:mm" or none (= UTC); a
/// date alone is midnight.
std::optional<int64_t> ParseMicros(std::string_view text);

}  // namespace sluice::delta
