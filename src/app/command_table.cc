// The commands that look into one Delta table: table info, files, log, fsck.
#include <arrow/api.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/output_format.h"
#include "delta/log/row_ids.h"
#include "delta/protocol/time_text.h"
#include "delta/upkeep/table_check.h"
#include "delta/upkeep/table_summary.h"
#include "statements/row_builder.h"
#include "storage/local_storage.h"

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;

/// "t", "/data/t/", "file:///data/t" -> an absolute path.
std::string TablePath(std::string path) {
  if (path.starts_with("file://")) path = path.substr(7);
  if (path.starts_with("file:")) path = path.substr(5);
  std::string absolute = std::filesystem::absolute(path).lexically_normal().string();
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  return absolute;
}

std::string TimeText(int64_t ms) { return delta::FormatMillis(ms) + "Z"; }

Result<std::shared_ptr<const delta::Snapshot>> LoadSnapshot(storage::Storage& storage,
                                                            const std::string& path,
                                                            const TableOptions& options) {
  if (options.version < 0) return delta::Snapshot::Load(storage, path);
  return delta::Snapshot::Load(storage, path, TableVersion(options.version));
}

Json ProtocolJson(const delta::Protocol& protocol) {
  Json json = {{"minReaderVersion", protocol.min_reader_version},
               {"minWriterVersion", protocol.min_writer_version}};
  if (protocol.reader_features.has_value()) json["readerFeatures"] = *protocol.reader_features;
  if (protocol.writer_features.has_value()) json["writerFeatures"] = *protocol.writer_features;
  return json;
}

Json FilesJson(const delta::FileSummary& files) {
  Json json = {{"count", files.files}, {"bytes", files.bytes}};
  if (files.rows.has_value()) json["rows"] = *files.rows;
  json["bytesMin"] = files.bytes_min;
  json["bytesMax"] = files.bytes_max;
  json["partitions"] = files.partitions;
  json["withoutStatistics"] = files.without_statistics;
  json["deletionVectors"] = files.deletion_vectors;
  json["deletedRows"] = files.deleted_rows;
  json["tombstones"] = files.tombstones;
  return json;
}

Json LogJson(const delta::LogSummary& log) {
  Json json = {{"files", log.files}, {"bytes", log.bytes}, {"commits", log.commits}};
  if (log.oldest_commit.value() >= 0) json["oldestCommit"] = log.oldest_commit.value();
  json["checkpoints"] = log.checkpoints;
  if (log.newest_checkpoint.value() >= 0) json["newestCheckpoint"] = log.newest_checkpoint.value();
  json["checksums"] = log.checksums;
  return json;
}

Json InfoJson(const delta::Snapshot& snapshot, const delta::LogSummary& log) {
  const delta::Metadata& metadata = snapshot.metadata();
  Json json = {{"path", snapshot.table_path()},
               {"version", snapshot.version().value()},
               {"timestamp", TimeText(snapshot.timestamp_ms())},
               {"id", metadata.id}};
  if (metadata.name.has_value()) json["name"] = *metadata.name;
  if (metadata.description.has_value()) json["description"] = *metadata.description;
  if (metadata.created_time_ms.has_value()) json["created"] = TimeText(*metadata.created_time_ms);
  json["protocol"] = ProtocolJson(snapshot.protocol());
  json["schema"] = Json::parse(metadata.schema_string, nullptr, false);
  json["partitionColumns"] = metadata.partition_columns;
  json["properties"] = metadata.configuration;
  json["files"] = FilesJson(delta::SummarizeFiles(snapshot));
  Json txns = Json::object();
  for (const auto& [app_id, txn] : snapshot.txns()) txns[app_id] = txn.version;
  json["transactions"] = std::move(txns);
  Json domains = Json::object();
  for (const auto& [name, domain] : snapshot.domain_metadata()) {
    if (!domain.removed) domains[name] = domain.configuration;
  }
  json["domains"] = std::move(domains);
  json["log"] = LogJson(log);
  return json;
}

/// One line a leaf of `json`: "files.bytes | 123". Lists of texts are joined; the schema is shown
/// by its columns.
void AddLines(const std::string& name, const Json& json, statements::RowBuilder* rows) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items())
      AddLines(name.empty() ? key : name + "." + key, value, rows);
    return;
  }
  std::string text;
  if (json.is_array()) {
    for (const Json& item : json) {
      text += text.empty() ? "" : ", ";
      text += item.is_string() ? item.get<std::string>() : item.dump();
    }
  } else {
    text = json.is_string() ? json.get<std::string>() : json.dump();
  }
  rows->Add({name, text});
}

Status PrintInfo(const delta::Snapshot& snapshot, const delta::LogSummary& log,
                 OutputFormat format) {
  Json json = InfoJson(snapshot, log);
  if (format == OutputFormat::kJson) {
    std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    return Status::OK();
  }
  Json columns = Json::object();
  for (const auto& field : snapshot.schema()->fields()) {
    columns[field->name()] = field->type()->ToString() + (field->nullable() ? "" : " not null");
  }
  json["schema"] = std::move(columns);
  statements::RowBuilder rows({"property", "value"});
  AddLines("", json, &rows);
  SLUICE_ASSIGN_OR_RETURN(const auto reader, rows.Finish());
  return WriteOutput(reader.get(), format, "");
}

/// Columns of texts, numbers and flags, filled row by row.
class Columns {
 public:
  Columns& Text(const char* name) { return Add(name, arrow::utf8()); }
  Columns& Int(const char* name) { return Add(name, arrow::int64()); }
  Columns& Flag(const char* name) { return Add(name, arrow::boolean()); }
  Columns& Time(const char* name) {
    return Add(name, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
  }

  Status Append(std::initializer_list<std::shared_ptr<arrow::Scalar>> row) {
    if (builders_.empty()) {
      for (const auto& field : fields_) {
        SLUICE_ASSIGN_OR_RETURN(auto builder, arrow::MakeBuilder(field->type()));
        builders_.push_back(std::move(builder));
      }
    }
    size_t i = 0;
    for (const auto& value : row) {
      SLUICE_RETURN_NOT_OK(value == nullptr ? builders_[i]->AppendNull()
                                            : builders_[i]->AppendScalar(*value));
      ++i;
    }
    ++rows_;
    return Status::OK();
  }

  Status Print(OutputFormat format) {
    const auto schema = arrow::schema(fields_);
    arrow::RecordBatchVector batches;
    if (rows_ > 0) {
      arrow::ArrayVector arrays;
      for (const auto& builder : builders_) {
        SLUICE_ASSIGN_OR_RETURN(auto array, builder->Finish());
        arrays.push_back(std::move(array));
      }
      batches.push_back(arrow::RecordBatch::Make(schema, rows_, std::move(arrays)));
    }
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            arrow::RecordBatchReader::Make(std::move(batches), schema));
    return WriteOutput(reader.get(), format, "");
  }

 private:
  Columns& Add(const char* name, const std::shared_ptr<arrow::DataType>& type) {
    fields_.push_back(arrow::field(name, type));
    return *this;
  }

  arrow::FieldVector fields_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  int64_t rows_ = 0;
};

std::shared_ptr<arrow::Scalar> Text(const std::string& text) { return arrow::MakeScalar(text); }
std::shared_ptr<arrow::Scalar> Int(int64_t value) { return arrow::MakeScalar(value); }
std::shared_ptr<arrow::Scalar> Flag(bool value) { return arrow::MakeScalar(value); }
std::shared_ptr<arrow::Scalar> Time(int64_t ms) {
  return std::make_shared<arrow::TimestampScalar>(ms * 1000,
                                                  arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
}

std::string PartitionText(const delta::PartitionValues& values) {
  std::string text;
  for (const auto& [column, value] : values)
    text += (text.empty() ? "" : ", ") + column + "=" + value.value_or("NULL");
  return text;
}

Status PrintFiles(const delta::Snapshot& snapshot, OutputFormat format) {
  Columns columns;
  columns.Text("path")
      .Text("partition")
      .Int("bytes")
      .Int("rows")
      .Int("deletedRows")
      .Time("modified");
  for (const auto& file : snapshot.Files()) {
    const int64_t rows = delta::RecordsOf(*file);
    const int64_t deleted =
        file->deletion_vector.has_value() ? file->deletion_vector->cardinality : 0;
    SLUICE_RETURN_NOT_OK(columns.Append(
        {Text(file->path), Text(PartitionText(file->partition_values)), Int(file->size),
         rows < 0 ? nullptr : Int(rows), Int(deleted), Time(file->modification_time_ms)}));
  }
  return columns.Print(format);
}

Status PrintLog(const std::vector<delta::LogEntry>& entries, OutputFormat format) {
  Columns columns;
  columns.Int("version")
      .Time("timestamp")
      .Text("operation")
      .Int("added")
      .Int("removed")
      .Int("changes");
  columns.Int("txns").Flag("metadata").Flag("protocol").Int("bytes").Flag("checkpoint");
  columns.Flag("checksum").Text("engine");
  for (const delta::LogEntry& entry : entries) {
    SLUICE_RETURN_NOT_OK(columns.Append(
        {Int(entry.version.value()), Time(entry.timestamp_ms), Text(entry.info.operation),
         Int(entry.files_added), Int(entry.files_removed), Int(entry.change_files), Int(entry.txns),
         Flag(entry.metadata), Flag(entry.protocol), Int(entry.bytes), Flag(entry.checkpoint),
         Flag(entry.checksum), Text(entry.info.engine_info)}));
  }
  return columns.Print(format);
}

Status PrintReport(const delta::TableCheckReport& report, OutputFormat format) {
  Columns columns;
  columns.Text("level").Text("check").Text("path").Text("detail");
  for (const delta::Finding& finding : report.findings) {
    SLUICE_RETURN_NOT_OK(columns.Append({Text(ToString(finding.level)), Text(finding.check),
                                         Text(finding.path), Text(finding.detail)}));
  }
  SLUICE_RETURN_NOT_OK(columns.Print(format));
  if (format != OutputFormat::kTable) return Status::OK();
  std::printf(
      "version %lld: %lld versions replayed, %lld files checked, %lld rows read, "
      "%lld bytes in orphaned files",
      static_cast<long long>(report.version.value()),
      static_cast<long long>(report.versions_checked), static_cast<long long>(report.files_checked),
      static_cast<long long>(report.rows_read), static_cast<long long>(report.orphaned_bytes));
  if (report.findings_left_out > 0)
    std::printf(", %lld findings not shown", static_cast<long long>(report.findings_left_out));
  std::printf("\n");
  return Status::OK();
}

/// False: fsck found errors.
Result<bool> Execute(const TableOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(options.output));
  if (format == OutputFormat::kParquet) {
    return MakeError("INVALID_OUTPUT_FORMAT", "Parquet is not written to the terminal",
                     "use table, json or csv");
  }
  storage::LocalStorage storage;
  const std::string path = TablePath(options.path);
  if (options.action == "fsck") {
    delta::TableCheckOptions check;
    check.read_rows = !options.quick;
    SLUICE_ASSIGN_OR_RETURN(const auto report, delta::CheckTable(storage, path, check));
    SLUICE_RETURN_NOT_OK(PrintReport(report, format));
    return !report.HasErrors();
  }
  if (options.action == "log") {
    SLUICE_ASSIGN_OR_RETURN(
        const auto entries,
        delta::DescribeLog(storage, path,
                           static_cast<size_t>(std::max<int64_t>(options.limit, 0))));
    SLUICE_RETURN_NOT_OK(PrintLog(entries, format));
    return true;
  }
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, LoadSnapshot(storage, path, options));
  if (options.action == "files") {
    SLUICE_RETURN_NOT_OK(PrintFiles(*snapshot, format));
    return true;
  }
  SLUICE_ASSIGN_OR_RETURN(const auto log, delta::SummarizeLog(storage, path));
  SLUICE_RETURN_NOT_OK(PrintInfo(*snapshot, log, format));
  return true;
}

}  // namespace

int RunTable(const TableOptions& options) {
  const auto sound = Execute(options);
  if (!sound.ok()) return Fail(sound.status(), kDefinitionError, options.output);
  return *sound ? kOk : kRunFailed;
}

}  // namespace sluice::app
