#include "delta/commands/convert.h"

#include <arrow/api.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <set>

#include "base/workers.h"
#include "delta/files/parquet_statistics.h"
#include "delta/log/first_commit.h"
#include "delta/log/parquet_file.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/file_statistics.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/table_features.h"
#include "delta/protocol/write_properties.h"

namespace sluice::delta {
namespace {

constexpr char kNullPartition[] = "__HIVE_DEFAULT_PARTITION__";
constexpr int64_t kBatchRows = 65536;

/// What one file is, once it was looked at.
struct ConvertedFile {
  AddFile add;
  std::shared_ptr<arrow::Schema> schema;  // as a table has it
};

bool IsData(std::string_view relative) {
  if (!relative.ends_with(".parquet") && !relative.ends_with(".parq")) return false;
  for (size_t begin = 0; begin < relative.size();) {
    const size_t slash = std::min(relative.find('/', begin), relative.size());
    const std::string_view name = relative.substr(begin, slash - begin);
    const bool partition = slash < relative.size() && name.find('=') != std::string_view::npos;
    if (name.starts_with('.') || (name.starts_with('_') && !partition)) return false;
    begin = slash + 1;
  }
  return true;
}

/// Parquet's INT96 is a timestamp with zone, whatever Arrow makes of it.
std::shared_ptr<arrow::Field> WithInt96(const parquet::arrow::SchemaField& parsed,
                                        const parquet::SchemaDescriptor& schema) {
  const auto& field = parsed.field;
  if (parsed.is_leaf()) {
    const bool int96 = schema.Column(parsed.column_index)->physical_type() == parquet::Type::INT96;
    return int96 ? field->WithType(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")) : field;
  }
  if (field->type()->id() != arrow::Type::STRUCT) return field;
  arrow::FieldVector children;
  for (const auto& child : parsed.children) children.push_back(WithInt96(child, schema));
  return field->WithType(arrow::struct_(children));
}

/// `field` without what files say and tables do not: field ids, NOT NULL.
std::shared_ptr<arrow::Field> Plain(const std::shared_ptr<arrow::Field>& field);

std::shared_ptr<arrow::DataType> Plain(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) fields.push_back(Plain(field));
      return arrow::struct_(fields);
    }
    case arrow::Type::LIST:
      return arrow::list(arrow::field("element", Plain(type->field(0)->type())));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return arrow::map(Plain(map.key_type()), Plain(map.item_type()));
    }
    default: return type;
  }
}

std::shared_ptr<arrow::Field> Plain(const std::shared_ptr<arrow::Field>& field) {
  return arrow::field(field->name(), Plain(field->type()));
}

class Conversion {
 public:
  Conversion(const TableContext& context, const std::string& path, const ConvertOptions& options,
             Random& random)
      : context_(context), path_(path), options_(options), random_(random) {
    if (options.partition_schema != nullptr) partitions_ = options.partition_schema->fields();
  }

  Result<WriteReport> Run() {
    SLUICE_ASSIGN_OR_RETURN(const bool exists, Table::Exists(context_.storage, path_));
    if (exists) return WriteReport();
    SLUICE_ASSIGN_OR_RETURN(const auto listed, context_.storage.ListRecursive(path_));
    for (const storage::FileInfo& file : listed) {
      if (IsData(std::string_view(file.path).substr(path_.size() + 1))) data_.push_back(file);
    }
    if (data_.empty()) {
      return MakeError("DELTA_CONVERT_NO_FILES", "there are no Parquet files in " + path_,
                       "check the path");
    }
    files_.resize(data_.size());
    SLUICE_RETURN_NOT_OK(ReadFooters());
    SLUICE_RETURN_NOT_OK(MergeSchemas());
    return Commit();
  }

 private:
  Status ReadFooters() {
    const auto one = [this](size_t i) { return ReadOne(data_[i], &files_[i]); };
    if (options_.workers != nullptr) return options_.workers->Run(data_.size(), one);
    for (size_t i = 0; i < data_.size(); ++i) SLUICE_RETURN_NOT_OK(one(i));
    return Status::OK();
  }

  Status ReadOne(const storage::FileInfo& info, ConvertedFile* file) const {
    const std::string relative = info.path.substr(path_.size() + 1);
    file->add.path = EncodePath(relative);
    file->add.size = info.size;
    file->add.modification_time_ms = info.modified / 1000;
    SLUICE_RETURN_NOT_OK(ReadPartitions(relative, &file->add.partition_values));
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            OpenParquet(context_.storage, info.path, kBatchRows));
    arrow::FieldVector fields;
    const auto& schema = *reader->parquet_reader()->metadata()->schema();
    for (const auto& parsed : reader->manifest().schema_fields)
      fields.push_back(Plain(WithInt96(parsed, schema)));
    const auto table_schema = TableSchemaOf(*arrow::schema(fields));
    if (!table_schema.ok()) return WithContext(table_schema.status(), "file " + info.path);
    file->schema = *table_schema;
    SLUICE_ASSIGN_OR_RETURN(file->add.stats, Statistics(info.path, reader.get()));
    return Status::OK();
  }

  Result<std::string> Statistics(const std::string& path,
                                 parquet::arrow::FileReader* reader) const {
    if (!options_.collect_statistics) return std::string();
    SLUICE_ASSIGN_OR_RETURN(const TableProperties properties,
                            ParseTableProperties(options_.properties));
    return StatisticsOf(reader, path, properties.num_indexed_columns,
                        WritePropertiesOf(options_.properties).stats_columns);
  }

  Status Unfit(const std::string& relative, const std::string& what) const {
    return MakeError("DELTA_CONVERT_PARTITIONS", what + ": " + relative,
                     "say PARTITIONED BY with one column and type for each level of folders");
  }

  Status ReadPartitions(const std::string& relative, PartitionValues* values) const {
    size_t level = 0;
    size_t begin = 0;
    for (size_t slash = relative.find('/'); slash != std::string::npos;
         slash = relative.find('/', begin)) {
      const std::string folder = relative.substr(begin, slash - begin);
      begin = slash + 1;
      const size_t equals = folder.find('=');
      if (equals == std::string::npos) continue;
      if (level == partitions_.size())
        return Unfit(relative, "more partition folders than partition columns");
      const auto& field = partitions_[level++];
      const std::string column = DecodePath(folder.substr(0, equals));
      if (column != field->name())
        return Unfit(relative, "partition column " + field->name() + " expected, found " + column);
      SLUICE_ASSIGN_OR_RETURN((*values)[column],
                              PartitionText(relative, folder.substr(equals + 1), field->type()));
    }
    if (level < partitions_.size())
      return Unfit(relative, "fewer partition folders than partition columns");
    return Status::OK();
  }

  Result<std::optional<std::string>> PartitionText(
      const std::string& relative, const std::string& folder_value,
      const std::shared_ptr<arrow::DataType>& type) const {
    if (folder_value == kNullPartition) return std::optional<std::string>();
    const auto value = PartitionValueFromString(DecodePath(folder_value), type);
    if (!value.ok()) return Unfit(relative, "partition value is no " + type->ToString());
    return PartitionValueToString(**value);
  }

  Status MergeSchemas() {
    arrow::FieldVector merged;
    std::map<std::string, size_t> by_name;
    for (size_t i = 0; i < files_.size(); ++i) {
      for (const auto& field : files_[i].schema->fields()) {
        if (std::any_of(partitions_.begin(), partitions_.end(),
                        [&](const auto& column) { return column->name() == field->name(); }))
          continue;  // the folder says it
        const auto [it, added] = by_name.emplace(field->name(), merged.size());
        if (added) {
          merged.push_back(field);
        } else if (!merged[it->second]->type()->Equals(*field->type())) {
          return MakeError("DELTA_SCHEMA_MISMATCH",
                           "column " + field->name() + " is " + field->type()->ToString() +
                               " here and " + merged[it->second]->type()->ToString() +
                               " in files before: " + data_[i].path,
                           "write the files of one type anew, or convert them to another table");
        }
      }
    }
    for (const auto& column : partitions_) {
      SLUICE_ASSIGN_OR_RETURN(auto type, TableTypeOf(column->type()));
      merged.push_back(arrow::field(column->name(), std::move(type)));
    }
    schema_ = arrow::schema(merged);
    return Status::OK();
  }

  Result<WriteReport> Commit() {
    Metadata metadata;
    metadata.id = random_.Uuid();
    SLUICE_ASSIGN_OR_RETURN(metadata.schema_string, SchemaToJson(*schema_));
    for (const auto& column : partitions_) metadata.partition_columns.push_back(column->name());
    metadata.created_time_ms = context_.clock.NowMicros() / 1000;
    metadata.configuration = options_.properties;
    SLUICE_ASSIGN_OR_RETURN(const TableProperties properties,
                            ParseTableProperties(options_.properties));
    if (properties.column_mapping_mode != "none") {
      return MakeError("DELTA_INVALID_PROPERTY",
                       "a table is not converted and given column mapping at once: " + path_,
                       "set delta.columnMapping.mode after the conversion");
    }
    const Protocol protocol = ProtocolFor(*schema_, properties, options_.properties);
    SLUICE_RETURN_NOT_OK(CheckWritable(protocol, metadata, *schema_));
    if (protocol.HasWriterFeature("rowTracking")) {
      return MakeError("DELTA_INVALID_PROPERTY",
                       "a table is not converted and given row ids at once: " + path_,
                       "set delta.enableRowTracking after the conversion");
    }
    CommitInfo info;
    info.operation = "CONVERT";
    info.operation_parameters = {{"numFiles", std::to_string(files_.size())},
                                 {"partitionedBy", NamesJson(metadata.partition_columns)},
                                 {"collectStats", options_.collect_statistics ? "true" : "false"},
                                 {"sourceFormat", "parquet"}};
    info.operation_metrics = {{"numConvertedFiles", std::to_string(files_.size())}};
    info.txn_id = random_.Uuid();
    std::vector<Action> actions = {protocol, std::move(metadata)};
    for (ConvertedFile& file : files_) actions.emplace_back(std::move(file.add));
    SLUICE_RETURN_NOT_OK(PutFirstCommit(context_, path_, properties, std::move(info), actions));
    WriteReport report;
    report.version = TableVersion(0);
    report.metrics = {{"numConvertedFiles", static_cast<int64_t>(files_.size())}};
    return report;
  }

  const TableContext& context_;
  const std::string& path_;
  const ConvertOptions& options_;
  Random& random_;
  arrow::FieldVector partitions_;
  std::vector<storage::FileInfo> data_;
  std::vector<ConvertedFile> files_;  // as data_
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

Result<WriteReport> ConvertParquet(const TableContext& context, const std::string& path,
                                   const ConvertOptions& options, Random& random) {
  std::string folder = path;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return Conversion(context, folder, options, random).Run();
}

}  // namespace sluice::delta
