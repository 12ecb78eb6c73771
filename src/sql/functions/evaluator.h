// Evaluates bound expressions on Arrow batches with Spark's semantics (ANSI mode, session time zone
// UTC). Stands in the hot path of every flow: no parsing and no planning per batch, pure column
// references cost nothing, common subexpressions are computed once, branches not taken are not
// evaluated. One instance per thread.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/named_type.h"
#include "base/status.h"
#include "sql/expressions/bound_expression.h"

namespace sluice::sql {

/// A function the caller brings (from_json decoded natively). Arguments are arrays of `rows` rows;
/// constants included.
using NativeFunction = std::function<Result<std::shared_ptr<arrow::Array>>(
    const BoundExpression& call, const std::vector<std::shared_ptr<arrow::Array>>& args,
    int64_t rows)>;
using NativeFunctions = std::map<std::string, NativeFunction>;

struct EvaluatorOptions {
  NativeFunctions native_functions;
};

class Evaluator {
 public:
  /// NOT_SUPPORTED_YET when an expression uses a function that has no implementation.
  static Result<std::unique_ptr<Evaluator>> Make(std::shared_ptr<arrow::Schema> input,
                                                 std::vector<BoundPtr> expressions,
                                                 EvaluatorOptions options = {});
  ~Evaluator();

  /// One array per expression, of its type, `batch.num_rows()` long. `clock` is what
  /// current_timestamp() says.
  Result<std::vector<std::shared_ptr<arrow::Array>>> Evaluate(const arrow::RecordBatch& batch,
                                                              TimestampMicros clock);

  /// The value of an expression without columns.
  static Result<std::shared_ptr<arrow::Scalar>> EvaluateConstant(const BoundPtr& expression,
                                                                 TimestampMicros clock);
  /// OK when every function in it has an implementation here (or among `native`).
  static Status CheckSupported(const BoundExpression& expression,
                               const NativeFunctions& native = {});

 private:
  struct Impl;
  explicit Evaluator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::sql
