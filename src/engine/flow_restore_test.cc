#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "engine/flow_runner.h"

namespace sluice::engine {
namespace {

/// Tells where each partition stands in every poll, as the Kafka source does, and moves each as far
/// as `available` goes.
class StandingSource : public flow::Source {
 public:
  explicit StandingSource(flow::Positions available) : available_(std::move(available)) {}
  const std::string& id() const override { return id_; }
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  Status Open(const flow::Positions&, const std::map<std::string, int64_t>&) override {
    return Status::OK();
  }
  Status PinEnd() override { return Status::OK(); }
  Result<bool> AtEnd() override { return true; }
  Result<flow::SourceBatch> PollBatch(const flow::PollLimits& limits) override {
    flow::SourceBatch batch;
    const bool fails = ++polls == fails_at;
    for (const auto& [key, until] : limits.until) {
      const auto found = available_.find(key);
      const int64_t end = found == available_.end() ? 0 : std::min(found->second, until);
      int64_t& at = at_[key];
      const int64_t next = std::min(end, at + 10);
      if (!fails) delivered += next - at;
      batch.next[key] = at = next;
    }
    // The error comes after the source went on: what it had read is lost unless it is rewound.
    if (fails) return MakeError("STORAGE_IO", "injected", "", Retry::kLater);
    return batch;
  }
  Status Rewind(const flow::Positions& positions) override {
    ++rewinds;
    at_ = positions;
    return Status::OK();
  }
  void OnCommitted(const flow::Positions&) override {}
  flow::SourceLag Lag() override { return {}; }
  void Stop() override {}
  Status Close() override { return Status::OK(); }

  int64_t fails_at = 0;
  int64_t polls = 0;
  int64_t rewinds = 0;
  int64_t delivered = 0;  // records, by polls that succeeded

 private:
  const std::string id_ = "s";
  const std::shared_ptr<arrow::Schema> schema_ = arrow::schema({});
  const flow::Positions available_;
  flow::Positions at_;
};

class CommittedSink : public flow::Sink {
 public:
  explicit CommittedSink(flow::Positions positions) {
    recovered_.positions = std::move(positions);
    recovered_.last_epoch = EpochNumber(3);
    recovered_.version = TableVersion(4);
  }
  Result<flow::RecoveredFlow> Recover() override { return recovered_; }
  Result<std::unique_ptr<flow::StagedEpoch>> Stage(flow::EpochOutput) override {
    return MakeError("INTERNAL_ERROR", "not expected");
  }
  Result<flow::CommittedEpoch> Commit(flow::StagedEpoch*) override {
    return MakeError("INTERNAL_ERROR", "not expected");
  }
  Status CommitSatellites(flow::StagedEpoch*) override { return Status::OK(); }
  Result<std::vector<TableVersion>> Maintain() override { return std::vector<TableVersion>(); }

 private:
  flow::RecoveredFlow recovered_;
};

struct Restored {
  Status status;
  int64_t polls = 0;
  int64_t rewinds = 0;
  int64_t delivered = 0;
};

Restored RestoreWith(const flow::Positions& available, const flow::Positions& committed,
                     ManualClock* clock, int64_t fails_at = 0) {
  FlowSpec spec;
  spec.name = "flow";
  spec.state_rebuild = StateRebuild::kFromStart;
  auto source = std::make_unique<StandingSource>(available);
  source->fails_at = fails_at;
  const StandingSource& seen = *source;
  FlowInput input;
  input.source = std::move(source);
  spec.inputs.push_back(std::move(input));
  spec.sink = std::make_unique<CommittedSink>(committed);
  const auto runner = FlowRunner::Make(std::move(spec), {clock, nullptr, nullptr}).ValueOrDie();
  Status status = runner->Recover();
  if (status.ok()) status = runner->Restore();
  return {status, seen.polls, seen.rewinds, seen.delivered};
}

TEST(FlowRestore, ReachesPositionsWithNothingBeforeThem) {
  ManualClock clock(1'000'000);
  const auto restored = RestoreWith({{"s/p-0", 25}}, {{"s/p-0", 25}, {"s/p-1", 0}}, &clock);
  EXPECT_TRUE(restored.status.ok()) << restored.status;
  EXPECT_EQ(restored.polls, 3);
}

TEST(FlowRestore, ASourceThatStandsStillIsAnErrorThatNamesThePartition) {
  ManualClock clock(1'000'000);
  const auto [status, polls, rewinds, delivered] =
      RestoreWith({{"s/p-0", 25}, {"s/p-1", 5}}, {{"s/p-0", 25}, {"s/p-1", 7}}, &clock);
  EXPECT_TRUE(HasCode(status, "FLOW_REPLAY_STALLED")) << status;
  EXPECT_EQ(RetryClass(status), Retry::kLater);
  EXPECT_NE(status.message().find("s/p-1 stands at 5, wanted 7"), std::string::npos) << status;
  EXPECT_GE(clock.NowMicros(), 301'000'000);
  EXPECT_LE(polls, 30'010) << "it waits between polls";
}

TEST(FlowRestore, AnErrorThatPassesDoesNotUndoTheReplay) {
  ManualClock clock(1'000'000);
  const auto restored = RestoreWith({{"s/p-0", 55}}, {{"s/p-0", 55}}, &clock, 3);
  EXPECT_TRUE(restored.status.ok()) << restored.status;
  EXPECT_EQ(restored.delivered, 55) << "each record once";
  EXPECT_EQ(restored.polls, 7);
  EXPECT_EQ(restored.rewinds, 3) << "to the start, after the error, to the end";
}

}  // namespace
}  // namespace sluice::engine
