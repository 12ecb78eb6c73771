#include "operators/project_operator.h"

namespace sluice::operators {

std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<OutputColumn>& columns) {
  arrow::FieldVector fields;
  for (const OutputColumn& column : columns) fields.push_back(column.field);
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::RecordBatch>> AssembleColumns(
    const std::vector<OutputColumn>& columns, const std::shared_ptr<arrow::Schema>& schema,
    const arrow::RecordBatch& input, const arrow::ArrayVector& computed) {
  arrow::ArrayVector arrays;
  arrays.reserve(columns.size());
  for (const OutputColumn& column : columns) {
    std::shared_ptr<arrow::Array> array = column.input >= 0
                                              ? input.column(column.input)
                                              : computed[static_cast<size_t>(column.computed)];
    if (array->length() != input.num_rows() || !array->type()->Equals(*column.field->type())) {
      return MakeError("INTERNAL_ERROR",
                       "column is not what the plan says: " + column.field->ToString() + ", got " +
                           array->type()->ToString() + " of " + std::to_string(array->length()) +
                           " rows for " + std::to_string(input.num_rows()));
    }
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(schema, input.num_rows(), std::move(arrays));
}

ProjectOperator::ProjectOperator(ProjectOptions options)
    : options_(std::move(options)),
      schema_(SchemaOf(options_.columns)),
      pool_(options_.evaluator) {}

Status ProjectOperator::Open() { return pool_.Warm(); }

Status ProjectOperator::ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                                     flow::Collector* out) {
  if (batch.num_rows() == 0) return Status::OK();
  arrow::ArrayVector computed;
  if (options_.evaluator != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(computed, pool_.Evaluate(*batch.rows, epoch.clock));
  }
  Batch result{.rows = nullptr, .origin = batch.origin, .origin_row = batch.origin_row};
  SLUICE_ASSIGN_OR_RETURN(result.rows,
                          AssembleColumns(options_.columns, schema_, *batch.rows, computed));
  return out->Emit(std::move(result));
}

}  // namespace sluice::operators
