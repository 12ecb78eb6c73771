#include "app/row_builder.h"

#include <arrow/api.h>

namespace sluice::app {
namespace {

using RowReader = std::shared_ptr<arrow::RecordBatchReader>;

/// A column of MAP<STRING, STRING>.
class MapColumn {
 public:
  Status Append(const delta::StringMap& map) {
    SLUICE_RETURN_NOT_OK(builder_.Append());
    for (const auto& [key, value] : map) {
      SLUICE_RETURN_NOT_OK(keys_->Append(key));
      SLUICE_RETURN_NOT_OK(values_->Append(value));
    }
    return Status::OK();
  }
  Status Finish(std::shared_ptr<arrow::Array>* out) { return builder_.Finish(out); }

 private:
  std::shared_ptr<arrow::StringBuilder> keys_ = std::make_shared<arrow::StringBuilder>();
  std::shared_ptr<arrow::StringBuilder> values_ = std::make_shared<arrow::StringBuilder>();
  arrow::MapBuilder builder_{arrow::default_memory_pool(), keys_, values_};
};

Status AppendOrNull(const std::string& text, arrow::StringBuilder* to) {
  return text.empty() ? to->AppendNull() : to->Append(text);
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
  MapColumn parameters;
  arrow::Int64Builder read_versions;
  arrow::StringBuilder isolation_levels;
  arrow::BooleanBuilder blind_appends;
  MapColumn metrics;
  arrow::StringBuilder user_metadata;
  arrow::StringBuilder engines;
  for (const delta::VersionInfo& version : versions) {
    const delta::CommitInfo& info = version.info;
    SLUICE_RETURN_NOT_OK(numbers.Append(version.version.value()));
    SLUICE_RETURN_NOT_OK(times.Append(version.timestamp_ms * 1000));
    SLUICE_RETURN_NOT_OK(AppendOrNull(info.operation, &operations));
    SLUICE_RETURN_NOT_OK(parameters.Append(info.operation_parameters));
    SLUICE_RETURN_NOT_OK(info.read_version.has_value() ? read_versions.Append(*info.read_version)
                                                       : read_versions.AppendNull());
    SLUICE_RETURN_NOT_OK(AppendOrNull(info.isolation_level, &isolation_levels));
    SLUICE_RETURN_NOT_OK(info.is_blind_append.has_value()
                             ? blind_appends.Append(*info.is_blind_append)
                             : blind_appends.AppendNull());
    SLUICE_RETURN_NOT_OK(metrics.Append(info.operation_metrics));
    SLUICE_RETURN_NOT_OK(AppendOrNull(info.user_metadata.value_or(""), &user_metadata));
    SLUICE_RETURN_NOT_OK(AppendOrNull(info.engine_info, &engines));
  }
  arrow::ArrayVector columns(10);
  SLUICE_RETURN_NOT_OK(numbers.Finish(&columns[0]));
  SLUICE_RETURN_NOT_OK(times.Finish(&columns[1]));
  SLUICE_RETURN_NOT_OK(operations.Finish(&columns[2]));
  SLUICE_RETURN_NOT_OK(parameters.Finish(&columns[3]));
  SLUICE_RETURN_NOT_OK(read_versions.Finish(&columns[4]));
  SLUICE_RETURN_NOT_OK(isolation_levels.Finish(&columns[5]));
  SLUICE_RETURN_NOT_OK(blind_appends.Finish(&columns[6]));
  SLUICE_RETURN_NOT_OK(metrics.Finish(&columns[7]));
  SLUICE_RETURN_NOT_OK(user_metadata.Finish(&columns[8]));
  SLUICE_RETURN_NOT_OK(engines.Finish(&columns[9]));
  static constexpr const char* kNames[] = {
      "version",        "timestamp",     "operation",        "operationParameters", "readVersion",
      "isolationLevel", "isBlindAppend", "operationMetrics", "userMetadata",        "engineInfo"};
  arrow::FieldVector fields;
  for (size_t i = 0; i < columns.size(); ++i)
    fields.push_back(arrow::field(kNames[i], columns[i]->type()));
  return OneBatch(arrow::schema(fields), std::move(columns), static_cast<int64_t>(versions.size()));
}

}  // namespace sluice::app
