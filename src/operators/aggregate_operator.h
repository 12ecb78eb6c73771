// Keeps the groups of a materialized view: each epoch's rows are aggregated into a delta of their
// own, merged into the committed groups when the epoch commits. At the end of an epoch the groups
// it changed are emitted with their new full values: key columns, then one column per aggregate.
// One thread at a time.
//
// Two epochs may be in flight: an emitted value is committed + older deltas in flight + the epoch's
// own delta.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "flow/operator.h"
#include "operators/aggregates/aggregate_spec.h"

namespace sluice::operators {

class GroupTable;
class SpilledGroups;

struct AggregateOptions {
  std::string name = "aggregate";
  std::string flow_name;  // for messages
  std::shared_ptr<arrow::Schema> input_schema;
  std::vector<int> key_columns;        // none = one group over everything
  std::vector<std::string> key_names;  // of the output; empty = the input's
  std::vector<AggregateSpec> aggregates;
  int64_t max_collected = 10'000;  // pipelines.state.maxCollected: values a group of collect_*
  int64_t state_limit_bytes = 1LL << 30;  // in memory
  /// Local folder for committed groups above half the limit, emptied when first used: a cache,
  /// never the truth. Empty = no spilling. STATE_LIMIT_EXCEEDED when what must be in memory exceeds
  /// it.
  std::string spill_folder;
  int64_t max_rows_per_batch = 65'536;  // of the emitted batches
};

class AggregateOperator : public flow::Operator {
 public:
  static Result<std::unique_ptr<AggregateOperator>> Make(AggregateOptions options);
  ~AggregateOperator() override;

  std::string_view name() const override { return options_.name; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return schema_; }
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

  int64_t num_groups() const;

 private:
  struct EpochDelta;
  AggregateOperator(AggregateOptions options, std::shared_ptr<arrow::Schema> schema);
  Result<EpochDelta*> DeltaOf(EpochNumber epoch);
  void Recycle(std::unique_ptr<GroupTable> groups);
  Status EmitChanged(flow::Collector* out);
  Status CheckLimit() const;
  int64_t GroupBytes() const;  // in memory, without the spill's own

  const AggregateOptions options_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<GroupTable> committed_;
  std::unique_ptr<SpilledGroups> spilled_;  // the committed groups that are not in committed_
  std::deque<EpochDelta> in_flight_;
  std::vector<std::unique_ptr<GroupTable>> spare_;  // emptied deltas, to reuse their memory
};

}  // namespace sluice::operators
