#include "quality/expectation_operator.h"

#include <algorithm>
#include <map>

#include "batch/select_rows.h"
#include "codec/json_writer.h"
#include "quality/quarantine_row.h"

namespace sluice::quality {

namespace {

// Per row the strongest action among the rules it broke, as a number one above the action's: 0 =
// none.
using Verdicts = std::vector<uint8_t>;

uint8_t StrengthOf(ViolationAction action) {
  return static_cast<uint8_t>(static_cast<int>(action) + 1);
}

bool Holds(const arrow::BooleanArray& verdicts, int64_t row) {
  return verdicts.IsValid(row) && verdicts.Value(row);
}

// Marks the rows that break the rule and returns how many do.
int64_t Mark(const arrow::BooleanArray& holds, ViolationAction action, Verdicts* verdicts) {
  // true_count counts TRUE values that are not NULL: nearly always all of them.
  const int64_t failed = holds.length() - holds.true_count();
  if (failed == 0) return 0;
  const uint8_t strength = StrengthOf(action);
  for (int64_t row = 0; row < holds.length(); ++row) {
    uint8_t& verdict = (*verdicts)[static_cast<size_t>(row)];
    if (!Holds(holds, row)) verdict = std::max(verdict, strength);
  }
  return failed;
}

Status Failed(const Expectation& rule, const Batch& batch, int64_t row) {
  std::string sample;
  SLUICE_RETURN_NOT_OK(codec::AppendRowJson(*batch.rows, row, &sample));
  return MakeError("EXPECTATION_FAILED",
                   "expectation was violated: " + rule.name + " (" + rule.condition + "), row " +
                       sample + ", from " + DescribeOrigin(batch, row),
                   "correct the source, or let the rule DROP ROW or QUARANTINE");
}

}  // namespace

ExpectationOperator::ExpectationOperator(std::vector<EvaluatedExpectation> expectations,
                                         std::shared_ptr<arrow::Schema> output_schema)
    : expectations_(std::move(expectations)), output_schema_(std::move(output_schema)) {}

Result<std::unique_ptr<ExpectationOperator>> ExpectationOperator::Make(
    std::vector<EvaluatedExpectation> expectations, std::shared_ptr<arrow::Schema> input_schema,
    int payload_columns) {
  if (payload_columns < 0 || payload_columns > input_schema->num_fields()) {
    return MakeError("EXPECTATION_DEFINITION",
                     "payload columns are not in the input: " + std::to_string(payload_columns));
  }
  for (const EvaluatedExpectation& rule : expectations) {
    const bool is_boolean = rule.column >= 0 && rule.column < input_schema->num_fields() &&
                            input_schema->field(rule.column)->type()->id() == arrow::Type::BOOL;
    if (!is_boolean) {
      return MakeError("EXPECTATION_DEFINITION",
                       "condition of an expectation is no BOOLEAN: " + rule.expectation.name +
                           " (" + rule.expectation.condition + ")");
    }
    if (rule.expectation.action == ViolationAction::kQuarantine &&
        rule.expectation.quarantine_table.empty()) {
      return MakeError("EXPECTATION_DEFINITION",
                       "expectation has no quarantine table: " + rule.expectation.name);
    }
  }
  arrow::FieldVector fields(input_schema->fields().begin(),
                            input_schema->fields().begin() + payload_columns);
  auto output_schema = arrow::schema(std::move(fields), input_schema->metadata());
  return std::unique_ptr<ExpectationOperator>(
      new ExpectationOperator(std::move(expectations), std::move(output_schema)));
}

Status ExpectationOperator::ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                                         flow::Collector* out) {
  if (batch.num_rows() == 0) return Status::OK();
  Batch payload = batch;
  const int payload_columns = output_schema_->num_fields();
  arrow::ArrayVector columns(batch.rows->columns().begin(),
                             batch.rows->columns().begin() + payload_columns);
  payload.rows = arrow::RecordBatch::Make(output_schema_, batch.num_rows(), std::move(columns));

  Verdicts verdicts(static_cast<size_t>(batch.num_rows()), 0);
  std::vector<std::shared_ptr<arrow::BooleanArray>> holds;
  auto& counts = out->counters().expectations;
  for (const EvaluatedExpectation& rule : expectations_) {
    holds.push_back(std::static_pointer_cast<arrow::BooleanArray>(batch.rows->column(rule.column)));
    const int64_t failed = Mark(*holds.back(), rule.expectation.action, &verdicts);
    flow::ExpectationCount& count = counts[rule.expectation.name];
    count.failed += failed;
    count.passed += batch.num_rows() - failed;
  }
  const uint8_t strongest = *std::max_element(verdicts.begin(), verdicts.end());
  if (strongest <= StrengthOf(ViolationAction::kWarn)) return out->Emit(std::move(payload));
  if (strongest == StrengthOf(ViolationAction::kFail)) return Fail(payload, holds);
  SLUICE_RETURN_NOT_OK(Quarantine(epoch, payload, verdicts, holds, out));
  std::vector<uint32_t> kept;
  for (size_t row = 0; row < verdicts.size(); ++row) {
    if (verdicts[row] <= StrengthOf(ViolationAction::kWarn))
      kept.push_back(static_cast<uint32_t>(row));
  }
  out->counters().dropped_rows +=
      std::count(verdicts.begin(), verdicts.end(), StrengthOf(ViolationAction::kDrop));
  if (kept.empty()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto indices, MakeIndices(kept));
  SLUICE_ASSIGN_OR_RETURN(Batch passed, TakeRows(payload, indices));
  return out->Emit(std::move(passed));
}

Status ExpectationOperator::Fail(const Batch& payload, const RuleColumns& holds) const {
  for (size_t i = 0; i < expectations_.size(); ++i) {
    if (expectations_[i].expectation.action != ViolationAction::kFail) continue;
    for (int64_t row = 0; row < payload.num_rows(); ++row) {
      if (!Holds(*holds[i], row)) return Failed(expectations_[i].expectation, payload, row);
    }
  }
  return Status::OK();
}

Status ExpectationOperator::Quarantine(const flow::EpochContext& epoch, const Batch& payload,
                                       const std::vector<uint8_t>& verdicts,
                                       const RuleColumns& holds, flow::Collector* out) const {
  std::map<std::string, std::vector<RejectedRow>> rejected;  // by table
  for (size_t row = 0; row < verdicts.size(); ++row) {
    if (verdicts[row] != StrengthOf(ViolationAction::kQuarantine)) continue;
    // All broken rules are named, also weaker ones; the table is that of the first quarantining
    // one.
    RejectedRow entry;
    entry.row = static_cast<int64_t>(row);
    const std::string* table = nullptr;
    for (size_t i = 0; i < expectations_.size(); ++i) {
      if (Holds(*holds[i], entry.row)) continue;
      const Expectation& rule = expectations_[i].expectation;
      entry.rules.push_back(rule.name);
      if (rule.action == ViolationAction::kQuarantine && table == nullptr)
        table = &rule.quarantine_table;
    }
    rejected[*table].push_back(std::move(entry));
  }
  for (const auto& [table, rows] : rejected) {
    SLUICE_ASSIGN_OR_RETURN(auto built, MakeQuarantineRows(epoch, payload, -1, rows));
    SLUICE_RETURN_NOT_OK(out->EmitSatellite(table, std::move(built)));
  }
  return Status::OK();
}

}  // namespace sluice::quality
