// Small operators with memory for the simulation: plain maps, so that a wrong answer is the
// engine's fault.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "flow/operator.h"

namespace sluice::sim {

/// Rule breakers to the satellite "quarantine"; the rest passes.
class GateOperator : public flow::Operator {
 public:
  std::string_view name() const override { return "gate"; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return schema_; }
  bool stateless() const override { return true; }
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;

 private:
  std::shared_ptr<arrow::Schema> schema_;
};

/// Late rows to the satellite "late"; of each id the first passes, ids are forgotten behind the
/// watermark.
class TestDedup : public flow::Operator {
 public:
  std::string_view name() const override { return "dedup"; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return schema_; }
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;
  TimestampMicros MaxEventTime() const override;
  Status OnCommit(EpochNumber epoch, TableVersion version, TimestampMicros watermark) override;
  Status OnAbort(EpochNumber epoch) override;
  Status SaveState(arrow::io::OutputStream* out) override;
  Status LoadState(arrow::io::InputStream* in) override;
  Status ClearState() override;
  bool has_state() const override { return true; }

 private:
  struct Pending {
    EpochNumber epoch;
    std::map<int64_t, int64_t> ids;  // id -> event time
    TimestampMicros max = kNoTimestamp;
  };
  bool Seen(int64_t id) const;
  Pending& Of(EpochNumber epoch);

  std::shared_ptr<arrow::Schema> schema_;
  std::map<int64_t, int64_t> committed_;
  TimestampMicros max_ = kNoTimestamp;
  std::deque<Pending> pending_;
};

/// Count and sum of value by grp; a group whose sum is a multiple of 7 is left out of the view (a
/// deleted row).
class TestAggregate : public flow::Operator {
 public:
  static std::shared_ptr<arrow::Schema> Schema();
  std::string_view name() const override { return "aggregate"; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return schema_; }
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;
  Status OnEpochEnd(const flow::EpochContext& epoch, flow::Collector* out) override;
  Status OnCommit(EpochNumber epoch, TableVersion version, TimestampMicros watermark) override;
  Status OnAbort(EpochNumber epoch) override;
  Status SaveState(arrow::io::OutputStream* out) override;
  Status LoadState(arrow::io::InputStream* in) override;
  Status ClearState() override;
  bool has_state() const override { return true; }

 private:
  struct Group {
    int64_t count = 0;
    int64_t sum = 0;
  };
  struct Pending {
    EpochNumber epoch;
    std::map<int64_t, Group> groups;
  };
  const std::shared_ptr<arrow::Schema> schema_ = Schema();
  std::map<int64_t, Group> committed_;
  std::deque<Pending> pending_;
};

}  // namespace sluice::sim
