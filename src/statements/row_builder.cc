#include "statements/row_builder.h"

#include <arrow/api.h>

#include <algorithm>

namespace sluice::statements {

void RowBuilder::Add(const std::vector<Cell>& row) {
  SLUICE_CHECK(row.size() == columns_.size(),
               "a row has another number of values than there are columns");
  for (size_t i = 0; i < row.size(); ++i) values_[i].push_back(row[i]);
}

Result<std::shared_ptr<arrow::Array>> RowBuilder::Texts(size_t column) const {
  arrow::StringBuilder builder;
  for (const Cell& cell : values_[column])
    SLUICE_RETURN_NOT_OK(cell.has_value() ? builder.Append(*cell) : builder.AppendNull());
  return builder.Finish();
}

Result<std::shared_ptr<arrow::Array>> RowBuilder::Booleans(size_t column) const {
  arrow::BooleanBuilder builder;
  for (const Cell& cell : values_[column])
    SLUICE_RETURN_NOT_OK(cell.has_value() ? builder.Append(*cell == "true") : builder.AppendNull());
  return builder.Finish();
}

Result<std::shared_ptr<arrow::RecordBatchReader>> RowBuilder::Finish() const {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const bool boolean =
        std::find(booleans_.begin(), booleans_.end(), columns_[i]) != booleans_.end();
    SLUICE_ASSIGN_OR_RETURN(auto array, boolean ? Booleans(i) : Texts(i));
    fields.push_back(arrow::field(columns_[i], array->type()));
    arrays.push_back(std::move(array));
  }
  const auto schema = arrow::schema(fields);
  const auto rows = static_cast<int64_t>(values_.front().size());
  return arrow::RecordBatchReader::Make({arrow::RecordBatch::Make(schema, rows, std::move(arrays))},
                                        schema);
}

}  // namespace sluice::statements
