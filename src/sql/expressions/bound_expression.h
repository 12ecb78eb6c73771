// A typed expression after analysis: names are column positions, functions are Spark's canonical
// names, every node has its result type. The tree between analyzer, planner, evaluator and query
// runner. Immutable, so nodes are shared and may be used from any thread.
#pragma once

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/source_text.h"

namespace sluice::sql {

enum class BoundKind {
  kLiteral,  // `literal`
  kColumn,   // `index` in the input schema, `name` for messages
  kField,    // field `index` (called `name`) of the struct args[0]
  kCall,     // function `name` of args
  kCast,     // args[0] to `type`, ANSI errors; with `try_mode` a failed value is NULL
};

struct BoundExpression;
using BoundPtr = std::shared_ptr<const BoundExpression>;

/// `(x, i) -> body` given to a function, closed: columns 0 .. parameters-1 of `body` are its
/// parameters, those after them the last `captured` arguments of the call, which hold what the body
/// uses from around it. So whatever rewrites a call's arguments rewrites the lambda's view of them.
struct BoundLambda {
  std::vector<std::shared_ptr<arrow::DataType>> parameters;
  int captured = 0;
  BoundPtr body;
};

/// Calls use Spark's function names in lower case; operators are calls too: "+", "=", "<=>", "and",
/// "or", "not", "isnull", "like", "rlike", "in", "if", "case" (when, then, when, then, ..., else),
/// "coalesce", "get_item" (array index or map key, NULL when absent), "window", "from_json", ...
struct BoundExpression {
  BoundKind kind = BoundKind::kLiteral;
  std::shared_ptr<arrow::DataType> type;
  bool nullable = true;
  std::string name;
  int index = -1;
  std::shared_ptr<arrow::Scalar> literal;
  bool try_mode = false;
  std::vector<BoundPtr> args;
  std::vector<BoundLambda> lambdas;  // of a call
  Span span;

  bool IsLiteral() const { return kind == BoundKind::kLiteral; }
  bool IsColumn() const { return kind == BoundKind::kColumn; }
  bool IsCall(std::string_view function) const {
    return kind == BoundKind::kCall && name == function;
  }
  bool IsNullLiteral() const { return IsLiteral() && !literal->is_valid; }
};

BoundPtr MakeLiteral(std::shared_ptr<arrow::Scalar> value, Span span = {});
BoundPtr MakeColumn(int index, const arrow::Field& field, Span span = {});
/// Field `index` of the struct `of`.
BoundPtr MakeField(BoundPtr of, int index, Span span = {});
BoundPtr MakeCall(std::string function, std::vector<BoundPtr> args,
                  std::shared_ptr<arrow::DataType> type, bool nullable, Span span = {});
/// `of` itself when it already has the type.
BoundPtr MakeCast(BoundPtr of, std::shared_ptr<arrow::DataType> type, bool try_mode = false,
                  Span span = {});
/// A copy with other arguments.
BoundPtr WithArgs(const BoundExpression& expression, std::vector<BoundPtr> args);

/// Same value on every row (spans are ignored). Hash agrees with Equals.
bool Equals(const BoundExpression& left, const BoundExpression& right);
size_t Hash(const BoundExpression& expression);
struct BoundHash {
  size_t operator()(const BoundPtr& expression) const { return Hash(*expression); }
};
struct BoundEquals {
  bool operator()(const BoundPtr& left, const BoundPtr& right) const {
    return Equals(*left, *right);
  }
};

/// Input columns used anywhere in it: ascending, without repeats.
std::vector<int> ReferencedColumns(const BoundExpression& expression);
std::vector<int> ReferencedColumns(const std::vector<BoundPtr>& expressions);

/// Rebuilds the tree bottom-up: `replace` gets each node with its arguments already replaced and
/// returns a new node, or null to keep it.
BoundPtr Transform(const BoundPtr& expression,
                   const std::function<BoundPtr(const BoundPtr&)>& replace);
/// Column i becomes `replacements[i]`: composes an expression over a projection with the
/// projection's expressions.
BoundPtr SubstituteColumns(const BoundPtr& expression, const std::vector<BoundPtr>& replacements);
/// Column i becomes column `positions[i]` (which must not be negative for a column in use).
BoundPtr RemapColumns(const BoundPtr& expression, const std::vector<int>& positions);

/// True when any node satisfies `test`.
bool Any(const BoundExpression& expression,
         const std::function<bool(const BoundExpression&)>& test);
/// The operands of a tree of ANDs, left to right.
std::vector<BoundPtr> SplitConjuncts(const BoundPtr& condition);
/// The AND of `conjuncts`; null when there are none.
BoundPtr JoinConjuncts(const std::vector<BoundPtr>& conjuncts);

/// `column <op> literal` with op one of = <=> < <= > >= isnull isnotnull: what a scan can prune
/// files with.
struct SimplePredicate {
  int column = -1;
  std::string op;
  std::shared_ptr<arrow::Scalar> value;  // null for isnull and isnotnull
};
/// The simple predicates among the conjuncts of `condition`; each is implied by it.
std::vector<SimplePredicate> SimplePredicates(const BoundPtr& condition);

/// Spark-like text, for plans and messages: "(upper(event_type) = CLICK)".
std::string ToString(const BoundExpression& expression);

}  // namespace sluice::sql
