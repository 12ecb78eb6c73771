// Expressions of Spark SQL as a tree of plain values. Expr holds one alternative of Expr::Node;
// walk it with std::visit, std::get_if, or VisitChildren of ast_walk.h. Trees copy deeply and are
// not shared between threads while they are changed. The height of a tree is bounded by the
// parser, so recursion over it is safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sql/ast/box.h"
#include "sql/ast/literal.h"
#include "sql/ast/name.h"
#include "sql/ast/source_text.h"

namespace sluice::sql {

struct Expr;
struct Query;

/// `a`, `t.a`, `s.t.a.b`: which parts are table, column or field is the analyzer's to say.
struct ColumnRef {
  std::vector<Name> parts;
};

/// `*`, `t.*`, `* EXCEPT (a, b.c)`.
struct Star {
  std::vector<Name> qualifier;
  std::vector<QualifiedName> except;
};

/// `:name` or `?` (name empty).
struct Parameter {
  std::string name;
};

/// `v`, `k => v`; in struct(...) also `v AS k`.
struct Argument {
  std::optional<Name> name;  // k => v
  Box<Expr> value;
  std::optional<Name> alias;  // v AS k
};

struct OrderItem {
  enum class Nulls : uint8_t { kDefault, kFirst, kLast };
  Box<Expr> expr;
  bool descending = false;
  Nulls nulls = Nulls::kDefault;
  Span span;
};

struct FrameBound {
  enum class Kind : uint8_t {
    kUnboundedPreceding,
    kPreceding,
    kCurrentRow,
    kFollowing,
    kUnboundedFollowing
  };
  Kind kind = Kind::kCurrentRow;
  Box<Expr> offset;  // kPreceding, kFollowing
};

struct WindowFrame {
  bool rows = false;  // ROWS, else RANGE
  FrameBound start;
  FrameBound end;  // CURRENT ROW where no BETWEEN is written
};

/// `OVER w`, `OVER (PARTITION BY .. ORDER BY .. ROWS ..)`; `base` is the name of a WINDOW clause.
struct WindowSpec {
  std::optional<Name> base;
  std::vector<Expr> partition_by;
  std::vector<OrderItem> order_by;
  std::optional<WindowFrame> frame;
  Span span;
};

/// Any call, also those with their own syntax: extract(f FROM x) is extract('f', x); position(a IN
/// b) is position(a, b); substring(x FROM a FOR b), overlay(..) likewise; timestampadd(UNIT, ..)
/// has UNIT as a string. count(*) has one Star argument. CURRENT_DATE and the like without
/// parentheses are ColumnRefs: a column of that name goes first, as in Spark.
struct FunctionCall {
  QualifiedName name;
  std::vector<Argument> arguments;
  bool distinct = false;
  bool ignore_nulls = false;
  bool respect_nulls = false;           // written out
  std::vector<OrderItem> within_group;  // f(..) WITHIN GROUP (ORDER BY ..)
  std::vector<OrderItem> order_by;      // f(x ORDER BY y)
  Box<Expr> filter;                     // FILTER (WHERE ..)
  Box<WindowSpec> over;
};

/// `trim([BOTH | LEADING | TRAILING] [characters] FROM source)`.
struct Trim {
  enum class Side : uint8_t { kBoth, kLeading, kTrailing };
  Side side = Side::kBoth;
  Box<Expr> characters;  // none: blanks
  Box<Expr> source;
};

struct Cast {
  enum class Form : uint8_t { kCast, kTryCast, kDoubleColon };
  Form form = Form::kCast;
  Box<Expr> operand;
  TypeName type;
};

struct WhenClause {
  Box<Expr> condition;
  Box<Expr> result;
};

struct Case {
  Box<Expr> operand;  // none: CASE WHEN condition ..
  std::vector<WhenClause> whens;
  Box<Expr> otherwise;
};

struct Between {
  Box<Expr> operand;
  Box<Expr> low;
  Box<Expr> high;
  bool negated = false;
};

struct InList {
  Box<Expr> operand;
  std::vector<Expr> values;
  bool negated = false;
};

struct InSubquery {
  Box<Expr> operand;  // a Row for (a, b) IN (SELECT ..)
  Box<Query> query;
  bool negated = false;
};

enum class LikeKind : uint8_t { kLike, kILike, kRLike };
enum class Quantifier : uint8_t { kNone, kAny, kAll };

/// `a LIKE p [ESCAPE c]`, `a RLIKE p` (also REGEXP), `a LIKE ANY (p, q)`.
struct Like {
  LikeKind kind = LikeKind::kLike;
  Quantifier quantifier = Quantifier::kNone;
  Box<Expr> operand;
  std::vector<Expr> patterns;  // exactly one without quantifier
  std::optional<std::string> escape;
  bool negated = false;
};

enum class IsTest : uint8_t { kNull, kTrue, kFalse, kUnknown };

struct Is {
  Box<Expr> operand;
  IsTest test = IsTest::kNull;
  bool negated = false;
};

enum class UnaryOp : uint8_t { kNot, kMinus, kPlus, kBitNot };
struct Unary {
  UnaryOp op = UnaryOp::kNot;
  Box<Expr> operand;
};

enum class BinaryOp : uint8_t {
  kOr,
  kAnd,
  kEq,
  kNotEq,
  kLess,
  kLessEq,
  kGreater,
  kGreaterEq,
  kNullSafeEq,    // <=> and IS NOT DISTINCT FROM
  kDistinctFrom,  // IS DISTINCT FROM
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kIntegerDivide,  // DIV
  kConcat,         // ||
  kBitAnd,
  kBitOr,
  kBitXor,
  kShiftLeft,
  kShiftRight,
  kShiftRightUnsigned,
};
struct Binary {
  BinaryOp op = BinaryOp::kEq;
  Box<Expr> left;
  Box<Expr> right;
};

/// `a[i]`: of an array, a map or a variant.
struct Subscript {
  Box<Expr> operand;
  Box<Expr> index;
};

/// `f(x).name`, `a[0].name`; a chain of plain names is a ColumnRef instead.
struct FieldAccess {
  Box<Expr> operand;
  Name field;
};

/// One step of a variant path: a field, or an index where `index` is set.
struct PathStep {
  Name field;
  std::optional<int64_t> index;
};

/// `v:a.b[0]`.
struct VariantPath {
  Box<Expr> operand;
  std::vector<PathStep> steps;
};

struct Lambda {
  std::vector<Name> parameters;
  Box<Expr> body;
};

/// `(a, b)` with two elements or more: a struct of col1, col2, ...
struct Row {
  std::vector<Expr> elements;
};

struct Exists {
  Box<Query> query;  // NOT EXISTS is a Unary around it
};

struct ScalarSubquery {
  Box<Query> query;
};

struct Collate {
  Box<Expr> operand;
  QualifiedName collation;
};

/// `TABLE(t)`, `TABLE(SELECT ..)` as argument of a table function.
struct TableArgument {
  Box<Query> query;
};

struct Expr {
  using Node =
      std::variant<Literal, ColumnRef, Star, Parameter, FunctionCall, Trim, Cast, Case, Between,
                   InList, InSubquery, Like, Is, Unary, Binary, Subscript, FieldAccess, VariantPath,
                   Lambda, Row, Exists, ScalarSubquery, Collate, TableArgument>;
  Node node;
  Span span;

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&node);
  }
  template <typename T>
  T* As() {
    return std::get_if<T>(&node);
  }
};

}  // namespace sluice::sql
