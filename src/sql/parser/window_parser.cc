#include <utility>

#include "sql/parser/expression_parser_internal.h"

namespace sluice::sql {
namespace {

FrameBound ParseFrameBound(TokenCursor& cursor) {
  FrameBound bound;
  if (cursor.AcceptWord("UNBOUNDED")) {
    const bool preceding = cursor.AcceptWord("PRECEDING");
    if (!preceding) {
      cursor.ExpectWord("FOLLOWING");
    }
    bound.kind =
        preceding ? FrameBound::Kind::kUnboundedPreceding : FrameBound::Kind::kUnboundedFollowing;
    return bound;
  }
  if (cursor.AcceptWords({"CURRENT", "ROW"})) {
    return bound;
  }
  bound.offset = ParseExpr(cursor);
  const bool preceding = cursor.AcceptWord("PRECEDING");
  if (!preceding) {
    cursor.ExpectWord("FOLLOWING");
  }
  bound.kind = preceding ? FrameBound::Kind::kPreceding : FrameBound::Kind::kFollowing;
  return bound;
}

std::optional<WindowFrame> ParseFrame(TokenCursor& cursor) {
  if (!cursor.AtAnyWord({"ROWS", "RANGE"})) {
    return std::nullopt;
  }
  WindowFrame frame;
  frame.rows = cursor.IsWord(0, "ROWS");
  cursor.Next();
  if (cursor.AcceptWord("BETWEEN")) {
    frame.start = ParseFrameBound(cursor);
    cursor.ExpectWord("AND");
    frame.end = ParseFrameBound(cursor);
  } else {
    frame.start = ParseFrameBound(cursor);
  }
  return frame;
}

bool AtBaseWindow(const TokenCursor& cursor) {
  return cursor.AtName() && !cursor.IsWord(1, "BY") && !cursor.IsWord(0, "ROWS") &&
         !cursor.IsWord(0, "RANGE");
}

}  // namespace

WindowSpec ParseWindowSpec(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  WindowSpec spec;
  if (!cursor.AcceptSymbol("(")) {
    spec.base = cursor.ExpectName("a window");
    spec.span = cursor.SpanSince(begin);
    return spec;
  }
  if (AtBaseWindow(cursor)) {
    spec.base = cursor.ExpectName("a window");
  }
  if (cursor.AcceptWords({"PARTITION", "BY"}) || cursor.AcceptWords({"DISTRIBUTE", "BY"})) {
    spec.partition_by = ParseExprList(cursor);
  } else if (cursor.AcceptWords({"CLUSTER", "BY"})) {
    spec.partition_by = ParseExprList(cursor);
  }
  if (cursor.AcceptWords({"ORDER", "BY"}) || cursor.AcceptWords({"SORT", "BY"})) {
    spec.order_by = ParseOrderItems(cursor);
  }
  spec.frame = ParseFrame(cursor);
  cursor.ExpectSymbol(")");
  spec.span = cursor.SpanSince(begin);
  return spec;
}

std::vector<OrderItem> ParseOrderItems(TokenCursor& cursor) {
  std::vector<OrderItem> items;
  do {
    const size_t begin = cursor.position();
    OrderItem item;
    item.expr = ParseExpr(cursor);
    item.descending = cursor.AcceptWord("DESC");
    if (!item.descending) {
      cursor.AcceptWord("ASC");
    }
    if (cursor.AcceptWords({"NULLS", "FIRST"})) {
      item.nulls = OrderItem::Nulls::kFirst;
    } else if (cursor.AcceptWords({"NULLS", "LAST"})) {
      item.nulls = OrderItem::Nulls::kLast;
    }
    item.span = cursor.SpanSince(begin);
    items.push_back(std::move(item));
  } while (cursor.AcceptSymbol(","));
  return items;
}

std::vector<Name> ParseNames(TokenCursor& cursor, std::string_view what) {
  std::vector<Name> names;
  do {
    names.push_back(cursor.ExpectName(what));
  } while (cursor.AcceptSymbol(","));
  return names;
}

std::vector<Name> ParseNameTuple(TokenCursor& cursor, std::string_view what) {
  cursor.ExpectSymbol("(");
  std::vector<Name> names = ParseNames(cursor, what);
  cursor.ExpectSymbol(")");
  return names;
}

bool AtImplicitAlias(const TokenCursor& cursor) {
  if (cursor.Peek().kind == TokenKind::kQuotedName) {
    return true;
  }
  if (cursor.Peek().kind != TokenKind::kWord) {
    return false;
  }
  return !cursor.AtAnyWord(
      {"FROM",    "WHERE",   "GROUP",     "HAVING",     "ORDER",  "LIMIT",   "OFFSET",  "UNION",
       "EXCEPT",  "MINUS",   "INTERSECT", "QUALIFY",    "WINDOW", "LATERAL", "SORT",    "CLUSTER",
       "ON",      "USING",   "JOIN",      "DISTRIBUTE", "LEFT",   "RIGHT",   "INNER",   "FULL",
       "CROSS",   "NATURAL", "ANTI",      "SEMI",       "PIVOT",  "UNPIVOT", "WHEN",    "THEN",
       "ELSE",    "AND",     "OR",        "NOT",        "IN",     "IS",      "LIKE",    "ILIKE",
       "RLIKE",   "REGEXP",  "BETWEEN",   "AS",         "ESCAPE", "FOR",     "PLACING", "IGNORE",
       "RESPECT", "SELECT",  "DIV",       "COLLATE"});
}

}  // namespace sluice::sql
