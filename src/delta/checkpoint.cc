#include "delta/checkpoint.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/writer.h>

#include "delta/action_json.h"
#include "delta/log_segment.h"

namespace sluice::delta {
namespace {

// A checkpoint above this many actions is written in parts: each part is encoded in memory and put
// in place at once, so that no reader ever meets half a file.
constexpr int64_t kActionsPerPart = 200000;
constexpr int64_t kRowsPerBatch = 16384;

std::shared_ptr<arrow::DataType> MapType() { return arrow::map(arrow::utf8(), arrow::utf8()); }
std::shared_ptr<arrow::DataType> ListType() {
  return arrow::list(arrow::field("element", arrow::utf8()));
}

std::shared_ptr<arrow::DataType> VectorType() {
  return arrow::struct_(
      {arrow::field("storageType", arrow::utf8()), arrow::field("pathOrInlineDv", arrow::utf8()),
       arrow::field("offset", arrow::int32()), arrow::field("sizeInBytes", arrow::int32()),
       arrow::field("cardinality", arrow::int64())});
}

std::shared_ptr<arrow::Schema> CheckpointSchema() {
  const auto i64 = arrow::int64();
  const auto text = arrow::utf8();
  const auto flag = arrow::boolean();
  const auto txn = arrow::struct_({arrow::field("appId", text), arrow::field("version", i64),
                                   arrow::field("lastUpdated", i64)});
  const auto add =
      arrow::struct_({arrow::field("path", text), arrow::field("partitionValues", MapType()),
                      arrow::field("size", i64), arrow::field("modificationTime", i64),
                      arrow::field("dataChange", flag), arrow::field("tags", MapType()),
                      arrow::field("deletionVector", VectorType()), arrow::field("baseRowId", i64),
                      arrow::field("defaultRowCommitVersion", i64),
                      arrow::field("clusteringProvider", text), arrow::field("stats", text)});
  const auto remove =
      arrow::struct_({arrow::field("path", text), arrow::field("deletionTimestamp", i64),
                      arrow::field("dataChange", flag), arrow::field("extendedFileMetadata", flag),
                      arrow::field("partitionValues", MapType()), arrow::field("size", i64),
                      arrow::field("deletionVector", VectorType()), arrow::field("baseRowId", i64),
                      arrow::field("defaultRowCommitVersion", i64)});
  const auto format =
      arrow::struct_({arrow::field("provider", text), arrow::field("options", MapType())});
  const auto metadata = arrow::struct_(
      {arrow::field("id", text), arrow::field("name", text), arrow::field("description", text),
       arrow::field("format", format), arrow::field("schemaString", text),
       arrow::field("partitionColumns", ListType()), arrow::field("configuration", MapType()),
       arrow::field("createdTime", i64)});
  const auto protocol = arrow::struct_({arrow::field("minReaderVersion", arrow::int32()),
                                        arrow::field("minWriterVersion", arrow::int32()),
                                        arrow::field("readerFeatures", ListType()),
                                        arrow::field("writerFeatures", ListType())});
  const auto domain =
      arrow::struct_({arrow::field("domain", text), arrow::field("configuration", text),
                      arrow::field("removed", flag)});
  return arrow::schema({arrow::field("txn", txn), arrow::field("add", add),
                        arrow::field("remove", remove), arrow::field("metaData", metadata),
                        arrow::field("protocol", protocol),
                        arrow::field("domainMetadata", domain)});
}

/// Appends the fields of one struct value in the order of its type.
class StructAppender {
 public:
  explicit StructAppender(arrow::ArrayBuilder* builder)
      : builder_(static_cast<arrow::StructBuilder*>(builder)) {
    status_ = builder_->Append();
  }
  void Text(const std::string& value) { Append<arrow::StringBuilder>(value); }
  void Text(const std::optional<std::string>& value) { Optional<arrow::StringBuilder>(value); }
  void NonEmpty(const std::string& value) {
    if (value.empty()) {
      Null();
    } else {
      Text(value);
    }
  }
  void Int(int64_t value) { Append<arrow::Int64Builder>(value); }
  void Int(const std::optional<int64_t>& value) { Optional<arrow::Int64Builder>(value); }
  void Int32(int32_t value) { Append<arrow::Int32Builder>(value); }
  void Int32(const std::optional<int32_t>& value) { Optional<arrow::Int32Builder>(value); }
  void Bool(bool value) { Append<arrow::BooleanBuilder>(value); }
  void Null() { Check(Next()->AppendNull()); }

  template <typename AnyMap>
  void Map(const AnyMap& values) {
    auto* map = static_cast<arrow::MapBuilder*>(Next());
    Check(map->Append());
    auto* keys = static_cast<arrow::StringBuilder*>(map->key_builder());
    auto* items = static_cast<arrow::StringBuilder*>(map->item_builder());
    for (const auto& [key, value] : values) {
      Check(keys->Append(key));
      AppendItem(items, value);
    }
  }
  void Strings(const std::optional<std::vector<std::string>>& values) {
    if (!values.has_value()) return Null();
    auto* list = static_cast<arrow::ListBuilder*>(Next());
    Check(list->Append());
    auto* items = static_cast<arrow::StringBuilder*>(list->value_builder());
    for (const std::string& value : *values) Check(items->Append(value));
  }
  void Vector(const std::optional<DeletionVectorDescriptor>& vector) {
    if (!vector.has_value()) return Null();
    StructAppender inner(Next());
    inner.Text(std::string(1, vector->storage_type));
    inner.Text(vector->path_or_inline);
    inner.Int32(vector->offset);
    inner.Int32(vector->size_in_bytes);
    inner.Int(vector->cardinality);
    Check(inner.status());
  }
  arrow::ArrayBuilder* Next() { return builder_->field_builder(next_++); }
  void Check(const Status& status) {
    if (status_.ok()) status_ = status;
  }
  const Status& status() const { return status_; }

 private:
  template <typename Builder, typename T>
  void Append(const T& value) {
    Check(static_cast<Builder*>(Next())->Append(value));
  }
  template <typename Builder, typename T>
  void Optional(const std::optional<T>& value) {
    if (value.has_value()) {
      Append<Builder>(*value);
    } else {
      Null();
    }
  }
  void AppendItem(arrow::StringBuilder* items, const std::string& value) {
    Check(items->Append(value));
  }
  void AppendItem(arrow::StringBuilder* items, const std::optional<std::string>& value) {
    Check(value.has_value() ? items->Append(*value) : items->AppendNull());
  }

  arrow::StructBuilder* builder_;
  int next_ = 0;
  Status status_;
};

void Fill(const Txn& txn, StructAppender* row) {
  row->Text(txn.app_id);
  row->Int(txn.version);
  row->Int(txn.last_updated_ms);
}

void Fill(const AddFile& add, StructAppender* row) {
  row->Text(add.path);
  row->Map(add.partition_values);
  row->Int(add.size);
  row->Int(add.modification_time_ms);
  row->Bool(false);  // a checkpoint changes nothing
  row->Map(add.tags);
  row->Vector(add.deletion_vector);
  row->Int(add.base_row_id);
  row->Int(add.default_row_commit_version);
  row->Text(add.clustering_provider);
  row->NonEmpty(add.stats);
}

void Fill(const RemoveFile& remove, StructAppender* row) {
  row->Text(remove.path);
  row->Int(remove.deletion_timestamp_ms);
  row->Bool(false);
  row->Bool(remove.extended_file_metadata);
  if (remove.extended_file_metadata) {
    row->Map(remove.partition_values);
  } else {
    row->Null();
  }
  row->Int(remove.size);
  row->Vector(remove.deletion_vector);
  row->Int(remove.base_row_id);
  row->Int(remove.default_row_commit_version);
}

void Fill(const Metadata& metadata, StructAppender* row) {
  row->Text(metadata.id);
  row->Text(metadata.name);
  row->Text(metadata.description);
  StructAppender format(row->Next());
  format.Text(metadata.format_provider);
  format.Map(metadata.format_options);
  row->Check(format.status());
  row->Text(metadata.schema_string);
  row->Strings(metadata.partition_columns);
  row->Map(metadata.configuration);
  row->Int(metadata.created_time_ms);
}

void Fill(const Protocol& protocol, StructAppender* row) {
  row->Int32(protocol.min_reader_version);
  row->Int32(protocol.min_writer_version);
  row->Strings(protocol.reader_features);
  row->Strings(protocol.writer_features);
}

void Fill(const DomainMetadata& domain, StructAppender* row) {
  row->Text(domain.domain);
  row->Text(domain.configuration);
  row->Bool(domain.removed);
}

template <typename T>
constexpr int ColumnOf() {
  if constexpr (std::is_same_v<T, Txn>) return 0;
  if constexpr (std::is_same_v<T, AddFile>) return 1;
  if constexpr (std::is_same_v<T, RemoveFile>) return 2;
  if constexpr (std::is_same_v<T, Metadata>) return 3;
  if constexpr (std::is_same_v<T, Protocol>) return 4;
  return 5;
}

/// Encodes actions into the parts of a checkpoint and puts each part in place when it is full.
class CheckpointWriter {
 public:
  CheckpointWriter(storage::Storage& storage, const Snapshot& snapshot, int64_t actions)
      : storage_(storage),
        snapshot_(snapshot),
        parts_((actions + kActionsPerPart - 1) / kActionsPerPart) {}

  template <typename T>
  void Write(const T& action) {
    if (!status_.ok()) return;
    status_ = WriteOne(action);
  }
  const Status& status() const { return status_; }
  int64_t parts() const { return parts_; }
  int64_t bytes() const { return bytes_; }

  Status Finish() {
    SLUICE_RETURN_NOT_OK(status_);
    return FinishPart();
  }

 private:
  template <typename T>
  Status WriteOne(const T& action) {
    if (rows_in_part_ == kActionsPerPart) SLUICE_RETURN_NOT_OK(FinishPart());
    if (builder_ == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(builder_, arrow::RecordBatchBuilder::Make(
                                            schema_, arrow::default_memory_pool(), kRowsPerBatch));
    }
    StructAppender row(builder_->GetField(ColumnOf<T>()));
    Fill(action, &row);
    SLUICE_RETURN_NOT_OK(row.status());
    for (int i = 0; i < schema_->num_fields(); ++i) {
      if (i != ColumnOf<T>()) SLUICE_RETURN_NOT_OK(builder_->GetField(i)->AppendNull());
    }
    ++rows_in_part_;
    return ++rows_in_batch_ == kRowsPerBatch ? FlushBatch() : Status::OK();
  }

  Status FlushBatch() {
    if (rows_in_batch_ == 0) return Status::OK();
    rows_in_batch_ = 0;
    SLUICE_ASSIGN_OR_RETURN(const auto batch, builder_->Flush());
    if (writer_ == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(sink_, arrow::io::BufferOutputStream::Create(1 << 16));
      const auto properties = parquet::WriterProperties::Builder()
                                  .compression(parquet::Compression::SNAPPY)
                                  ->max_row_group_length(kRowsPerBatch * 4)
                                  ->build();
      SLUICE_ASSIGN_OR_RETURN(
          writer_, parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(), sink_,
                                                    properties));
    }
    return writer_->WriteRecordBatch(*batch);
  }

  Status FinishPart() {
    SLUICE_RETURN_NOT_OK(FlushBatch());
    if (writer_ == nullptr) return Status::OK();
    SLUICE_RETURN_NOT_OK(writer_->Close());
    SLUICE_ASSIGN_OR_RETURN(const auto buffer, sink_->Finish());
    writer_.reset();
    rows_in_part_ = 0;
    ++part_;
    bytes_ += buffer->size();
    return storage_.Put(PartPath(), std::string_view(*buffer));
  }

  std::string PartPath() const {
    const std::string whole = CheckpointPath(snapshot_.table_path(), snapshot_.version());
    if (parts_ <= 1) return whole;
    char name[40];
    std::snprintf(name, sizeof(name), "%010lld.%010lld.parquet", static_cast<long long>(part_),
                  static_cast<long long>(parts_));
    return whole.substr(0, whole.size() - std::string_view("parquet").size()) + name;
  }

  storage::Storage& storage_;
  const Snapshot& snapshot_;
  const int64_t parts_;
  const std::shared_ptr<arrow::Schema> schema_ = CheckpointSchema();
  std::unique_ptr<arrow::RecordBatchBuilder> builder_;
  std::shared_ptr<arrow::io::BufferOutputStream> sink_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t rows_in_batch_ = 0;
  int64_t rows_in_part_ = 0;
  int64_t part_ = 0;
  int64_t bytes_ = 0;
  Status status_;
};

bool Expired(const Txn& txn, int64_t before_ms) {
  return txn.last_updated_ms.has_value() && *txn.last_updated_ms < before_ms;
}

}  // namespace

Status WriteCheckpoint(storage::Storage& storage, const Snapshot& snapshot, int64_t now_ms) {
  const TableProperties& properties = snapshot.properties();
  const int64_t tombstones_before = now_ms - properties.deleted_file_retention_ms;
  const int64_t txns_before =
      properties.txn_retention_ms < 0 ? INT64_MIN : now_ms - properties.txn_retention_ms;
  std::vector<const RemoveFile*> tombstones;  // pointers into the snapshot
  snapshot.ForEachTombstone([&](const RemoveFile& remove) {
    if (remove.deletion_timestamp_ms.value_or(0) >= tombstones_before)
      tombstones.push_back(&remove);
  });
  std::vector<const Txn*> txns;
  for (const auto& [app_id, txn] : snapshot.txns()) {
    if (!Expired(txn, txns_before)) txns.push_back(&txn);
  }
  const int64_t actions =
      2 +
      static_cast<int64_t>(txns.size() + snapshot.domain_metadata().size() + tombstones.size()) +
      snapshot.num_files();
  CheckpointWriter writer(storage, snapshot, actions);
  writer.Write(snapshot.protocol());
  writer.Write(snapshot.metadata());
  for (const Txn* txn : txns) writer.Write(*txn);
  for (const auto& [name, domain] : snapshot.domain_metadata()) writer.Write(domain);
  for (const RemoveFile* remove : tombstones) writer.Write(*remove);
  snapshot.ForEachFile([&](const std::shared_ptr<const AddFile>& file) { writer.Write(*file); });
  SLUICE_RETURN_NOT_OK(WithContext(writer.Finish(), "checkpoint of " + snapshot.table_path()));

  std::string hint =
      "{\"version\":" + snapshot.version().ToString() + ",\"size\":" + std::to_string(actions);
  if (writer.parts() > 1) hint += ",\"parts\":" + std::to_string(writer.parts());
  hint += ",\"sizeInBytes\":" + std::to_string(writer.bytes()) +
          ",\"numOfAddFiles\":" + std::to_string(snapshot.num_files()) + "}";
  return storage.Put(LastCheckpointPath(snapshot.table_path()), hint);
}

}  // namespace sluice::delta
