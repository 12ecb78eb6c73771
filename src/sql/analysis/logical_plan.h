// The relational plan of one query after analysis. Expressions refer to the columns of a node's
// input by position (a join's input is the left columns followed by the right ones). Immutable;
// nodes are shared, any thread.
#pragma once

#include <arrow/table.h>
#include <arrow/type.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/named_type.h"
#include "sql/expressions/bound_expression.h"

namespace sluice::sql {

enum class PlanKind {
  kScan,
  kTableFunctionScan,
  kValues,
  kProject,
  kFilter,
  kAggregate,
  kJoin,
  kDistinct,
  kDedupFirst,
  kWindow,
  kSort,
  kLimit,
  kSetOp,
  kWatermark,
  kGenerate,
  kRecursion,
  kTable,
  kShared,
  kSample,
};

struct LogicalPlan;
using PlanPtr = std::shared_ptr<const LogicalPlan>;

/// What every node has. Names in `schema` are as the query spells them and may repeat; positions
/// identify columns.
struct LogicalPlan {
  explicit LogicalPlan(PlanKind plan_kind) : kind(plan_kind) {}
  virtual ~LogicalPlan() = default;
  LogicalPlan(const LogicalPlan&) = default;

  const PlanKind kind;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<PlanPtr> inputs;
  bool is_streaming = false;  // any stream below

  const PlanPtr& input() const { return inputs[0]; }
};

/// Versions of a table, both inclusive; without `to`: up to the newest.
struct VersionRange {
  int64_t from = 0;
  std::optional<int64_t> to;
};

/// A table of the catalog or of the pipeline: its newest rows, those of one `version`, or the
/// change feed of some versions (then `schema` has the feed's columns too).
struct ScanNode : LogicalPlan {
  ScanNode() : LogicalPlan(PlanKind::kScan) {}
  std::string dataset;  // the resolver's name for it
  std::optional<int64_t> version;
  std::optional<VersionRange> changes;
  std::map<std::string, std::string> options;  // STREAM t WITH (...), lower-case keys as given
  Span span;
};

/// read_kafka(...) and its like. Arguments are constants, rendered as strings; keys keep their
/// spelling.
struct TableFunctionNode : LogicalPlan {
  TableFunctionNode() : LogicalPlan(PlanKind::kTableFunctionScan) {}
  std::string function;  // lower case
  std::map<std::string, std::string> args;
  std::string identified_by;
  Span span;
};

/// Rows of constant expressions; also the one row of a SELECT without FROM (no columns).
struct ValuesNode : LogicalPlan {
  ValuesNode() : LogicalPlan(PlanKind::kValues) {}
  std::vector<std::vector<BoundPtr>> rows;
};

struct ProjectNode : LogicalPlan {
  ProjectNode() : LogicalPlan(PlanKind::kProject) {}
  std::vector<BoundPtr> expressions;
};

struct FilterNode : LogicalPlan {
  FilterNode() : LogicalPlan(PlanKind::kFilter) {}
  BoundPtr condition;
};

/// One aggregate function. `function` is canonical: count, sum, avg, min, max, percentile_approx,
/// approx_count_distinct, first, last, collect_list, collect_set, bool_and, bool_or, stddev_samp,
/// stddev_pop, var_samp, var_pop, max_by, ... count(*) has no arguments. Constant parameters (a
/// percentage) come after the value.
struct AggregateCall {
  std::string function;
  std::vector<BoundPtr> args;
  bool distinct = false;
  bool ignore_nulls = false;  // first, last
  BoundPtr filter;            // FILTER (WHERE ...), may be null
  std::shared_ptr<arrow::DataType> type;
  bool nullable = true;
  Span span;
};

/// Output: the group expressions, then the calls.
struct AggregateNode : LogicalPlan {
  AggregateNode() : LogicalPlan(PlanKind::kAggregate) {}
  std::vector<BoundPtr> groups;
  std::vector<AggregateCall> calls;
};

enum class JoinKind { kInner, kLeft, kRight, kFull, kLeftSemi, kLeftAnti, kCross };

/// Output: left columns, then right columns (left only for semi and anti). Keys are pairwise equal
/// under "=": a NULL matches nothing; where `null_safe[i]`, under "<=>". `residual` is over left
/// columns followed by right ones, may be null.
struct JoinNode : LogicalPlan {
  JoinNode() : LogicalPlan(PlanKind::kJoin) {}
  JoinKind join = JoinKind::kInner;
  std::vector<BoundPtr> left_keys;   // over the left input
  std::vector<BoundPtr> right_keys;  // over the right input
  std::vector<bool> null_safe;
  BoundPtr residual;
  Span span;
};

struct DistinctNode : LogicalPlan {
  DistinctNode() : LogicalPlan(PlanKind::kDistinct) {}
};

struct SortKey {
  BoundPtr expression;
  bool ascending = true;
  bool nulls_first = true;
};

/// QUALIFY row_number() OVER (PARTITION BY keys ORDER BY order) = 1 over a stream: the first row of
/// each key, for ever or until the watermark passes. Output: the input's columns.
struct DedupFirstNode : LogicalPlan {
  DedupFirstNode() : LogicalPlan(PlanKind::kDedupFirst) {}
  std::vector<BoundPtr> keys;
  std::vector<SortKey> order;
  Span span;
};

/// One window function over a partition. Frames: the default (RANGE UNBOUNDED PRECEDING to CURRENT
/// ROW when ordered, else the whole partition) when `frame` is empty; otherwise its canonical SQL
/// text.
struct WindowCall {
  std::string function;
  std::vector<BoundPtr> args;
  bool distinct = false;
  bool ignore_nulls = false;
  BoundPtr filter;  // may be null
  std::vector<BoundPtr> partition;
  std::vector<SortKey> order;
  std::string frame;
  std::shared_ptr<arrow::DataType> type;
  bool nullable = true;
};

/// Output: the input's columns, then the calls.
struct WindowNode : LogicalPlan {
  WindowNode() : LogicalPlan(PlanKind::kWindow) {}
  std::vector<WindowCall> calls;
};

struct SortNode : LogicalPlan {
  SortNode() : LogicalPlan(PlanKind::kSort) {}
  std::vector<SortKey> keys;
};

struct LimitNode : LogicalPlan {
  LimitNode() : LogicalPlan(PlanKind::kLimit) {}
  int64_t limit = -1;  // -1 = all
  int64_t offset = 0;
};

enum class SetOpKind { kUnion, kIntersect, kExcept };

/// By position; both inputs have the schema of the node.
struct SetOpNode : LogicalPlan {
  SetOpNode() : LogicalPlan(PlanKind::kSetOp) {}
  SetOpKind op = SetOpKind::kUnion;
  bool all = true;
};

/// The input's column `event_time` is the event time of the rows; passes the columns through.
struct WatermarkNode : LogicalPlan {
  WatermarkNode() : LogicalPlan(PlanKind::kWatermark) {}
  int event_time = -1;
  int64_t delay_micros = 0;
  Span span;
};

/// One row per element of `list`, an array over the input's columns: the input's columns, then
/// (with `positions`) the element's place from 0, then the element or, with `spread`, the fields of
/// the struct it is. A NULL or empty array gives no row, with `outer` one of NULLs.
struct GenerateNode : LogicalPlan {
  GenerateNode() : LogicalPlan(PlanKind::kGenerate) {}
  BoundPtr list;
  bool spread = false;
  bool positions = false;
  bool outer = false;
};

/// WITH RECURSIVE: the rows of inputs[0], then those of inputs[1] over the rows made last, which it
/// reads as TableNode `id`, until there are none.
struct RecursionNode : LogicalPlan {
  RecursionNode() : LogicalPlan(PlanKind::kRecursion) {}
  int id = 0;
  int64_t most_levels = 100;  // RECURSION_LEVEL_LIMIT_EXCEEDED, as Spark's default
  int64_t most_rows = 1'000'000;
  Span span;
};

/// Rows in memory.
struct TableNode : LogicalPlan {
  TableNode() : LogicalPlan(PlanKind::kTable) {}
  int recursion = -1;                   // the rows made last by the RecursionNode of this id
  std::shared_ptr<arrow::Table> table;  // null until there are rows
};

/// TABLESAMPLE: each row with the probability `fraction`, by the numbers that Spark draws for a
/// table of one partition.
struct SampleNode : LogicalPlan {
  SampleNode() : LogicalPlan(PlanKind::kSample) {}
  double fraction = 1;
  int64_t seed = 0;
};

/// Rows that are read in more than one place of a plan and computed once: all nodes of one
/// `identity` stand for the same rows, whatever was made of their inputs since.
struct SharedNode : LogicalPlan {
  SharedNode() : LogicalPlan(PlanKind::kShared), identity(std::make_shared<const int>(0)) {}
  std::shared_ptr<const int> identity;
};

/// The node over other inputs of the same schemas.
PlanPtr WithInputs(const LogicalPlan& plan, std::vector<PlanPtr> inputs);
/// Whether `test` holds for a node of the tree.
bool AnyNode(const LogicalPlan& plan, const std::function<bool(const LogicalPlan&)>& test);

/// Whether it reads the rows made last by RecursionNode `id`, which is around it.
bool ReadsRecursion(const LogicalPlan& plan, int id);

/// The node as its concrete type. REQUIRES: `plan.kind` is that of T.
template <typename T>
const T& As(const LogicalPlan& plan) {
  return static_cast<const T&>(plan);
}

/// A tree of one line a node, for `dry-run` and tests.
std::string ToString(const LogicalPlan& plan);

}  // namespace sluice::sql
