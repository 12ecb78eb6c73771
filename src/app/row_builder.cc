#include "app/row_builder.h"

#include <arrow/api.h>

namespace sluice::app {
namespace {

using RowReader = std::shared_ptr<arrow::RecordBatchReader>;

std::string JoinMap(const delta::StringMap& map) {
  std::string text;
  for (const auto& [key, value] : map) text += (text.empty() ? "" : ", ") + key + "=" + value;
  return text;
}

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

Result<RowReader> HistoryRows(const std::vector<delta::VersionInfo>& versions) {
  arrow::Int64Builder numbers;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                arrow::default_memory_pool());
  arrow::StringBuilder operations;
  arrow::StringBuilder parameters;
  arrow::StringBuilder metrics;
  arrow::StringBuilder engines;
  for (const delta::VersionInfo& version : versions) {
    SLUICE_RETURN_NOT_OK(numbers.Append(version.version.value()));
    SLUICE_RETURN_NOT_OK(times.Append(version.timestamp_ms * 1000));
    SLUICE_RETURN_NOT_OK(operations.Append(version.info.operation));
    SLUICE_RETURN_NOT_OK(parameters.Append(JoinMap(version.info.operation_parameters)));
    SLUICE_RETURN_NOT_OK(metrics.Append(JoinMap(version.info.operation_metrics)));
    SLUICE_RETURN_NOT_OK(engines.Append(version.info.engine_info));
  }
  arrow::ArrayVector columns(6);
  SLUICE_RETURN_NOT_OK(numbers.Finish(&columns[0]));
  SLUICE_RETURN_NOT_OK(times.Finish(&columns[1]));
  SLUICE_RETURN_NOT_OK(operations.Finish(&columns[2]));
  SLUICE_RETURN_NOT_OK(parameters.Finish(&columns[3]));
  SLUICE_RETURN_NOT_OK(metrics.Finish(&columns[4]));
  SLUICE_RETURN_NOT_OK(engines.Finish(&columns[5]));
  const auto schema = arrow::schema(
      {arrow::field("version", arrow::int64()), arrow::field("timestamp", times.type()),
       arrow::field("operation", arrow::utf8()), arrow::field("operationParameters", arrow::utf8()),
       arrow::field("operationMetrics", arrow::utf8()), arrow::field("engineInfo", arrow::utf8())});
  return OneBatch(schema, std::move(columns), static_cast<int64_t>(versions.size()));
}

}  // namespace sluice::app
