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
    ++polls;
    flow::SourceBatch batch;
    for (const auto& [key, until] : limits.until) {
      const auto found = available_.find(key);
      const int64_t end = found == available_.end() ? 0 : std::min(found->second, until);
      int64_t& at = at_[key];
      at = std::min(end, at + 10);
      batch.next[key] = at;
    }
    return batch;
  }
  Status Rewind(const flow::Positions& positions) override {
    at_ = positions;
    return Status::OK();
  }
  void OnCommitted(const flow::Positions&) override {}
  flow::SourceLag Lag() override { return {}; }
  void Stop() override {}
  Status Close() override { return Status::OK(); }

  int64_t polls = 0;

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

Status RestoreWith(const flow::Positions& available, const flow::Positions& committed,
                   ManualClock* clock, int64_t* polls) {
  FlowSpec spec;
  spec.name = "flow";
  spec.state_rebuild = StateRebuild::kFromStart;
  auto source = std::make_unique<StandingSource>(available);
  const StandingSource& seen = *source;
  FlowInput input;
  input.source = std::move(source);
  spec.inputs.push_back(std::move(input));
  spec.sink = std::make_unique<CommittedSink>(committed);
  SLUICE_ASSIGN_OR_RETURN(auto runner,
                          FlowRunner::Make(std::move(spec), {clock, nullptr, nullptr}));
  SLUICE_RETURN_NOT_OK(runner->Recover());
  const Status status = runner->Restore();
  *polls = seen.polls;
  return status;
}

TEST(FlowRestore, ReachesPositionsWithNothingBeforeThem) {
  ManualClock clock(1'000'000);
  int64_t polls = 0;
  const flow::Positions committed = {{"s/p-0", 25}, {"s/p-1", 0}};
  EXPECT_TRUE(RestoreWith({{"s/p-0", 25}}, committed, &clock, &polls).ok());
  EXPECT_EQ(polls, 3);
}

TEST(FlowRestore, ASourceThatStandsStillIsAnErrorThatNamesThePartition) {
  ManualClock clock(1'000'000);
  int64_t polls = 0;
  const flow::Positions committed = {{"s/p-0", 25}, {"s/p-1", 7}};
  const Status status = RestoreWith({{"s/p-0", 25}, {"s/p-1", 5}}, committed, &clock, &polls);
  EXPECT_TRUE(HasCode(status, "FLOW_REPLAY_STALLED")) << status;
  EXPECT_EQ(RetryClass(status), Retry::kLater);
  EXPECT_NE(status.message().find("s/p-1 stands at 5, wanted 7"), std::string::npos) << status;
  EXPECT_GE(clock.NowMicros(), 301'000'000);
  EXPECT_LE(polls, 30'010) << "it waits between polls";
}

}  // namespace
}  // namespace sluice::engine
