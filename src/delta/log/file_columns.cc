#include "delta/log/file_columns.h"

namespace sluice::delta {
namespace {

const arrow::Array* ChildOf(const arrow::Array* array, const char* name) {
  if (array == nullptr || array->type_id() != arrow::Type::STRUCT) return nullptr;
  const auto* fields = static_cast<const arrow::StructArray*>(array);
  const int index = fields->struct_type()->GetFieldIndex(name);
  return index < 0 ? nullptr : fields->field(index).get();
}

std::vector<int32_t> ValidRows(const arrow::Array& array) {
  std::vector<int32_t> rows;
  if (array.null_count() == 0) return rows;
  rows.reserve(static_cast<size_t>(array.length() - array.null_count()));
  for (int64_t row = 0; row < array.length(); ++row) {
    if (array.IsValid(row)) rows.push_back(static_cast<int32_t>(row));
  }
  return rows;
}

}  // namespace

std::optional<std::string_view> FileColumns::Texts::At(int64_t row) const {
  if (array_ == nullptr || array_->IsNull(row)) return std::nullopt;
  switch (array_->type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY: return static_cast<const arrow::BinaryArray*>(array_)->GetView(row);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return static_cast<const arrow::LargeBinaryArray*>(array_)->GetView(row);
    case arrow::Type::DICTIONARY: {
      const auto* encoded = static_cast<const arrow::DictionaryArray*>(array_);
      return Texts(encoded->dictionary().get()).At(encoded->GetValueIndex(row));
    }
    default: return std::nullopt;
  }
}

void FileColumns::Texts::Read(int64_t row, std::string* text) const {
  const auto value = At(row);
  if (value.has_value()) {
    text->assign(*value);
  } else {
    text->clear();
  }
}

std::optional<int64_t> FileColumns::Ints::At(int64_t row) const {
  if (array_ == nullptr || array_->IsNull(row)) return std::nullopt;
  switch (array_->type_id()) {
    case arrow::Type::INT64: return static_cast<const arrow::Int64Array*>(array_)->Value(row);
    case arrow::Type::INT32: return static_cast<const arrow::Int32Array*>(array_)->Value(row);
    default: return std::nullopt;
  }
}

FileColumns::Flags::Flags(const arrow::Array* array)
    : array_(array == nullptr || array->type_id() != arrow::Type::BOOL
                 ? nullptr
                 : static_cast<const arrow::BooleanArray*>(array)) {}

bool FileColumns::Flags::At(int64_t row, bool otherwise) const {
  return array_ == nullptr || array_->IsNull(row) ? otherwise : array_->Value(row);
}

FileColumns::Maps::Maps(const arrow::Array* array)
    : array_(array == nullptr || array->type_id() != arrow::Type::MAP
                 ? nullptr
                 : static_cast<const arrow::MapArray*>(array)),
      keys_(array_ == nullptr ? nullptr : array_->keys().get()),
      items_(array_ == nullptr ? nullptr : array_->items().get()) {}

void FileColumns::Maps::Read(int64_t row, PartitionValues* values) const {
  values->clear();
  if (array_ == nullptr || array_->IsNull(row)) return;
  for (int64_t i = array_->value_offset(row); i < array_->value_offset(row + 1); ++i)
    values->emplace(keys_.At(i).value_or(std::string_view()), items_.At(i));
}

void FileColumns::Maps::Read(int64_t row, StringMap* values) const {
  values->clear();
  if (array_ == nullptr || array_->IsNull(row)) return;
  for (int64_t i = array_->value_offset(row); i < array_->value_offset(row + 1); ++i) {
    if (const auto item = items_.At(i))
      values->emplace(keys_.At(i).value_or(std::string_view()), *item);
  }
}

FileColumns::Vectors::Vectors(const arrow::Array* array)
    : array_(array == nullptr || array->type_id() != arrow::Type::STRUCT
                 ? nullptr
                 : static_cast<const arrow::StructArray*>(array)),
      type_(ChildOf(array, "storageType")),
      path_(ChildOf(array, "pathOrInlineDv")),
      offset_(ChildOf(array, "offset")),
      bytes_(ChildOf(array, "sizeInBytes")),
      cardinality_(ChildOf(array, "cardinality")) {}

std::optional<DeletionVectorDescriptor> FileColumns::Vectors::At(int64_t row) const {
  if (array_ == nullptr || array_->IsNull(row)) return std::nullopt;
  const auto type = type_.At(row);
  if (!type.has_value() || type->empty()) return std::nullopt;
  DeletionVectorDescriptor vector;
  vector.storage_type = (*type)[0];
  path_.Read(row, &vector.path_or_inline);
  if (const auto offset = offset_.At(row)) vector.offset = static_cast<int32_t>(*offset);
  vector.size_in_bytes = static_cast<int32_t>(bytes_.At(row).value_or(0));
  vector.cardinality = cardinality_.At(row).value_or(0);
  return vector;
}

FileColumns::FileColumns(std::shared_ptr<arrow::StructArray> actions)
    : actions_(std::move(actions)),
      rows_(ValidRows(*actions_)),
      path_(ChildOf(actions_.get(), "path")),
      partition_values_(ChildOf(actions_.get(), "partitionValues")),
      size_(ChildOf(actions_.get(), "size")),
      modification_time_(ChildOf(actions_.get(), "modificationTime")),
      deletion_timestamp_(ChildOf(actions_.get(), "deletionTimestamp")),
      data_change_(ChildOf(actions_.get(), "dataChange")),
      extended_file_metadata_(ChildOf(actions_.get(), "extendedFileMetadata")),
      stats_(ChildOf(actions_.get(), "stats")),
      tags_(ChildOf(actions_.get(), "tags")),
      deletion_vector_(ChildOf(actions_.get(), "deletionVector")),
      base_row_id_(ChildOf(actions_.get(), "baseRowId")),
      default_row_commit_version_(ChildOf(actions_.get(), "defaultRowCommitVersion")),
      clustering_provider_(ChildOf(actions_.get(), "clusteringProvider")) {}

int64_t FileColumns::size() const { return actions_->length() - actions_->null_count(); }

void FileColumns::Read(int64_t row, AddFile* file) const {
  const int64_t at = PositionOf(row);
  path_.Read(at, &file->path);
  partition_values_.Read(at, &file->partition_values);
  file->size = size_.At(at).value_or(0);
  file->modification_time_ms = modification_time_.At(at).value_or(0);
  file->data_change = data_change_.At(at, true);
  stats_.Read(at, &file->stats);
  tags_.Read(at, &file->tags);
  file->deletion_vector = deletion_vector_.At(at);
  file->base_row_id = base_row_id_.At(at);
  file->default_row_commit_version = default_row_commit_version_.At(at);
  file->clustering_provider = clustering_provider_.At(at);
}

void FileColumns::Read(int64_t row, RemoveFile* file) const {
  const int64_t at = PositionOf(row);
  path_.Read(at, &file->path);
  file->deletion_timestamp_ms = deletion_timestamp_.At(at);
  file->data_change = data_change_.At(at, true);
  file->extended_file_metadata = extended_file_metadata_.At(at, false);
  partition_values_.Read(at, &file->partition_values);
  file->size = size_.At(at);
  stats_.Read(at, &file->stats);
  tags_.Read(at, &file->tags);
  file->deletion_vector = deletion_vector_.At(at);
  file->base_row_id = base_row_id_.At(at);
  file->default_row_commit_version = default_row_commit_version_.At(at);
}

std::string_view FileColumns::KeyAt(int64_t row, std::string* scratch) const {
  const int64_t at = PositionOf(row);
  const std::string_view path = path_.At(at).value_or(std::string_view());
  auto vector = deletion_vector_.At(at);
  if (!vector.has_value() && !path.starts_with("file:/")) return path;
  *scratch = FileKey(std::string(path), vector);
  return *scratch;
}

}  // namespace sluice::delta
