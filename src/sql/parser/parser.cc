#include "sql/parser/parser.h"

#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

/// An error where something is left over.
Status Finish(TokenCursor* cursor, const char* what) {
  while (cursor->AcceptSymbol(";")) {
  }
  if (!cursor->AtEnd()) {
    cursor->FailHere(what);
  }
  return cursor->status();
}

Status CheckNotEmpty(TokenCursor* cursor) {
  if (cursor->AtEnd()) {
    cursor->Fail(cursor->Peek().span, "PARSE_EMPTY_STATEMENT", "the text is empty");
  }
  return cursor->status();
}

}  // namespace

Result<Expr> ParseExpression(const SourceText& source) {
  TokenCursor cursor(source);
  SLUICE_RETURN_NOT_OK(CheckNotEmpty(&cursor));
  Expr expr = ParseExpr(cursor);
  SLUICE_RETURN_NOT_OK(Finish(&cursor, "the end of the expression"));
  return expr;
}

Result<Query> ParseQuery(const SourceText& source, std::vector<ParseWarning>* warnings) {
  TokenCursor cursor(source);
  SLUICE_RETURN_NOT_OK(CheckNotEmpty(&cursor));
  Query query = ParseQueryAt(cursor);
  SLUICE_RETURN_NOT_OK(Finish(&cursor, "the end of the query"));
  if (warnings != nullptr) {
    *warnings = cursor.TakeWarnings();
  }
  return query;
}

}  // namespace sluice::sql
