#include "batch/select_rows.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>

namespace sluice {
namespace {

bool IsIdentity(const arrow::UInt32Array& indices, int64_t rows) {
  if (indices.length() != rows) return false;
  for (int64_t i = 0; i < rows; ++i) {
    if (indices.Value(i) != static_cast<uint32_t>(i)) return false;
  }
  return true;
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> TakeRows(
    const std::shared_ptr<arrow::RecordBatch>& rows,
    const std::shared_ptr<arrow::UInt32Array>& indices) {
  if (IsIdentity(*indices, rows->num_rows())) return rows;
  SLUICE_ASSIGN_OR_RETURN(
      arrow::Datum taken,
      arrow::compute::Take(rows, indices, arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.record_batch();
}

Result<Batch> TakeRows(const Batch& batch, const std::shared_ptr<arrow::UInt32Array>& indices) {
  Batch out;
  SLUICE_ASSIGN_OR_RETURN(out.rows, TakeRows(batch.rows, indices));
  if (out.rows == batch.rows) return batch;
  SLUICE_RETURN_NOT_OK(FollowOrigin(batch, indices, &out));
  return out;
}

Status FollowOrigin(const Batch& batch, const std::shared_ptr<arrow::UInt32Array>& indices,
                    Batch* out) {
  out->origin = batch.origin;
  out->origin_row = nullptr;
  if (batch.origin == nullptr) return Status::OK();
  out->origin_row = indices;
  if (batch.origin_row == nullptr) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto taken,
                          arrow::compute::Take(*batch.origin_row, *indices,
                                               arrow::compute::TakeOptions::NoBoundsCheck()));
  out->origin_row = std::static_pointer_cast<arrow::UInt32Array>(taken);
  return Status::OK();
}

Result<std::shared_ptr<arrow::UInt32Array>> TrueIndices(const arrow::BooleanArray& mask) {
  std::vector<uint32_t> indices;
  indices.reserve(static_cast<size_t>(mask.length()));
  const bool has_nulls = mask.null_count() != 0;
  for (int64_t i = 0; i < mask.length(); ++i) {
    if (mask.Value(i) && !(has_nulls && mask.IsNull(i)))
      indices.push_back(static_cast<uint32_t>(i));
  }
  return MakeIndices(indices);
}

Result<std::shared_ptr<arrow::UInt32Array>> MakeIndices(const std::vector<uint32_t>& indices) {
  arrow::UInt32Builder builder;
  SLUICE_RETURN_NOT_OK(builder.AppendValues(indices));
  std::shared_ptr<arrow::Array> array;
  SLUICE_RETURN_NOT_OK(builder.Finish(&array));
  return std::static_pointer_cast<arrow::UInt32Array>(array);
}

}  // namespace sluice
