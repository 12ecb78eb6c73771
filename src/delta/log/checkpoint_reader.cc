#include "delta/log/checkpoint_reader.h"

#include <arrow/array.h>
#include <parquet/file_reader.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include <algorithm>

#include "delta/log/parquet_file.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/commit_json.h"
#include "delta/protocol/partition_value.h"

namespace sluice::delta {
namespace {

using Visit = std::function<void(Action)>;

/// Typed access to the fields of a struct column; a missing field reads as null.
class Fields {
 public:
  explicit Fields(const arrow::StructArray* array) : array_(array) {}

  const arrow::Array* Child(const char* name) const {
    if (array_ == nullptr) return nullptr;
    const int index = array_->struct_type()->GetFieldIndex(name);
    return index < 0 ? nullptr : array_->field(index).get();
  }
  std::string Text(const char* name, int64_t row) const {
    return OptionalText(name, row).value_or(std::string());
  }
  std::optional<std::string> OptionalText(const char* name, int64_t row) const {
    return TextAt(Child(name), row);
  }
  std::optional<int64_t> OptionalInt(const char* name, int64_t row) const {
    const arrow::Array* child = Child(name);
    if (child == nullptr || child->IsNull(row)) return std::nullopt;
    switch (child->type_id()) {
      case arrow::Type::INT64: return static_cast<const arrow::Int64Array*>(child)->Value(row);
      case arrow::Type::INT32: return static_cast<const arrow::Int32Array*>(child)->Value(row);
      default: return std::nullopt;
    }
  }
  int64_t Int(const char* name, int64_t row) const { return OptionalInt(name, row).value_or(0); }
  bool Bool(const char* name, int64_t row, bool otherwise) const {
    const arrow::Array* child = Child(name);
    if (child == nullptr || child->type_id() != arrow::Type::BOOL || child->IsNull(row))
      return otherwise;
    return static_cast<const arrow::BooleanArray*>(child)->Value(row);
  }
  std::optional<std::vector<std::string>> Strings(const char* name, int64_t row) const {
    const arrow::Array* child = Child(name);
    if (child == nullptr || child->type_id() != arrow::Type::LIST || child->IsNull(row))
      return std::nullopt;
    const auto* list = static_cast<const arrow::ListArray*>(child);
    std::vector<std::string> strings;
    for (int64_t i = list->value_offset(row); i < list->value_offset(row + 1); ++i) {
      strings.push_back(TextAt(list->values().get(), i).value_or(std::string()));
    }
    return strings;
  }
  StringMap Map(const char* name, int64_t row) const {
    StringMap values;
    const arrow::Array* child = Child(name);
    if (child == nullptr || child->type_id() != arrow::Type::MAP || child->IsNull(row))
      return values;
    const auto* map = static_cast<const arrow::MapArray*>(child);
    for (int64_t i = map->value_offset(row); i < map->value_offset(row + 1); ++i) {
      if (auto value = TextAt(map->items().get(), i))
        values.emplace(TextAt(map->keys().get(), i).value_or(std::string()), std::move(*value));
    }
    return values;
  }
  Fields Struct(const char* name, int64_t row) const {
    const arrow::Array* child = Child(name);
    if (child == nullptr || child->type_id() != arrow::Type::STRUCT || child->IsNull(row))
      return Fields(nullptr);
    return Fields(static_cast<const arrow::StructArray*>(child));
  }
  bool present() const { return array_ != nullptr; }

 private:
  static std::optional<std::string> TextAt(const arrow::Array* array, int64_t row) {
    if (array == nullptr || array->IsNull(row)) return std::nullopt;
    switch (array->type_id()) {
      case arrow::Type::STRING:
      case arrow::Type::BINARY:
        return std::string(static_cast<const arrow::BinaryArray*>(array)->GetView(row));
      case arrow::Type::LARGE_STRING:
      case arrow::Type::LARGE_BINARY:
        return std::string(static_cast<const arrow::LargeBinaryArray*>(array)->GetView(row));
      default: return std::nullopt;
    }
  }

  const arrow::StructArray* array_;
};

Action ReadMetadata(const Fields& fields, int64_t row) {
  Metadata metadata;
  metadata.id = fields.Text("id", row);
  metadata.name = fields.OptionalText("name", row);
  metadata.description = fields.OptionalText("description", row);
  const Fields format = fields.Struct("format", row);
  if (format.present()) {
    metadata.format_provider = format.Text("provider", row);
    metadata.format_options = format.Map("options", row);
  }
  metadata.schema_string = fields.Text("schemaString", row);
  metadata.partition_columns =
      fields.Strings("partitionColumns", row).value_or(std::vector<std::string>());
  metadata.created_time_ms = fields.OptionalInt("createdTime", row);
  metadata.configuration = fields.Map("configuration", row);
  return metadata;
}

Action ReadProtocol(const Fields& fields, int64_t row) {
  Protocol protocol;
  protocol.min_reader_version = static_cast<int32_t>(fields.Int("minReaderVersion", row));
  protocol.min_writer_version = static_cast<int32_t>(fields.Int("minWriterVersion", row));
  protocol.reader_features = fields.Strings("readerFeatures", row);
  protocol.writer_features = fields.Strings("writerFeatures", row);
  return protocol;
}

using RowReader = Action (*)(const Fields&, int64_t);

struct ColumnReader {
  const char* name;
  const char* key;  // a leaf that is there wherever the action is
  RowReader read;
};

constexpr ColumnReader kColumns[] = {
    {"protocol", "protocol.minReaderVersion", ReadProtocol},
    {"metaData", "metaData.id", ReadMetadata},
    {"txn", "txn.appId",
     [](const Fields& fields, int64_t row) -> Action {
       return Txn{fields.Text("appId", row), fields.Int("version", row),
                  fields.OptionalInt("lastUpdated", row)};
     }},
    {"domainMetadata", "domainMetadata.domain",
     [](const Fields& fields, int64_t row) -> Action {
       return DomainMetadata{fields.Text("domain", row), fields.Text("configuration", row),
                             fields.Bool("removed", row, false)};
     }},
    {"sidecar", "sidecar.path",
     [](const Fields& fields, int64_t row) -> Action {
       return Sidecar{fields.Text("path", row), fields.Int("sizeInBytes", row)};
     }},
};

/// Leaf columns of the actions read here.
std::vector<int> WantedLeaves(const parquet::SchemaDescriptor& schema) {
  std::vector<int> leaves;
  for (int i = 0; i < schema.num_columns(); ++i) {
    const std::string path = schema.Column(i)->path()->ToDotString();
    for (const ColumnReader& column : kColumns) {
      if (path.starts_with(std::string(column.name) + ".")) leaves.push_back(i);
    }
  }
  return leaves;
}

/// Row groups that may hold a wanted action, by the null counts of its key leaf.
std::vector<int> WantedRowGroups(const parquet::FileMetaData& metadata) {
  std::vector<int> keys;
  for (int i = 0; i < metadata.schema()->num_columns(); ++i) {
    const std::string path = metadata.schema()->Column(i)->path()->ToDotString();
    for (const ColumnReader& column : kColumns) {
      if (path == column.key) keys.push_back(i);
    }
  }
  std::vector<int> groups;
  for (int group = 0; group < metadata.num_row_groups(); ++group) {
    const auto row_group = metadata.RowGroup(group);
    const bool may_hold = std::any_of(keys.begin(), keys.end(), [&](int key) {
      const auto statistics = row_group->ColumnChunk(key)->statistics();
      return statistics == nullptr || !statistics->HasNullCount() ||
             statistics->null_count() < row_group->num_rows();
    });
    if (may_hold) groups.push_back(group);
  }
  return groups;
}

/// A file without `path` or an action without its key column is no checkpoint.
Status CheckUsable(const arrow::RecordBatch& batch, const std::string& path) {
  for (const auto& column : batch.columns()) {
    if (column->type_id() != arrow::Type::STRUCT) {
      return MakeError("DELTA_FILE_CORRUPT",
                       "checkpoint holds a column that is no struct: " + path);
    }
  }
  return Status::OK();
}

Status ReadParquetActions(storage::Storage& storage, const std::string& path, const Visit& visit) {
  SLUICE_ASSIGN_OR_RETURN(auto reader, OpenParquet(storage, path, 16384));
  const auto& metadata = *reader->parquet_reader()->metadata();
  auto opened =
      reader->GetRecordBatchReader(WantedRowGroups(metadata), WantedLeaves(*metadata.schema()));
  if (!opened.ok()) return ParquetError(opened.status(), path);
  const auto batches = opened.MoveValueUnsafe();
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    SLUICE_RETURN_NOT_OK(ParquetError(batches->ReadNext(&batch), path));
    if (batch == nullptr) return Status::OK();
    SLUICE_RETURN_NOT_OK(CheckUsable(*batch, path));
    for (const ColumnReader& column : kColumns) {
      const auto array = batch->GetColumnByName(column.name);
      if (array == nullptr || array->null_count() == array->length()) continue;
      const Fields fields(static_cast<const arrow::StructArray*>(array.get()));
      for (int64_t row = 0; row < array->length(); ++row) {
        if (array->IsValid(row)) visit(column.read(fields, row));
      }
    }
  }
}

std::string SidecarPath(const std::string& table_path, const Sidecar& sidecar) {
  const std::string folder = storage::JoinPath(LogFolder(table_path), "_sidecars");
  const bool absolute = sidecar.path.find('/') != std::string::npos;
  return ResolvePath(absolute ? table_path : folder, sidecar.path);
}

}  // namespace

Result<std::vector<std::string>> ReadCheckpoint(storage::Storage& storage,
                                                const std::string& table_path,
                                                const CheckpointFiles& files, const Visit& visit) {
  std::vector<std::string> with_files;
  std::vector<std::string> sidecars;
  const Visit take = [&](Action action) {
    if (const auto* sidecar = std::get_if<Sidecar>(&action)) {
      sidecars.push_back(SidecarPath(table_path, *sidecar));
    } else {
      visit(std::move(action));
    }
  };
  for (const std::string& path : files.paths) {
    if (path.ends_with(".json")) {
      SLUICE_ASSIGN_OR_RETURN(const std::string text, storage.Read(path));
      SLUICE_RETURN_NOT_OK(VisitCommitJson(text, path, CommitContent::kAll,
                                           [&](Action&& action) { take(std::move(action)); }));
    } else {
      SLUICE_RETURN_NOT_OK(ReadParquetActions(storage, path, take));
      with_files.push_back(path);
    }
  }
  with_files.insert(with_files.end(), sidecars.begin(), sidecars.end());
  return with_files;
}

bool IsBrokenCheckpoint(const Status& status) {
  return HasCode(status, "DELTA_FILE_CORRUPT") || HasCode(status, "DELTA_FILE_NOT_FOUND") ||
         HasCode(status, "DELTA_LOG_CORRUPT") || HasCode(status, "STORAGE_NOT_FOUND");
}

Result<std::vector<std::string>> ReadSidecars(storage::Storage& storage,
                                              const std::string& table_path,
                                              const CheckpointFiles& files) {
  SLUICE_ASSIGN_OR_RETURN(auto paths, ReadCheckpoint(storage, table_path, files, [](Action) {}));
  std::erase_if(paths, [&](const std::string& path) {
    return std::find(files.paths.begin(), files.paths.end(), path) != files.paths.end();
  });
  return paths;
}

Result<int64_t> CountCheckpointRows(storage::Storage& storage, const std::string& table_path,
                                    const CheckpointFiles& files) {
  SLUICE_ASSIGN_OR_RETURN(std::vector<std::string> paths, ReadSidecars(storage, table_path, files));
  paths.insert(paths.end(), files.paths.begin(), files.paths.end());
  int64_t rows = 0;
  for (const std::string& path : paths) {
    if (path.ends_with(".json")) {
      SLUICE_ASSIGN_OR_RETURN(const std::string text, storage.Read(path));
      rows += std::count(text.begin(), text.end(), '\n') + 1;
    } else {
      SLUICE_ASSIGN_OR_RETURN(const auto reader, OpenParquet(storage, path, 1024));
      rows += reader->parquet_reader()->metadata()->num_rows();
    }
  }
  return rows;
}

}  // namespace sluice::delta
