#include "sql/ast/quote.h"

#include <array>
#include <cstdio>
#include <string_view>

#include "base/text.h"

namespace sluice::sql {
namespace {

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

std::string PrintName(const Name& name) {
  const std::string text = QuoteIdentifier(name.text);
  // A plain keyword that the user wrote without quotes was a name where it stood.
  if (!name.quoted && text.size() == name.text.size() + 2 && IsKeyword(name.text)) {
    return name.text;
  }
  return text;
}

std::string QualifiedName::ToString() const {
  std::string text;
  for (const Name& part : parts) text += (text.empty() ? "" : ".") + PrintName(part);
  return text;
}

}  // namespace sluice::sql
