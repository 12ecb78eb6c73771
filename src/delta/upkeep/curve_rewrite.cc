#include <arrow/array.h>

#include <algorithm>

#include "base/random.h"
#include "delta/columns/schema_edit.h"
#include "delta/columns/value_ranges.h"
#include "delta/files/parquet_reader.h"
#include "delta/log/row_ids.h"
#include "delta/upkeep/curve_rewrite_internal.h"
#include "delta/upkeep/space_filling_curve.h"

namespace sluice::delta {
namespace {

// Enough values that ranges of a few thousandths of a table are about right.
constexpr size_t kSampleRows = 1 << 17;
constexpr uint64_t kSampleSeed = 0x5A6D9F;  // the same files give the same layout

using FileGroup = std::vector<std::shared_ptr<const AddFile>>;

/// The column at `path`, null where a struct above it is.
Result<std::shared_ptr<arrow::Array>> ColumnAt(const arrow::RecordBatch& rows,
                                               const ColumnPath& path) {
  const int index = FindFieldIndex(rows.schema()->fields(), path[0]);
  SLUICE_CHECK(index >= 0, "columns were checked against the schema");
  std::shared_ptr<arrow::Array> array = rows.column(index);
  for (size_t depth = 1; depth < path.size(); ++depth) {
    const auto& holder = static_cast<const arrow::StructArray&>(*array);
    SLUICE_ASSIGN_OR_RETURN(
        array, holder.GetFlattenedField(FindFieldIndex(holder.type()->fields(), path[depth])));
  }
  return array;
}

class CurveKeys {
 public:
  explicit CurveKeys(const CurveOptions& options)
      : options_(options), bits_(CurveBits(options.columns.size())) {
    for (size_t i = 0; i < options.columns.size(); ++i) ranges_.emplace_back(1U << bits_);
  }

  Status Sample(const arrow::RecordBatch& rows) {
    SLUICE_ASSIGN_OR_RETURN(const auto columns, Columns(rows));
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      // Every row is in the sample with the same probability (reservoir).
      const uint64_t slot = seen_ < kSampleRows ? seen_ : random_.Below(seen_ + 1);
      ++seen_;
      if (slot >= kSampleRows) continue;
      for (size_t i = 0; i < columns.size(); ++i) ranges_[i].Sample(columns[i], row, slot);
    }
    return Status::OK();
  }
  void FinishSample() {
    for (ValueRanges& ranges : ranges_) ranges.Finish();
  }

  Result<std::vector<uint64_t>> KeysOf(const arrow::RecordBatch& rows) const {
    SLUICE_ASSIGN_OR_RETURN(const auto columns, Columns(rows));
    std::vector<uint64_t> keys(static_cast<size_t>(rows.num_rows()));
    std::vector<uint32_t> cell(columns.size());
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      for (size_t i = 0; i < columns.size(); ++i) cell[i] = ranges_[i].RangeOf(columns[i], row);
      keys[static_cast<size_t>(row)] = options_.curve == Curve::kMorton
                                           ? MortonPosition(cell, bits_)
                                           : HilbertPosition(cell, bits_);
    }
    return keys;
  }

 private:
  Result<std::vector<OrderedColumn>> Columns(const arrow::RecordBatch& rows) const {
    std::vector<OrderedColumn> columns;
    for (const ColumnPath& path : options_.columns) {
      SLUICE_ASSIGN_OR_RETURN(auto array, ColumnAt(rows, path));
      columns.emplace_back(std::move(array));
    }
    return columns;
  }

  const CurveOptions& options_;
  const int bits_;
  std::vector<ValueRanges> ranges_;
  Random random_{kSampleSeed};
  uint64_t seen_ = 0;
};

}  // namespace

Status ReadAlongCurve(storage::Storage& storage, const std::shared_ptr<const Snapshot>& snapshot,
                      const FileGroup& files, const CurveOptions& options,
                      const RowSorter::Sink& sink) {
  CurveKeys keys(options);
  DataFileReadOptions sampling;
  sampling.columns.emplace();
  for (const ColumnPath& path : options.columns) {
    const auto& fields = snapshot->schema()->fields();
    const std::string& name = fields[static_cast<size_t>(FindFieldIndex(fields, path[0]))]->name();
    if (std::find(sampling.columns->begin(), sampling.columns->end(), name) ==
        sampling.columns->end())
      sampling.columns->push_back(name);
  }
  SLUICE_RETURN_NOT_OK(VisitRows(
      storage, snapshot, files, sampling,
      [&](const std::shared_ptr<arrow::RecordBatch>& rows) { return keys.Sample(*rows); }));
  keys.FinishSample();
  DataFileReadOptions all;
  all.with_row_ids = KeepsRowIds(snapshot->metadata());
  std::unique_ptr<RowSorter> sorter;
  const auto add = [&](const std::shared_ptr<arrow::RecordBatch>& rows) -> Status {
    if (sorter == nullptr) sorter = std::make_unique<RowSorter>(rows->schema(), options.sorter);
    SLUICE_ASSIGN_OR_RETURN(auto positions, keys.KeysOf(*rows));
    return sorter->Add(rows, std::move(positions));
  };
  SLUICE_RETURN_NOT_OK(VisitRows(storage, snapshot, files, all, add));
  return sorter == nullptr ? Status::OK() : sorter->Finish(sink);
}

}  // namespace sluice::delta
