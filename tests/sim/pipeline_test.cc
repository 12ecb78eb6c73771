// The pipeline's threads over the simulation's parts: --once, twice, continuous with a stop, a
// second process.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/clock.h"
#include "delta/files/scan.h"
#include "engine/pipeline.h"
#include "engine/recompute.h"
#include "scripted_topic.h"
#include "sinks/delta_append_sink.h"
#include "sinks/delta_merge_sink.h"
#include "sources/table/table_source.h"
#include "state/snapshot_store.h"
#include "storage/memory_storage.h"
#include "test_operators.h"

namespace sluice::sim {
namespace {

constexpr int64_t kDelay = 60'000'000;

class CountingListener : public engine::FlowListener {
 public:
  void OnFlowState(const engine::FlowStatus&) override { ++states; }
  void OnFlowProgress(const std::string&, const engine::EpochProgress& progress) override {
    ++epochs;
    input_rows += progress.input_rows;
  }
  std::atomic<int> states{0};
  std::atomic<int> epochs{0};
  std::atomic<int64_t> input_rows{0};
};

class PipelineTest : public ::testing::Test {
 protected:
  engine::Pipeline::Flow Silver(delta::TableRegistry& tables) {
    sinks::DeltaSinkOptions sink;
    sink.flow_name = "silver";
    sink.table_path = "/wh/silver";
    sink.schema = TopicSchema();
    sink.satellites["quarantine"] = {"/wh/quarantine", {}, {}};
    sink.satellites["late"] = {"/wh/late", {}, {}};
    engine::Pipeline::Flow flow;
    flow.spec.name = "silver";
    flow.spec.target = "silver";
    flow.spec.state_rebuild = engine::StateRebuild::kFromReplay;
    flow.spec.hand_off = hand_off_;
    flow.spec.limits.max_epoch_rows = 50;
    flow.spec.limits.trigger_interval_micros = 25'000;
    engine::FlowInput input;
    input.source = std::make_unique<ScriptedSource>(topic_, source_random_);
    input.watermark_delay_micros = kDelay;
    flow.spec.inputs.push_back(std::move(input));
    flow.spec.operators.push_back(std::make_unique<GateOperator>());
    flow.spec.operators.push_back(std::make_unique<TestDedup>());
    flow.spec.sink = sinks::DeltaAppendSink::Make(sink, tables, ++seed_).ValueOrDie();
    flow.snapshots = std::make_unique<state::SnapshotStore>(storage_, "/state/silver");
    return flow;
  }
  std::unique_ptr<flow::Source> SilverSource(delta::TableRegistry& tables) {
    sources::TableSourceOptions source;
    source.id = "silver";
    source.table_path = "/wh/silver";
    source.schema = TopicSchema();
    return sources::TableSource::Make(source, tables, hand_off_, SystemClock()).ValueOrDie();
  }
  engine::Pipeline::Flow Gold(delta::TableRegistry& tables) {
    sinks::DeltaSinkOptions sink;
    sink.flow_name = "gold";
    sink.table_path = "/wh/gold";
    sink.schema = TestAggregate::Schema();
    engine::Pipeline::Flow flow;
    flow.spec.name = "gold";
    flow.spec.target = "gold";
    flow.spec.state_rebuild = engine::StateRebuild::kFromStart;
    flow.spec.limits.trigger_interval_micros = 25'000;
    engine::FlowInput input;
    input.source = SilverSource(tables);
    input.upstream_flows = {"silver"};
    flow.spec.inputs.push_back(std::move(input));
    flow.spec.operators.push_back(std::make_unique<TestAggregate>());
    flow.spec.sink = sinks::DeltaMergeSink::Make(sink, {{"grp"}}, tables, ++seed_).ValueOrDie();
    flow.snapshots = std::make_unique<state::SnapshotStore>(storage_, "/state/gold");
    return flow;
  }
  std::unique_ptr<engine::Pipeline> Make(delta::TableRegistry& tables, engine::RunMode mode,
                                         engine::FlowListener* listener = nullptr) {
    std::vector<engine::Pipeline::Flow> flows;
    flows.push_back(Gold(tables));  // the order does not matter
    flows.push_back(Silver(tables));
    engine::PipelineOptions options;
    options.mode = mode;
    return engine::Pipeline::Make(std::move(flows), options, SystemClock(), listener).ValueOrDie();
  }
  std::shared_ptr<arrow::RecordBatch> Read(const std::string& path) {
    const auto snapshot = delta::Snapshot::Load(storage_, path).ValueOrDie();
    return delta::ReadAll(storage_, snapshot).ValueOrDie()->CombineChunksToBatch().ValueOrDie();
  }
  int64_t Version(const std::string& path) {
    return delta::Snapshot::Load(storage_, path).ValueOrDie()->version().value();
  }
  /// Records that are in silver, quarantine and late rows, each once; duplicates are the rest.
  void CheckComplete() {
    std::set<std::pair<int32_t, int64_t>> seen;
    std::set<int64_t> ids;
    for (const char* path : {"/wh/silver", "/wh/quarantine", "/wh/late"}) {
      const auto rows = Read(path);
      const auto& partitions =
          static_cast<const arrow::Int32Array&>(*rows->GetColumnByName("partition"));
      const auto& offsets = static_cast<const arrow::Int64Array&>(*rows->GetColumnByName("offset"));
      const auto& row_ids = static_cast<const arrow::Int64Array&>(*rows->GetColumnByName("id"));
      for (int64_t i = 0; i < rows->num_rows(); ++i) {
        EXPECT_TRUE(seen.emplace(partitions.Value(i), offsets.Value(i)).second);
        ids.insert(row_ids.Value(i));
      }
    }
    for (int p = 0; p < topic_.partitions(); ++p) {
      for (const Record& record : topic_.records(p))
        EXPECT_TRUE(ids.contains(record.id)) << record.id;
    }
    std::map<int64_t, std::pair<int64_t, int64_t>> expected;
    const auto silver = Read("/wh/silver");
    const auto& groups = static_cast<const arrow::Int64Array&>(*silver->GetColumnByName("grp"));
    const auto& values = static_cast<const arrow::Int64Array&>(*silver->GetColumnByName("value"));
    for (int64_t i = 0; i < silver->num_rows(); ++i) {
      ++expected[groups.Value(i)].first;
      expected[groups.Value(i)].second += values.Value(i);
    }
    std::erase_if(expected, [](const auto& entry) { return entry.second.second % 7 == 0; });
    EXPECT_EQ(Read("/wh/gold")->num_rows(), static_cast<int64_t>(expected.size()));
  }

  storage::MemoryStorage storage_{SystemClock()};
  Random source_random_{5};
  ScriptedTopic topic_{7, 3, 1'700'000'000'000'000, kDelay};
  std::shared_ptr<flow::HandOff> hand_off_ = std::make_shared<flow::HandOff>(16 << 20);
  uint64_t seed_ = 100;
};

TEST_F(PipelineTest, OnceConsumesEverythingAndTwiceCommitsNothing) {
  topic_.Produce(1000);
  CountingListener listener;
  {
    delta::TableRegistry tables(storage_, SystemClock(), 1);
    auto pipeline = Make(tables, engine::RunMode::kOnce, &listener);
    ASSERT_TRUE(pipeline->Run().ok());
    ASSERT_TRUE(pipeline->FirstError().ok()) << pipeline->FirstError();
    const auto statuses = pipeline->Statuses();
    ASSERT_EQ(statuses.size(), 2U);
    EXPECT_EQ(statuses[0].name, "silver");
    EXPECT_EQ(statuses[0].state, engine::FlowState::kCompleted);
    EXPECT_EQ(statuses[0].input_rows, 1000);
    EXPECT_GT(statuses[0].expectations.at("not_bad").failed, 0);
    EXPECT_EQ(statuses[1].state, engine::FlowState::kCompleted);
  }
  EXPECT_GT(listener.epochs, 10);
  CheckComplete();
  const int64_t silver = Version("/wh/silver");
  const int64_t gold = Version("/wh/gold");
  delta::TableRegistry tables(storage_, SystemClock(), 2);
  auto again = Make(tables, engine::RunMode::kOnce);
  ASSERT_TRUE(again->Run().ok());
  EXPECT_TRUE(again->FirstError().ok()) << again->FirstError();
  EXPECT_EQ(Version("/wh/silver"), silver);
  EXPECT_EQ(Version("/wh/gold"), gold);
}

TEST_F(PipelineTest, ContinuousStopsAndGoesOn) {
  topic_.Produce(300);
  for (int round = 0; round < 3; ++round) {
    delta::TableRegistry tables(storage_, SystemClock(), static_cast<uint64_t>(round) + 1);
    CountingListener listener;
    auto pipeline = Make(tables, engine::RunMode::kContinuous, &listener);
    std::thread runner([&] { EXPECT_TRUE(pipeline->Run().ok()); });
    for (int i = 0; i < 2000 && listener.epochs < 4; ++i) SystemClock().SleepMicros(1'000);
    pipeline->RequestStop();
    runner.join();
    EXPECT_TRUE(pipeline->FirstError().ok()) << pipeline->FirstError();
    for (const auto& status : pipeline->Statuses())
      EXPECT_EQ(status.state, engine::FlowState::kStopped);
    topic_.Produce(200);
  }
  delta::TableRegistry tables(storage_, SystemClock(), 9);
  auto last = Make(tables, engine::RunMode::kOnce);
  ASSERT_TRUE(last->Run().ok());
  ASSERT_TRUE(last->FirstError().ok()) << last->FirstError();
  CheckComplete();
}

// A try of silver costs 3 calls to find where it stands, its epoch at most 22: a file is opened,
// written and closed (3 calls; target, quarantine, late), the commit is one, and a satellite is
// looked up and brought up to date before its commit. With a fault in every 37th call of both flows
// each try gets at least one epoch through now and then, and what it got through stays.
TEST_F(PipelineTest, ErrorsThatPassAreTriedAgain) {
  constexpr int kFaultEvery = 37;
  topic_.Produce(500);
  std::atomic<int> calls{0};
  std::atomic<int> faults{0};
  storage_.SetHook([&](storage::StorageCall, const std::string& path) {
    storage::StorageFault fault;
    const int call = ++calls;
    if (call % kFaultEvery == 0 && path.starts_with("/wh")) {
      ++faults;
      fault.error = MakeError("STORAGE_IO", "injected", "", Retry::kLater);
      fault.after_effect = call % 2 == 0;
    }
    return fault;
  });
  delta::TableRegistry tables(storage_, SystemClock(), 1);
  std::vector<engine::Pipeline::Flow> flows;
  flows.push_back(Silver(tables));
  flows.push_back(Gold(tables));
  for (auto& flow : flows) flow.spec.limits.max_retries_once = 10;
  engine::PipelineOptions options;
  options.backoff_min_micros = 1'000;
  options.backoff_max_micros = 5'000;
  auto pipeline =
      engine::Pipeline::Make(std::move(flows), options, SystemClock(), nullptr).ValueOrDie();
  ASSERT_TRUE(pipeline->Run().ok());
  storage_.SetHook({});
  ASSERT_TRUE(pipeline->FirstError().ok()) << pipeline->FirstError();
  EXPECT_GT(faults, 5);
  std::printf("%d calls, %d faults\n", calls.load(), faults.load());
  CheckComplete();
}

TEST_F(PipelineTest, ASecondProcessIsStopped) {
  topic_.Produce(400);
  delta::TableRegistry tables(storage_, SystemClock(), 1);
  CountingListener listener;
  std::vector<engine::Pipeline::Flow> flows;
  flows.push_back(Silver(tables));
  engine::PipelineOptions continuous;
  continuous.mode = engine::RunMode::kContinuous;
  auto pipeline =
      engine::Pipeline::Make(std::move(flows), continuous, SystemClock(), &listener).ValueOrDie();
  std::thread runner([&] { EXPECT_TRUE(pipeline->Run().ok()); });
  for (int i = 0; i < 5000 && listener.input_rows < 400; ++i) SystemClock().SleepMicros(1'000);
  // Somebody else goes on where this one stands.
  {
    delta::TableRegistry elsewhere(storage_, SystemClock(), 2);
    auto table = elsewhere.Open("/wh/silver").ValueOrDie();
    auto transaction = table->NewTransaction();
    for (const auto& [id, txn] : table->Current()->txns()) transaction.SetTxn(id, txn.version + 1);
    ASSERT_TRUE(transaction.Commit().ok());
  }
  topic_.Produce(100);
  runner.join();  // ends by itself
  EXPECT_TRUE(HasCode(pipeline->FirstError(), "FLOW_FOREIGN_ADVANCE")) << pipeline->FirstError();
}

TEST_F(PipelineTest, ARecomputedViewFollowsItsInput) {
  topic_.Produce(300);
  delta::TableRegistry tables(storage_, SystemClock(), 1);
  sinks::DeltaSinkOptions sink;
  sink.flow_name = "total";
  sink.table_path = "/wh/total";
  sink.schema = arrow::schema({arrow::field("n", arrow::int64())});
  engine::RecomputeInput silver;
  silver.id = "silver";
  silver.hand_off = hand_off_;
  silver.newest_version = [&]() -> Result<int64_t> {
    SLUICE_ASSIGN_OR_RETURN(const bool exists, tables.Exists("/wh/silver"));
    if (!exists) return -1;
    SLUICE_ASSIGN_OR_RETURN(const auto table, tables.Open("/wh/silver"));
    return table->Current()->version().value();
  };
  auto parts = engine::MakeRecompute(
      "inputs", {silver}, sink.schema,
      [&](const flow::EpochContext&, const std::map<std::string, int64_t>& versions)
          -> Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> {
        SLUICE_ASSIGN_OR_RETURN(const auto table, tables.Open("/wh/silver"));
        SLUICE_ASSIGN_OR_RETURN(const auto snapshot,
                                table->SnapshotAt(TableVersion(versions.at("silver"))));
        SLUICE_ASSIGN_OR_RETURN(const auto all, delta::ReadAll(storage_, snapshot));
        arrow::Int64Builder count;
        SLUICE_RETURN_NOT_OK(count.Append(all->num_rows()));
        SLUICE_ASSIGN_OR_RETURN(auto column, count.Finish());
        return std::vector<std::shared_ptr<arrow::RecordBatch>>{
            arrow::RecordBatch::Make(sink.schema, 1, {std::move(column)})};
      },
      SystemClock(), 1'000);
  engine::Pipeline::Flow total;
  total.spec.name = "total";
  total.spec.target = "total";
  engine::FlowInput input;
  input.source = std::move(parts.source);
  input.upstream_flows = {"silver"};
  total.spec.inputs.push_back(std::move(input));
  total.spec.operators.push_back(std::move(parts.compute));
  total.spec.sink = sinks::DeltaMergeSink::Make(sink, {}, tables, 8).ValueOrDie();
  std::vector<engine::Pipeline::Flow> flows;
  flows.push_back(std::move(total));
  flows.push_back(Silver(tables));
  auto pipeline = engine::Pipeline::Make(std::move(flows), {}, SystemClock(), nullptr).ValueOrDie();
  ASSERT_TRUE(pipeline->Run().ok());
  ASSERT_TRUE(pipeline->FirstError().ok()) << pipeline->FirstError();
  const auto view = Read("/wh/total");
  ASSERT_EQ(view->num_rows(), 1);
  EXPECT_EQ(static_cast<const arrow::Int64Array&>(*view->column(0)).Value(0),
            Read("/wh/silver")->num_rows());
}

}  // namespace
}  // namespace sluice::sim
