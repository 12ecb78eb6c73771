// Intervals in text: '10 minutes', '1 day 2 hours', '1-2' YEAR TO MONTH, '3 04:05:06.7' DAY TO
// SECOND. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sql/ast/literal.h"

namespace sluice::sql {

/// Adds `amount` (an integer; seconds may have a fraction) of `unit` ("minute", "WEEKS", ..) to
/// `value` and widens its fields. The first unit sets them: `*first` is cleared. False if the unit
/// or amount is not valid or overflows.
bool AddIntervalPart(std::string_view amount, std::string_view unit, bool* first,
                     IntervalValue* value);

/// "[interval] 1 day 2 hours", as window() and the like take it. Months and microseconds may both
/// be set.
std::optional<IntervalValue> ParseIntervalText(std::string_view text);

/// The text of INTERVAL 'text' from TO to, from and to included: "1-2", "3 04:05:06.7", "-10:30".
std::optional<IntervalValue> ParseIntervalFields(std::string_view text, IntervalField from,
                                                 IntervalField to);

/// As in SQL after INTERVAL: "'1-2' YEAR TO MONTH", "'10' MINUTE", "'3 04:05:06.7' DAY TO SECOND".
std::string FormatInterval(const IntervalValue& value);

}  // namespace sluice::sql
