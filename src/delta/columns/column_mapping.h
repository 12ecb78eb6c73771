// Column mapping: the names and ids columns have inside data files (physical) against those the
// table shows (logical). Thread-safe (pure functions).
#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

/// The table property that keeps the largest column id given so far.
inline constexpr char kMaxColumnId[] = "delta.columnMapping.maxColumnId";

/// `delta.columnMapping.id` of a column; nothing without column mapping.
std::optional<int32_t> ColumnId(const arrow::Field& field);

/// `schema` (a table's) as its data files have it: physical names at every level and, where columns
/// have ids, Parquet field ids.
std::shared_ptr<arrow::Schema> PhysicalSchema(const arrow::Schema& schema);
std::shared_ptr<arrow::Field> PhysicalField(const arrow::Field& field);

/// Paths of struct fields from their names in the table to those in its files. A path that leads
/// nowhere stays as far as it does.
std::optional<std::vector<std::vector<std::string>>> PhysicalPaths(
    const arrow::Schema& schema, const std::optional<std::vector<std::vector<std::string>>>& paths);

/// `file_type` (of a column of a data file) with the struct fields named as `table_type` names them
/// physically, found by Parquet field id; fields whose id the table does not know keep no name it
/// knows.
std::shared_ptr<arrow::DataType> NamedByFieldId(const std::shared_ptr<arrow::DataType>& file_type,
                                                const arrow::DataType& table_type);

/// `array` under another type of the same layout (only names and field metadata differ).
std::shared_ptr<arrow::Array> Relabelled(const std::shared_ptr<arrow::Array>& array,
                                         const std::shared_ptr<arrow::DataType>& type);

/// The Parquet field id of a field read from a file; nothing when the file has none.
std::optional<int32_t> ParquetFieldId(const arrow::Field& field);

/// `schema` with an id and a physical name for every column that has none, at every level. Existing
/// columns keep their name as physical name when `keep_names` (mapping is switched on for files
/// that exist); new ones get `col-<uuid>`. `max_id` is the highest id given so far.
Result<std::shared_ptr<arrow::Schema>> AssignColumnIds(const arrow::Schema& schema, bool keep_names,
                                                       const std::function<std::string()>& new_uuid,
                                                       int64_t* max_id);

}  // namespace sluice::delta
