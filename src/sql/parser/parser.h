// Text -> AST of expressions and queries. Errors carry Spark's class as code (PARSE_SYNTAX_ERROR),
// and a message with the place, a caret line and, where a keyword looks misspelt, a suggestion.
// Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "sql/ast/ast.h"

namespace sluice::sql {

/// Something accepted but worth saying: a `LIVE.` prefix, an ignored hint.
struct ParseWarning {
  std::string message;
  Span span;
};

/// Exactly one expression; also `expr AS name` is refused.
Result<Expr> ParseExpression(const SourceText& source);
/// Exactly one query. `warnings` may be null.
Result<Query> ParseQuery(const SourceText& source, std::vector<ParseWarning>* warnings = nullptr);

}  // namespace sluice::sql
