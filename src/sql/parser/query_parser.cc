#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

/// Tokens from an opening parenthesis `ahead` to behind its closing one.
size_t BehindParentheses(const TokenCursor& cursor, size_t ahead) {
  int open = 0;
  do {
    if (cursor.AtSymbol("(", ahead)) {
      ++open;
    } else if (cursor.AtSymbol(")", ahead)) {
      --open;
    } else if (cursor.Peek(ahead).kind == TokenKind::kEnd) {
      return ahead;
    }
    ++ahead;
  } while (open > 0);
  return ahead;
}

void ParseSelectTail(TokenCursor& cursor, Select* select) {
  if (cursor.AcceptWord("WHERE")) {
    select->where = ParseExpr(cursor);
  }
  select->group_by = ParseGroupBy(cursor);
  if (cursor.AcceptWord("HAVING")) {
    select->having = ParseExpr(cursor);
  }
  while (true) {
    if (!select->qualify && cursor.AcceptWord("QUALIFY")) {
      select->qualify = ParseExpr(cursor);
    } else if (cursor.IsWord(0, "WINDOW") && cursor.AtName(1) && cursor.IsWord(2, "AS")) {
      cursor.Next();
      do {
        NamedWindow window;
        window.name = cursor.ExpectName("a window");
        cursor.ExpectWord("AS");
        window.spec = ParseWindowSpec(cursor);
        select->windows.push_back(std::move(window));
      } while (cursor.AcceptSymbol(","));
    } else {
      return;
    }
  }
}

void ParseSelectItemsOf(TokenCursor& cursor, Select* select) {
  select->distinct = cursor.AcceptWord("DISTINCT");
  if (!select->distinct && cursor.IsWord(0, "ALL") && !cursor.AtSymbol(",", 1) &&
      !cursor.AtSymbol(".", 1)) {
    cursor.AcceptWord("ALL");
  }
  select->items = ParseSelectItems(cursor);
}

Select ParseSelect(TokenCursor& cursor) {
  Select select;
  cursor.ExpectWord("SELECT");
  ParseSelectItemsOf(cursor, &select);
  if (cursor.AcceptWord("FROM")) {
    select.from = ParseFromList(cursor);
  }
  ParseSelectTail(cursor, &select);
  return select;
}

// FROM t, FROM t SELECT ..
Select ParseFromFirst(TokenCursor& cursor) {
  Select select;
  const size_t begin = cursor.position();
  cursor.ExpectWord("FROM");
  select.from = ParseFromList(cursor);
  if (cursor.AcceptWord("SELECT")) {
    ParseSelectItemsOf(cursor, &select);
    ParseSelectTail(cursor, &select);
    return select;
  }
  select.from_only = true;
  SelectItem all;
  all.expr = MakeExpr(cursor, begin, Star{});
  all.span = cursor.SpanSince(begin);
  select.items.push_back(std::move(all));
  return select;
}

bool AtIntersect(const TokenCursor& cursor) { return cursor.AtWord("INTERSECT"); }

Query Combine(TokenCursor& cursor, SetOperation operation, Query left, Query right, size_t begin) {
  operation.left = std::move(left);
  operation.right = std::move(right);
  Query query;
  query.body = std::move(operation);
  query.span = cursor.SpanSince(begin);
  return query;
}

// INTERSECT binds tighter than UNION and EXCEPT.
Query ParseIntersections(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  Query left = ParseQueryPrimary(cursor);
  while (AtIntersect(cursor)) {
    cursor.CountLink();
    auto operation = ParseSetOperator(cursor);
    Query right = ParseQueryPrimary(cursor);
    if (operation) {
      left = Combine(cursor, *std::move(operation), std::move(left), std::move(right), begin);
    }
  }
  return left;
}

Query ParseSetOperations(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  Query left = ParseIntersections(cursor);
  while (auto operation = ParseSetOperator(cursor)) {
    cursor.CountLink();
    Query right = ParseIntersections(cursor);
    left = Combine(cursor, *std::move(operation), std::move(left), std::move(right), begin);
  }
  return left;
}

bool HasOrganization(const Query& query) {
  return !query.order_by.empty() || !query.sort_by.empty() || !query.cluster_by.empty() ||
         !query.distribute_by.empty() || query.limit || query.offset;
}

}  // namespace

void ParseWith(TokenCursor& cursor, Query* query) {
  if (!cursor.AcceptWord("WITH")) {
    return;
  }
  query->recursive = cursor.AcceptWord("RECURSIVE");
  do {
    CommonTable table;
    table.name = cursor.ExpectName("the name of a common table");
    if (cursor.AtSymbol("(") && !AtQuery(cursor, 1)) {
      table.columns = ParseNameTuple(cursor, "a column");
    }
    if (cursor.AcceptWords({"MAX", "RECURSION", "LEVEL"})) {
      table.most_levels = cursor.ExpectInteger("a number");
    }
    cursor.AcceptWord("AS");
    table.query = ParseQueryTuple(cursor);
    query->with.push_back(std::move(table));
  } while (cursor.AcceptSymbol(","));
}

bool AtQuery(const TokenCursor& cursor, size_t ahead) {
  while (cursor.AtSymbol("(", ahead)) {
    ++ahead;
  }
  if (cursor.Peek(ahead).kind != TokenKind::kWord || cursor.AtSymbol(".", ahead + 1)) {
    return false;
  }
  if (cursor.IsWord(ahead, "SELECT") || cursor.IsWord(ahead, "FROM")) {
    return true;
  }
  if (cursor.IsWord(ahead, "VALUES")) {
    const TokenKind next = cursor.Peek(ahead + 1).kind;
    return cursor.AtSymbol("(", ahead + 1) || next == TokenKind::kNumber ||
           next == TokenKind::kString;
  }
  if (cursor.IsWord(ahead, "TABLE")) {
    return cursor.AtName(ahead + 1);
  }
  return cursor.IsWord(ahead, "WITH") && cursor.AtName(ahead + 1);
}

bool HoldsQuery(const TokenCursor& cursor) {
  if (!cursor.AtSymbol("(") || !AtQuery(cursor, 1)) {
    return false;
  }
  if (!cursor.AtSymbol("(", 1)) {
    return true;
  }
  const size_t behind = BehindParentheses(cursor, 1);
  for (const std::string_view word :
       {"UNION", "INTERSECT", "EXCEPT", "MINUS", "ORDER", "LIMIT", "OFFSET", "SORT"}) {
    if (cursor.IsWord(behind, word)) {
      return true;
    }
  }
  return cursor.AtSymbol("|>", behind) || cursor.AtSymbol(")", behind);
}

Query ParseQueryTuple(TokenCursor& cursor) {
  cursor.ExpectSymbol("(");
  Query query = ParseQueryAt(cursor);
  cursor.ExpectSymbol(")");
  return query;
}

Query ParseQueryPrimary(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  Query query;
  if (cursor.AtSymbol("(")) {
    Query inner = ParseQueryTuple(cursor);
    query.body = NestedQuery{std::move(inner)};
  } else if (cursor.AtWord("SELECT")) {
    query.body = ParseSelect(cursor);
  } else if (cursor.AtWord("FROM")) {
    query.body = ParseFromFirst(cursor);
  } else if (cursor.AcceptWord("VALUES")) {
    query.body = ParseValuesRows(cursor);
  } else if (cursor.AcceptWord("TABLE")) {
    query.body = TableQuery{cursor.ExpectQualifiedName("a table")};
  } else {
    cursor.FailHere("a query: SELECT, FROM, VALUES, TABLE, WITH or '('");
  }
  query.span = cursor.SpanSince(begin);
  return query;
}

Query ParseQueryAt(TokenCursor& cursor) {
  TokenCursor::Nesting nesting(cursor);
  const size_t begin = cursor.position();
  Query with;
  ParseWith(cursor, &with);
  Query query = ParseSetOperations(cursor);
  if (cursor.AtSymbol("|>")) {
    query = ParsePipeSteps(cursor, std::move(query), begin);
  }
  auto* select = query.As<Select>();
  ParseQueryOrganization(cursor, &query, select == nullptr ? nullptr : &select->windows);
  if (HasOrganization(query) && cursor.AtSymbol("|>")) {
    query = ParsePipeSteps(cursor, std::move(query), begin);
  }
  query.recursive = with.recursive;
  query.with = std::move(with.with);
  query.span = cursor.SpanSince(begin);
  return query;
}

std::optional<SetOperation> ParseSetOperator(TokenCursor& cursor) {
  SetOperation operation;
  if (cursor.AcceptWord("UNION")) {
    operation.op = SetOperator::kUnion;
  } else if (cursor.AcceptWord("INTERSECT")) {
    operation.op = SetOperator::kIntersect;
  } else if (cursor.AcceptWord("EXCEPT") || cursor.AcceptWord("MINUS")) {
    operation.op = SetOperator::kExcept;
  } else {
    return std::nullopt;
  }
  operation.all = cursor.AcceptWord("ALL");
  if (!operation.all) {
    cursor.AcceptWord("DISTINCT");
  }
  operation.by_name = cursor.AcceptWords({"BY", "NAME"});
  return operation;
}

void ParseQueryOrganization(TokenCursor& cursor, Query* query, std::vector<NamedWindow>* windows) {
  if (cursor.AcceptWords({"ORDER", "BY"})) {
    query->order_by = ParseOrderItems(cursor);
  }
  if (cursor.AcceptWords({"CLUSTER", "BY"})) {
    query->cluster_by = ParseExprList(cursor);
  }
  if (cursor.AcceptWords({"DISTRIBUTE", "BY"})) {
    query->distribute_by = ParseExprList(cursor);
  }
  if (cursor.AcceptWords({"SORT", "BY"})) {
    query->sort_by = ParseOrderItems(cursor);
  }
  if (windows != nullptr && cursor.IsWord(0, "WINDOW") && cursor.AtName(1)) {
    Select select;
    ParseSelectTail(cursor, &select);
    windows->insert(windows->end(), select.windows.begin(), select.windows.end());
  }
  if (cursor.AcceptWord("LIMIT") && !cursor.AcceptWord("ALL")) {
    query->limit = ParseExpr(cursor);
  }
  if (cursor.AcceptWord("OFFSET")) {
    query->offset = ParseExpr(cursor);
  }
}

Values ParseValuesRows(TokenCursor& cursor) {
  Values values;
  do {
    Expr row = ParseExpr(cursor);
    if (auto* elements = row.As<Row>()) {
      values.rows.push_back(std::move(elements->elements));
    } else {
      values.rows.emplace_back();
      values.rows.back().push_back(std::move(row));
    }
  } while (cursor.AcceptSymbol(","));
  return values;
}

}  // namespace sluice::sql
