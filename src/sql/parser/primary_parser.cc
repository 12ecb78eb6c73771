#include <optional>
#include <utility>

#include "sql/parser/data_type_parser_internal.h"
#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/literal_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

/// Words that cannot be a column by themselves: where one stands, an operand is missing.
bool IsReserved(const TokenCursor& cursor) {
  if (cursor.Peek().kind != TokenKind::kWord || cursor.AtSymbol(".", 1)) {
    return false;
  }
  for (const std::string_view word :
       {"SELECT", "FROM", "WHERE", "HAVING", "UNION", "JOIN", "ON", "USING", "WHEN", "THEN", "ELSE",
        "AND", "OR", "BETWEEN", "AS", "QUALIFY", "CREATE", "IS"}) {
    if (cursor.IsWord(0, word)) {
      return true;
    }
  }
  for (const std::string_view word : {"IN", "LIKE", "ILIKE", "RLIKE", "REGEXP"}) {
    if (cursor.IsWord(0, word)) {
      return !cursor.AtSymbol("(", 1);
    }
  }
  return (cursor.IsWord(0, "END") && cursor.open_cases > 0) ||
         (cursor.IsWord(1, "BY") && (cursor.IsWord(0, "GROUP") || cursor.IsWord(0, "ORDER")));
}

class PrimaryParser {
 public:
  explicit PrimaryParser(TokenCursor& cursor) : cursor_(cursor), begin_(cursor.position()) {}

  Expr Parse() {
    Expr expr = Operand();
    bool linked = false;
    while (Suffix(&expr)) {
      if (linked) {
        cursor_.CountLink();
      }
      linked = true;
    }
    return expr;
  }

 private:
  Expr Make(Expr::Node node) const { return MakeExpr(cursor_, begin_, std::move(node)); }

  Expr Operand() {
    switch (cursor_.Peek().kind) {
      case TokenKind::kString: {
        Literal literal = StringLiteral(cursor_.ExpectString("a string"));
        return Make(std::move(literal));
      }
      case TokenKind::kNumber: {
        Literal literal = ExpectNumber(cursor_, false);
        return Make(std::move(literal));
      }
      case TokenKind::kQuotedName: return NameOrCall();
      case TokenKind::kWord: return Word();
      case TokenKind::kSymbol: return Symbol();
      default: cursor_.FailHere("an expression"); return {};
    }
  }

  Expr Symbol() {
    if (cursor_.AtSymbol("(")) {
      return Parenthesised();
    }
    if (cursor_.AcceptSymbol("-")) {
      Literal literal = ExpectNumber(cursor_, true);
      return Make(std::move(literal));
    }
    if (cursor_.AcceptSymbol("?")) {
      return Make(Parameter{});
    }
    if (cursor_.AcceptSymbol(":")) {
      const Name name = cursor_.ExpectName("the name of a parameter");
      return Make(Parameter{name.text});
    }
    if (cursor_.AtSymbol("!")) {
      TokenCursor::Nesting nesting(cursor_);
      cursor_.Next();
      return Make(Unary{UnaryOp::kNot, ParsePrimary(cursor_)});
    }
    cursor_.FailHere("an expression");
    return {};
  }

  Expr Parenthesised() {
    if (AtLambdaParameters()) {
      return LambdaExpr();
    }
    if (HoldsQuery(cursor_)) {
      Query query = ParseQueryTuple(cursor_);
      return Make(ScalarSubquery{std::move(query)});
    }
    std::vector<Expr> elements = ParseExprTuple(cursor_);
    if (elements.size() == 1) {
      return std::move(elements[0]);
    }
    return Make(Row{std::move(elements)});
  }

  // (x, y) ->
  bool AtLambdaParameters() const {
    size_t ahead = 1;
    while (cursor_.AtName(ahead)) {
      if (cursor_.AtSymbol(")", ahead + 1)) {
        return cursor_.AtSymbol("->", ahead + 2);
      }
      if (!cursor_.AtSymbol(",", ahead + 1)) {
        return false;
      }
      ahead += 2;
    }
    return false;
  }

  Expr LambdaExpr() {
    Lambda lambda;
    if (cursor_.AtSymbol("(")) {
      lambda.parameters = ParseNameTuple(cursor_, "a parameter of the lambda");
    } else {
      lambda.parameters.push_back(cursor_.ExpectName("a parameter of the lambda"));
    }
    cursor_.ExpectSymbol("->");
    lambda.body = ParseExpr(cursor_);
    return Make(std::move(lambda));
  }

  Expr Word() {
    const bool plain = !cursor_.AtSymbol(".", 1) && !cursor_.AtSymbol("(", 1);
    if (plain && cursor_.IsWord(0, "NULL")) {
      cursor_.Next();
      return Make(NullLiteral());
    }
    if (plain && (cursor_.IsWord(0, "TRUE") || cursor_.IsWord(0, "FALSE"))) {
      const bool value = cursor_.IsWord(0, "TRUE");
      cursor_.Next();
      return Make(BooleanLiteral(value));
    }
    if (AtTypedLiteral(cursor_)) {
      Literal literal = ExpectTypedLiteral(cursor_);
      return Make(std::move(literal));
    }
    if (AtIntervalLiteral(cursor_)) {
      const IntervalValue value = ExpectInterval(cursor_);
      return Make(IntervalLiteral(value));
    }
    if (cursor_.AtSymbol("->", 1)) {
      return LambdaExpr();
    }
    if (cursor_.IsWord(0, "CASE") && !cursor_.AtSymbol(".", 1) && !cursor_.AtSymbol(",", 1)) {
      return CaseExpr();
    }
    if (cursor_.IsWord(0, "NOT")) {
      TokenCursor::Nesting nesting(cursor_);
      cursor_.Next();
      return Make(Unary{UnaryOp::kNot, ParsePrimary(cursor_)});
    }
    if (IsReserved(cursor_)) {
      cursor_.FailHere("an expression");
      return {};
    }
    if (cursor_.AtSymbol("(", 1)) {
      if (auto special = ParseSpecialCall(cursor_)) {
        return *std::move(special);
      }
    }
    return NameOrCall();
  }

  Expr CaseExpr() {
    cursor_.ExpectWord("CASE");
    ++cursor_.open_cases;
    Case result;
    if (!cursor_.AtWord("WHEN")) {
      result.operand = ParseExpr(cursor_);
    }
    while (cursor_.AcceptWord("WHEN")) {
      WhenClause when;
      when.condition = ParseExpr(cursor_);
      cursor_.ExpectWord("THEN");
      when.result = ParseExpr(cursor_);
      result.whens.push_back(std::move(when));
    }
    if (result.whens.empty()) {
      cursor_.FailHere("WHEN");
    }
    if (cursor_.AcceptWord("ELSE")) {
      result.otherwise = ParseExpr(cursor_);
    }
    cursor_.ExpectWord("END");
    --cursor_.open_cases;
    return Make(std::move(result));
  }

  Expr NameOrCall() {
    QualifiedName name;
    if (cursor_.IsWord(0, "IDENTIFIER") && cursor_.AtSymbol("(", 1) && cursor_.AtString(2)) {
      name = cursor_.ExpectQualifiedName("a name");
    } else {
      name.parts.push_back(cursor_.ExpectName("a name"));
      while (cursor_.AtSymbol(".") && cursor_.AtName(1)) {
        cursor_.Next();
        name.parts.push_back(cursor_.ExpectName("a name"));
      }
      name.span = cursor_.SpanSince(begin_);
    }
    if (cursor_.AtSymbol("(")) {
      return ParseCall(cursor_, std::move(name), begin_);
    }
    return Make(ColumnRef{std::move(name.parts)});
  }

  bool Suffix(Expr* expr) {
    if (cursor_.AtSymbol("[")) {
      cursor_.Next();
      Expr index = ParseExpr(cursor_);
      cursor_.ExpectSymbol("]");
      *expr = Make(Subscript{std::move(*expr), std::move(index)});
      return true;
    }
    if (cursor_.AtSymbol(".") && cursor_.AtName(1)) {
      cursor_.Next();
      Name field = cursor_.ExpectName("a field");
      if (auto* column = expr->As<ColumnRef>()) {
        column->parts.push_back(std::move(field));  // (a).b is a.b
        expr->span = cursor_.SpanSince(begin_);
        return true;
      }
      *expr = Make(FieldAccess{std::move(*expr), std::move(field)});
      return true;
    }
    if (cursor_.AcceptSymbol("::")) {
      TypeName type = ExpectTypeName(cursor_);
      *expr = Make(Cast{Cast::Form::kDoubleColon, std::move(*expr), std::move(type)});
      return true;
    }
    if (cursor_.AtSymbol(":") && (cursor_.AtName(1) || cursor_.AtSymbol("[", 1))) {
      std::vector<PathStep> steps = Path();
      *expr = Make(VariantPath{std::move(*expr), std::move(steps)});
      return true;
    }
    if (cursor_.IsWord(0, "COLLATE") && cursor_.AtName(1)) {
      cursor_.Next();
      QualifiedName collation = cursor_.ExpectQualifiedName("a collation");
      *expr = Make(Collate{std::move(*expr), std::move(collation)});
      return true;
    }
    return false;
  }

  std::vector<PathStep> Path() {
    cursor_.ExpectSymbol(":");
    std::vector<PathStep> steps;
    bool field = cursor_.AtName();
    do {
      PathStep step;
      if (field) {
        step.field = cursor_.ExpectName("a field of the path");
      } else {
        cursor_.ExpectSymbol("[");
        Bracketed(&step);
        cursor_.ExpectSymbol("]");
      }
      steps.push_back(std::move(step));
      field = cursor_.AtSymbol(".") && cursor_.AtName(1) && cursor_.AcceptSymbol(".");
    } while (field || cursor_.AtSymbol("["));
    return steps;
  }

  // [0], ['name'], [name]
  void Bracketed(PathStep* step) {
    if (cursor_.AtString()) {
      step->field.span = cursor_.Peek().span;
      step->field.text = cursor_.ExpectString("a field");
      step->field.quoted = true;
    } else if (cursor_.AtName()) {
      step->field = cursor_.ExpectName("a field");
    } else {
      step->index = cursor_.ExpectInteger("an index or a field");
    }
  }

  TokenCursor& cursor_;
  const size_t begin_;
};

}  // namespace

Expr ParsePrimary(TokenCursor& cursor) { return PrimaryParser(cursor).Parse(); }

}  // namespace sluice::sql
