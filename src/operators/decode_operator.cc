#include "operators/decode_operator.h"

#include "batch/select_rows.h"

namespace sluice::operators {
namespace {

std::shared_ptr<arrow::Schema> OutputSchema(const DecodeOptions& options) {
  arrow::FieldVector fields;
  for (int column : options.kept_columns) fields.push_back(options.input_schema->field(column));
  if (!options.struct_column.empty()) {
    fields.push_back(arrow::field(options.struct_column, options.decoded_type));
  } else {
    for (const auto& field : options.decoded_type->fields())
      fields.push_back(field->WithNullable(true));
  }
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::UInt32Array>> ValidIndices(const arrow::Array& array) {
  std::vector<uint32_t> indices;
  indices.reserve(static_cast<size_t>(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsValid(i)) indices.push_back(static_cast<uint32_t>(i));
  }
  return MakeIndices(indices);
}

}  // namespace

DecodeOperator::DecodeOperator(DecodeOptions options)
    : options_(std::move(options)), schema_(OutputSchema(options_)) {}

Status DecodeOperator::ProcessBatch(const flow::EpochContext&, const Batch& batch,
                                    flow::Collector* out) {
  if (batch.num_rows() == 0) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto decoded, options_.decode(batch.rows->column(options_.input_column)));
  if (decoded->length() != batch.num_rows() || !decoded->type()->Equals(*options_.decoded_type)) {
    return MakeError("INTERNAL_ERROR",
                     "decoder does not return what the plan says: " + decoded->type()->ToString());
  }
  arrow::ArrayVector arrays;
  for (int column : options_.kept_columns) arrays.push_back(batch.rows->column(column));
  if (!options_.struct_column.empty()) {
    arrays.push_back(decoded);
  } else {
    // Flatten only where a struct is NULL: its fields must be, too.
    SLUICE_ASSIGN_OR_RETURN(arrow::ArrayVector fields,
                            decoded->null_count() == 0
                                ? Result<arrow::ArrayVector>(decoded->fields())
                                : decoded->Flatten());
    arrays.insert(arrays.end(), fields.begin(), fields.end());
  }
  Batch result{.rows = arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(arrays)),
               .origin = batch.origin,
               .origin_row = batch.origin_row};
  if (options_.drop_null && decoded->null_count() != 0) {
    SLUICE_ASSIGN_OR_RETURN(auto indices, ValidIndices(*decoded));
    out->counters().dropped_rows += batch.num_rows() - indices->length();
    if (indices->length() == 0) return Status::OK();
    SLUICE_ASSIGN_OR_RETURN(result, TakeRows(result, indices));
  }
  return out->Emit(std::move(result));
}

}  // namespace sluice::operators
