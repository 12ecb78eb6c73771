#include "delta/files/parquet_reader.h"

#include <arrow/compute/api_vector.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/schema.h>

#include <algorithm>

#include "batch/select_rows.h"
#include "delta/columns/adapt_columns.h"
#include "delta/columns/column_mapping.h"
#include "delta/log/parquet_file.h"
#include "delta/log/row_ids.h"
#include "delta/protocol/deletion_vector.h"
#include "delta/protocol/partition_value.h"

namespace sluice::delta {
namespace {

constexpr char kRowIndex[] = "__row_index";

/// Where a column of the result comes from.
struct Column {
  std::shared_ptr<arrow::Field> field;
  std::shared_ptr<arrow::Scalar>
      constant;           // partition value, or null for a column the file does not have
  std::string file_name;  // else: name in the file
};

/// Leaf columns of the file that belong to the top-level fields `names`.
std::vector<int> LeavesOf(const parquet::SchemaDescriptor& schema,
                          const std::vector<Column>& columns) {
  std::vector<int> leaves;
  for (int i = 0; i < schema.num_columns(); ++i) {
    const std::string& root = schema.GetColumnRoot(i)->name();
    const bool wanted = std::any_of(columns.begin(), columns.end(), [&](const Column& column) {
      return column.constant == nullptr && column.file_name == root;
    });
    if (wanted) leaves.push_back(i);
  }
  return leaves;
}

bool HasRoot(const parquet::SchemaDescriptor& schema, const std::string& name) {
  const auto* root = schema.group_node();
  for (int i = 0; i < root->field_count(); ++i) {
    if (root->field(i)->name() == name) return true;
  }
  return false;
}

bool HasFieldIds(const parquet::SchemaDescriptor& schema) {
  const auto* root = schema.group_node();
  for (int i = 0; i < root->field_count(); ++i) {
    if (root->field(i)->field_id() >= 0) return true;
  }
  return false;
}

/// Name in the file of the column with this id; empty when the file has none.
std::string RootWithId(const parquet::SchemaDescriptor& schema, std::optional<int32_t> id) {
  const auto* root = schema.group_node();
  for (int i = 0; id.has_value() && i < root->field_count(); ++i) {
    if (root->field(i)->field_id() == *id) return root->field(i)->name();
  }
  return "";
}

}  // namespace

class DataFileReader::Impl {
 public:
  Impl(storage::Storage& storage, std::shared_ptr<const Snapshot> snapshot,
       const DataFileReadOptions& options)
      : storage_(storage), snapshot_(std::move(snapshot)), options_(options) {}

  Status Open(const AddFile& file) {
    path_ = ResolvePath(snapshot_->table_path(), file.path);
    SLUICE_ASSIGN_OR_RETURN(reader_, OpenParquet(storage_, path_, options_.batch_rows));
    const auto metadata = reader_->parquet_reader()->metadata();
    SLUICE_RETURN_NOT_OK(ResolveColumns(file, *metadata->schema()));
    if (file.deletion_vector.has_value() && !options_.keep_deleted) {
      SLUICE_ASSIGN_OR_RETURN(auto vector, ReadDeletionVector(storage_, snapshot_->table_path(),
                                                              *file.deletion_vector));
      deletion_vector_ = std::make_unique<DeletionVector>(std::move(vector));
    }
    rows_left_ = metadata->num_rows();
    const std::vector<int> leaves = LeavesOf(*metadata->schema(), columns_);
    if (leaves.empty()) return Status::OK();  // only partition values: nothing of the file is read
    std::vector<int> row_groups;
    for (int i = 0; i < metadata->num_row_groups(); ++i) row_groups.push_back(i);
    auto batches = reader_->GetRecordBatchReader(row_groups, leaves);
    if (!batches.ok()) return ParquetError(batches.status(), path_);
    batches_ = batches.MoveValueUnsafe();
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() {
    while (true) {
      std::shared_ptr<arrow::RecordBatch> raw;
      int64_t rows = 0;
      if (batches_ != nullptr) {
        SLUICE_ASSIGN_OR_RETURN(raw, NextRaw());
        if (raw == nullptr) return std::shared_ptr<arrow::RecordBatch>();
        rows = raw->num_rows();
      } else {
        rows = std::min(rows_left_, options_.batch_rows);
        rows_left_ -= rows;
        if (rows == 0) return std::shared_ptr<arrow::RecordBatch>();
      }
      if (rows == 0) continue;
      SLUICE_ASSIGN_OR_RETURN(auto batch, Build(raw, rows));
      first_row_ += rows;
      if (batch->num_rows() > 0) return batch;
    }
  }

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

 private:
  Status ResolveColumns(const AddFile& file, const parquet::SchemaDescriptor& file_schema) {
    std::vector<std::string> names;
    if (options_.columns.has_value()) {
      names = *options_.columns;
    } else {
      names = snapshot_->schema()->field_names();
    }
    const auto& partitions = snapshot_->partition_columns();
    by_id_ = snapshot_->properties().column_mapping_mode == "id" && HasFieldIds(file_schema);
    arrow::FieldVector fields;
    for (const std::string& name : names) {
      const auto field = snapshot_->schema()->GetFieldByName(name);
      if (field == nullptr)
        return MakeError("DELTA_SCHEMA_MISMATCH", "the table has no column " + name);
      Column column{field, nullptr, PhysicalName(*field)};
      if (std::find(partitions.begin(), partitions.end(), name) != partitions.end()) {
        const auto it = file.partition_values.find(column.file_name);
        const auto text = it == file.partition_values.end() ? std::nullopt : it->second;
        SLUICE_ASSIGN_OR_RETURN(column.constant, PartitionValueFromString(text, field->type()));
      } else {
        if (by_id_) column.file_name = RootWithId(file_schema, ColumnId(*field));
        if (!HasRoot(file_schema, column.file_name))
          column.constant = arrow::MakeNullScalar(field->type());
      }
      fields.push_back(field);
      columns_.push_back(std::move(column));
    }
    const auto add = [&](const std::shared_ptr<arrow::Field>& field, const std::string& name) {
      Column column{field, nullptr, name};
      if (name.empty() || !HasRoot(file_schema, name))
        column.constant = arrow::MakeNullScalar(field->type());
      fields.push_back(field);
      columns_.push_back(std::move(column));
    };
    for (const auto& field : options_.extra_fields) add(field, field->name());
    if (options_.with_row_ids) {
      const RowIdColumns id_columns = RowIdColumnsOf(snapshot_->metadata());
      row_id_column_ = static_cast<int>(columns_.size());
      add(arrow::field("__row_id", arrow::int64()), id_columns.id);
      add(arrow::field("__row_commit_version", arrow::int64()), id_columns.commit_version);
      base_row_id_ = file.base_row_id;
      commit_version_ = file.default_row_commit_version;
    }
    if (options_.with_row_index) fields.push_back(arrow::field(kRowIndex, arrow::int64(), false));
    schema_ = arrow::schema(std::move(fields));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> NextRaw() {
    std::shared_ptr<arrow::RecordBatch> raw;
    try {
      SLUICE_RETURN_NOT_OK(ParquetError(batches_->ReadNext(&raw), path_));
    } catch (const parquet::ParquetException& error) {
      return ParquetError(Status::IOError(error.what()), path_);
    }
    return raw;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Build(const std::shared_ptr<arrow::RecordBatch>& raw,
                                                    int64_t rows) {
    arrow::ArrayVector arrays;
    for (const Column& column : columns_) {
      if (column.constant != nullptr) {
        SLUICE_ASSIGN_OR_RETURN(auto array, arrow::MakeArrayFromScalar(*column.constant, rows));
        arrays.push_back(std::move(array));
        continue;
      }
      const auto found = raw->GetColumnByName(column.file_name);
      if (found == nullptr)
        return MakeError("DELTA_FILE_CORRUPT",
                         "column missing: " + column.file_name + " in " + path_);
      const auto named =
          by_id_ ? Relabelled(found, NamedByFieldId(found->type(), *column.field->type())) : found;
      SLUICE_ASSIGN_OR_RETURN(auto array,
                              AdaptArray(named, column.field->type(), column.field->name()));
      arrays.push_back(std::move(array));
    }
    if (options_.with_row_ids) SLUICE_RETURN_NOT_OK(FillRowIds(rows, &arrays));
    if (options_.with_row_index) {
      arrow::Int64Builder builder;
      SLUICE_RETURN_NOT_OK(builder.Reserve(rows));
      for (int64_t i = 0; i < rows; ++i) builder.UnsafeAppend(first_row_ + i);
      SLUICE_ASSIGN_OR_RETURN(auto index, builder.Finish());
      arrays.push_back(std::move(index));
    }
    auto batch = arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
    if (deletion_vector_ == nullptr) return batch;
    std::vector<uint32_t> live;
    live.reserve(static_cast<size_t>(rows));
    deletion_vector_->AppendLive(static_cast<uint64_t>(first_row_), static_cast<uint32_t>(rows),
                                 &live);
    if (static_cast<int64_t>(live.size()) == rows) return batch;
    SLUICE_ASSIGN_OR_RETURN(const auto indices, MakeIndices(live));
    return TakeRows(batch, indices);
  }

  /// Rows that were never rewritten have no id of their own: base of the file plus position.
  Status FillRowIds(int64_t rows, arrow::ArrayVector* arrays) const {
    const auto fill = [&](int column, const std::optional<int64_t>& first, int64_t step) -> Status {
      auto& array = (*arrays)[static_cast<size_t>(column)];
      if (!first.has_value() || array->null_count() == 0) return Status::OK();
      const auto& own = static_cast<const arrow::Int64Array&>(*array);
      arrow::Int64Builder builder;
      SLUICE_RETURN_NOT_OK(builder.Reserve(rows));
      for (int64_t i = 0; i < rows; ++i)
        builder.UnsafeAppend(own.IsValid(i) ? own.Value(i) : *first + step * i);
      SLUICE_ASSIGN_OR_RETURN(array, builder.Finish());
      return Status::OK();
    };
    std::optional<int64_t> first = base_row_id_;
    if (first.has_value()) *first += first_row_;
    SLUICE_RETURN_NOT_OK(fill(row_id_column_, first, 1));
    return fill(row_id_column_ + 1, commit_version_, 0);
  }

  storage::Storage& storage_;
  const std::shared_ptr<const Snapshot> snapshot_;
  const DataFileReadOptions options_;
  std::string path_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::unique_ptr<DeletionVector> deletion_vector_;
  std::vector<Column> columns_;
  std::shared_ptr<arrow::Schema> schema_;
  bool by_id_ = false;  // columns are found by Parquet field id, not by name
  int row_id_column_ = -1;
  std::optional<int64_t> base_row_id_;
  std::optional<int64_t> commit_version_;
  int64_t first_row_ = 0;  // of the next batch in the file
  int64_t rows_left_ = 0;  // when only partition values are read
};

DataFileReader::DataFileReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DataFileReader::~DataFileReader() = default;

Result<std::unique_ptr<DataFileReader>> DataFileReader::Open(
    storage::Storage& storage, std::shared_ptr<const Snapshot> snapshot, const AddFile& file,
    const DataFileReadOptions& options) {
  auto impl = std::make_unique<Impl>(storage, std::move(snapshot), options);
  SLUICE_RETURN_NOT_OK(impl->Open(file));
  return std::unique_ptr<DataFileReader>(new DataFileReader(std::move(impl)));
}

const std::shared_ptr<arrow::Schema>& DataFileReader::schema() const { return impl_->schema(); }
Result<std::shared_ptr<arrow::RecordBatch>> DataFileReader::Next() { return impl_->Next(); }

Status VisitRows(storage::Storage& storage, const std::shared_ptr<const Snapshot>& snapshot,
                 const std::vector<std::shared_ptr<const AddFile>>& files,
                 const DataFileReadOptions& options,
                 const std::function<Status(const std::shared_ptr<arrow::RecordBatch>&)>& visit) {
  for (const auto& file : files) {
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            DataFileReader::Open(storage, snapshot, *file, options));
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const auto rows, reader->Next());
      if (rows == nullptr) break;
      SLUICE_RETURN_NOT_OK(visit(rows));
    }
  }
  return Status::OK();
}

}  // namespace sluice::delta
