#include "sql/execution/generate_rows.h"

#include <arrow/compute/api.h>

#include "batch/select_rows.h"

namespace sluice::sql {
namespace {

// Where each output row comes from.
struct Origins {
  arrow::UInt32Builder rows;
  arrow::UInt32Builder items;
  arrow::Int32Builder positions;
};

Status ReadOrigins(const GenerateShape& shape, const arrow::ListArray& lists, Origins* origins) {
  for (int64_t row = 0; row < lists.length(); ++row) {
    const auto source = static_cast<uint32_t>(row);
    const bool empty = lists.IsNull(row) || lists.value_length(row) == 0;
    if (empty && shape.outer) {
      SLUICE_RETURN_NOT_OK(origins->rows.Append(source));
      SLUICE_RETURN_NOT_OK(origins->items.AppendNull());
      SLUICE_RETURN_NOT_OK(origins->positions.AppendNull());
    }
    for (int32_t i = 0; !empty && i < lists.value_length(row); ++i) {
      SLUICE_RETURN_NOT_OK(origins->rows.Append(source));
      SLUICE_RETURN_NOT_OK(
          origins->items.Append(static_cast<uint32_t>(lists.value_offset(row) + i)));
      SLUICE_RETURN_NOT_OK(origins->positions.Append(i));
    }
  }
  return Status::OK();
}

}  // namespace

Result<GeneratedRows> GenerateRows(const GenerateShape& shape,
                                   const std::shared_ptr<arrow::Schema>& schema,
                                   const std::shared_ptr<arrow::RecordBatch>& batch,
                                   const arrow::Array& lists) {
  const auto& list = static_cast<const arrow::ListArray&>(lists);
  Origins origins;
  SLUICE_RETURN_NOT_OK(ReadOrigins(shape, list, &origins));
  const int64_t rows = origins.rows.length();
  std::shared_ptr<arrow::UInt32Array> sources;
  SLUICE_RETURN_NOT_OK(origins.rows.Finish(&sources));
  arrow::ArrayVector columns;
  if (batch->num_columns() > 0) {
    SLUICE_ASSIGN_OR_RETURN(auto repeated, TakeRows(batch, sources));
    columns = repeated->columns();
  }
  if (shape.positions) {
    SLUICE_ASSIGN_OR_RETURN(auto positions, origins.positions.Finish());
    columns.push_back(std::move(positions));
  }
  SLUICE_ASSIGN_OR_RETURN(auto items, origins.items.Finish());
  SLUICE_ASSIGN_OR_RETURN(
      auto elements,
      arrow::compute::Take(*list.values(), *items, arrow::compute::TakeOptions::NoBoundsCheck()));
  if (!shape.spread) {
    columns.push_back(std::move(elements));
  } else {
    const auto& record = static_cast<const arrow::StructArray&>(*elements);
    for (int i = 0; i < record.num_fields(); ++i) {
      SLUICE_ASSIGN_OR_RETURN(auto field, record.GetFlattenedField(i));
      columns.push_back(std::move(field));
    }
  }
  return GeneratedRows{arrow::RecordBatch::Make(schema, rows, std::move(columns)),
                       std::move(sources)};
}

}  // namespace sluice::sql
