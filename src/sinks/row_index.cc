#include "sinks/row_index.h"

#include <arrow/api.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "delta/files/parquet_reader.h"

namespace sluice::sinks {
namespace {

void AppendInt(int64_t value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename Float>
void AppendFloat(Float value, std::string* out) {
  if (value == 0) value = 0;  // -0.0
  if (std::isnan(value)) value = std::numeric_limits<Float>::quiet_NaN();
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

Status AppendValue(const arrow::Array& array, int64_t row, std::string* out);

Status AppendElements(const arrow::Array& values, int64_t begin, int64_t end, std::string* out) {
  AppendInt(end - begin, out);
  for (int64_t i = begin; i < end; ++i) SLUICE_RETURN_NOT_OK(AppendValue(values, i, out));
  return Status::OK();
}

Status AppendNested(const arrow::Array& array, int64_t row, std::string* out) {
  if (array.type_id() == arrow::Type::STRUCT) {
    const auto& fields = static_cast<const arrow::StructArray&>(array);
    for (int i = 0; i < fields.num_fields(); ++i)
      SLUICE_RETURN_NOT_OK(AppendValue(*fields.field(i), row, out));
    return Status::OK();
  }
  if (array.type_id() == arrow::Type::LIST) {
    const auto& list = static_cast<const arrow::ListArray&>(array);
    return AppendElements(*list.values(), list.value_offset(row), list.value_offset(row + 1), out);
  }
  return MakeError("FLOW_DEFINITION",
                   "a column of this type cannot be a key: " + array.type()->ToString());
}

/// A form of the value that no other value has as its beginning.
Status AppendValue(const arrow::Array& array, int64_t row, std::string* out) {
  if (array.IsNull(row)) {
    out->push_back('n');
    return Status::OK();
  }
  out->push_back('v');
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      out->push_back(static_cast<const arrow::BooleanArray&>(array).Value(row) ? 1 : 0);
      break;
    case arrow::Type::FLOAT:
      AppendFloat(static_cast<const arrow::FloatArray&>(array).Value(row), out);
      break;
    case arrow::Type::DOUBLE:
      AppendFloat(static_cast<const arrow::DoubleArray&>(array).Value(row), out);
      break;
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      const auto view = static_cast<const arrow::BinaryArray&>(array).GetView(row);
      AppendInt(static_cast<int64_t>(view.size()), out);
      out->append(view);
      break;
    }
    default: {
      const auto* fixed = dynamic_cast<const arrow::FixedWidthType*>(array.type().get());
      if (fixed == nullptr || fixed->bit_width() % 8 != 0) return AppendNested(array, row, out);
      const int64_t width = fixed->bit_width() / 8;
      const uint8_t* values = array.data()->buffers[1]->data() + (array.offset() + row) * width;
      out->append(reinterpret_cast<const char*>(values), static_cast<size_t>(width));
    }
  }
  return Status::OK();
}

}  // namespace

Result<std::vector<Hash128>> HashKeys(const arrow::RecordBatch& rows,
                                      const std::vector<std::string>& key_columns) {
  std::vector<const arrow::Array*> columns;
  for (const std::string& name : key_columns) {
    const int at = rows.schema()->GetFieldIndex(name);
    if (at < 0) return MakeError("FLOW_DEFINITION", "key column is not in the rows: " + name);
    columns.push_back(rows.column(at).get());
  }
  std::vector<Hash128> hashes;
  hashes.reserve(static_cast<size_t>(rows.num_rows()));
  std::string bytes;
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    bytes.clear();
    for (const arrow::Array* column : columns)
      SLUICE_RETURN_NOT_OK(AppendValue(*column, row, &bytes));
    hashes.push_back(HashBytes128(bytes.data(), bytes.size()));
  }
  return hashes;
}

Status RowIndex::Rebuild(delta::Table& table, std::shared_ptr<const delta::Snapshot> snapshot) {
  rows_.clear();
  files_.clear();
  for (const auto& file : snapshot->Files()) SLUICE_RETURN_NOT_OK(AddFile(table, snapshot, *file));
  return Status::OK();
}

Status RowIndex::AddFile(delta::Table& table,
                         const std::shared_ptr<const delta::Snapshot>& snapshot,
                         const delta::AddFile& add) {
  auto file = std::make_unique<File>();
  file->add = std::make_shared<delta::AddFile>(add);
  if (add.deletion_vector.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(file->deleted, delta::ReadDeletionVector(table.storage(), table.path(),
                                                                     *add.deletion_vector));
  }
  delta::DataFileReadOptions options;
  options.columns = key_columns_;
  options.with_row_index = true;
  SLUICE_ASSIGN_OR_RETURN(auto reader,
                          delta::DataFileReader::Open(table.storage(), snapshot, add, options));
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto batch, reader->Next());
    if (batch == nullptr) break;
    SLUICE_ASSIGN_OR_RETURN(const auto hashes, HashKeys(*batch, key_columns_));
    const auto& positions =
        static_cast<const arrow::Int64Array&>(*batch->column(batch->num_columns() - 1));
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      const Location location{file.get(), static_cast<uint32_t>(positions.Value(i))};
      if (!rows_.emplace(hashes[static_cast<size_t>(i)], location).second) {
        return MakeError(
            "DELTA_DUPLICATE_KEY", "two rows of a view have one key: " + table.path(),
            "somebody else wrote into the view: run with --full-refresh to compute it anew");
      }
    }
    file->live += batch->num_rows();
  }
  const std::string key = delta::FileKey(add);
  files_[key] = std::move(file);
  return Status::OK();
}

std::set<std::string> RowIndex::Delete(const std::vector<Hash128>& keys) {
  std::set<std::string> touched;
  for (const Hash128& key : keys) {
    const auto found = rows_.find(key);
    if (found == rows_.end()) continue;
    File* file = found->second.file;
    file->deleted.Add(found->second.row);
    --file->live;
    touched.insert(delta::FileKey(*file->add));
    rows_.erase(found);
  }
  return touched;
}

void RowIndex::Forget(const std::vector<Hash128>& keys) {
  for (const Hash128& key : keys) rows_.erase(key);
}

void RowIndex::RenameFile(const std::string& old_key, std::shared_ptr<const delta::AddFile> add) {
  auto node = files_.extract(old_key);
  node.key() = delta::FileKey(*add);
  node.mapped()->add = std::move(add);
  files_.insert(std::move(node));
}

}  // namespace sluice::sinks
