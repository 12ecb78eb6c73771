#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

// (a, b), (), a
std::vector<Expr> ParseGroupingSet(TokenCursor& cursor) {
  std::vector<Expr> set;
  if (cursor.AtSymbol("(") && cursor.AtSymbol(")", 1)) {
    cursor.Next();
    cursor.Next();
    return set;
  }
  Expr expr = ParseExpr(cursor);
  if (auto* row = expr.As<Row>()) {
    return std::move(row->elements);
  }
  set.push_back(std::move(expr));
  return set;
}

void Append(std::vector<std::vector<Expr>>* to, std::vector<std::vector<Expr>> sets) {
  for (auto& set : sets) {
    to->push_back(std::move(set));
  }
}

bool AtGroupingSets(const TokenCursor& cursor) {
  return cursor.IsWord(0, "GROUPING") && cursor.IsWord(1, "SETS") && cursor.AtSymbol("(", 2);
}

bool AtCubeOrRollup(const TokenCursor& cursor) {
  return cursor.AtAnyWord({"CUBE", "ROLLUP"}) && cursor.AtSymbol("(", 1);
}

// The sets that CUBE (..) or ROLLUP (..) within GROUPING SETS stands for.
std::vector<std::vector<Expr>> Expand(TokenCursor& cursor, bool cube,
                                      const std::vector<std::vector<Expr>>& parts) {
  constexpr size_t kMostParts = 10;
  const size_t used = parts.size();
  if (used > kMostParts) {
    cursor.FailHere("at most 10 parts of a nested CUBE or ROLLUP");
    return {};
  }
  std::vector<std::vector<Expr>> sets;
  const size_t count = cube ? size_t{1} << used : used + 1;
  for (size_t s = 0; s < count; ++s) {
    sets.emplace_back();
    for (size_t i = 0; i < used; ++i) {
      const bool kept = cube ? (s >> (used - 1 - i) & 1) == 0 : i < used - s;
      if (kept) sets.back().insert(sets.back().end(), parts[i].begin(), parts[i].end());
    }
  }
  return sets;
}

std::vector<std::vector<Expr>> ParseSetList(TokenCursor& cursor) {
  TokenCursor::Nesting nesting(cursor);
  std::vector<std::vector<Expr>> sets;
  cursor.ExpectSymbol("(");
  do {
    if (AtGroupingSets(cursor)) {
      cursor.ExpectWords({"GROUPING", "SETS"});
      Append(&sets, ParseSetList(cursor));
    } else if (AtCubeOrRollup(cursor)) {
      const bool cube = cursor.IsWord(0, "CUBE");
      cursor.Next();
      Append(&sets, Expand(cursor, cube, ParseSetList(cursor)));
    } else {
      sets.push_back(ParseGroupingSet(cursor));
    }
  } while (cursor.AcceptSymbol(","));
  cursor.ExpectSymbol(")");
  return sets;
}

GroupingElement ParseGroupingElement(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  GroupingElement element;
  if (AtGroupingSets(cursor)) {
    cursor.ExpectWords({"GROUPING", "SETS"});
    element.kind = GroupingElement::Kind::kGroupingSets;
    element.sets = ParseSetList(cursor);
  } else if (AtCubeOrRollup(cursor)) {
    element.kind =
        cursor.IsWord(0, "CUBE") ? GroupingElement::Kind::kCube : GroupingElement::Kind::kRollup;
    cursor.Next();
    element.sets = ParseSetList(cursor);
  } else {
    element.expr = ParseExpr(cursor);
  }
  element.span = cursor.SpanSince(begin);
  return element;
}

// GROUP BY a, b WITH ROLLUP; GROUP BY a, b GROUPING SETS (..)
void ParseHiveForms(TokenCursor& cursor, GroupBy* group_by) {
  GroupingElement element;
  if (AtGroupingSets(cursor)) {
    element = ParseGroupingElement(cursor);
  } else if (cursor.AtWords({"WITH", "CUBE"}) || cursor.AtWords({"WITH", "ROLLUP"})) {
    cursor.Next();
    element.kind =
        cursor.IsWord(0, "CUBE") ? GroupingElement::Kind::kCube : GroupingElement::Kind::kRollup;
    cursor.Next();
    for (GroupingElement& single : group_by->elements) {
      if (!single.expr) {
        cursor.FailHere("plain expressions before WITH");
        return;
      }
      element.sets.emplace_back();
      element.sets.back().push_back(std::move(*single.expr));
    }
  } else {
    return;
  }
  element.span = group_by->span;
  group_by->elements.clear();
  group_by->elements.push_back(std::move(element));
}

}  // namespace

std::optional<GroupBy> ParseGroupBy(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  if (!cursor.AcceptWords({"GROUP", "BY"})) {
    return std::nullopt;
  }
  GroupBy group_by;
  if (cursor.IsWord(0, "ALL") && !cursor.AtSymbol(".", 1) && !cursor.AtSymbol("(", 1) &&
      !cursor.AtSymbol(",", 1)) {
    cursor.Next();
    group_by.all = true;
  } else {
    do {
      group_by.elements.push_back(ParseGroupingElement(cursor));
    } while (cursor.AcceptSymbol(","));
    ParseHiveForms(cursor, &group_by);
  }
  group_by.span = cursor.SpanSince(begin);
  return group_by;
}

}  // namespace sluice::sql
