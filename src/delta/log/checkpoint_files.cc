#include "delta/log/checkpoint_files.h"

#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include "delta/log/parquet_file.h"

namespace sluice::delta {
namespace {

constexpr int64_t kRowsPerBatch = 16384;

using Visit = std::function<Status(const CheckpointRows&)>;
using Metadata = std::shared_ptr<parquet::FileMetaData>;

/// A row group with files: what one task decodes.
struct Unit {
  std::string path;
  Metadata metadata;
  int row_group = 0;
  std::vector<int> leaves;
};

bool HasValues(const parquet::RowGroupMetaData& row_group, int leaf) {
  const auto chunk = row_group.ColumnChunk(leaf);
  const auto statistics = chunk->statistics();
  return statistics == nullptr || !statistics->HasNullCount() ||
         statistics->null_count() < chunk->num_values();
}

/// A column of files without `path` is no checkpoint's.
Status CheckUsable(const parquet::SchemaDescriptor& schema, const std::string& path) {
  for (const std::string action : {"add", "remove"}) {
    if (schema.ColumnIndex(action + ".path") >= 0) continue;
    for (int i = 0; i < schema.num_columns(); ++i) {
      const std::string leaf = schema.Column(i)->path()->ToDotString();
      if (leaf != action && !leaf.starts_with(action + ".")) continue;
      return MakeError("DELTA_FILE_CORRUPT", "checkpoint has " + action + " without path: " + path);
    }
  }
  return Status::OK();
}

/// Leaf columns that say something of files in this row group; empty = it names none.
std::vector<int> WantedLeaves(const parquet::FileMetaData& metadata, int row_group) {
  const auto group = metadata.RowGroup(row_group);
  std::vector<int> leaves;
  for (const std::string action : {"add", "remove"}) {
    const int key = metadata.schema()->ColumnIndex(action + ".path");
    if (key < 0 || !HasValues(*group, key)) continue;
    for (int i = 0; i < metadata.num_columns(); ++i) {
      const std::string path = metadata.schema()->Column(i)->path()->ToDotString();
      if (!path.starts_with(action + ".") || path.starts_with("add.stats_parsed.") ||
          path.starts_with("add.partitionValues_parsed."))
        continue;
      if (HasValues(*group, i)) leaves.push_back(i);
    }
  }
  return leaves;
}

Result<std::vector<Unit>> UnitsOf(storage::Storage& storage, const std::string& path) {
  SLUICE_ASSIGN_OR_RETURN(const auto reader, OpenParquet(storage, path, kRowsPerBatch));
  const Metadata metadata = reader->parquet_reader()->metadata();
  SLUICE_RETURN_NOT_OK(CheckUsable(*metadata->schema(), path));
  std::vector<Unit> units;
  for (int group = 0; group < metadata->num_row_groups(); ++group) {
    auto leaves = WantedLeaves(*metadata, group);
    if (!leaves.empty()) units.push_back({path, metadata, group, std::move(leaves)});
  }
  return units;
}

/// The column, without fields that have no value; null when it has no row.
Result<std::shared_ptr<arrow::StructArray>> Stripped(const std::shared_ptr<arrow::Array>& column,
                                                     const std::string& path) {
  if (column == nullptr) return nullptr;
  if (column->type_id() != arrow::Type::STRUCT) {
    return MakeError("DELTA_FILE_CORRUPT", "checkpoint holds a column that is no struct: " + path);
  }
  if (column->null_count() == column->length()) return nullptr;
  const auto data = column->data()->Copy();
  arrow::FieldVector fields;
  arrow::ArrayDataVector children;
  for (int i = 0; i < column->type()->num_fields(); ++i) {
    const auto& child = data->child_data[static_cast<size_t>(i)];
    if (child->GetNullCount() == child->length) continue;
    fields.push_back(column->type()->field(i));
    children.push_back(child);
  }
  data->type = arrow::struct_(std::move(fields));
  data->child_data = std::move(children);
  return std::make_shared<arrow::StructArray>(data);
}

Result<std::shared_ptr<arrow::RecordBatch>> NextBatch(arrow::RecordBatchReader* batches,
                                                      const std::string& path) {
  std::shared_ptr<arrow::RecordBatch> batch;
  try {
    SLUICE_RETURN_NOT_OK(ParquetError(batches->ReadNext(&batch), path));
  } catch (const parquet::ParquetException& error) {
    return ParquetError(Status::IOError(error.what()), path);
  }
  return batch;
}

Status VisitUnit(storage::Storage& storage, const Unit& unit, const Visit& visit) {
  SLUICE_ASSIGN_OR_RETURN(auto reader,
                          OpenParquet(storage, unit.path, kRowsPerBatch, unit.metadata));
  auto opened = reader->GetRecordBatchReader({unit.row_group}, unit.leaves);
  if (!opened.ok()) return ParquetError(opened.status(), unit.path);
  const auto batches = opened.MoveValueUnsafe();
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto batch, NextBatch(batches.get(), unit.path));
    if (batch == nullptr) return Status::OK();
    CheckpointRows rows;
    SLUICE_ASSIGN_OR_RETURN(rows.adds, Stripped(batch->GetColumnByName("add"), unit.path));
    SLUICE_ASSIGN_OR_RETURN(rows.removes, Stripped(batch->GetColumnByName("remove"), unit.path));
    SLUICE_RETURN_NOT_OK(visit(rows));
  }
}

/// What one task brings.
struct Chunks {
  std::vector<HeldFiles::Chunk> adds;
  std::vector<HeldFiles::Chunk> removes;
};

}  // namespace

Status VisitCheckpointFiles(storage::Storage& storage, const std::vector<std::string>& paths,
                            const Visit& visit) {
  for (const std::string& path : paths) {
    SLUICE_ASSIGN_OR_RETURN(const auto units, UnitsOf(storage, path));
    for (const Unit& unit : units) SLUICE_RETURN_NOT_OK(VisitUnit(storage, unit, visit));
  }
  return Status::OK();
}

Result<HeldCheckpoint> HoldCheckpointFiles(storage::Storage& storage,
                                           const std::vector<std::string>& paths,
                                           Workers* workers) {
  std::vector<Unit> units;
  for (const std::string& path : paths) {
    SLUICE_ASSIGN_OR_RETURN(auto its_units, UnitsOf(storage, path));
    std::move(its_units.begin(), its_units.end(), std::back_inserter(units));
  }
  std::vector<Chunks> chunks(units.size());
  const auto read = [&](size_t i) {
    return VisitUnit(storage, units[i], [&](const CheckpointRows& rows) {
      if (rows.adds != nullptr) chunks[i].adds.emplace_back(rows.adds);
      if (rows.removes != nullptr) chunks[i].removes.emplace_back(rows.removes);
      return Status::OK();
    });
  };
  if (workers != nullptr && units.size() > 1) {
    SLUICE_RETURN_NOT_OK(workers->Run(units.size(), read));
  } else {
    for (size_t i = 0; i < units.size(); ++i) SLUICE_RETURN_NOT_OK(read(i));
  }
  Chunks all;
  for (Chunks& some : chunks) {
    std::move(some.adds.begin(), some.adds.end(), std::back_inserter(all.adds));
    std::move(some.removes.begin(), some.removes.end(), std::back_inserter(all.removes));
  }
  return HeldCheckpoint{std::make_shared<const HeldFiles>(std::move(all.adds)),
                        std::make_shared<const HeldFiles>(std::move(all.removes))};
}

}  // namespace sluice::delta
