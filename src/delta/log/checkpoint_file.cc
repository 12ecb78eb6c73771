#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/writer.h>

#include "delta/log/add_columns_internal.h"
#include "delta/log/checkpoint_file_internal.h"

namespace sluice::delta {
namespace {

// A row group of actions is kept in memory while it is filled.
constexpr int64_t kRowsPerBatch = 16384;
constexpr int kFileColumns = 2;  // add, remove

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

/// The columns of all actions, in the order of ColumnOf.
arrow::FieldVector ActionFields() {
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
  return {arrow::field("add", add),           arrow::field("remove", remove),
          arrow::field("txn", txn),           arrow::field("metaData", metadata),
          arrow::field("protocol", protocol), arrow::field("domainMetadata", domain)};
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
  if constexpr (std::is_same_v<T, AddFile>) return 0;
  if constexpr (std::is_same_v<T, RemoveFile>) return 1;
  if constexpr (std::is_same_v<T, Txn>) return 2;
  if constexpr (std::is_same_v<T, Metadata>) return 3;
  if constexpr (std::is_same_v<T, Protocol>) return 4;
  return 5;
}

}  // namespace

struct CheckpointFile::Impl {
  std::shared_ptr<arrow::Schema> schema;
  std::unique_ptr<arrow::RecordBatchBuilder> builder;
  std::shared_ptr<arrow::io::BufferOutputStream> sink;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
  int64_t rows_in_batch = 0;

  Status Begin() {
    SLUICE_ASSIGN_OR_RETURN(builder, arrow::RecordBatchBuilder::Make(
                                         schema, arrow::default_memory_pool(), kRowsPerBatch));
    SLUICE_ASSIGN_OR_RETURN(sink, arrow::io::BufferOutputStream::Create(1 << 16));
    parquet::WriterProperties::Builder properties;
    properties.compression(parquet::Compression::SNAPPY)->max_row_group_length(kRowsPerBatch);
    // A dictionary of what never repeats is built to be thrown away; bounds of statistics say
    // nothing.
    for (const char* column : {"add.path", "add.stats", "add.size", "add.modificationTime"})
      properties.disable_dictionary(column);
    properties.disable_statistics("add.stats");
    SLUICE_ASSIGN_OR_RETURN(
        writer, parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), sink,
                                                 properties.build()));
    return Status::OK();
  }

  Status Flush() {
    if (rows_in_batch == 0) return Status::OK();
    rows_in_batch = 0;
    SLUICE_ASSIGN_OR_RETURN(const auto batch, builder->Flush());
    return writer->WriteRecordBatch(*batch);
  }

  Status AppendRows(const std::shared_ptr<arrow::StructArray>& adds,
                    const std::vector<int32_t>& rows) {
    if (writer == nullptr) SLUICE_RETURN_NOT_OK(Begin());
    SLUICE_RETURN_NOT_OK(Flush());
    const auto count = static_cast<int64_t>(rows.size());
    arrow::ArrayVector columns;
    for (const auto& field : schema->fields()) {
      SLUICE_ASSIGN_OR_RETURN(auto column, columns.empty()
                                               ? PassOn(adds, rows, field->type())
                                               : arrow::MakeArrayOfNull(field->type(), count));
      columns.push_back(std::move(column));
    }
    return writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, count, std::move(columns)));
  }

  template <typename T>
  Status Append(const T& action) {
    if (writer == nullptr) SLUICE_RETURN_NOT_OK(Begin());
    StructAppender row(builder->GetField(ColumnOf<T>()));
    Fill(action, &row);
    SLUICE_RETURN_NOT_OK(row.status());
    for (int i = 0; i < schema->num_fields(); ++i) {
      if (i != ColumnOf<T>()) SLUICE_RETURN_NOT_OK(builder->GetField(i)->AppendNull());
    }
    return ++rows_in_batch == kRowsPerBatch ? Flush() : Status::OK();
  }
};

CheckpointFile::CheckpointFile(Content content) : impl_(std::make_unique<Impl>()) {
  arrow::FieldVector fields = ActionFields();
  if (content == Content::kFiles) fields.resize(kFileColumns);
  impl_->schema = arrow::schema(fields);
}
CheckpointFile::~CheckpointFile() = default;

Status CheckpointFile::Add(const Action& action) {
  ++rows_;
  return std::visit(
      [this](const auto& typed) -> Status {
        using T = std::decay_t<decltype(typed)>;
        if constexpr (std::is_same_v<T, AddFile> || std::is_same_v<T, RemoveFile> ||
                      std::is_same_v<T, Txn> || std::is_same_v<T, Metadata> ||
                      std::is_same_v<T, Protocol> || std::is_same_v<T, DomainMetadata>) {
          return impl_->Append(typed);
        } else {
          return MakeError("INTERNAL_ERROR", "an action that checkpoints do not have");
        }
      },
      action);
}

Status CheckpointFile::Add(const AddFile& file) {
  ++rows_;
  return impl_->Append(file);
}
Status CheckpointFile::Add(const RemoveFile& file) {
  ++rows_;
  return impl_->Append(file);
}

bool CheckpointFile::TakesRows(const arrow::StructArray& adds) const {
  return CanPassOn(adds, *impl_->schema->field(ColumnOf<AddFile>())->type());
}

Status CheckpointFile::AddRows(const std::shared_ptr<arrow::StructArray>& adds,
                               const std::vector<int32_t>& rows) {
  rows_ += static_cast<int64_t>(rows.size());
  return impl_->AppendRows(adds, rows);
}

Result<std::shared_ptr<arrow::Buffer>> CheckpointFile::Finish() {
  if (impl_->writer == nullptr) SLUICE_RETURN_NOT_OK(impl_->Begin());
  SLUICE_RETURN_NOT_OK(impl_->Flush());
  SLUICE_RETURN_NOT_OK(impl_->writer->Close());
  SLUICE_ASSIGN_OR_RETURN(auto buffer, impl_->sink->Finish());
  impl_->writer.reset();
  rows_ = 0;
  return buffer;
}

}  // namespace sluice::delta
