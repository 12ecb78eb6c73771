// The compiled form of the expressions of an Evaluator: a graph in which equal subexpressions are
// one node, and the rows it is evaluated on. Part of the evaluator.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "sql/expressions/kernel.h"
#include "sql/functions/evaluator.h"

namespace sluice::sql {

enum class NodeKind {
  kLiteral,
  kColumn,
  kField,
  kCast,
  kAnd,
  kOr,
  kCase,
  kCoalesce,
  kKernel,
  kNative
};

struct Node {
  NodeKind kind = NodeKind::kLiteral;
  BoundPtr expression;
  std::vector<const Node*> args;
  Kernel kernel;
  NativeFunction native;
  Value literal;
  size_t id = 0;
  bool can_fail =
      false;  // it or something below can raise an error: not evaluated on rows that do not need it
};

/// Rows under evaluation. A frame of selected rows takes its columns from the frame around it when
/// they are used.
class Frame {
 public:
  Frame(const arrow::RecordBatch& batch, TimestampMicros clock, size_t nodes);
  /// The rows of `outer` at `indices`. `outer` outlives this.
  Frame(Frame* outer, std::shared_ptr<arrow::UInt32Array> indices, size_t nodes);

  Result<Value> Eval(const Node& node);
  int64_t rows() const { return rows_; }

 private:
  Result<Value> Compute(const Node& node);
  Result<Value> Column(int index);
  Result<Value> EvalField(const Node& node);
  Result<Value> EvalLogical(const Node& node, bool is_and);
  Result<Value> EvalCase(const Node& node);
  Result<Value> EvalCoalesce(const Node& node);
  Result<Value> EvalCall(const Node& node);
  /// The call where its operand that is asked for first is not NULL, after operand `failed` raised
  /// an error on the other rows too. Nothing when that operand decides nothing.
  Result<std::optional<Value>> EvalWhereDecided(const Node& node, size_t failed);
  /// `node` on the rows where `wanted` is set.
  Result<Value> EvalOn(const Node& node, const std::vector<uint32_t>& rows);

  const arrow::RecordBatch* batch_ = nullptr;
  Frame* outer_ = nullptr;
  std::shared_ptr<arrow::UInt32Array> indices_;
  int64_t rows_;
  TimestampMicros clock_;
  std::vector<std::optional<Value>> memo_;
};

/// `value` as a whole column of `rows` rows.
Result<ArrayPtr> Expand(const Value& value, int64_t rows);

}  // namespace sluice::sql
