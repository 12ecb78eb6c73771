#include "delta/files/parquet_writer.h"

#include <arrow/extension_type.h>
#include <arrow/io/buffered.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>

#include <algorithm>
#include <utility>

#include "base/workers.h"
#include "delta/columns/adapt_columns.h"
#include "delta/columns/column_mapping.h"
#include "delta/files/column_encoding_internal.h"
#include "delta/files/partition_split.h"
#include "delta/protocol/file_statistics.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/write_properties.h"

namespace sluice::delta {
namespace {

// The encoder writes page headers and the footer in pieces of some bytes: gathered into writes of
// this size. Pages above it pass by.
constexpr int64_t kWriteBufferBytes = 64 << 10;

/// Bytes of the values of `array` (not of the buffers it shares with others).
int64_t ValueBytes(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return static_cast<const arrow::BinaryArray&>(array).total_values_length() +
             array.length() * 4;
    case arrow::Type::STRUCT: {
      int64_t bytes = 0;
      for (const auto& field : static_cast<const arrow::StructArray&>(array).fields())
        bytes += ValueBytes(*field);
      return bytes;
    }
    case arrow::Type::LIST:
    case arrow::Type::MAP: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      const int64_t begin = list.value_offset(0);
      return ValueBytes(*list.values()->Slice(begin, list.value_offset(list.length()) - begin)) +
             array.length() * 4;
    }
    case arrow::Type::BOOL: return array.length() / 8;
    default: return array.length() * array.type()->byte_width();
  }
}

int64_t ValueBytes(const arrow::RecordBatch& rows) {
  int64_t bytes = 0;
  for (const auto& column : rows.columns()) bytes += ValueBytes(*column);
  return bytes;
}

std::string CodecExtension(const std::string& codec) {
  if (codec == "none" || codec == "uncompressed") return "";
  return "." + (codec == "lz4_raw" ? std::string("lz4") : codec);
}

/// A partition column that is text comes back with null for the empty string.
Result<std::shared_ptr<arrow::Array>> EmptyToNull(const std::shared_ptr<arrow::Array>& column) {
  const auto& text = static_cast<const arrow::StringArray&>(*column);
  bool any_empty = false;
  for (int64_t i = 0; i < text.length() && !any_empty; ++i)
    any_empty = text.IsValid(i) && text.value_length(i) == 0;
  if (!any_empty) return column;
  arrow::StringBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(text.length()));
  for (int64_t i = 0; i < text.length(); ++i) {
    const bool null = text.IsNull(i) || text.value_length(i) == 0;
    SLUICE_RETURN_NOT_OK(null ? builder.AppendNull() : builder.Append(text.GetView(i)));
  }
  return builder.Finish();
}

/// `type` with variants as the pairs of bytes they are in files.
std::shared_ptr<arrow::DataType> StoredType(const std::shared_ptr<arrow::DataType>& type) {
  const auto stored = [](const std::shared_ptr<arrow::Field>& field) {
    return field->WithType(StoredType(field->type()));
  };
  switch (type->id()) {
    case arrow::Type::EXTENSION: {
      const auto& pair = *static_cast<const arrow::ExtensionType&>(*type).storage_type();
      return arrow::struct_(
          {pair.field(0)->WithNullable(false), pair.field(1)->WithNullable(false)});
    }
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) fields.push_back(stored(field));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST: return arrow::list(stored(type->field(0)));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(stored(map.key_field()), stored(map.item_field()));
    }
    default: return type;
  }
}

Status WriteFailed(const Status& status, const std::string& path) {
  if (status.ok() || status.detail() != nullptr) return status;
  return MakeError("STORAGE_IO", "cannot write " + path + ": " + status.message(), "",
                   Retry::kLater);
}

}  // namespace

/// One Parquet file in the making.
class DataFileWriter::OpenFile {
 public:
  OpenFile(const DataFileWriter& owner, std::string path, std::string log_path,
           PartitionValues values)
      : owner_(owner),
        path_(std::move(path)),
        properties_(WritePropertiesOf(owner.snapshot_->metadata().configuration)),
        statistics_(TableFields(owner), owner.snapshot_->properties().num_indexed_columns,
                    PhysicalPaths(*owner.snapshot_->schema(), properties_.stats_columns)) {
    add_.path = std::move(log_path);
    add_.partition_values = std::move(values);
    add_.data_change = owner.options_.data_change;
  }

  /// Keeps the batch until a row group is full: columns are then encoded one after the other
  /// straight into the file, which costs far less memory traffic than keeping the encoded pages of
  /// all columns.
  Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) {
    Keep(rows, ValueBytes(*rows));
    return GroupIsFull() ? WriteRowGroup() : Status::OK();
  }

  /// Keeps the batch until Close.
  void Keep(const std::shared_ptr<arrow::RecordBatch>& rows, int64_t bytes) {
    pending_bytes_ += bytes;
    pending_rows_ += rows->num_rows();
    pending_.push_back(rows);
  }
  int64_t pending_bytes() const { return pending_bytes_; }

  bool Full() const {
    if (sink_ == nullptr) return false;
    if (statistics_.num_rows() + pending_rows_ >= owner_.options_.max_file_rows) return true;
    const auto position = sink_->Tell();
    return position.ok() && *position >= owner_.options_.max_file_bytes;
  }

  Result<AddFile> Close() {
    SLUICE_RETURN_NOT_OK(WritePending());
    try {
      SLUICE_RETURN_NOT_OK(WriteFailed(writer_->Close(), path_));
      SLUICE_ASSIGN_OR_RETURN(add_.size, sink_->Tell());
      SLUICE_RETURN_NOT_OK(sink_->Close());
      add_.stats = statistics_.ToJson(*writer_->metadata());
    } catch (const parquet::ParquetException& error) {
      return WriteFailed(Status::IOError(error.what()), path_);
    }
    add_.modification_time_ms = owner_.table_.clock().NowMicros() / 1000;
    return std::move(add_);
  }

  /// Lets go of the stream without syncing it.
  void Abandon() {
    if (sink_ != nullptr && !sink_->closed()) (void)sink_->Abort();
  }

 private:
  /// Columns with statistics: the table's, variants as such.
  static std::shared_ptr<arrow::Schema> TableFields(const DataFileWriter& owner) {
    arrow::FieldVector fields;
    for (const int column : owner.file_columns_)
      fields.push_back(PhysicalField(*owner.snapshot_->schema()->field(column)));
    return arrow::schema(std::move(fields));
  }

  bool GroupIsFull() const {
    return pending_bytes_ >= owner_.options_.max_row_group_bytes ||
           pending_rows_ >= owner_.options_.max_row_group_rows;
  }

  /// As many row groups as the pending rows fill, and the rest.
  Status WritePending() {
    const arrow::RecordBatchVector all = std::exchange(pending_, {});
    pending_bytes_ = 0;
    pending_rows_ = 0;
    for (const auto& rows : all) SLUICE_RETURN_NOT_OK(Write(rows));
    return WriteRowGroup();
  }

  Status WriteRowGroup() {
    if (pending_.empty()) return Status::OK();
    for (const auto& rows : pending_) statistics_.Update(*rows);
    try {
      if (writer_ == nullptr) SLUICE_RETURN_NOT_OK(Open(*pending_.front()));
      SLUICE_ASSIGN_OR_RETURN(const auto table,
                              arrow::Table::FromRecordBatches(owner_.file_schema_, pending_));
      SLUICE_RETURN_NOT_OK(
          WriteFailed(writer_->WriteTable(*table, owner_.options_.max_row_group_rows), path_));
    } catch (const parquet::ParquetException& error) {
      return WriteFailed(Status::IOError(error.what()), path_);
    }
    pending_.clear();
    pending_bytes_ = 0;
    pending_rows_ = 0;
    return Status::OK();
  }

  Status Open(const arrow::RecordBatch& first_rows) {
    SLUICE_ASSIGN_OR_RETURN(auto file, owner_.table_.storage().OpenOutput(path_));
    SLUICE_ASSIGN_OR_RETURN(sink_,
                            arrow::io::BufferedOutputStream::Create(
                                kWriteBufferBytes, arrow::default_memory_pool(), std::move(file)));
    SLUICE_ASSIGN_OR_RETURN(
        const auto properties,
        ChooseEncodings(first_rows, owner_.options_.compression_codec,
                        owner_.options_.max_row_group_rows, properties_.parquet_format));
    auto writer =
        parquet::arrow::FileWriter::Open(*owner_.file_schema_, arrow::default_memory_pool(), sink_,
                                         properties, parquet::default_arrow_writer_properties());
    if (!writer.ok()) return WriteFailed(writer.status(), path_);
    writer_ = writer.MoveValueUnsafe();
    return Status::OK();
  }

  const DataFileWriter& owner_;
  const std::string path_;
  AddFile add_;
  const WriteProperties properties_;
  FileStatistics statistics_;
  std::shared_ptr<arrow::io::OutputStream> sink_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  arrow::RecordBatchVector pending_;  // rows of the next row group
  int64_t pending_bytes_ = 0;
  int64_t pending_rows_ = 0;
};

DataFileWriter::DataFileWriter(Table& table, std::shared_ptr<const Snapshot> snapshot,
                               const DataFileOptions& options)
    : table_(table), snapshot_(std::move(snapshot)), options_(options) {
  if (options_.compression_codec.empty())
    options_.compression_codec = snapshot_->properties().compression_codec;
}

Result<std::unique_ptr<DataFileWriter>> DataFileWriter::Make(
    Table& table, std::shared_ptr<const Snapshot> snapshot, const DataFileOptions& options) {
  std::unique_ptr<DataFileWriter> writer(new DataFileWriter(table, std::move(snapshot), options));
  SLUICE_RETURN_NOT_OK(CodecOf(writer->options_.compression_codec).status());
  const arrow::Schema& schema = *writer->snapshot_->schema();
  const auto& partitions = writer->snapshot_->partition_columns();
  for (const std::string& column : partitions) {
    writer->partition_columns_.push_back(schema.GetFieldIndex(column));
    if (writer->partition_columns_.back() < 0) {
      return MakeError("DELTA_SCHEMA_MISMATCH", "partition column is not in the schema: " + column);
    }
  }
  const bool all_columns =
      writer->snapshot_->protocol().HasWriterFeature("materializePartitionColumns");
  arrow::FieldVector fields;
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (!all_columns && std::find(partitions.begin(), partitions.end(), schema.field(i)->name()) !=
                            partitions.end())
      continue;
    const auto field = PhysicalField(*schema.field(i));
    fields.push_back(field->WithType(StoredType(field->type())));
    writer->file_columns_.push_back(i);
  }
  for (const auto& field : options.extra_fields) fields.push_back(field);
  writer->file_schema_ = arrow::schema(std::move(fields));
  return writer;
}

DataFileWriter::~DataFileWriter() {
  if (!done_) Abort();
}

Status DataFileWriter::Write(const std::shared_ptr<arrow::RecordBatch>& rows) {
  if (rows->num_rows() == 0) return Status::OK();
  auto table_rows = rows;
  for (size_t i = 0; i < options_.extra_fields.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(table_rows, table_rows->RemoveColumn(table_rows->num_columns() - 1));
  }
  SLUICE_ASSIGN_OR_RETURN(const auto adapted, AdaptRows(table_rows, snapshot_->schema()));
  arrow::ArrayVector columns;
  for (const int column : file_columns_) {
    const auto& type = file_schema_->field(static_cast<int>(columns.size()))->type();
    const auto& array = adapted->column(column);
    columns.push_back(type->num_fields() == 0 ? array : Relabelled(array, type));
  }
  for (int i = table_rows->num_columns(); i < rows->num_columns(); ++i)
    columns.push_back(rows->column(i));
  const auto file_rows =
      arrow::RecordBatch::Make(file_schema_, adapted->num_rows(), std::move(columns));
  if (partition_columns_.empty()) {
    SLUICE_RETURN_NOT_OK(WriteGroup({}, 0, file_rows));
  } else {
    arrow::ArrayVector keys;
    for (const int column : partition_columns_) keys.push_back(adapted->column(column));
    SLUICE_ASSIGN_OR_RETURN(const auto groups, SplitByPartition(file_rows, keys));
    for (const PartitionGroup& group : groups)
      SLUICE_RETURN_NOT_OK(WriteGroup(keys, group.first_row, group.rows));
  }
  rows_written_ += rows->num_rows();
  return Status::OK();
}

Status DataFileWriter::WriteGroup(const arrow::ArrayVector& keys, int64_t key_row,
                                  const std::shared_ptr<arrow::RecordBatch>& rows) {
  PartitionValues values;
  std::string folder = options_.folder;
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string& column = snapshot_->partition_columns()[i];
    SLUICE_ASSIGN_OR_RETURN(const auto scalar, keys[i]->GetScalar(key_row));
    SLUICE_ASSIGN_OR_RETURN(auto value, PartitionValueToString(*scalar));
    folder += HiveFolder(column, value) + "/";
    values.emplace(PhysicalName(*snapshot_->schema()->field(partition_columns_[i])),
                   std::move(value));
  }
  SLUICE_ASSIGN_OR_RETURN(OpenFile* const file, FileFor(folder, std::move(values)));
  if (options_.workers == nullptr) {
    SLUICE_RETURN_NOT_OK(file->Write(rows));
    return file->Full() ? CloseFile(folder) : Status::OK();
  }
  const int64_t bytes = ValueBytes(*rows);
  file->Keep(rows, bytes);
  kept_bytes_ += bytes;
  if (file->pending_bytes() >= options_.split_bytes) {
    full_.push_back(std::move(open_[folder]));
    open_.erase(folder);
  }
  return kept_bytes_ >= options_.max_pending_bytes ? CloseKept() : Status::OK();
}

Status DataFileWriter::CloseKept() {
  std::vector<std::unique_ptr<OpenFile>> files = std::exchange(full_, {});
  for (auto& [folder, file] : open_) files.push_back(std::move(file));
  open_.clear();
  kept_bytes_ = 0;
  const size_t before = finished_.size();
  finished_.resize(before + files.size());
  const Status closed = options_.workers->Run(files.size(), [&](size_t i) {
    SLUICE_ASSIGN_OR_RETURN(finished_[before + i], files[i]->Close());
    files[i].reset();
    return Status::OK();
  });
  for (auto& file : files) {
    if (file != nullptr) file->Abandon();
  }
  return closed;
}

Result<DataFileWriter::OpenFile*> DataFileWriter::FileFor(const std::string& folder,
                                                          PartitionValues values) {
  if (const auto it = open_.find(folder); it != open_.end()) return it->second.get();
  if (options_.workers == nullptr && open_.size() >= options_.max_open_partitions)
    SLUICE_RETURN_NOT_OK(CloseFile(open_.begin()->first));
  const std::string name =
      folder + "part-" + table_.NewUuid() + CodecExtension(options_.compression_codec) + ".parquet";
  paths_.push_back(storage::JoinPath(table_.path(), name));
  auto& slot = open_[folder];
  slot = std::make_unique<OpenFile>(*this, paths_.back(), EncodePath(name), std::move(values));
  return slot.get();
}

Status DataFileWriter::CloseFile(const std::string& folder) {
  const auto it = open_.find(folder);
  SLUICE_ASSIGN_OR_RETURN(AddFile add, it->second->Close());
  open_.erase(it);
  finished_.push_back(std::move(add));
  return Status::OK();
}

Result<std::vector<AddFile>> DataFileWriter::Finish() {
  if (options_.workers != nullptr) SLUICE_RETURN_NOT_OK(CloseKept());
  while (!open_.empty()) {
    const std::string folder = open_.begin()->first;
    SLUICE_RETURN_NOT_OK(CloseFile(folder));
  }
  done_ = true;
  return std::move(finished_);
}

void DataFileWriter::Abort() {
  done_ = true;
  for (auto& [folder, file] : open_) file->Abandon();
  open_.clear();
  full_.clear();
  // What cannot be deleted is left to VACUUM: no commit names it.
  for (const std::string& path : paths_) (void)table_.storage().Delete(path);
}

Result<std::shared_ptr<arrow::RecordBatch>> AsTableReturns(
    const std::shared_ptr<arrow::RecordBatch>& rows, const Snapshot& snapshot) {
  SLUICE_ASSIGN_OR_RETURN(auto adapted, AdaptRows(rows, snapshot.schema()));
  for (const std::string& name : snapshot.partition_columns()) {
    const int index = adapted->schema()->GetFieldIndex(name);
    const auto column = adapted->column(index);
    if (column->type_id() != arrow::Type::STRING) continue;
    SLUICE_ASSIGN_OR_RETURN(const auto replaced, EmptyToNull(column));
    if (replaced == column) continue;
    SLUICE_ASSIGN_OR_RETURN(adapted,
                            adapted->SetColumn(index, adapted->schema()->field(index), replaced));
  }
  return adapted;
}

}  // namespace sluice::delta
