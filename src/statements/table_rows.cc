#include "statements/table_rows.h"

#include <arrow/api.h>

#include "delta/columns/schema_edit.h"
#include "delta/protocol/table_features.h"
#include "delta/upkeep/clustering.h"

namespace sluice::statements {
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

/// One row, column by column.
class Row {
 public:
  Status Text(const char* name, const std::optional<std::string>& value) {
    arrow::StringBuilder builder;
    SLUICE_RETURN_NOT_OK(value.has_value() ? builder.Append(*value) : builder.AppendNull());
    return Add(name, &builder);
  }
  Status Time(const char* name, std::optional<int64_t> ms) {
    arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                    arrow::default_memory_pool());
    SLUICE_RETURN_NOT_OK(ms.has_value() ? builder.Append(*ms * 1000) : builder.AppendNull());
    return Add(name, &builder);
  }
  Status Long(const char* name, int64_t value) {
    arrow::Int64Builder builder;
    SLUICE_RETURN_NOT_OK(builder.Append(value));
    return Add(name, &builder);
  }
  Status Int(const char* name, int32_t value) {
    arrow::Int32Builder builder;
    SLUICE_RETURN_NOT_OK(builder.Append(value));
    return Add(name, &builder);
  }
  Status Texts(const char* name, const std::vector<std::string>& values) {
    const auto texts = std::make_shared<arrow::StringBuilder>();
    arrow::ListBuilder builder(arrow::default_memory_pool(), texts);
    SLUICE_RETURN_NOT_OK(builder.Append());
    SLUICE_RETURN_NOT_OK(texts->AppendValues(values));
    return Add(name, &builder);
  }
  Status Map(const char* name, const delta::StringMap& map) {
    MapColumn column;
    SLUICE_RETURN_NOT_OK(column.Append(map));
    std::shared_ptr<arrow::Array> array;
    SLUICE_RETURN_NOT_OK(column.Finish(&array));
    Add(name, std::move(array));
    return Status::OK();
  }
  Result<RowReader> Finish() { return OneBatch(arrow::schema(fields_), columns_, 1); }

 private:
  Status Add(const char* name, arrow::ArrayBuilder* builder) {
    SLUICE_ASSIGN_OR_RETURN(auto array, builder->Finish());
    Add(name, std::move(array));
    return Status::OK();
  }
  void Add(const char* name, std::shared_ptr<arrow::Array> array) {
    fields_.push_back(arrow::field(name, array->type()));
    columns_.push_back(std::move(array));
  }

  arrow::FieldVector fields_;
  arrow::ArrayVector columns_;
};

}  // namespace

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

Result<RowReader> DetailRow(const delta::Snapshot& snapshot, const std::string& name) {
  const delta::Metadata& metadata = snapshot.metadata();
  const delta::Protocol& protocol = snapshot.protocol();
  Row row;
  SLUICE_RETURN_NOT_OK(row.Text("format", "delta"));
  SLUICE_RETURN_NOT_OK(row.Text("id", metadata.id));
  SLUICE_RETURN_NOT_OK(row.Text("name", name.empty() ? metadata.name : name));
  SLUICE_RETURN_NOT_OK(row.Text("description", metadata.description));
  SLUICE_RETURN_NOT_OK(row.Text("location", snapshot.table_path()));
  SLUICE_RETURN_NOT_OK(row.Time("createdAt", metadata.created_time_ms));
  SLUICE_RETURN_NOT_OK(row.Time("lastModified", snapshot.timestamp_ms()));
  SLUICE_RETURN_NOT_OK(row.Texts("partitionColumns", metadata.partition_columns));
  SLUICE_ASSIGN_OR_RETURN(const auto clustered_by, delta::ClusteringColumns(snapshot));
  std::vector<std::string> clustering;
  for (const delta::ColumnPath& path : clustered_by) clustering.push_back(delta::DottedPath(path));
  SLUICE_RETURN_NOT_OK(row.Texts("clusteringColumns", clustering));
  SLUICE_RETURN_NOT_OK(row.Long("numFiles", snapshot.num_files()));
  SLUICE_RETURN_NOT_OK(row.Long("sizeInBytes", snapshot.total_bytes()));
  SLUICE_RETURN_NOT_OK(row.Map("properties", metadata.configuration));
  SLUICE_RETURN_NOT_OK(row.Int("minReaderVersion", protocol.min_reader_version));
  SLUICE_RETURN_NOT_OK(row.Int("minWriterVersion", protocol.min_writer_version));
  SLUICE_RETURN_NOT_OK(row.Texts("tableFeatures", delta::SupportedFeatures(protocol)));
  return row.Finish();
}

}  // namespace sluice::statements
