// Numbers <-> the texts of the Delta log. Thread-safe (pure functions).
#pragma once

#include <arrow/util/decimal.h>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::delta {

/// Shortest text that reads back the same; "NaN", "Infinity", "-Infinity".
std::string FormatDouble(double value);
std::string FormatFloat(float value);
std::optional<double> ParseDouble(std::string_view text);

/// Plain notation with exactly `scale` digits after the point.
std::string FormatDecimal(const arrow::Decimal128& value, int scale);
/// Plain or exponent notation, rescaled; nothing when digits would be lost or it is no number.
std::optional<arrow::Decimal128> ParseDecimal(std::string_view text, int scale);

}  // namespace sluice::delta
