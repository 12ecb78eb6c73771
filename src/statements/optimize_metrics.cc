#include "statements/optimize_metrics.h"

#include <arrow/api.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace sluice::statements {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// A struct of one row, field by field.
class Fields {
 public:
  Fields& Long(const char* name, std::optional<int64_t> value) {
    return Add(name, value.has_value() ? arrow::MakeScalar(*value)
                                       : arrow::MakeNullScalar(arrow::int64()));
  }
  Fields& Double(const char* name, double value) { return Add(name, arrow::MakeScalar(value)); }
  Fields& Bool(const char* name, bool value) { return Add(name, arrow::MakeScalar(value)); }
  Fields& Text(const char* name, const std::string& value) {
    return Add(name, arrow::MakeScalar(value));
  }
  Fields& Struct(const char* name, const Fields& value, bool present = true) {
    const auto type = arrow::struct_(value.fields_);
    return Add(name, present ? std::shared_ptr<arrow::Scalar>(
                                   std::make_shared<arrow::StructScalar>(value.values_, type))
                             : arrow::MakeNullScalar(type));
  }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Finish() const {
    arrow::ArrayVector columns;
    for (const auto& value : values_) {
      SLUICE_ASSIGN_OR_RETURN(auto column, arrow::MakeArrayFromScalar(*value, 1));
      columns.push_back(std::move(column));
    }
    const auto schema = arrow::schema(fields_);
    return arrow::RecordBatchReader::Make({arrow::RecordBatch::Make(schema, 1, columns)}, schema);
  }

 private:
  Fields& Add(const char* name, std::shared_ptr<arrow::Scalar> value) {
    fields_.push_back(arrow::field(name, value->type));
    values_.push_back(std::move(value));
    return *this;
  }

  arrow::FieldVector fields_;
  arrow::ScalarVector values_;
};

int64_t Sum(const std::vector<int64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
}

Fields SizesOf(const std::vector<int64_t>& sizes) {
  std::optional<int64_t> least;
  std::optional<int64_t> most;
  if (!sizes.empty()) {
    least = *std::min_element(sizes.begin(), sizes.end());
    most = *std::max_element(sizes.begin(), sizes.end());
  }
  const auto count = static_cast<int64_t>(sizes.size());
  const int64_t total = Sum(sizes);
  const double average = count == 0 ? 0 : static_cast<double>(total) / static_cast<double>(count);
  Fields fields;
  fields.Long("min", least).Long("max", most).Double("avg", average);
  fields.Long("totalFiles", count).Long("totalSize", total);
  return fields;
}

Fields FilesOf(const char* count_name, int64_t count, int64_t bytes) {
  Fields fields;
  fields.Long(count_name, count).Long("size", bytes);
  return fields;
}

Fields ZOrderOf(const OptimizeMetrics& metrics) {
  const auto removed = static_cast<int64_t>(metrics.sizes_removed.size());
  Fields fields;
  fields.Text("strategyName", "all").Struct("inputCubeFiles", FilesOf("num", 0, 0));
  fields.Struct("inputOtherFiles",
                FilesOf("num", metrics.files_considered, metrics.bytes_considered));
  fields.Long("inputNumCubes", 0);
  fields.Struct("mergedFiles", FilesOf("num", removed, Sum(metrics.sizes_removed)));
  fields.Long("numOutputCubes", metrics.groups).Long("mergedNumCubes", std::nullopt);
  return fields;
}

/// Of clustered tables; what each cube was is not counted here.
Fields NoClustering() {
  const Fields files = FilesOf("numFiles", 0, 0);
  Fields fields;
  fields.Struct("inputZCubeFiles", files).Struct("inputOtherFiles", files);
  fields.Long("inputNumZCubes", 0).Struct("mergedFiles", files).Long("numOutputZCubes", 0);
  return fields;
}

/// Of automatic compaction in a cluster.
Fields NoParallelism() {
  Fields fields;
  fields.Long("maxClusterActiveParallelism", 0).Long("minClusterActiveParallelism", 0);
  fields.Long("maxSessionActiveParallelism", 0).Long("minSessionActiveParallelism", 0);
  return fields;
}

}  // namespace

void OptimizeMetrics::Add(const delta::CompactionReport& report) {
  sizes_added.insert(sizes_added.end(), report.sizes_added.begin(), report.sizes_added.end());
  sizes_removed.insert(sizes_removed.end(), report.sizes_removed.begin(),
                       report.sizes_removed.end());
  groups += report.groups;
  partitions += report.partitions;
  vectors_removed += report.vectors_removed;
  vector_rows_removed += report.vector_rows_removed;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> OptimizeRow(const std::string& path,
                                                              const OptimizeMetrics& metrics) {
  const auto added = static_cast<int64_t>(metrics.sizes_added.size());
  const auto removed = static_cast<int64_t>(metrics.sizes_removed.size());
  Fields vectors;
  vectors.Long("numDeletionVectorsRemoved", metrics.vectors_removed);
  vectors.Long("numDeletionVectorRowsRemoved", metrics.vector_rows_removed);
  Fields all;
  all.Long("numFilesAdded", added).Long("numFilesRemoved", removed);
  all.Struct("filesAdded", SizesOf(metrics.sizes_added));
  all.Struct("filesRemoved", SizesOf(metrics.sizes_removed));
  all.Long("partitionsOptimized", metrics.partitions);
  all.Struct("zOrderStats", ZOrderOf(metrics), metrics.z_order);
  all.Struct("clusteringStats", NoClustering(), false);
  all.Long("numBins", metrics.groups).Long("numBatches", 1);
  all.Long("totalConsideredFiles", metrics.files_considered);
  all.Long("totalFilesSkipped", metrics.files_considered - removed);
  all.Bool("preserveInsertionOrder", false);
  all.Long("numFilesSkippedToReduceWriteAmplification", 0);
  all.Long("numBytesSkippedToReduceWriteAmplification", 0);
  all.Long("startTimeMs", metrics.begin_ms).Long("endTimeMs", metrics.end_ms);
  all.Long("totalClusterParallelism", 1).Long("totalScheduledTasks", 0);
  all.Struct("autoCompactParallelismStats", NoParallelism(), false);
  all.Struct("deletionVectorStats", vectors, metrics.vectors_removed > 0);
  all.Long("numTableColumns", metrics.columns);
  all.Long("numTableColumnsWithStats", metrics.columns_with_statistics);
  Fields row;
  row.Text("path", path).Struct("metrics", all);
  return row.Finish();
}

}  // namespace sluice::statements
