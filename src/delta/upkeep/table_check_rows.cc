// fsck: the rows of a data file against what the log says of them.
#include <arrow/api.h>
#include <parquet/file_reader.h>

#include <cmath>
#include <set>

#include "delta/columns/predicate.h"
#include "delta/files/parquet_reader.h"
#include "delta/log/parquet_file.h"
#include "delta/log/row_ids.h"
#include "delta/upkeep/table_check_internal.h"

namespace sluice::delta {
namespace {

/// Rows of the least and the greatest value; -1 when there is none.
struct ExtremeRows {
  int64_t least = -1;
  int64_t greatest = -1;
};

template <typename ArrayType, typename Value>
ExtremeRows FindExtremes(const ArrayType& array, const Value& value) {
  ExtremeRows rows;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    const auto here = value(i);
    if constexpr (std::is_floating_point_v<std::decay_t<decltype(here)>>) {
      if (std::isnan(here)) continue;  // no bound holds for it
    }
    if (rows.least < 0 || here < value(rows.least)) rows.least = i;
    if (rows.greatest < 0 || value(rows.greatest) < here) rows.greatest = i;
  }
  return rows;
}

template <typename ArrayType>
ExtremeRows Extremes(const arrow::Array& array) {
  const auto& typed = static_cast<const ArrayType&>(array);
  return FindExtremes(typed, [&](int64_t i) { return typed.GetView(i); });
}

/// Of the types that statistics bound.
ExtremeRows ExtremesOf(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::INT8: return Extremes<arrow::Int8Array>(array);
    case arrow::Type::INT16: return Extremes<arrow::Int16Array>(array);
    case arrow::Type::INT32: return Extremes<arrow::Int32Array>(array);
    case arrow::Type::INT64: return Extremes<arrow::Int64Array>(array);
    case arrow::Type::FLOAT: return Extremes<arrow::FloatArray>(array);
    case arrow::Type::DOUBLE: return Extremes<arrow::DoubleArray>(array);
    case arrow::Type::DATE32: return Extremes<arrow::Date32Array>(array);
    case arrow::Type::TIMESTAMP: return Extremes<arrow::TimestampArray>(array);
    case arrow::Type::STRING: return Extremes<arrow::StringArray>(array);
    case arrow::Type::DECIMAL128: {
      const auto& typed = static_cast<const arrow::Decimal128Array&>(array);
      return FindExtremes(typed, [&](int64_t i) { return arrow::Decimal128(typed.GetValue(i)); });
    }
    default: return {};
  }
}

/// Asks the pruner of scans whether it would skip the file for rows that are in it: whatever a
/// reader concludes from statistics and partition values, it must not lose a row.
class BoundsCheck {
 public:
  BoundsCheck(const Snapshot& snapshot, const AddFile& file, const std::string& path,
              Findings* findings)
      : snapshot_(snapshot), file_(file), path_(path), findings_(findings) {}

  Status Check(const arrow::RecordBatch& rows) {
    for (int i = 0; i < rows.num_columns(); ++i)
      SLUICE_RETURN_NOT_OK(CheckColumn(rows.schema()->field(i)->name(), *rows.column(i), true));
    return Status::OK();
  }

 private:
  Status CheckColumn(const std::string& column, const arrow::Array& array, bool top) {
    if (!top && lying_.contains(column)) return Status::OK();
    if (array.type_id() == arrow::Type::STRUCT) {
      const auto& parent = static_cast<const arrow::StructArray&>(array);
      SLUICE_ASSIGN_OR_RETURN(const auto children, parent.Flatten());
      for (int i = 0; i < parent.num_fields(); ++i) {
        const std::string& name = parent.struct_type()->field(i)->name();
        if (name.find('.') == std::string::npos && column.find('.') == std::string::npos)
          SLUICE_RETURN_NOT_OK(
              CheckColumn(column + "." + name, *children[static_cast<size_t>(i)], false));
      }
      return Status::OK();
    }
    if (array.type_id() == arrow::Type::NA) return Status::OK();
    if (array.null_count() > 0) Ask(column, CompareOp::kIsNull, nullptr, "a null");
    if (array.null_count() < array.length())
      Ask(column, CompareOp::kIsNotNull, nullptr, "a value that is not null");
    const ExtremeRows rows = ExtremesOf(array);
    for (const int64_t row : {rows.least, rows.greatest}) {
      if (row < 0) continue;
      SLUICE_ASSIGN_OR_RETURN(const auto value, array.GetScalar(row));
      Ask(column, CompareOp::kEqual, value, value->ToString());
    }
    return Status::OK();
  }

  void Ask(const std::string& column, CompareOp op, const std::shared_ptr<arrow::Scalar>& value,
           const std::string& what) {
    if (lying_.contains(column)) return;
    const Predicate predicate = {{column, op, value, {}}};
    if (FilePruner(predicate, *snapshot_.schema(), snapshot_.partition_columns()).MayMatch(file_))
      return;
    lying_.insert(column);
    findings_->Error("statistics", path_,
                     "column " + column + " holds " + what +
                         ", which the log excludes: readers that prune by it lose rows");
  }

  const Snapshot& snapshot_;
  const AddFile& file_;
  const std::string& path_;
  Findings* findings_;
  std::set<std::string> lying_;  // columns that were reported
};

Status ReadRows(storage::Storage& storage, const std::shared_ptr<const Snapshot>& snapshot,
                const AddFile& file, const std::string& path, Findings* findings, int64_t* live) {
  SLUICE_ASSIGN_OR_RETURN(const auto reader, DataFileReader::Open(storage, snapshot, file));
  BoundsCheck bounds(*snapshot, file, path, findings);
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto rows, reader->Next());
    if (rows == nullptr) return Status::OK();
    *live += rows->num_rows();
    SLUICE_RETURN_NOT_OK(bounds.Check(*rows));
  }
}

Result<int64_t> RowsInFile(storage::Storage& storage, const std::string& path) {
  SLUICE_ASSIGN_OR_RETURN(const auto reader, OpenParquet(storage, path, 1024));
  return reader->parquet_reader()->metadata()->num_rows();
}

}  // namespace

void CheckRows(storage::Storage& storage, const std::shared_ptr<const Snapshot>& snapshot,
               const AddFile& file, const std::string& path, bool read_rows, Findings* findings,
               TableCheckReport* report) {
  const auto in_file = RowsInFile(storage, path);
  if (!in_file.ok()) {
    findings->Error("file-content", path, in_file.status().message());
    return;
  }
  const int64_t said = RecordsOf(file);
  if (said >= 0 && said != *in_file) {
    findings->Error("statistics", path,
                    "numRecords is " + std::to_string(said) + ", the file has " +
                        std::to_string(*in_file) + " rows");
  }
  const int64_t masked = file.deletion_vector.has_value() ? file.deletion_vector->cardinality : 0;
  if (masked > *in_file) {
    findings->Error("deletion-vector", path,
                    "it masks " + std::to_string(masked) + " rows of " + std::to_string(*in_file));
  }
  if (!read_rows) return;
  int64_t live = 0;
  const Status status = ReadRows(storage, snapshot, file, path, findings, &live);
  report->rows_read += live;
  if (!status.ok()) {
    findings->Error("file-content", path, status.message());
  } else if (live + masked != *in_file && masked <= *in_file) {
    findings->Error("deletion-vector", path,
                    std::to_string(live) + " rows of " + std::to_string(*in_file) +
                        " are left, the vector masks " + std::to_string(masked));
  }
}

}  // namespace sluice::delta
