// Follows the event time of a flow's rows, which raises the watermark (the engine subtracts the
// delay), and takes late rows out of the stream. One thread at a time. Keeps nothing over a
// restart: the committed watermark lives in the table's log.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "flow/operator.h"

namespace sluice::operators {

/// What happens to a row older than the watermark its epoch started with.
enum class LatePolicy {
  kQuarantine,  // to the late table
  kDrop,        // counted
  kKeep,        // passes; a DedupOperator behind lets it through unchecked
};

/// Builds the rows of the late table. Called with the late rows only.
using LateRowBuilder = std::function<Result<std::shared_ptr<arrow::RecordBatch>>(
    const flow::EpochContext& epoch, const Batch& late)>;

struct WatermarkOptions {
  std::string name = "watermark";
  std::shared_ptr<arrow::Schema> input_schema;
  int event_time_column = 0;  // TIMESTAMP in microseconds (or DATE)
  LatePolicy policy = LatePolicy::kQuarantine;
  std::string late_table;          // kQuarantine: satellite name
  LateRowBuilder build_late_rows;  // kQuarantine
};

/// Rows whose event time is NULL are never late and raise nothing.
class WatermarkOperator : public flow::Operator {
 public:
  explicit WatermarkOperator(WatermarkOptions options);

  std::string_view name() const override { return options_.name; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override {
    return options_.input_schema;
  }
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;
  TimestampMicros MaxEventTime() const override;
  Status OnCommit(EpochNumber epoch, TableVersion version, TimestampMicros watermark) override;
  Status OnAbort(EpochNumber epoch) override;
  Status ClearState() override;

 private:
  struct EpochMax {
    EpochNumber number;
    TimestampMicros max = kNoTimestamp;
  };
  EpochMax& Current(EpochNumber number);

  const WatermarkOptions options_;
  TimestampMicros committed_max_ = kNoTimestamp;
  std::deque<EpochMax> in_flight_;
};

}  // namespace sluice::operators
