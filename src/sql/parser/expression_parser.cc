#include <array>
#include <optional>
#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

Expr MakeBinary(const TokenCursor& cursor, size_t begin, BinaryOp op, Expr left, Expr right) {
  return MakeExpr(cursor, begin, Binary{op, std::move(left), std::move(right)});
}

/// Moves the operands of nested `op` into one list: a AND (b AND c) has three.
void Flatten(Expr expr, BinaryOp op, std::vector<Expr>* operands) {
  auto* binary = expr.As<Binary>();
  if (binary != nullptr && binary->op == op && binary->left && binary->right) {
    Flatten(std::move(*binary->left), op, operands);
    Flatten(std::move(*binary->right), op, operands);
  } else {
    operands->push_back(std::move(expr));
  }
}

/// A balanced tree, the same that Spark builds, so that long chains stay low.
Expr Balance(std::vector<Expr>& operands, size_t low, size_t high, BinaryOp op) {
  if (low == high) {
    return std::move(operands[low]);
  }
  const size_t middle = low + (high - low) / 2;
  Expr left = Balance(operands, low, middle, op);
  Expr right = Balance(operands, middle + 1, high, op);
  const Span span = Cover(left.span, right.span);
  return {Binary{op, std::move(left), std::move(right)}, span};
}

/// Boolean expressions: OR, AND, NOT, predicates.
class BooleanParser {
 public:
  explicit BooleanParser(TokenCursor& cursor) : cursor_(cursor) {}

  Expr Or() { return Chain("OR", BinaryOp::kOr, &BooleanParser::And); }

 private:
  Expr And() { return Chain("AND", BinaryOp::kAnd, &BooleanParser::Not); }

  Expr Chain(const char* word, BinaryOp op, Expr (BooleanParser::*operand)()) {
    Expr first = (this->*operand)();
    if (!cursor_.AtWord(word)) {
      return first;
    }
    std::vector<Expr> operands;
    Flatten(std::move(first), op, &operands);
    while (cursor_.AcceptWord(word)) {
      Flatten((this->*operand)(), op, &operands);
    }
    return Balance(operands, 0, operands.size() - 1, op);
  }

  Expr Not() {
    const size_t begin = cursor_.position();
    if (cursor_.AtWord("NOT") || cursor_.AtSymbol("!")) {
      TokenCursor::Nesting nesting(cursor_);
      cursor_.Next();
      return MakeExpr(cursor_, begin, Unary{UnaryOp::kNot, Not()});
    }
    Expr value = ParseValueExpr(cursor_);
    return Predicate(std::move(value), begin);
  }

  Expr Predicate(Expr operand, size_t begin) {
    const bool negated = cursor_.IsWord(0, "NOT") && AtPredicateWord(1);
    if (negated) {
      cursor_.Next();
    }
    if (cursor_.AcceptWord("BETWEEN")) {
      Expr low = ParseValueExpr(cursor_);
      cursor_.ExpectWord("AND");
      Expr high = ParseValueExpr(cursor_);
      return MakeExpr(cursor_, begin,
                      Between{std::move(operand), std::move(low), std::move(high), negated});
    }
    if (cursor_.AcceptWord("IN")) {
      return In(std::move(operand), begin, negated);
    }
    if (const auto kind = AcceptLike()) {
      return LikePredicate(std::move(operand), begin, *kind, negated);
    }
    if (!negated && cursor_.AcceptWord("IS")) {
      return IsPredicate(std::move(operand), begin);
    }
    return operand;
  }

  bool AtPredicateWord(size_t ahead) const {
    for (const std::string_view word : {"BETWEEN", "IN", "LIKE", "ILIKE", "RLIKE", "REGEXP"}) {
      if (cursor_.IsWord(ahead, word)) {
        return true;
      }
    }
    return false;
  }

  std::optional<LikeKind> AcceptLike() {
    if (cursor_.AcceptWord("LIKE")) {
      return LikeKind::kLike;
    }
    if (cursor_.AcceptWord("ILIKE")) {
      return LikeKind::kILike;
    }
    if (cursor_.AcceptWord("RLIKE") || cursor_.AcceptWord("REGEXP")) {
      return LikeKind::kRLike;
    }
    return std::nullopt;
  }

  Expr In(Expr operand, size_t begin, bool negated) {
    if (cursor_.AtSymbol("(") && AtQuery(cursor_, 1)) {
      Query query = ParseQueryTuple(cursor_);
      return MakeExpr(cursor_, begin, InSubquery{std::move(operand), std::move(query), negated});
    }
    std::vector<Expr> values = ParseExprTuple(cursor_);
    return MakeExpr(cursor_, begin, InList{std::move(operand), std::move(values), negated});
  }

  Expr LikePredicate(Expr operand, size_t begin, LikeKind kind, bool negated) {
    Like like;
    like.kind = kind;
    like.negated = negated;
    like.operand = std::move(operand);
    if (kind != LikeKind::kRLike && cursor_.AtAnyWord({"ANY", "SOME", "ALL"}) &&
        cursor_.AtSymbol("(", 1)) {
      like.quantifier = cursor_.AtWord("ALL") ? Quantifier::kAll : Quantifier::kAny;
      cursor_.Next();
      like.patterns = ParseExprTuple(cursor_);
    } else {
      like.patterns.push_back(ParseValueExpr(cursor_));
      if (kind != LikeKind::kRLike && cursor_.AcceptWord("ESCAPE")) {
        const Span span = cursor_.Peek().span;
        like.escape = cursor_.ExpectString("an escape character");
        if (like.escape->size() != 1 && !cursor_.failed()) {
          cursor_.Fail(span, "PARSE_SYNTAX_ERROR", "ESCAPE needs one character");
        }
      }
    }
    return MakeExpr(cursor_, begin, std::move(like));
  }

  Expr IsPredicate(Expr operand, size_t begin) {
    const bool negated = cursor_.AcceptWord("NOT");
    if (cursor_.AcceptWord("DISTINCT")) {
      cursor_.ExpectWord("FROM");
      Expr right = ParseValueExpr(cursor_);
      return MakeBinary(cursor_, begin, negated ? BinaryOp::kNullSafeEq : BinaryOp::kDistinctFrom,
                        std::move(operand), std::move(right));
    }
    constexpr std::array<std::pair<const char*, IsTest>, 4> kTests{{{"NULL", IsTest::kNull},
                                                                    {"TRUE", IsTest::kTrue},
                                                                    {"FALSE", IsTest::kFalse},
                                                                    {"UNKNOWN", IsTest::kUnknown}}};
    for (const auto& [word, test] : kTests) {
      if (cursor_.AcceptWord(word)) {
        return MakeExpr(cursor_, begin, Is{std::move(operand), test, negated});
      }
    }
    cursor_.FailHere("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
    return operand;
  }

  TokenCursor& cursor_;
};

struct Operator {
  std::string_view symbol;
  BinaryOp op;
  int level;  // the higher, the tighter
};

constexpr std::array<Operator, 19> kOperators{{
    {"=", BinaryOp::kEq, 1},           {"==", BinaryOp::kEq, 1},
    {"<=>", BinaryOp::kNullSafeEq, 1}, {"<>", BinaryOp::kNotEq, 1},
    {"!=", BinaryOp::kNotEq, 1},       {"<", BinaryOp::kLess, 1},
    {"<=", BinaryOp::kLessEq, 1},      {"!>", BinaryOp::kLessEq, 1},
    {">", BinaryOp::kGreater, 1},      {">=", BinaryOp::kGreaterEq, 1},
    {"!<", BinaryOp::kGreaterEq, 1},   {"|", BinaryOp::kBitOr, 2},
    {"^", BinaryOp::kBitXor, 3},       {"&", BinaryOp::kBitAnd, 4},
    {"<<", BinaryOp::kShiftLeft, 5},   {"+", BinaryOp::kAdd, 6},
    {"-", BinaryOp::kSubtract, 6},     {"||", BinaryOp::kConcat, 6},
    {"*", BinaryOp::kMultiply, 7},
}};
constexpr int kShiftLevel = 5;
constexpr int kProductLevel = 7;

/// Arithmetic, bits and comparisons by precedence.
class ValueParser {
 public:
  explicit ValueParser(TokenCursor& cursor) : cursor_(cursor) {}

  Expr Parse(int lowest) {
    const size_t begin = cursor_.position();
    Expr left = UnaryExpr();
    bool linked = false;
    while (true) {
      const std::optional<Found> found = FindOperator();
      if (!found || found->level < lowest) {
        return left;
      }
      for (size_t i = 0; i < found->tokens; ++i) {
        cursor_.Next();
      }
      Expr right = Parse(found->level + 1);
      left = MakeBinary(cursor_, begin, found->op, std::move(left), std::move(right));
      if (linked) {
        cursor_.CountLink();
      }
      linked = true;
    }
  }

 private:
  struct Found {
    BinaryOp op;
    int level;
    size_t tokens;
  };

  std::optional<Found> FindOperator() const {
    const Token& token = cursor_.Peek();
    if (token.kind == TokenKind::kWord && EqualsIgnoreCase(token.text, "DIV")) {
      return Found{BinaryOp::kIntegerDivide, kProductLevel, 1};
    }
    if (token.kind != TokenKind::kSymbol) {
      return std::nullopt;
    }
    if (token.text == "/" || token.text == "%") {
      return Found{token.text == "/" ? BinaryOp::kDivide : BinaryOp::kModulo, kProductLevel, 1};
    }
    if (token.text == ">" && GreaterFollows(1)) {
      const bool three = GreaterFollows(2);
      return Found{three ? BinaryOp::kShiftRightUnsigned : BinaryOp::kShiftRight, kShiftLevel,
                   three ? size_t{3} : size_t{2}};
    }
    for (const Operator& known : kOperators) {
      if (known.symbol == token.text) {
        return Found{known.op, known.level, 1};
      }
    }
    return std::nullopt;
  }

  bool GreaterFollows(size_t ahead) const {
    return cursor_.AtSymbol(">", ahead) &&
           cursor_.Peek(ahead - 1).span.end() == cursor_.Peek(ahead).span.offset;
  }

  Expr UnaryExpr() {
    const size_t begin = cursor_.position();
    std::optional<UnaryOp> op;
    if (cursor_.AtSymbol("-") && cursor_.Peek(1).kind != TokenKind::kNumber) {
      op = UnaryOp::kMinus;
    } else if (cursor_.AtSymbol("+")) {
      op = UnaryOp::kPlus;
    } else if (cursor_.AtSymbol("~")) {
      op = UnaryOp::kBitNot;
    }
    if (!op) {
      return ParsePrimary(cursor_);
    }
    TokenCursor::Nesting nesting(cursor_);
    cursor_.Next();
    return MakeExpr(cursor_, begin, Unary{*op, UnaryExpr()});
  }

  TokenCursor& cursor_;
};

}  // namespace

Expr MakeExpr(const TokenCursor& cursor, size_t begin, Expr::Node node) {
  return {std::move(node), cursor.SpanSince(begin)};
}

Expr ParseExpr(TokenCursor& cursor) {
  TokenCursor::Nesting nesting(cursor);
  return BooleanParser(cursor).Or();
}

Expr ParseValueExpr(TokenCursor& cursor) { return ValueParser(cursor).Parse(0); }

std::vector<Expr> ParseExprList(TokenCursor& cursor) {
  std::vector<Expr> list;
  do {
    list.push_back(ParseExpr(cursor));
  } while (cursor.AcceptSymbol(","));
  return list;
}

std::vector<Expr> ParseExprTuple(TokenCursor& cursor) {
  cursor.ExpectSymbol("(");
  std::vector<Expr> list = ParseExprList(cursor);
  cursor.ExpectSymbol(")");
  return list;
}

}  // namespace sluice::sql
