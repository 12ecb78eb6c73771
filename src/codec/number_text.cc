#include "codec/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace sluice::codec {

namespace {

template <typename T>
T ParseFloating(std::string_view text, T (*fallback)(const char*, char**)) {
  T value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc()) [[likely]]
    return value;
  // Out of range: strtod gives the infinity or the subnormal that Java gives. It wants a terminated
  // copy.
  return fallback(std::string(text).c_str(), nullptr);
}

// Shortest digits and decimal exponent: value = 0.d1d2.. * 10^exponent.
struct ShortestDigits {
  std::array<char, 32> digits;
  int count = 0;
  int exponent = 0;
};

template <typename T>
ShortestDigits DigitsOf(T value) {
  char buffer[64];
  auto result =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  if (result.ptr - buffer > 1 && buffer[1] == 'e') {
    // One digit only: Java takes the closest of the two-digit forms that read back the same
    // (4.9E-324).
    char two[64];
    const auto two_result =
        std::to_chars(two, two + sizeof(two), value, std::chars_format::scientific, 1);
    T back = 0;
    std::from_chars(two, two_result.ptr, back);
    if (back == value) {
      std::copy(two, two_result.ptr, buffer);
      result.ptr = buffer + (two_result.ptr - two);
    }
  }
  ShortestDigits out;
  const char* at = buffer;
  for (; at < result.ptr && *at != 'e'; ++at) {
    if (*at != '.') out.digits[static_cast<size_t>(out.count++)] = *at;
  }
  ++at;
  if (at < result.ptr && *at == '+') ++at;
  std::from_chars(at, result.ptr, out.exponent);
  ++out.exponent;
  while (out.count > 1 && out.digits[static_cast<size_t>(out.count - 1)] == '0') --out.count;
  return out;
}

template <typename T>
void AppendFloating(T value, std::string* out) {
  if (std::isnan(value)) {
    out->append("NaN");
    return;
  }
  if (std::signbit(value)) {
    out->push_back('-');
    value = -value;
  }
  if (std::isinf(value)) {
    out->append("Infinity");
    return;
  }
  if (value == 0) {
    out->append("0.0");
    return;
  }
  const ShortestDigits shortest = DigitsOf(value);
  const std::string_view digits(shortest.digits.data(), static_cast<size_t>(shortest.count));
  const int exponent = shortest.exponent;
  if (value >= static_cast<T>(1e-3) && value < static_cast<T>(1e7)) {
    if (exponent <= 0) {
      out->append("0.").append(static_cast<size_t>(-exponent), '0').append(digits);
    } else if (exponent >= shortest.count) {
      out->append(digits).append(static_cast<size_t>(exponent - shortest.count), '0').append(".0");
    } else {
      const auto whole = static_cast<size_t>(exponent);
      out->append(digits.substr(0, whole)).append(".").append(digits.substr(whole));
    }
    return;
  }
  out->push_back(digits[0]);
  out->push_back('.');
  out->append(digits.size() > 1 ? digits.substr(1) : std::string_view("0"));
  out->push_back('E');
  out->append(std::to_string(exponent - 1));
}

// Significant digits of a decimal text without leading zeros, and where its point is: 0.digits *
// 10^point.
struct DecimalParts {
  bool negative = false;
  std::string digits;
  int64_t point = 0;
};

bool SplitExponent(std::string_view text, int64_t* exponent) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  if (text.empty() || text[0] == '+') return false;
  int32_t value = 0;  // BigDecimal refuses exponents beyond int
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  *exponent = value;
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

bool SplitDecimal(std::string_view text, DecimalParts* parts) {
  size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) parts->negative = text[at++] == '-';
  bool any = false;
  bool seen_point = false;
  int64_t after_point = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c >= '0' && c <= '9') {
      any = true;
      if (seen_point) ++after_point;
      if (c != '0' || !parts->digits.empty()) parts->digits.push_back(c);
    } else if (c == '.' && !seen_point) {
      seen_point = true;
    } else {
      break;
    }
  }
  if (!any) return false;
  int64_t exponent = 0;
  if (at < text.size()) {
    if ((text[at] | 0x20) != 'e' || !SplitExponent(text.substr(at + 1), &exponent)) return false;
  }
  parts->point = static_cast<int64_t>(parts->digits.size()) - after_point + exponent;
  return true;
}

}  // namespace

double ParseDouble(std::string_view text) { return ParseFloating<double>(text, std::strtod); }
float ParseFloat(std::string_view text) { return ParseFloating<float>(text, std::strtof); }

void AppendDouble(double value, std::string* out) { AppendFloating(value, out); }
void AppendFloat(float value, std::string* out) { AppendFloating(value, out); }

bool ParseDecimal(std::string_view text, int32_t precision, int32_t scale, arrow::Decimal128* out) {
  DecimalParts parts;
  if (!SplitDecimal(text, &parts)) return false;
  // Digits kept: those before position `point + scale`.
  const int64_t keep = parts.point + scale;
  // Java would have to build 10 to the power of the digits to cut off.
  constexpr int64_t kMaxPower = 646'456'993;
  if (!parts.digits.empty() && static_cast<int64_t>(parts.digits.size()) - keep > kMaxPower)
    return false;
  if (parts.digits.empty() || keep < 0) {
    *out = arrow::Decimal128(0);
    return true;
  }
  if (keep > precision) return false;
  __int128 value = 0;  // at most 38 digits: fits
  const auto count = static_cast<int64_t>(parts.digits.size());
  for (int64_t i = 0; i < keep; ++i)
    value = value * 10 + (i < count ? parts.digits[static_cast<size_t>(i)] - '0' : 0);
  if (keep < count && parts.digits[static_cast<size_t>(keep)] >= '5') ++value;
  __int128 limit = 1;
  for (int i = 0; i < precision; ++i) limit *= 10;
  if (value >= limit) return false;
  if (parts.negative) value = -value;
  *out = arrow::Decimal128(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value));
  return true;
}

void AppendDecimal(const arrow::Decimal128& value, int32_t scale, std::string* out) {
  std::string digits = value.ToIntegerString();
  if (digits[0] == '-') {
    out->push_back('-');
    digits.erase(0, 1);
  }
  if (scale == 0) {
    out->append(digits);
    return;
  }
  const auto count = static_cast<int32_t>(digits.size());
  const int32_t adjusted = count - 1 - scale;
  if (adjusted < -6) {
    out->push_back(digits[0]);
    if (count > 1) out->append(".").append(digits, 1);
    out->append("E").append(std::to_string(adjusted));
    return;
  }
  if (count <= scale) digits.insert(0, static_cast<size_t>(scale - count + 1), '0');
  const size_t whole = digits.size() - static_cast<size_t>(scale);
  out->append(digits, 0, whole).append(".").append(digits, whole);
}

bool ParseInt64(std::string_view text, int64_t* out) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *out);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

}  // namespace sluice::codec
