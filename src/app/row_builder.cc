#include "app/row_builder.h"

#include <arrow/api.h>

namespace sluice::app {
namespace {

using RowReader = std::shared_ptr<arrow::RecordBatchReader>;

Result<RowReader> OneBatch(const std::shared_ptr<arrow::Schema>& schema, arrow::ArrayVector columns,
                           int64_t rows) {
  return arrow::RecordBatchReader::Make(
      {arrow::RecordBatch::Make(schema, rows, std::move(columns))}, schema);
}

}  // namespace

void RowBuilder::Add(const std::vector<std::string>& row) {
  SLUICE_CHECK(row.size() == columns_.size(),
               "a row has another number of values than there are columns");
  for (size_t i = 0; i < row.size(); ++i) values_[i].push_back(row[i]);
}

Result<RowReader> RowBuilder::Finish() const {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < columns_.size(); ++i) {
    arrow::StringBuilder builder;
    SLUICE_RETURN_NOT_OK(builder.AppendValues(values_[i]));
    SLUICE_ASSIGN_OR_RETURN(auto array, builder.Finish());
    fields.push_back(arrow::field(columns_[i], arrow::utf8()));
    arrays.push_back(std::move(array));
  }
  return OneBatch(arrow::schema(fields), std::move(arrays),
                  static_cast<int64_t>(values_.front().size()));
}

}  // namespace sluice::app
