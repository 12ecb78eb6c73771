#include <arrow/type.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "sql/parser/datetime_text.h"
#include "sql/parser/literal_parser_internal.h"

namespace sluice::sql {
namespace {

constexpr size_t kMaxPrecision = 38;
constexpr int kMaxExponent = 400;

/// A number token cut into its parts.
struct NumberParts {
  std::string digits;  // without point
  int scale = 0;       // digits after the point, less the exponent
  bool has_point = false;
  bool has_exponent = false;
  std::string suffix;  // upper case
  std::string body;    // without the suffix
};

NumberParts Split(std::string_view text) {
  NumberParts parts;
  const std::string upper = ToUpper(text);
  size_t end = upper.size();
  while (end > 0 && upper[end - 1] >= 'A' && upper[end - 1] <= 'Z') {
    --end;
  }
  parts.suffix = upper.substr(end);
  parts.body = upper.substr(0, end);
  const size_t exponent = parts.body.find('E');
  parts.has_exponent = exponent != std::string::npos;
  bool after_point = false;
  for (const char c : parts.body.substr(0, exponent)) {
    if (c == '.') {
      after_point = parts.has_point = true;
    } else {
      parts.digits.push_back(c);
      parts.scale += after_point ? 1 : 0;
    }
  }
  if (parts.has_exponent) {
    int value = 0;
    const size_t begin = exponent + (parts.body[exponent + 1] == '+' ? 2 : 1);
    const char* last = parts.body.data() + parts.body.size();
    if (std::from_chars(parts.body.data() + begin, last, value).ec != std::errc()) {
      value = parts.body[begin] == '-' ? -kMaxExponent : kMaxExponent;
    }
    parts.scale -= std::clamp(value, -kMaxExponent, kMaxExponent);
  }
  return parts;
}

class NumberParser {
 public:
  NumberParser(TokenCursor& cursor, const Token& token, bool negative)
      : cursor_(cursor), token_(token), negative_(negative), parts_(Split(token.text)) {}

  Literal Parse() {
    const std::string& suffix = parts_.suffix;
    const bool fraction = parts_.has_point || parts_.has_exponent;
    if (suffix == "BD" || (suffix.empty() && parts_.has_point && !parts_.has_exponent)) {
      return Decimal();
    }
    if (suffix == "D" || suffix == "F" || (suffix.empty() && fraction)) {
      return Floating(suffix == "F");
    }
    if (fraction) {
      cursor_.Fail(token_.span, "PARSE_SYNTAX_ERROR",
                   "a number with a point or exponent cannot have this suffix: " + suffix);
      return {};
    }
    return Integer();
  }

 private:
  Literal Integer() {
    const std::string text = (negative_ ? "-" : "") + parts_.digits;
    int64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool fits64 = parsed.ec == std::errc();
    const std::string& suffix = parts_.suffix;
    const auto fits = [&]<typename T>(T) {
      return fits64 && value >= std::numeric_limits<T>::min() &&
             value <= std::numeric_limits<T>::max();
    };
    Literal literal;
    literal.kind = LiteralKind::kInteger;
    literal.integer = value;
    if (suffix.empty()) {
      if (!fits64) {
        return Decimal();
      }
      literal.type = fits(int32_t{}) ? arrow::int32() : arrow::int64();
      return literal;
    }
    const bool ok = (suffix == "Y" && fits(int8_t{})) || (suffix == "S" && fits(int16_t{})) ||
                    (suffix == "L" && fits64);
    if (!ok) {
      return OutOfRange(suffix == "Y" ? "tinyint" : suffix == "S" ? "smallint" : "bigint");
    }
    literal.type = suffix == "Y" ? arrow::int8() : suffix == "S" ? arrow::int16() : arrow::int64();
    return literal;
  }

  Literal OutOfRange(const std::string& type) {
    cursor_.Fail(token_.span, "INVALID_NUMERIC_LITERAL_RANGE",
                 "number is outside the range of " + type + ": " + (negative_ ? "-" : "") +
                     std::string(token_.text.substr(0, 60)));
    return {};
  }

  Literal Decimal() {
    std::string digits = parts_.digits;
    int scale = parts_.scale;
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    if (scale < 0) {
      digits.append(digits.empty() ? 0 : static_cast<size_t>(-scale), '0');
      scale = 0;
    }
    const auto unsigned_scale = static_cast<size_t>(scale);
    const size_t precision = std::max<size_t>({digits.size(), unsigned_scale, 1});
    if (precision > kMaxPrecision) {
      cursor_.Fail(token_.span, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
                   "a decimal has at most 38 digits, here: " + std::to_string(precision));
      return {};
    }
    digits.insert(0, std::max<size_t>(unsigned_scale + 1, digits.size()) - digits.size(), '0');
    if (scale > 0) {
      digits.insert(digits.size() - unsigned_scale, ".");
    }
    Literal literal;
    literal.kind = LiteralKind::kDecimal;
    literal.type = arrow::decimal128(static_cast<int32_t>(precision), scale);
    literal.text = (negative_ ? "-" : "") + digits;
    return literal;
  }

  Literal Floating(bool single) {
    Literal literal;
    literal.kind = LiteralKind::kFloating;
    literal.type = single ? arrow::float32() : arrow::float64();
    literal.text = (negative_ ? "-" : "") + parts_.body;
    const char* first = parts_.body.data();
    const auto parsed = std::from_chars(first, first + parts_.body.size(), literal.real);
    const bool tiny = parsed.ec == std::errc::result_out_of_range && parts_.scale > 0;
    if (tiny) {
      literal.real = 0;
    }
    if ((parsed.ec != std::errc() && !tiny) || !std::isfinite(literal.real) ||
        (single && literal.real > std::numeric_limits<float>::max())) {
      return OutOfRange(single ? "float" : "double");
    }
    literal.real = negative_ ? -literal.real : literal.real;
    return literal;
  }

  TokenCursor& cursor_;
  const Token& token_;
  const bool negative_;
  const NumberParts parts_;
};

int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Literal BinaryLiteral(TokenCursor& cursor, Span span, std::string hex) {
  Literal literal;
  literal.kind = LiteralKind::kBinary;
  literal.type = arrow::binary();
  if (hex.size() % 2 == 1) {
    hex.insert(hex.begin(), '0');
  }
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexValue(hex[i]);
    const int low = HexValue(hex[i + 1]);
    if (high < 0 || low < 0) {
      cursor.Fail(span, "INVALID_TYPED_LITERAL", "the value of the typed literal \"X\" is invalid");
      return literal;
    }
    literal.text.push_back(static_cast<char>(high * 16 + low));
  }
  return literal;
}

/// DATE and TIMESTAMP texts. Nothing if `text` is not valid.
std::optional<Literal> TemporalLiteral(const std::string& type, const std::string& text) {
  Literal literal;
  literal.text = text;
  if (type == "DATE") {
    const auto days = ParseDateText(text);
    literal.kind = LiteralKind::kDate;
    literal.type = arrow::date32();
    literal.integer = days.value_or(0);
    return days ? std::optional(literal) : std::nullopt;
  }
  if (type == "TIME") {
    const auto time = ParseTimeText(text);
    literal.kind = LiteralKind::kTime;
    literal.type = arrow::time64(arrow::TimeUnit::MICRO);
    literal.integer = time.value_or(0);
    return time ? std::optional(literal) : std::nullopt;
  }
  const auto timestamp = ParseTimestampText(text);
  if (!timestamp || (type == "TIMESTAMP_NTZ" && timestamp->has_zone)) {
    return std::nullopt;
  }
  const bool ntz = type == "TIMESTAMP_NTZ";
  literal.kind = ntz ? LiteralKind::kTimestampNtz : LiteralKind::kTimestamp;
  literal.type = ntz ? arrow::timestamp(arrow::TimeUnit::MICRO)
                     : arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  literal.integer = timestamp->microseconds;
  return literal;
}

}  // namespace

Literal ExpectNumber(TokenCursor& cursor, bool negative) {
  if (cursor.Peek().kind != TokenKind::kNumber) {
    cursor.FailHere("a number");
    return {};
  }
  const Token token = cursor.Next();
  return NumberParser(cursor, token, negative).Parse();
}

bool AtTypedLiteral(const TokenCursor& cursor) {
  if (cursor.Peek().kind != TokenKind::kWord || !cursor.AtString(1)) {
    return false;
  }
  for (const std::string_view word :
       {"DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIME", "X"}) {
    if (cursor.IsWord(0, word)) {
      return true;
    }
  }
  return false;
}

Literal ExpectTypedLiteral(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  const std::string type = ToUpper(cursor.Next().text);
  const std::string text = cursor.ExpectString("a string");
  const Span span = cursor.SpanSince(begin);
  if (type == "X") {
    return BinaryLiteral(cursor, span, text);
  }
  if (auto literal = TemporalLiteral(type, text)) {
    return *std::move(literal);
  }
  cursor.Fail(span, "INVALID_TYPED_LITERAL",
              "the value of the typed literal \"" + type + "\" is invalid: '" + text + "'",
              type == "DATE" ? "write DATE '2024-12-31'" : "write it as '2024-12-31 23:59:59.123'");
  return {};
}

Literal StringLiteral(std::string text) {
  Literal literal;
  literal.kind = LiteralKind::kString;
  literal.type = arrow::utf8();
  literal.text = std::move(text);
  return literal;
}

Literal NullLiteral() {
  Literal literal;
  literal.type = arrow::null();
  return literal;
}

Literal BooleanLiteral(bool value) {
  Literal literal;
  literal.kind = LiteralKind::kBoolean;
  literal.type = arrow::boolean();
  literal.boolean = value;
  return literal;
}

Literal IntervalLiteral(const IntervalValue& value) {
  Literal literal;
  literal.kind = LiteralKind::kInterval;
  literal.type = value.is_year_month()
                     ? std::shared_ptr<arrow::DataType>(arrow::month_interval())
                     : std::shared_ptr<arrow::DataType>(arrow::duration(arrow::TimeUnit::MICRO));
  literal.interval = value;
  return literal;
}

}  // namespace sluice::sql
