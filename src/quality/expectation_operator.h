// Applies the expectations of a table: counts every rule, passes the rows that broke none that
// matters, sends the others to quarantine or fails the epoch. Stateless; ProcessBatch may run on
// several threads with collectors of their own.
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "flow/operator.h"
#include "quality/expectation.h"

namespace sluice::quality {

/// A rule whose condition a projection before the operator has computed into a boolean column.
struct EvaluatedExpectation {
  Expectation expectation;
  int column = -1;  // index in the input batch
};

class ExpectationOperator : public flow::Operator {
 public:
  /// `input_schema`: payload columns first (`payload_columns` of them, passed on), then the rules'
  /// columns.
  static Result<std::unique_ptr<ExpectationOperator>> Make(
      std::vector<EvaluatedExpectation> expectations, std::shared_ptr<arrow::Schema> input_schema,
      int payload_columns);
  std::string_view name() const override { return "expectations"; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return output_schema_; }
  bool stateless() const override { return true; }
  /// A row passes only when every rule but the warning ones is TRUE (NULL fails).
  /// EXPECTATION_FAILED names the rule, a sample row and its source position.
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;

 private:
  using RuleColumns = std::vector<std::shared_ptr<arrow::BooleanArray>>;

  ExpectationOperator(std::vector<EvaluatedExpectation> expectations,
                      std::shared_ptr<arrow::Schema> output_schema);

  Status Fail(const Batch& payload, const RuleColumns& holds) const;
  Status Quarantine(const flow::EpochContext& epoch, const Batch& payload,
                    const std::vector<uint8_t>& verdicts, const RuleColumns& holds,
                    flow::Collector* out) const;

  const std::vector<EvaluatedExpectation> expectations_;
  const std::shared_ptr<arrow::Schema> output_schema_;
};

}  // namespace sluice::quality
