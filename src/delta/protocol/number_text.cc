#include "delta/protocol/number_text.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace sluice::delta {
namespace {

template <typename T>
std::string FormatFloating(T value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), value);
  std::string out(text, end.ptr);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

}  // namespace

std::string FormatDouble(double value) { return FormatFloating(value); }
std::string FormatFloat(float value) { return FormatFloating(value); }

std::optional<double> ParseDouble(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity" || text == "+Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ptr != text.data() + text.size() || parsed.ec == std::errc::invalid_argument)
    return std::nullopt;
  return value;
}

std::string FormatDecimal(const arrow::Decimal128& value, int scale) {
  std::string digits = value.ToIntegerString();
  const bool negative = digits.starts_with('-');
  if (negative) digits.erase(0, 1);
  if (scale > 0) {
    const auto after = static_cast<size_t>(scale);
    if (digits.size() <= after) digits.insert(0, after + 1 - digits.size(), '0');
    digits.insert(digits.size() - after, 1, '.');
  }
  return negative ? "-" + digits : digits;
}

std::optional<arrow::Decimal128> ParseDecimal(std::string_view text, int scale) {
  arrow::Decimal128 value;
  int32_t precision = 0;
  int32_t found_scale = 0;
  if (!arrow::Decimal128::FromString(text, &value, &precision, &found_scale).ok())
    return std::nullopt;
  if (found_scale == scale) return value;
  const auto rescaled = value.Rescale(found_scale, scale);
  if (!rescaled.ok()) return std::nullopt;
  return *rescaled;
}

}  // namespace sluice::delta
