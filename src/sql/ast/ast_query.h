// Queries and relations of Spark SQL, with the streaming forms of pipelines. Same rules as
// ast_expression.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sql/ast/ast_expression.h"

namespace sluice::sql {

struct Relation;

/// `key = value` of WITH (..), OPTIONS (..), TBLPROPERTIES (..). A value that is no string keeps
/// its spelling.
struct Property {
  std::string key;
  std::string value;
  Span span;
};

/// `WATERMARK ts DELAY OF INTERVAL n unit`, `WATERMARK expr AS name DELAY OF ..`.
struct Watermark {
  Box<Expr> expr;
  std::optional<Name> alias;
  IntervalValue delay;
  Span span;
};

/// `CHANGES FROM VERSION 5 [INCLUSIVE | EXCLUSIVE] [TO VERSION 9 ..]`. Without FROM: all that
/// comes.
struct ChangesClause {
  bool by_timestamp = false;  // else by VERSION
  Box<Expr> from;
  bool from_exclusive = false;
  Box<Expr> to;
  bool to_exclusive = false;
};

/// `VERSION AS OF v`, `TIMESTAMP AS OF e`.
struct TimeTravel {
  bool by_timestamp = false;
  Box<Expr> value;
};

struct TableSample {
  enum class Kind : uint8_t { kPercent, kRows, kBuckets, kBytes };
  Kind kind = Kind::kPercent;
  Box<Expr> amount;  // percent, rows; none for buckets and bytes
  std::string text;  // kBuckets, kBytes: as written
  std::optional<int64_t> repeatable;
};

struct TableAlias {
  Name name;
  std::vector<Name> columns;
};

/// A table by name, or a stream of it.
struct TableRef {
  QualifiedName name;
  bool stream = false;
  std::vector<Property> options;      // WITH (..)
  std::optional<Name> identified_by;  // only streams
  std::optional<ChangesClause> changes;
  std::optional<TimeTravel> time_travel;
};

/// A table-valued function: read_kafka(..), range(..), explode(..), or a stream of one.
struct TableFunction {
  QualifiedName name;
  std::vector<Argument> arguments;
  bool stream = false;
  bool lateral = false;
  std::vector<Property> options;
  std::optional<Name> identified_by;
};

struct SubqueryRelation {
  Box<Query> query;
  bool lateral = false;
};

/// VALUES as a relation or a query.
struct Values {
  std::vector<std::vector<Expr>> rows;
};

/// `(a JOIN b) AS x`: parentheses that carry an alias, watermark or sample.
struct NestedRelation {
  Box<Relation> inner;
};

enum class JoinType : uint8_t { kInner, kLeft, kRight, kFull, kCross, kLeftSemi, kLeftAnti };
struct Join {
  JoinType type = JoinType::kInner;
  bool natural = false;
  Box<Relation> left;
  Box<Relation> right;
  Box<Expr> on;
  std::vector<Name> using_columns;
};

struct SelectItem {
  Box<Expr> expr;
  std::vector<Name> aliases;  // more than one only for generators: explode(m) AS (k, v)
  Span span;
};

struct Pivot {
  struct Value {
    Box<Expr> value;
    std::optional<Name> alias;
  };
  Box<Relation> input;
  std::vector<SelectItem> aggregates;
  std::vector<Name> columns;
  std::vector<Value> values;
};

struct Unpivot {
  struct Column {
    std::vector<QualifiedName> columns;  // one per value name
    std::optional<Name> alias;
  };
  Box<Relation> input;
  bool include_nulls = false;
  std::vector<Name> values;
  Name name;
  std::vector<Column> columns;
};

struct LateralView {
  Box<Relation> input;
  bool outer = false;
  FunctionCall generator;
  Name table;
  std::vector<Name> columns;
};

/// Comma-separated relations are cross joins. Suffixes stand in the order watermark, alias.
struct Relation {
  using Node = std::variant<TableRef, TableFunction, SubqueryRelation, Values, NestedRelation, Join,
                            Pivot, Unpivot, LateralView>;
  Node node;
  std::optional<TableSample> sample;
  std::optional<Watermark> watermark;
  std::optional<TableAlias> alias;
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

/// One entry of GROUP BY. kExpression: one expression; the others: sets of expressions.
/// CUBE and ROLLUP take one list per element; nested GROUPING SETS are flattened by the parser.
struct GroupingElement {
  enum class Kind : uint8_t { kExpression, kGroupingSets, kCube, kRollup };
  Kind kind = Kind::kExpression;
  Box<Expr> expr;
  std::vector<std::vector<Expr>> sets;
  Span span;
};

struct GroupBy {
  bool all = false;  // GROUP BY ALL
  std::vector<GroupingElement> elements;
  Span span;
};

struct NamedWindow {
  Name name;
  WindowSpec spec;
};

/// `SELECT .. FROM ..`; a bare `FROM t` is SELECT * with from_only.
struct Select {
  bool distinct = false;
  bool from_only = false;
  std::vector<SelectItem> items;
  Box<Relation> from;
  Box<Expr> where;
  std::optional<GroupBy> group_by;
  Box<Expr> having;
  Box<Expr> qualify;
  std::vector<NamedWindow> windows;
};

enum class SetOperator : uint8_t { kUnion, kIntersect, kExcept };
struct SetOperation {
  SetOperator op = SetOperator::kUnion;
  bool all = false;
  bool by_name = false;
  Box<Query> left;
  Box<Query> right;
};

/// `TABLE t` as a query.
struct TableQuery {
  QualifiedName name;
};

/// One step after `|>`.
struct PipeStep {
  enum class Kind : uint8_t {
    kSelect,        // items, distinct
    kExtend,        // items
    kSet,           // items: expression with the column as its alias
    kDrop,          // names
    kAs,            // names[0]
    kWhere,         // condition
    kAggregate,     // items, group_by
    kJoin,          // relation: a Join whose left is empty
    kRelation,      // relation: Pivot, Unpivot, LateralView or a sample, with empty input
    kSetOperation,  // operation: left is empty
    kOrganize,  // organize: a Query whose body is empty Values; ORDER BY, LIMIT, OFFSET and so on
  };
  Kind kind = Kind::kSelect;
  bool distinct = false;
  std::vector<SelectItem> items;
  std::vector<Name> names;
  Box<Expr> condition;
  std::vector<SelectItem> group_by;
  Box<Relation> relation;
  Box<SetOperation> operation;
  Box<Query> organize;
  Span span;
};

/// `query |> step |> step`. RewritePipes of pipe_rewrite.h turns it into plain queries.
struct PipeQuery {
  Box<Query> input;
  std::vector<PipeStep> steps;
};

/// Parentheses around a query: what stands outside them is applied after.
struct NestedQuery {
  Box<Query> query;
};

struct CommonTable {
  Name name;
  std::vector<Name> columns;
  std::optional<int64_t> most_levels;  // MAX RECURSION LEVEL n
  Box<Query> query;
};

struct Query {
  using Body = std::variant<Values, Select, SetOperation, TableQuery, PipeQuery, NestedQuery>;
  bool recursive = false;
  std::vector<CommonTable> with;
  Body body;
  std::vector<OrderItem> order_by;
  std::vector<OrderItem> sort_by;
  std::vector<Expr> cluster_by;
  std::vector<Expr> distribute_by;
  Box<Expr> limit;  // LIMIT ALL is no limit
  Box<Expr> offset;
  Span span;

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&body);
  }
  template <typename T>
  T* As() {
    return std::get_if<T>(&body);
  }
};

}  // namespace sluice::sql
