#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/literal_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

Property ParseProperty(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  Property property;
  if (cursor.AtString()) {
    property.key = cursor.ExpectString("a key");
  } else {
    property.key = cursor.ExpectName("a key").text;
    while (cursor.AcceptSymbol(".")) {
      property.key += "." + cursor.ExpectName("a key").text;
    }
  }
  const bool equals = cursor.AcceptSymbol("=");
  if (cursor.AtString()) {
    property.value = cursor.ExpectString("a value");
  } else if (equals || (!cursor.AtSymbol(",") && !cursor.AtSymbol(")"))) {
    const Expr value = ParseExpr(cursor);
    property.value = std::string(cursor.source().Slice(value.span));
  }
  property.span = cursor.SpanSince(begin);
  return property;
}

// PIVOT (agg [AS a], .. FOR c IN (v [AS a], ..))
Pivot ParsePivot(TokenCursor& cursor) {
  Pivot pivot;
  cursor.ExpectSymbol("(");
  pivot.aggregates = ParseSelectItems(cursor);
  cursor.ExpectWord("FOR");
  if (cursor.AtSymbol("(")) {
    pivot.columns = ParseNameTuple(cursor, "a column");
  } else {
    pivot.columns.push_back(cursor.ExpectName("a column"));
  }
  cursor.ExpectWord("IN");
  cursor.ExpectSymbol("(");
  do {
    Pivot::Value value;
    value.value = ParseExpr(cursor);
    if (cursor.AcceptWord("AS") || AtImplicitAlias(cursor)) {
      value.alias = cursor.ExpectName("an alias");
    }
    pivot.values.push_back(std::move(value));
  } while (cursor.AcceptSymbol(","));
  cursor.ExpectSymbol(")");
  cursor.ExpectSymbol(")");
  return pivot;
}

Unpivot::Column ParseUnpivotColumn(TokenCursor& cursor) {
  Unpivot::Column column;
  if (cursor.AcceptSymbol("(")) {
    do {
      column.columns.push_back(cursor.ExpectQualifiedName("a column"));
    } while (cursor.AcceptSymbol(","));
    cursor.ExpectSymbol(")");
  } else {
    column.columns.push_back(cursor.ExpectQualifiedName("a column"));
  }
  if (cursor.AcceptWord("AS") || AtImplicitAlias(cursor)) {
    column.alias = cursor.ExpectName("an alias");
  }
  return column;
}

// UNPIVOT [INCLUDE | EXCLUDE NULLS] (v FOR n IN (a, b))
Unpivot ParseUnpivot(TokenCursor& cursor) {
  Unpivot unpivot;
  unpivot.include_nulls = cursor.AcceptWords({"INCLUDE", "NULLS"});
  if (!unpivot.include_nulls) {
    cursor.AcceptWords({"EXCLUDE", "NULLS"});
  }
  cursor.ExpectSymbol("(");
  if (cursor.AtSymbol("(")) {
    unpivot.values = ParseNameTuple(cursor, "the name of a value column");
  } else {
    unpivot.values.push_back(cursor.ExpectName("the name of a value column"));
  }
  cursor.ExpectWord("FOR");
  unpivot.name = cursor.ExpectName("the name of the name column");
  cursor.ExpectWord("IN");
  cursor.ExpectSymbol("(");
  do {
    unpivot.columns.push_back(ParseUnpivotColumn(cursor));
  } while (cursor.AcceptSymbol(","));
  cursor.ExpectSymbol(")");
  cursor.ExpectSymbol(")");
  return unpivot;
}

LateralView ParseLateralView(TokenCursor& cursor) {
  LateralView view;
  view.outer = cursor.AcceptWord("OUTER");
  const size_t begin = cursor.position();
  view.generator.name = cursor.ExpectQualifiedName("a generator function");
  view.generator.arguments = ParseTableFunctionArguments(cursor);
  view.table = cursor.AtWord("AS") ? Name{"", cursor.SpanSince(begin), false}
                                   : cursor.ExpectName("an alias of the view");
  const bool as = cursor.AcceptWord("AS");
  if (as || (cursor.AtName() && AtImplicitAlias(cursor))) {
    view.columns = ParseNames(cursor, "a column");
  }
  return view;
}

template <typename Node>
void Extend(TokenCursor& cursor, Relation* input, Node node) {
  cursor.CountLink();
  const Span start = input->span;
  node.input = std::move(*input);
  Relation relation;
  relation.node = std::move(node);
  relation.span = Cover(start, cursor.SpanSince(cursor.position()));
  *input = std::move(relation);
}

Box<Expr> ParseChangesBound(TokenCursor& cursor, bool* by_timestamp, bool* exclusive) {
  *by_timestamp = cursor.AcceptWord("TIMESTAMP");
  if (!*by_timestamp && !cursor.AcceptWord("VERSION")) {
    cursor.FailHere("VERSION or TIMESTAMP");
  }
  Box<Expr> bound = ParseValueExpr(cursor);
  *exclusive = cursor.AcceptWord("EXCLUSIVE");
  if (!*exclusive) {
    cursor.AcceptWord("INCLUSIVE");
  }
  return bound;
}

}  // namespace

bool ParseRelationExtension(TokenCursor& cursor, Relation* input) {
  if (cursor.IsWord(0, "PIVOT") && cursor.AtSymbol("(", 1)) {
    cursor.Next();
    Extend(cursor, input, ParsePivot(cursor));
    input->alias = ParseTableAlias(cursor);
    return true;
  }
  if (cursor.AcceptWord("UNPIVOT")) {
    Extend(cursor, input, ParseUnpivot(cursor));
    input->alias = ParseTableAlias(cursor);
    return true;
  }
  if (cursor.AcceptWords({"LATERAL", "VIEW"})) {
    Extend(cursor, input, ParseLateralView(cursor));
    return true;
  }
  return false;
}

std::optional<TableSample> ParseTableSample(TokenCursor& cursor) {
  if (!cursor.AcceptWord("TABLESAMPLE")) {
    return std::nullopt;
  }
  TableSample sample;
  if (!cursor.AcceptWord("SYSTEM")) {
    cursor.AcceptWord("BERNOULLI");
  }
  cursor.ExpectSymbol("(");
  const size_t begin = cursor.position();
  if (cursor.AtWord("BUCKET")) {
    sample.kind = TableSample::Kind::kBuckets;
    while (!cursor.AtSymbol(")") && !cursor.AtEnd()) {
      cursor.Next();
    }
    sample.text = std::string(cursor.source().Slice(cursor.SpanSince(begin)));
  } else {
    sample.amount = ParseExpr(cursor);
    if (cursor.AcceptWord("ROWS")) {
      sample.kind = TableSample::Kind::kRows;
    } else if (!cursor.AcceptWord("PERCENT")) {
      sample.kind = TableSample::Kind::kBytes;
      sample.amount = {};
      sample.text = std::string(cursor.source().Slice(cursor.SpanSince(begin)));
    }
  }
  cursor.ExpectSymbol(")");
  if (cursor.AcceptWord("REPEATABLE")) {
    cursor.ExpectSymbol("(");
    sample.repeatable = cursor.ExpectInteger("a seed");
    cursor.ExpectSymbol(")");
  }
  return sample;
}

std::vector<Property> ParseProperties(TokenCursor& cursor) {
  std::vector<Property> properties;
  cursor.ExpectSymbol("(");
  do {
    properties.push_back(ParseProperty(cursor));
  } while (cursor.AcceptSymbol(","));
  cursor.ExpectSymbol(")");
  return properties;
}

std::optional<Watermark> ParseWatermark(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  if (!cursor.AcceptWord("WATERMARK")) {
    return std::nullopt;
  }
  Watermark watermark;
  watermark.expr = ParseExpr(cursor);
  if (cursor.AcceptWord("AS")) {
    watermark.alias = cursor.ExpectName("the name of the event time column");
  }
  cursor.ExpectWords({"DELAY", "OF"});
  watermark.delay = ExpectInterval(cursor);
  watermark.span = cursor.SpanSince(begin);
  return watermark;
}

std::optional<TimeTravel> ParseTimeTravel(TokenCursor& cursor) {
  TimeTravel travel;
  if (cursor.IsWord(0, "FOR") && cursor.IsWord(2, "AS") && cursor.IsWord(3, "OF")) {
    cursor.Next();
  }
  if (cursor.AcceptWords({"VERSION", "AS", "OF"}) ||
      cursor.AcceptWords({"SYSTEM_VERSION", "AS", "OF"})) {
    travel.value = ParseValueExpr(cursor);
    return travel;
  }
  if (cursor.AcceptWords({"TIMESTAMP", "AS", "OF"}) ||
      cursor.AcceptWords({"SYSTEM_TIME", "AS", "OF"})) {
    travel.by_timestamp = true;
    travel.value = ParseValueExpr(cursor);
    return travel;
  }
  return std::nullopt;
}

TimeTravel ParseAtMoment(TokenCursor& cursor) {
  TimeTravel travel;
  const size_t begin = cursor.position();
  cursor.ExpectSymbol("@");
  Expr value;
  Literal literal;
  if (cursor.AtName()) {
    const std::string version = cursor.ExpectName("a version").text;
    const std::string digits = version.substr(1);
    if ((version[0] != 'v' && version[0] != 'V') || digits.empty() || digits.size() > 18 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      cursor.FailHere("a version such as @v1");
    }
    literal.kind = LiteralKind::kString;
    literal.text = digits;
  } else {
    const std::string digits =
        std::to_string(cursor.ExpectInteger("a time such as @20240131235959000"));
    const auto part = [&](size_t at, size_t count) { return digits.substr(at, count); };
    if (digits.size() != 17) {
      cursor.FailHere("a time such as @20240131235959000");
      return travel;
    }
    travel.by_timestamp = true;
    literal.kind = LiteralKind::kString;
    literal.text = part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + " " + part(8, 2) + ":" +
                   part(10, 2) + ":" + part(12, 2) + "." + part(14, 3);
  }
  value.node = std::move(literal);
  value.span = cursor.SpanSince(begin);
  travel.value = std::move(value);
  return travel;
}

std::optional<ChangesClause> ParseChanges(TokenCursor& cursor) {
  if (!cursor.AcceptWord("CHANGES")) {
    return std::nullopt;
  }
  ChangesClause changes;
  if (cursor.AcceptWord("FROM")) {
    changes.from = ParseChangesBound(cursor, &changes.by_timestamp, &changes.from_exclusive);
    if (cursor.AcceptWord("TO")) {
      bool by_timestamp = false;
      changes.to = ParseChangesBound(cursor, &by_timestamp, &changes.to_exclusive);
    }
  }
  return changes;
}

}  // namespace sluice::sql
