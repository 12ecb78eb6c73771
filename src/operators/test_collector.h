// A collector that keeps what operators emit, and small builders of rows: for tests of operators.
#pragma once

#include <arrow/array/concatenate.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "flow/operator.h"

namespace sluice::operators {

class TestCollector : public flow::Collector {
 public:
  Status Emit(Batch batch) override {
    batches.push_back(std::move(batch));
    return Status::OK();
  }
  Status EmitDeletes(std::shared_ptr<arrow::RecordBatch> keys) override {
    output.deletes.push_back(std::move(keys));
    return Status::OK();
  }
  Status EmitSatellite(const std::string& table,
                       std::shared_ptr<arrow::RecordBatch> rows) override {
    output.satellites[table].push_back(std::move(rows));
    return Status::OK();
  }
  flow::EpochOutput& counters() override { return output; }

  int64_t num_rows() const {
    int64_t rows = 0;
    for (const Batch& batch : batches) rows += batch.num_rows();
    return rows;
  }
  /// Column `c` of everything emitted.
  std::shared_ptr<arrow::Array> Column(int c) const {
    arrow::ArrayVector chunks;
    for (const Batch& batch : batches) chunks.push_back(batch.rows->column(c));
    return arrow::Concatenate(chunks).ValueOrDie();
  }
  std::string Json(int c) const { return batches.empty() ? "" : Column(c)->ToString(); }

  std::vector<Batch> batches;
  flow::EpochOutput output;
};

inline std::shared_ptr<arrow::Array> ArrayOf(const std::shared_ptr<arrow::DataType>& type,
                                             const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

inline Batch BatchOf(const std::shared_ptr<arrow::Schema>& schema,
                     const std::vector<std::string>& columns) {
  arrow::ArrayVector arrays;
  for (int c = 0; c < schema->num_fields(); ++c) {
    arrays.push_back(ArrayOf(schema->field(c)->type(), columns[static_cast<size_t>(c)]));
  }
  const int64_t rows = arrays[0]->length();
  return {.rows = arrow::RecordBatch::Make(schema, rows, std::move(arrays)),
          .origin = nullptr,
          .origin_row = nullptr};
}

/// `batch` as rows of a source, each its own origin.
inline Batch WithOrigin(Batch batch) {
  auto source = std::make_shared<SourceRows>();
  source->source_name = "test";
  source->rows = batch.rows;
  batch.origin = std::move(source);
  return batch;
}

inline flow::EpochContext EpochOf(int64_t number, TimestampMicros watermark = kNoTimestamp) {
  flow::EpochContext epoch;
  epoch.number = EpochNumber(number);
  epoch.watermark = watermark;
  return epoch;
}

}  // namespace sluice::operators
