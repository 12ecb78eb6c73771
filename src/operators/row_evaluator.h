// What stateless operators ask of an expression evaluator, and the pool that lets one operator
// evaluate on several threads: each evaluator is used by one thread at a time, the pool itself is
// thread-safe.
#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "base/named_type.h"
#include "base/status.h"

namespace sluice::operators {

/// Evaluates a fixed list of expressions. One thread at a time.
class RowEvaluator {
 public:
  virtual ~RowEvaluator() = default;
  /// One array per expression, `rows.num_rows()` long. `clock` is current_timestamp() of the epoch.
  virtual Result<arrow::ArrayVector> Evaluate(const arrow::RecordBatch& rows,
                                              TimestampMicros clock) = 0;
};

/// Makes an evaluator; called from any thread, once per thread that evaluates at the same time.
using RowEvaluatorFactory = std::function<Result<std::unique_ptr<RowEvaluator>>()>;

/// Idle evaluators of one list of expressions.
class EvaluatorPool {
 public:
  explicit EvaluatorPool(RowEvaluatorFactory factory) : factory_(std::move(factory)) {}
  /// Makes one evaluator, so that a wrong expression fails at Open and not at the first row.
  Status Warm() EXCLUDES_LOCK(mutex_);
  Result<arrow::ArrayVector> Evaluate(const arrow::RecordBatch& rows, TimestampMicros clock)
      EXCLUDES_LOCK(mutex_);

 private:
  Result<std::unique_ptr<RowEvaluator>> Take() EXCLUDES_LOCK(mutex_);
  void Return(std::unique_ptr<RowEvaluator> evaluator) EXCLUDES_LOCK(mutex_);

  const RowEvaluatorFactory factory_;
  Mutex mutex_;
  std::vector<std::unique_ptr<RowEvaluator>> idle_ GUARDED_BY(mutex_);
};

}  // namespace sluice::operators
