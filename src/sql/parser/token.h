// Tokens of Spark SQL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sql/ast/source_text.h"

namespace sluice::sql {

enum class TokenKind : uint8_t {
  kWord,        // a keyword or an unquoted name: which one is the parser's to say
  kQuotedName,  // `a b`; value: without the quotes
  kString,      // 'a', "a", r'a'; value: decoded
  kNumber,      // 1, 1.5, 1e3, with their suffixes
  kSymbol,
  kInvalid,  // value: what is wrong; an error only when the parser gets there
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Span span;
  std::string_view text;  // as written; lives as long as the SourceText
  std::string value;
};

}  // namespace sluice::sql
