#include "sql/expressions/decimal_math.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sluice::sql {

using arrow::Decimal128;
using arrow::Decimal256;

const Decimal256& PowerOfTen(int exponent) {
  static const std::array<Decimal256, 77> powers = [] {
    std::array<Decimal256, 77> made;
    made[0] = Decimal256(1);
    for (size_t i = 1; i < made.size(); ++i) made[i] = made[i - 1] * Decimal256(10);
    return made;
  }();
  return powers[static_cast<size_t>(exponent)];
}

namespace {

// Quotient rounded half away from zero.
Decimal256 DivideHalfUp(const Decimal256& value, const Decimal256& by) {
  auto [quotient, remainder] = *value.Divide(by);
  Decimal256 rest = remainder;
  rest.Abs();
  Decimal256 divisor = by;
  divisor.Abs();
  if (rest + rest >= divisor)
    quotient += (value.Sign() * by.Sign() < 0) ? Decimal256(-1) : Decimal256(1);
  return quotient;
}

std::optional<Decimal128> Narrow(const Decimal256& value, int precision) {
  if (!value.FitsInPrecision(precision)) return std::nullopt;
  const auto& words = value.little_endian_array();
  return Decimal128(static_cast<int64_t>(words[1]), words[0]);
}

}  // namespace

std::optional<Decimal128> Rescale(const Decimal256& value, int from, int to, int precision) {
  if (to == from) return Narrow(value, precision);
  if (to > from) {
    // No value but 0 keeps a digit of 38 when it grows by so many.
    if (to - from >= 76)
      return value == Decimal256(0) ? std::optional(Decimal128(0)) : std::nullopt;
    if (!value.FitsInPrecision(76 - (to - from))) return std::nullopt;
    return Narrow(value * PowerOfTen(to - from), precision);
  }
  if (from - to > 76) return Decimal128(0);
  return Narrow(DivideHalfUp(value, PowerOfTen(from - to)), precision);
}

std::optional<Decimal128> ParseDecimal(std::string_view text, int precision, int scale,
                                       bool* malformed) {
  *malformed = true;
  size_t at = 0;
  const bool negative = at < text.size() && text[at] == '-';
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  Decimal256 big(0);
  uint64_t small = 0;
  int digits = 0;
  int significant = 0;
  int fraction = 0;
  int dropped = 0;  // digits before the point that are not in `big`
  bool point = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    ++digits;
    // More digits than these never decide how 38 of them are rounded.
    if (significant == 75) {
      if (!point) ++dropped;
      continue;
    }
    if (point) ++fraction;
    if (significant > 0 || c != '0') ++significant;
    if (significant <= 18) {
      small = small * 10 + static_cast<uint64_t>(c - '0');
    } else {
      if (significant == 19) big = Decimal256(static_cast<int64_t>(small));
      big = big * Decimal256(10) + Decimal256(c - '0');
    }
  }
  if (digits == 0) return std::nullopt;
  int exponent = 0;
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
    const char* first = text.data() + at + 1;
    const char* last = text.data() + text.size();
    if (first < last && *first == '+') ++first;
    const auto [end, error] = std::from_chars(first, last, exponent);
    if (error != std::errc() || end != last) return std::nullopt;
    // Beyond this a number is too large, or nothing, however many digits it has.
    exponent = std::clamp(exponent, -1'000'000'000, 1'000'000'000);
  }
  *malformed = false;
  const int64_t digits_after = int64_t{fraction} - exponent - dropped;
  // Zero has one digit, too: 0E+38 is as large as 1E+38.
  if (std::max(significant, 1) - digits_after > 38) return std::nullopt;
  if (digits_after > 200) return Decimal128(0);
  if (significant <= 18) big = Decimal256(static_cast<int64_t>(small));
  if (negative) big.Negate();
  if (significant == 0) return Decimal128(0);
  return Rescale(big, static_cast<int>(digits_after), scale, precision);
}

std::string FormatDecimal(const Decimal128& value, int scale) {
  std::string text = value.ToIntegerString();
  const bool negative = text[0] == '-';
  if (negative) text.erase(0, 1);
  if (scale > 0) {
    if (static_cast<int>(text.size()) <= scale)
      text.insert(0, static_cast<size_t>(scale) + 1 - text.size(), '0');
    text.insert(text.size() - static_cast<size_t>(scale), 1, '.');
  }
  return negative ? "-" + text : text;
}

double DecimalToDouble(const Decimal128& value, int scale) {
  static constexpr double kExact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const auto low = static_cast<int64_t>(value.low_bits());
  const bool fits = value.high_bits() == (low < 0 ? -1 : 0) && std::abs(low) < (int64_t{1} << 53);
  if (fits && scale >= 0 && scale <= 22) return static_cast<double>(low) / kExact[scale];
  const std::string text = FormatDecimal(value, scale);
  double parsed = 0;
  std::from_chars(text.data(), text.data() + text.size(), parsed);
  return parsed;
}

}  // namespace sluice::sql
