// Text -> tokens by Spark's rules. Comments and hints are dropped. Never fails: what is no token
// is a kInvalid token.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/parser/token.h"

namespace sluice::sql {

/// All tokens of `source`, the last one kEnd. The tokens refer to the text of `source`, which
/// outlives them. Places of hints (`/*+ .. */`) are added to `hints` if it is not null.
std::vector<Token> Tokenize(const SourceText& source, std::vector<Span>* hints = nullptr);

/// Decodes the inside of a string literal: \n, \', \\, \u00e9, \U0001F600, \101, doubled quotes;
/// \% and \_ are kept.
std::string UnescapeString(std::string_view text, char quote);

}  // namespace sluice::sql
