#include "operators/sql_row_evaluator.h"

namespace sluice::operators {
namespace {

class SqlRowEvaluator : public RowEvaluator {
 public:
  explicit SqlRowEvaluator(std::unique_ptr<sql::Evaluator> evaluator)
      : evaluator_(std::move(evaluator)) {}
  Result<arrow::ArrayVector> Evaluate(const arrow::RecordBatch& rows,
                                      TimestampMicros clock) override {
    return evaluator_->Evaluate(rows, clock);
  }

 private:
  const std::unique_ptr<sql::Evaluator> evaluator_;
};

}  // namespace

RowEvaluatorFactory SqlEvaluatorFactory(std::shared_ptr<arrow::Schema> input,
                                        std::vector<sql::BoundPtr> expressions,
                                        sql::EvaluatorOptions options) {
  return [input = std::move(input), expressions = std::move(expressions),
          options = std::move(options)]() -> Result<std::unique_ptr<RowEvaluator>> {
    SLUICE_ASSIGN_OR_RETURN(auto evaluator, sql::Evaluator::Make(input, expressions, options));
    return std::unique_ptr<RowEvaluator>(std::make_unique<SqlRowEvaluator>(std::move(evaluator)));
  };
}

}  // namespace sluice::operators
