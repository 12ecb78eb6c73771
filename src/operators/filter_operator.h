// Keeps the rows where every predicate is TRUE; with `columns` given it also projects, and computes
// columns only on the rows that survive. Stateless: ProcessBatch may run on several threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flow/operator.h"
#include "operators/project_operator.h"
#include "operators/row_evaluator.h"

namespace sluice::operators {

struct FilterOptions {
  std::string name = "filter";
  std::shared_ptr<arrow::Schema> input_schema;
  RowEvaluatorFactory
      predicates;  // one or more BOOLEAN expressions over the input; a row stays when all are TRUE
  /// Empty = the output is the input. Otherwise only these columns are taken and computed.
  std::vector<OutputColumn> columns;
  RowEvaluatorFactory computed;  // may be null when nothing is computed
  /// Input columns that `computed` is evaluated over, in that order (its expressions count columns
  /// by this list), so that other columns are not copied for the surviving rows. Empty = over the
  /// whole input.
  std::vector<int> computed_inputs;
};

class FilterOperator : public flow::Operator {
 public:
  explicit FilterOperator(FilterOptions options);

  std::string_view name() const override { return options_.name; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return schema_; }
  bool stateless() const override { return true; }
  Status Open() override;
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;

 private:
  Result<std::shared_ptr<arrow::UInt32Array>> Surviving(const flow::EpochContext& epoch,
                                                        const Batch& batch);
  Result<std::shared_ptr<arrow::RecordBatch>> Project(
      const flow::EpochContext& epoch, const Batch& batch,
      const std::shared_ptr<arrow::UInt32Array>& indices);

  const FilterOptions options_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> taken_columns_;  // input columns that the output or `computed` needs
  EvaluatorPool predicates_;
  EvaluatorPool computed_;
};

}  // namespace sluice::operators
