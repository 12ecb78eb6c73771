#include <arrow/type.h>

#include <array>
#include <charconv>
#include <cstdio>

#include "sql/data_type_name.h"
#include "sql/datetime_text.h"
#include "sql/interval_text.h"
#include "sql/print.h"
#include "sql/print_internal.h"
#include "sql/token_cursor.h"

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

/// Words that mean something else where a name is expected.
bool IsKeyword(const std::string& name) {
  static constexpr std::array<std::string_view, 62> kWords{
      "SELECT", "FROM",   "WHERE",   "GROUP",     "HAVING",     "ORDER",   "LIMIT",     "OFFSET",
      "UNION",  "MINUS",  "EXCEPT",  "INTERSECT", "QUALIFY",    "WINDOW",  "LATERAL",   "SORT",
      "ON",     "USING",  "JOIN",    "CLUSTER",   "DISTRIBUTE", "LEFT",    "RIGHT",     "INNER",
      "FULL",   "CROSS",  "NATURAL", "ANTI",      "SEMI",       "PIVOT",   "UNPIVOT",   "WHEN",
      "THEN",   "ELSE",   "END",     "CASE",      "AND",        "OR",      "NOT",       "IN",
      "IS",     "LIKE",   "ILIKE",   "RLIKE",     "REGEXP",     "BETWEEN", "AS",        "ESCAPE",
      "FOR",    "NULL",   "TRUE",    "FALSE",     "DIV",        "COLLATE", "WATERMARK", "STREAM",
      "TABLE",  "VALUES", "WITH",    "DISTINCT",  "INTERVAL",   "CREATE"};
  for (const std::string_view word : kWords) {
    if (EqualsIgnoreCase(word, name)) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string QuoteIdentifier(const std::string& name) {
  bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && !IsKeyword(name);
  std::string quoted = "`";
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    plain = plain && (letter || c == '_' || (c >= '0' && c <= '9'));
    quoted += c == '`' ? "``" : std::string(1, c);
  }
  return plain ? name : quoted + "`";
}

std::string QuoteString(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    switch (c) {
      case '\'': quoted += "\\'"; break;
      case '\\': quoted += "\\\\"; break;
      case '\n': quoted += "\\n"; break;
      case '\r': quoted += "\\r"; break;
      case '\t': quoted += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < ' ') {
          std::array<char, 8> buffer{};
          std::snprintf(buffer.data(), buffer.size(), "\\u%04x", static_cast<unsigned>(c));
          quoted += buffer.data();
        } else {
          quoted.push_back(c);
        }
    }
  }
  return quoted + "'";
}

std::string QualifiedName::ToString() const {
  return Joined(parts, ".", [](const Name& part) { return PrintName(part); });
}

std::string PrintName(const Name& name) {
  const std::string text = QuoteIdentifier(name.text);
  // A plain keyword that the user wrote without quotes was a name where it stood.
  if (!name.quoted && text.size() == name.text.size() + 2 && IsKeyword(name.text)) {
    return name.text;
  }
  return text;
}

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
