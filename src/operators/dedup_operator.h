// Lets the first row of each key pass. Within an epoch the first by `order_by`, then by arrival
// (source position); between epochs the one committed first. One thread at a time.
//
// Without order_by (or when it names key columns only) rows leave in ProcessBatch; otherwise the
// epoch's candidates are gathered and leave, in arrival order, in OnEpochEnd.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flow/operator.h"
#include "state/key_set.h"
#include "state/row_encoder.h"
#include "state/seen_set.h"

namespace sluice::operators {

struct OrderColumn {
  int column = 0;
  bool ascending = true;
  bool nulls_first = true;
};

struct DedupOptions {
  std::string name = "dedup";
  std::shared_ptr<arrow::Schema> input_schema;
  std::vector<int> key_columns;       // any types; NULLs equal each other
  std::vector<OrderColumn> order_by;  // empty = by arrival
  /// TIMESTAMP column: a key is forgotten once the watermark passed the event time of its first
  /// row, and rows older than the watermark pass unchecked. -1 = keys are kept for ever.
  int event_time_column = -1;
  /// Memory of keys; above `state.memory_limit_bytes` they spill to `state.spill_folder`.
  state::KeySetOptions state;
};

class DedupOperator : public flow::Operator {
 public:
  static Result<std::unique_ptr<DedupOperator>> Make(DedupOptions options);
  ~DedupOperator() override;

  std::string_view name() const override { return options_.name; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override {
    return options_.input_schema;
  }
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;
  Status OnEpochEnd(const flow::EpochContext& epoch, flow::Collector* out) override;
  Status OnCommit(EpochNumber epoch, TableVersion version, TimestampMicros watermark) override;
  Status OnAbort(EpochNumber epoch) override;
  Status SaveState(arrow::io::OutputStream* out) override;
  Status LoadState(arrow::io::InputStream* in) override;
  Status ClearState() override;
  int64_t StateBytes() const override;
  bool has_state() const override { return true; }

 private:
  struct Gathered;
  DedupOperator(DedupOptions options, std::unique_ptr<state::KeySet> seen,
                state::RowEncoder encoder);
  void SetExpiry(const flow::EpochContext& epoch, const arrow::RecordBatch& rows);
  Status EmitRows(const Batch& batch, const std::vector<uint32_t>& rows, flow::Collector* out);
  Status Gather(const flow::EpochContext& epoch, const Batch& batch, flow::Collector* out);

  const DedupOptions options_;
  std::vector<OrderColumn> order_by_;  // without key columns
  std::unique_ptr<state::KeySet> seen_;
  state::RowEncoder encoder_;
  std::unique_ptr<Gathered> gathered_;  // null when rows leave at once
  // Scratch of one batch, kept to save allocations.
  std::vector<Hash128> hashes_;
  std::vector<uint32_t> expiry_;
  std::vector<uint8_t> late_;
  std::vector<uint8_t> fresh_;
};

}  // namespace sluice::operators
