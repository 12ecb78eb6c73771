#include "operators/project_operator.h"

namespace sluice::operators {

namespace {

/// The same values under `type`, which may name and qualify nested fields differently; null when
/// they are of another type.
std::shared_ptr<arrow::ArrayData> Retyped(const arrow::ArrayData& data,
                                          const std::shared_ptr<arrow::DataType>& type) {
  if (data.type->Equals(*type)) return data.Copy();
  const auto num_children = static_cast<size_t>(type->num_fields());
  if (data.type->id() != type->id() || num_children == 0 || data.child_data.size() != num_children)
    return nullptr;
  auto copy = data.Copy();
  copy->type = type;
  for (size_t i = 0; i < num_children; ++i) {
    copy->child_data[i] = Retyped(*data.child_data[i], type->field(static_cast<int>(i))->type());
    if (copy->child_data[i] == nullptr) return nullptr;
  }
  return copy;
}

}  // namespace

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
    if (!array->type()->Equals(*column.field->type())) {
      const auto data = Retyped(*array->data(), column.field->type());
      if (data == nullptr) {
        return MakeError("INTERNAL_ERROR",
                         "column is not what the plan says: " + column.field->ToString() +
                             ", got " + array->type()->ToString());
      }
      array = arrow::MakeArray(data);
    }
    if (array->length() != input.num_rows()) {
      return MakeError("INTERNAL_ERROR",
                       "column has other rows than its batch: " + column.field->ToString());
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
