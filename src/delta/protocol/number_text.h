// Numbers <-> the texts of the Delta log. Thread-safe (pure functions).
#pragma once

#include <arrow/util/decimal.h>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::delta {

/// The whole number that `text` begins with; nothing when it begins with none or it does not fit.
template <typename Number>
std::optional<Number> LeadingNumber(std::string_view text) {
  Number number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  return number;
}

/// Shortest text that reads back the same; "NaN", "Infinity", "-Infinity".
std::string FormatDouble(double value);
std::string FormatFloat(float value);
std::optional<double> ParseDouble(std::string_view text);

/// Plain notation with exactly `scale` digits after the point.
std::string FormatDecimal(const arrow::Decimal128& value, int scale);
/// Plain or exponent notation, rescaled; nothing when digits would be lost or it is no number.
std::optional<arrow::Decimal128> ParseDecimal(std::string_view text, int scale);

}  // namespace sluice::delta
