#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "sql/parser/data_type_parser_internal.h"
#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/literal_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

Star ParseStar(TokenCursor& cursor, std::vector<Name> qualifier) {
  Star star;
  star.qualifier = std::move(qualifier);
  cursor.ExpectSymbol("*");
  if (cursor.IsWord(0, "EXCEPT") && cursor.AtSymbol("(", 1) && !AtQuery(cursor, 2)) {
    cursor.Next();
    cursor.ExpectSymbol("(");
    do {
      star.except.push_back(cursor.ExpectQualifiedName("a column to leave out"));
    } while (cursor.AcceptSymbol(","));
    cursor.ExpectSymbol(")");
  }
  return star;
}

/// `*` or `t.*` if it starts here.
std::optional<Expr> AcceptStar(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  size_t ahead = 0;
  while (cursor.AtName(ahead) && cursor.AtSymbol(".", ahead + 1)) {
    ahead += 2;
  }
  if (!cursor.AtSymbol("*", ahead)) {
    return std::nullopt;
  }
  std::vector<Name> qualifier;
  while (!cursor.AtSymbol("*")) {
    qualifier.push_back(cursor.ExpectName("a name"));
    cursor.ExpectSymbol(".");
  }
  Star star = ParseStar(cursor, std::move(qualifier));
  return MakeExpr(cursor, begin, std::move(star));
}

Argument PlainArgument(Expr value) {
  Argument argument;
  argument.value = std::move(value);
  return argument;
}

class CallParser {
 public:
  CallParser(TokenCursor& cursor, QualifiedName name, size_t begin)
      : cursor_(cursor), begin_(begin) {
    call_.name = std::move(name);
  }

  Expr Parse() {
    TokenCursor::Nesting nesting(cursor_);
    cursor_.ExpectSymbol("(");
    if (!cursor_.AcceptSymbol(")")) {
      if (!AcceptQuantifier("DISTINCT", &call_.distinct)) {
        bool all = false;
        AcceptQuantifier("ALL", &all);
      }
      do {
        call_.arguments.push_back(Argument());
      } while (cursor_.AcceptSymbol(","));
      AcceptNulls();
      if (cursor_.AcceptWords({"ORDER", "BY"})) {
        call_.order_by = ParseOrderItems(cursor_);
      }
      cursor_.ExpectSymbol(")");
    }
    Behind();
    return MakeExpr(cursor_, begin_, std::move(call_));
  }

  /// The rest of a call whose '(' and first argument were taken.
  Expr ParseAfter(Expr first) {
    call_.arguments.push_back(PlainArgument(std::move(first)));
    while (cursor_.AcceptSymbol(",")) {
      call_.arguments.push_back(Argument());
    }
    cursor_.ExpectSymbol(")");
    Behind();
    return MakeExpr(cursor_, begin_, std::move(call_));
  }

  sql::Argument Argument() {
    sql::Argument argument;
    if (cursor_.AtName() && cursor_.AtSymbol("=>", 1)) {
      argument.name = cursor_.ExpectName("a name");
      cursor_.Next();
    }
    if (auto star = AcceptStar(cursor_)) {
      argument.value = *std::move(star);
    } else if (cursor_.IsWord(0, "TABLE") && (cursor_.AtSymbol("(", 1) || cursor_.AtName(1))) {
      argument.value = Table();
    } else {
      argument.value = ParseExpr(cursor_);
    }
    if (cursor_.AcceptWord("AS")) {
      argument.alias = cursor_.ExpectName("an alias");
    } else if (EqualsIgnoreCase(call_.name.parts.empty() ? "" : call_.name.last(), "STRUCT") &&
               AtImplicitAlias(cursor_)) {
      argument.alias = cursor_.ExpectName("an alias");
    }
    return argument;
  }

 private:
  bool AcceptQuantifier(const char* word, bool* flag) {
    if (cursor_.IsWord(0, word) && !cursor_.AtSymbol(",", 1) && !cursor_.AtSymbol(")", 1) &&
        !cursor_.AtSymbol(".", 1)) {
      cursor_.Next();
      *flag = true;
    }
    return *flag;
  }

  void AcceptNulls() {
    if (cursor_.AcceptWords({"IGNORE", "NULLS"})) {
      call_.ignore_nulls = true;
    } else if (cursor_.AcceptWords({"RESPECT", "NULLS"})) {
      call_.respect_nulls = true;
    }
  }

  // TABLE(t), TABLE t, TABLE(SELECT ..)
  Expr Table() {
    const size_t begin = cursor_.position();
    cursor_.ExpectWord("TABLE");
    Query query;
    if (cursor_.AtSymbol("(") && AtQuery(cursor_, 1)) {
      query = ParseQueryTuple(cursor_);
    } else {
      const bool parenthesised = cursor_.AcceptSymbol("(");
      const size_t name_begin = cursor_.position();
      query.body = TableQuery{cursor_.ExpectQualifiedName("a table")};
      query.span = cursor_.SpanSince(name_begin);
      if (parenthesised) {
        cursor_.ExpectSymbol(")");
      }
    }
    return MakeExpr(cursor_, begin, TableArgument{std::move(query)});
  }

  void Behind() {
    if (cursor_.AtWords({"WITHIN", "GROUP"})) {
      cursor_.ExpectWords({"WITHIN", "GROUP"});
      cursor_.ExpectSymbol("(");
      cursor_.ExpectWords({"ORDER", "BY"});
      call_.within_group = ParseOrderItems(cursor_);
      cursor_.ExpectSymbol(")");
    }
    if (cursor_.IsWord(0, "FILTER") && cursor_.AtSymbol("(", 1)) {
      cursor_.Next();
      cursor_.ExpectSymbol("(");
      cursor_.ExpectWord("WHERE");
      call_.filter = ParseExpr(cursor_);
      cursor_.ExpectSymbol(")");
    }
    AcceptNulls();
    if (cursor_.IsWord(0, "OVER") && (cursor_.AtSymbol("(", 1) || cursor_.AtName(1))) {
      cursor_.Next();
      call_.over = ParseWindowSpec(cursor_);
    }
  }

  TokenCursor& cursor_;
  const size_t begin_;
  FunctionCall call_;
};

/// Calls that are not a list of arguments. Each method stands behind NAME '('.
class SpecialCallParser {
 public:
  explicit SpecialCallParser(TokenCursor& cursor) : cursor_(cursor), begin_(cursor.position()) {}

  std::optional<Expr> Parse() {
    const std::string name = ToUpper(cursor_.Peek().text);
    TokenCursor::Nesting nesting(cursor_);
    if (name == "CAST" || name == "TRY_CAST") {
      return CastCall(name == "CAST" ? Cast::Form::kCast : Cast::Form::kTryCast);
    }
    if (name == "EXISTS") {
      return ExistsQuery();
    }
    if (name == "EXTRACT") {
      return Extract();
    }
    if (name == "TRIM") {
      return TrimCall();
    }
    if (name == "POSITION") {
      return Position();
    }
    if (name == "SUBSTRING" || name == "SUBSTR") {
      return Keyworded({"FROM", "FOR"});
    }
    if (name == "OVERLAY") {
      return Keyworded({"PLACING", "FROM", "FOR"});
    }
    if (name == "TIMESTAMPADD" || name == "TIMESTAMPDIFF" || name == "DATEADD" ||
        name == "DATE_ADD" || name == "DATEDIFF" || name == "DATE_DIFF" || name == "TIMEDIFF") {
      return UnitFirst();
    }
    return std::nullopt;
  }

 private:
  QualifiedName TakeName() {
    Name name = cursor_.ExpectName("a function");
    const Span span = name.span;
    cursor_.ExpectSymbol("(");
    return {{std::move(name)}, span};
  }

  Expr CastCall(Cast::Form form) {
    TakeName();
    Expr operand = ParseExpr(cursor_);
    cursor_.ExpectWord("AS");
    TypeName type = ExpectTypeName(cursor_);
    cursor_.ExpectSymbol(")");
    return MakeExpr(cursor_, begin_, Cast{form, std::move(operand), std::move(type)});
  }

  std::optional<Expr> ExistsQuery() {
    if (!AtQuery(cursor_, 2)) {
      return std::nullopt;  // exists(array, lambda)
    }
    cursor_.Next();
    Query query = ParseQueryTuple(cursor_);
    return MakeExpr(cursor_, begin_, Exists{std::move(query)});
  }

  std::optional<Expr> Extract() {
    const bool field = cursor_.AtName(2) || cursor_.AtString(2);
    if (!field || !cursor_.IsWord(3, "FROM")) {
      return std::nullopt;
    }
    FunctionCall call;
    call.name = TakeName();
    const Token token = cursor_.NextAsWritten();
    Literal literal =
        StringLiteral(token.kind == TokenKind::kWord ? std::string(token.text) : token.value);
    call.arguments.push_back(PlainArgument({std::move(literal), token.span}));
    cursor_.ExpectWord("FROM");
    call.arguments.push_back(PlainArgument(ParseExpr(cursor_)));
    cursor_.ExpectSymbol(")");
    return MakeExpr(cursor_, begin_, std::move(call));
  }

  /// No argument, or a named one: an ordinary call.
  bool PlainArguments() const {
    return cursor_.AtSymbol(")", 2) || (cursor_.AtName(2) && cursor_.AtSymbol("=>", 3));
  }

  std::optional<Expr> TrimCall() {
    if (PlainArguments()) {
      return std::nullopt;
    }
    QualifiedName name = TakeName();
    Trim trim;
    const bool side = cursor_.AtAnyWord({"BOTH", "LEADING", "TRAILING"}) &&
                      !cursor_.AtSymbol(",", 1) && !cursor_.AtSymbol(")", 1) &&
                      !cursor_.AtSymbol(".", 1);
    if (side) {
      trim.side = cursor_.IsWord(0, "BOTH")      ? Trim::Side::kBoth
                  : cursor_.IsWord(0, "LEADING") ? Trim::Side::kLeading
                                                 : Trim::Side::kTrailing;
      cursor_.Next();
    }
    if (!side || !cursor_.AtWord("FROM")) {
      Expr first = ParseExpr(cursor_);
      if (!side && !cursor_.AtWord("FROM")) {
        return CallParser(cursor_, std::move(name), begin_).ParseAfter(std::move(first));
      }
      trim.characters = std::move(first);
    }
    cursor_.ExpectWord("FROM");
    trim.source = ParseExpr(cursor_);
    cursor_.ExpectSymbol(")");
    return MakeExpr(cursor_, begin_, std::move(trim));
  }

  std::optional<Expr> Position() {
    if (PlainArguments()) {
      return std::nullopt;
    }
    FunctionCall call;
    call.name = TakeName();
    Expr part = ParseValueExpr(cursor_);
    if (!cursor_.AcceptWord("IN")) {
      return CallParser(cursor_, std::move(call.name), begin_).ParseAfter(std::move(part));
    }
    call.arguments.push_back(PlainArgument(std::move(part)));
    call.arguments.push_back(PlainArgument(ParseValueExpr(cursor_)));
    cursor_.ExpectSymbol(")");
    return MakeExpr(cursor_, begin_, std::move(call));
  }

  /// f(x WORD a WORD b ..), where all but the first word may be left out.
  std::optional<Expr> Keyworded(std::initializer_list<const char*> words) {
    if (PlainArguments()) {
      return std::nullopt;
    }
    FunctionCall call;
    call.name = TakeName();
    Expr first = ParseExpr(cursor_);
    if (!cursor_.AtWord(*words.begin())) {
      return CallParser(cursor_, std::move(call.name), begin_).ParseAfter(std::move(first));
    }
    call.arguments.push_back(PlainArgument(std::move(first)));
    for (const char* word : words) {
      if (cursor_.AcceptWord(word)) {
        call.arguments.push_back(PlainArgument(ParseValueExpr(cursor_)));
      }
    }
    cursor_.ExpectSymbol(")");
    return MakeExpr(cursor_, begin_, std::move(call));
  }

  /// timestampadd(MONTH, n, t): the unit becomes a string.
  std::optional<Expr> UnitFirst() {
    constexpr std::array<std::string_view, 12> kUnits{
        "MICROSECOND", "MILLISECOND", "SECOND", "MINUTE",  "HOUR", "DAY",
        "DAYOFYEAR",   "WEEK",        "MONTH",  "QUARTER", "YEAR", "NANOSECOND"};
    const std::string unit = ToUpper(cursor_.Peek(2).text);
    const bool known = std::find(kUnits.begin(), kUnits.end(), unit) != kUnits.end();
    if (!known || cursor_.Peek(2).kind != TokenKind::kWord || !cursor_.AtSymbol(",", 3)) {
      return std::nullopt;
    }
    FunctionCall call;
    call.name = TakeName();
    const Span span = cursor_.Next().span;
    call.arguments.push_back(PlainArgument({StringLiteral(unit), span}));
    while (cursor_.AcceptSymbol(",")) {
      call.arguments.push_back(PlainArgument(ParseExpr(cursor_)));
    }
    cursor_.ExpectSymbol(")");
    return MakeExpr(cursor_, begin_, std::move(call));
  }

  TokenCursor& cursor_;
  const size_t begin_;
};

}  // namespace

Expr ParseCall(TokenCursor& cursor, QualifiedName name, size_t begin) {
  return CallParser(cursor, std::move(name), begin).Parse();
}

std::optional<Expr> ParseSpecialCall(TokenCursor& cursor) {
  return SpecialCallParser(cursor).Parse();
}

std::vector<Argument> ParseTableFunctionArguments(TokenCursor& cursor) {
  std::vector<Argument> arguments;
  cursor.ExpectSymbol("(");
  if (cursor.AcceptSymbol(")")) {
    return arguments;
  }
  do {
    arguments.push_back(CallParser(cursor, {}, cursor.position()).Argument());
  } while (cursor.AcceptSymbol(","));
  cursor.ExpectSymbol(")");
  return arguments;
}

SelectItem ParseSelectItem(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  SelectItem item;
  if (auto star = AcceptStar(cursor)) {
    item.expr = *std::move(star);
    item.span = cursor.SpanSince(begin);
    return item;
  }
  item.expr = ParseExpr(cursor);
  const bool as = cursor.AcceptWord("AS");
  if (as && cursor.AtSymbol("(")) {
    item.aliases = ParseNameTuple(cursor, "an alias");
  } else if (as || AtImplicitAlias(cursor)) {
    item.aliases.push_back(cursor.ExpectName("an alias"));
  }
  item.span = cursor.SpanSince(begin);
  return item;
}

std::vector<SelectItem> ParseSelectItems(TokenCursor& cursor) {
  std::vector<SelectItem> items;
  do {
    items.push_back(ParseSelectItem(cursor));
  } while (cursor.AcceptSymbol(","));
  return items;
}

}  // namespace sluice::sql
