// Makes rows out of arrays: explode and its like over a stream. Every row it makes keeps the source
// row it came of. Stateless: ProcessBatch may run on several threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flow/operator.h"
#include "operators/row_evaluator.h"
#include "sql/execution/generate_rows.h"

namespace sluice::operators {

struct GenerateOptions {
  std::string name = "generate";
  std::shared_ptr<arrow::Schema> input_schema;
  RowEvaluatorFactory list;         // one array expression over the input
  std::vector<int> kept_columns;    // of the input, in the output's order
  arrow::FieldVector made_columns;  // what each element becomes
  sql::GenerateShape shape;
};

class GenerateOperator : public flow::Operator {
 public:
  explicit GenerateOperator(GenerateOptions options);

  std::string_view name() const override { return options_.name; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return schema_; }
  bool stateless() const override { return true; }
  Status Open() override { return list_.Warm(); }
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;

 private:
  const GenerateOptions options_;
  std::shared_ptr<arrow::Schema> schema_;
  EvaluatorPool list_;
};

}  // namespace sluice::operators
