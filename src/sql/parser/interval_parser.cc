#include <string>

#include "sql/parser/data_type_parser_internal.h"
#include "sql/parser/interval_text.h"
#include "sql/parser/literal_parser_internal.h"

namespace sluice::sql {
namespace {

bool IsUnit(const TokenCursor& cursor, size_t ahead) {
  for (const std::string_view unit :
       {"YEAR",         "YEARS",       "MONTH",        "MONTHS",     "WEEK",
        "WEEKS",        "DAY",         "DAYS",         "HOUR",       "HOURS",
        "MINUTE",       "MINUTES",     "SECOND",       "SECONDS",    "MILLISECOND",
        "MILLISECONDS", "MICROSECOND", "MICROSECONDS", "NANOSECOND", "NANOSECONDS"}) {
    if (cursor.IsWord(ahead, unit)) {
      return true;
    }
  }
  return false;
}

bool IsAmount(const TokenCursor& cursor, size_t ahead) {
  return cursor.Peek(ahead).kind == TokenKind::kNumber || cursor.AtString(ahead);
}

size_t SignLength(const TokenCursor& cursor, size_t ahead) {
  return cursor.AtSymbol("-", ahead) || cursor.AtSymbol("+", ahead) ? 1 : 0;
}

class IntervalParser {
 public:
  explicit IntervalParser(TokenCursor& cursor) : cursor_(cursor), begin_(cursor.position()) {}

  IntervalValue Parse() {
    cursor_.ExpectWord("INTERVAL");
    const size_t sign = SignLength(cursor_, 0);
    if (cursor_.AtString(sign)) {
      if (!IsUnit(cursor_, sign + 1) && sign == 0) {
        return WholeText();
      }
      if (cursor_.IsWord(sign + 2, "TO")) {
        return Fields();
      }
    }
    return Units();
  }

 private:
  IntervalValue Invalid(const std::string& why) {
    cursor_.Fail(cursor_.SpanSince(begin_), "INVALID_INTERVAL_FORMAT", "invalid interval: " + why,
                 "write INTERVAL 10 MINUTES, INTERVAL '1 day 2 hours' or "
                 "INTERVAL '1 02:03:04' DAY TO SECOND");
    return {};
  }

  IntervalValue Checked(const IntervalValue& value) {
    if (value.from <= IntervalField::kMonth && value.to > IntervalField::kMonth) {
      return Invalid("years and months cannot be mixed with days and smaller units");
    }
    return value;
  }

  IntervalValue WholeText() {
    const std::string text = cursor_.ExpectString("an interval");
    const auto value = ParseIntervalText(text);
    return value ? Checked(*value) : Invalid("'" + text + "'");
  }

  std::string Amount() {
    std::string text;
    if (SignLength(cursor_, 0) == 1) {
      text = cursor_.Next().text;
    }
    if (!IsAmount(cursor_, 0)) {
      cursor_.FailHere("a number or string");
      return text;
    }
    const Token token = cursor_.Next();
    std::string digits = token.kind == TokenKind::kString ? token.value : std::string(token.text);
    const bool doubled = text == "-" && digits.starts_with("-");
    return doubled ? digits.substr(1) : text + digits;
  }

  IntervalValue Fields() {
    const std::string text = Amount();
    const IntervalField from = ExpectIntervalField(cursor_);
    cursor_.ExpectWord("TO");
    const IntervalField to = ExpectIntervalField(cursor_);
    const auto value = ParseIntervalFields(text, from, to);
    return value ? *value : Invalid("'" + text + "' does not fit its fields");
  }

  IntervalValue Units() {
    IntervalValue value;
    bool first = true;
    do {
      std::string amount = Amount();
      amount.erase(0, std::min(amount.find_first_not_of(' '), amount.size()));
      amount.erase(amount.find_last_not_of(' ') + 1);
      if (!IsUnit(cursor_, 0)) {
        cursor_.FailHere("a unit: YEAR, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, ..");
        return value;
      }
      const Token unit = cursor_.Next();
      if (!AddIntervalPart(amount, unit.text, &first, &value)) {
        return Invalid(amount + " " + std::string(unit.text));
      }
    } while (More());
    return Checked(value);
  }

  bool More() const {
    const size_t sign = SignLength(cursor_, 0);
    return IsAmount(cursor_, sign) && IsUnit(cursor_, sign + 1);
  }

  TokenCursor& cursor_;
  const size_t begin_;
};

}  // namespace

bool AtIntervalLiteral(const TokenCursor& cursor) {
  if (!cursor.IsWord(0, "INTERVAL")) {
    return false;
  }
  const size_t sign = SignLength(cursor, 1);
  if (sign == 0 && cursor.AtString(1)) {
    return true;
  }
  return IsAmount(cursor, 1 + sign) && cursor.Peek(2 + sign).kind == TokenKind::kWord;
}

IntervalValue ExpectInterval(TokenCursor& cursor) { return IntervalParser(cursor).Parse(); }

}  // namespace sluice::sql
