#include "operators/generate_operator.h"

#include "batch/select_rows.h"

namespace sluice::operators {

GenerateOperator::GenerateOperator(GenerateOptions options)
    : options_(std::move(options)), list_(options_.list) {
  arrow::FieldVector fields;
  for (const int column : options_.kept_columns)
    fields.push_back(options_.input_schema->field(column));
  fields.insert(fields.end(), options_.made_columns.begin(), options_.made_columns.end());
  schema_ = arrow::schema(std::move(fields));
}

Status GenerateOperator::ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                                      flow::Collector* out) {
  if (batch.num_rows() == 0) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto lists, list_.Evaluate(*batch.rows, epoch.clock));
  SLUICE_ASSIGN_OR_RETURN(auto kept, batch.rows->SelectColumns(options_.kept_columns));
  SLUICE_ASSIGN_OR_RETURN(auto made, sql::GenerateRows(options_.shape, schema_, kept, *lists[0]));
  if (made.rows->num_rows() == 0) return Status::OK();
  Batch result;
  result.rows = std::move(made.rows);
  SLUICE_RETURN_NOT_OK(FollowOrigin(batch, made.sources, &result));
  return out->Emit(std::move(result));
}

}  // namespace sluice::operators
