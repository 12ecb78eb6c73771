#include <arrow/type.h>

#include <array>
#include <charconv>
#include <cstdio>

#include "sql/parser/data_type_name.h"
#include "sql/parser/datetime_text.h"
#include "sql/parser/interval_text.h"
#include "sql/parser/token_cursor.h"
#include "sql/print/print.h"
#include "sql/print/print_internal.h"

namespace sluice::sql {
namespace {

std::string PrintInteger(const Literal& literal) {
  std::string text = std::to_string(literal.integer);
  if (literal.type == nullptr) {
    return text;
  }
  switch (literal.type->id()) {
    case arrow::Type::INT8: return text + "Y";
    case arrow::Type::INT16: return text + "S";
    case arrow::Type::INT64: {
      const bool fits = literal.integer == static_cast<int32_t>(literal.integer);
      return fits ? text + "L" : text;
    }
    default: return text;
  }
}

std::string PrintFloating(const Literal& literal) {
  std::string text = literal.text;
  if (text.empty()) {
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), literal.real);
    text.assign(buffer.data(), end.ptr);
  }
  const bool single = literal.type != nullptr && literal.type->id() == arrow::Type::FLOAT;
  return text + (single ? "F" : "D");
}

std::string PrintBinary(const std::string& bytes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text = "X'";
  for (const char c : bytes) {
    text.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
  return text + "'";
}

}  // namespace

std::string PrintNames(const std::vector<Name>& names) { return Joined(names, ", ", PrintName); }

std::string PrintLiteral(const Literal& literal) {
  switch (literal.kind) {
    case LiteralKind::kNull: return "NULL";
    case LiteralKind::kBoolean: return literal.boolean ? "TRUE" : "FALSE";
    case LiteralKind::kInteger: return PrintInteger(literal);
    case LiteralKind::kDecimal:
      return literal.text + (literal.text.find('.') == std::string::npos ? "BD" : "");
    case LiteralKind::kFloating: return PrintFloating(literal);
    case LiteralKind::kString: return QuoteString(literal.text);
    case LiteralKind::kBinary: return PrintBinary(literal.text);
    case LiteralKind::kDate: return "DATE '" + FormatDate(literal.integer) + "'";
    case LiteralKind::kTimestamp: return "TIMESTAMP '" + FormatTimestamp(literal.integer) + "'";
    case LiteralKind::kTimestampNtz:
      return "TIMESTAMP_NTZ '" + FormatTimestamp(literal.integer) + "'";
    case LiteralKind::kTime: return "TIME '" + FormatTime(literal.integer) + "'";
    case LiteralKind::kInterval: return "INTERVAL " + FormatInterval(literal.interval);
  }
  return "";
}

}  // namespace sluice::sql
