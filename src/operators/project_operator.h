// Computes the columns of the output: columns of the input are passed on in Arrow, the others come
// from an evaluator. Stateless: ProcessBatch may run on several threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flow/operator.h"
#include "operators/row_evaluator.h"

namespace sluice::operators {

/// One output column: either an input column passed on or the evaluator's n-th expression.
struct OutputColumn {
  std::shared_ptr<arrow::Field> field;
  int input = -1;     // index of the input column, or -1
  int computed = -1;  // index of the expression, or -1

  static OutputColumn PassOn(std::shared_ptr<arrow::Field> field, int input) {
    return {std::move(field), input, -1};
  }
  static OutputColumn Compute(std::shared_ptr<arrow::Field> field, int expression) {
    return {std::move(field), -1, expression};
  }
};

struct ProjectOptions {
  std::string name = "project";
  std::vector<OutputColumn> columns;
  RowEvaluatorFactory evaluator;  // may be null when nothing is computed
};

class ProjectOperator : public flow::Operator {
 public:
  explicit ProjectOperator(ProjectOptions options);

  std::string_view name() const override { return options_.name; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return schema_; }
  bool stateless() const override { return true; }
  Status Open() override;
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;

 private:
  const ProjectOptions options_;
  std::shared_ptr<arrow::Schema> schema_;
  EvaluatorPool pool_;
};

/// The record batch of `columns` made from `input` and the computed arrays; checks types and
/// lengths. Shared with FilterOperator.
Result<std::shared_ptr<arrow::RecordBatch>> AssembleColumns(
    const std::vector<OutputColumn>& columns, const std::shared_ptr<arrow::Schema>& schema,
    const arrow::RecordBatch& input, const arrow::ArrayVector& computed);
std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<OutputColumn>& columns);

}  // namespace sluice::operators
