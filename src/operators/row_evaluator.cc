#include "operators/row_evaluator.h"

namespace sluice::operators {

Result<std::unique_ptr<RowEvaluator>> EvaluatorPool::Take() {
  {
    MutexLock lock(mutex_);
    if (!idle_.empty()) {
      auto evaluator = std::move(idle_.back());
      idle_.pop_back();
      return evaluator;
    }
  }
  return factory_();
}

void EvaluatorPool::Return(std::unique_ptr<RowEvaluator> evaluator) {
  MutexLock lock(mutex_);
  idle_.push_back(std::move(evaluator));
}

Status EvaluatorPool::Warm() {
  if (factory_ == nullptr) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto evaluator, Take());
  Return(std::move(evaluator));
  return Status::OK();
}

Result<arrow::ArrayVector> EvaluatorPool::Evaluate(const arrow::RecordBatch& rows,
                                                   TimestampMicros clock) {
  SLUICE_ASSIGN_OR_RETURN(auto evaluator, Take());
  auto arrays = evaluator->Evaluate(rows, clock);
  Return(std::move(evaluator));
  return arrays;
}

}  // namespace sluice::operators
