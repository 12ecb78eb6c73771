#include "operators/filter_operator.h"

#include <arrow/util/bitmap_ops.h>

#include <algorithm>

#include "batch/select_rows.h"

namespace sluice::operators {
namespace {

std::vector<int> TakenColumns(const FilterOptions& options) {
  std::vector<int> taken = options.computed_inputs;
  if (options.columns.empty() || (options.computed != nullptr && taken.empty())) {
    taken.clear();
    for (int i = 0; i < options.input_schema->num_fields(); ++i) taken.push_back(i);
    return taken;
  }
  for (const OutputColumn& column : options.columns) {
    if (column.input >= 0) taken.push_back(column.input);
  }
  std::sort(taken.begin(), taken.end());
  taken.erase(std::unique(taken.begin(), taken.end()), taken.end());
  return taken;
}

/// The rows where all of `masks` are TRUE, without a copy for a single mask.
Result<std::shared_ptr<arrow::UInt32Array>> AllTrue(const arrow::ArrayVector& masks,
                                                    int64_t num_rows) {
  for (const auto& mask : masks) {
    if (mask->type_id() != arrow::Type::BOOL || mask->length() != num_rows) {
      return MakeError("INTERNAL_ERROR",
                       "predicate is not a boolean per row: " + mask->type()->ToString());
    }
  }
  if (masks.size() == 1) return TrueIndices(static_cast<const arrow::BooleanArray&>(*masks[0]));
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> all, arrow::AllocateEmptyBitmap(num_rows));
  arrow::bit_util::SetBitsTo(all->mutable_data(), 0, num_rows, true);
  for (const auto& mask : masks) {
    const auto& data = *mask->data();
    arrow::internal::BitmapAnd(all->data(), 0, data.buffers[1]->data(), data.offset, num_rows, 0,
                               all->mutable_data());
    if (mask->null_count() != 0) {
      arrow::internal::BitmapAnd(all->data(), 0, data.buffers[0]->data(), data.offset, num_rows, 0,
                                 all->mutable_data());
    }
  }
  return TrueIndices(arrow::BooleanArray(num_rows, all));
}

}  // namespace

FilterOperator::FilterOperator(FilterOptions options)
    : options_(std::move(options)),
      schema_(options_.columns.empty() ? options_.input_schema : SchemaOf(options_.columns)),
      taken_columns_(TakenColumns(options_)),
      predicates_(options_.predicates),
      computed_(options_.computed) {}

Status FilterOperator::Open() {
  SLUICE_RETURN_NOT_OK(predicates_.Warm());
  return computed_.Warm();
}

Result<std::shared_ptr<arrow::UInt32Array>> FilterOperator::Surviving(
    const flow::EpochContext& epoch, const Batch& batch) {
  SLUICE_ASSIGN_OR_RETURN(arrow::ArrayVector masks, predicates_.Evaluate(*batch.rows, epoch.clock));
  return AllTrue(masks, batch.num_rows());
}

Result<std::shared_ptr<arrow::RecordBatch>> FilterOperator::Project(
    const flow::EpochContext& epoch, const Batch& batch,
    const std::shared_ptr<arrow::UInt32Array>& indices) {
  SLUICE_ASSIGN_OR_RETURN(auto needed, batch.rows->SelectColumns(taken_columns_));
  SLUICE_ASSIGN_OR_RETURN(auto taken, TakeRows(needed, indices));
  // Columns that nobody reads keep their place as a slice without meaning, so that positions stay
  // the input's.
  arrow::ArrayVector arrays;
  for (const auto& column : batch.rows->columns())
    arrays.push_back(column->Slice(0, indices->length()));
  for (size_t i = 0; i < taken_columns_.size(); ++i) {
    arrays[static_cast<size_t>(taken_columns_[i])] = taken->column(static_cast<int>(i));
  }
  auto survivors =
      arrow::RecordBatch::Make(batch.rows->schema(), indices->length(), std::move(arrays));
  arrow::ArrayVector computed;
  if (options_.computed != nullptr) {
    std::shared_ptr<arrow::RecordBatch> inputs = survivors;
    if (!options_.computed_inputs.empty()) {
      SLUICE_ASSIGN_OR_RETURN(inputs, survivors->SelectColumns(options_.computed_inputs));
    }
    SLUICE_ASSIGN_OR_RETURN(computed, computed_.Evaluate(*inputs, epoch.clock));
  }
  return AssembleColumns(options_.columns, schema_, *survivors, computed);
}

Status FilterOperator::ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                                    flow::Collector* out) {
  if (batch.num_rows() == 0) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto indices, Surviving(epoch, batch));
  if (indices->length() == 0) return Status::OK();
  if (options_.columns.empty()) {
    SLUICE_ASSIGN_OR_RETURN(Batch survivors, TakeRows(batch, indices));
    return out->Emit(std::move(survivors));
  }
  Batch result;
  SLUICE_ASSIGN_OR_RETURN(result.rows, Project(epoch, batch, indices));
  SLUICE_RETURN_NOT_OK(FollowOrigin(batch, indices, &result));
  return out->Emit(std::move(result));
}

}  // namespace sluice::operators
