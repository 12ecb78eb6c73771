#include "sinks/event_log.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "delta/files/scan.h"
#include "storage/memory_storage.h"

namespace sluice::sinks {
namespace {

using nlohmann::json;

class EventLogTest : public ::testing::Test {
 protected:
  EventLogOptions Options() const {
    EventLogOptions options;
    options.table_path = "/w/default/event_log";
    options.pipeline_name = "shop";
    options.update_id = "u1";
    options.host = "h";
    options.background = false;
    return options;
  }

  // A column of the table as text, NULL as "-", in the order of `sequence`.
  std::vector<std::string> Column(const std::string& name) {
    auto table = tables_.Open("/w/default/event_log").ValueOrDie();
    auto rows = delta::ReadAll(storage_, table->Update().ValueOrDie()).ValueOrDie();
    auto batch = rows->CombineChunksToBatch().ValueOrDie();
    const auto& sequences =
        static_cast<const arrow::StringArray&>(*batch->GetColumnByName("sequence"));
    std::map<std::string, std::string> values;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const auto scalar = batch->GetColumnByName(name)->GetScalar(row).ValueOrDie();
      values[sequences.GetString(row)] = scalar->is_valid ? scalar->ToString() : "-";
    }
    EXPECT_EQ(static_cast<int64_t>(values.size()), batch->num_rows());
    std::vector<std::string> out;
    for (auto& [sequence, value] : values) out.push_back(std::move(value));
    return out;
  }
  int64_t Version() {
    return tables_.Open("/w/default/event_log").ValueOrDie()->Current()->version().value();
  }

  ManualClock clock_{1709294400000000};
  storage::MemoryStorage storage_{clock_};
  delta::TableRegistry tables_{storage_, clock_, 5};
};

TEST_F(EventLogTest, WritesAtMostOnceInAnIntervalAndAtTheEnd) {
  EventLog log(Options(), tables_, clock_, 1);
  log.Append(CreateUpdateEvent("DEFAULT", {}, "0.1.0"));
  log.WriteDue();
  EXPECT_FALSE(*tables_.Exists("/w/default/event_log"));  // the interval is not over
  clock_.Advance(10'000'000);
  log.WriteDue();
  EXPECT_EQ(Version(), 1);
  log.Append(FlowProgressEvent("silver", "s.silver", "RUNNING"));
  log.Append(UpdateProgressEvent("COMPLETED"));
  log.WriteDue();
  EXPECT_EQ(Version(), 1);
  ASSERT_TRUE(log.Close().ok());
  EXPECT_EQ(Version(), 2);
  EXPECT_EQ(Column("event_type"),
            (std::vector<std::string>{"create_update", "flow_progress", "update_progress"}));
  EXPECT_EQ(Column("message")[1], "Flow `silver` is RUNNING.");
  EXPECT_EQ(json::parse(Column("origin")[1]),
            json::parse(R"({"pipeline_name":"shop","update_id":"u1","flow_name":"silver",
                            "dataset_name":"s.silver","host":"h"})"));
  EXPECT_EQ(Column("error")[2], "-");
  EXPECT_EQ(log.dropped_events(), 0);
}

TEST_F(EventLogTest, MetricsOfEpochsAreSummedUp) {
  EventLog log(Options(), tables_, clock_, 1);
  FlowMetrics metrics;
  metrics.flow = "silver";
  metrics.dataset = "s.silver";
  metrics.output_rows = 5;
  metrics.epochs = 1;
  metrics.dropped_records = 1;
  metrics.backlog_records = 100;
  metrics.expectations["has_id"] = {.passed = 5, .failed = 1};
  log.AppendMetrics(metrics);
  metrics.backlog_records = 7;
  metrics.version = TableVersion(3);
  log.AppendMetrics(metrics);
  ASSERT_TRUE(log.Close().ok());
  ASSERT_EQ(Column("level"), std::vector<std::string>{"METRICS"});
  const json details = json::parse(Column("details")[0])["flow_progress"];
  EXPECT_EQ(details["metrics"]["num_output_rows"], 10);
  EXPECT_EQ(details["metrics"]["backlog_records"], 7);
  EXPECT_EQ(details["metrics"]["table_version"], 3);
  EXPECT_EQ(details["data_quality"], json::parse(R"({"dropped_records":2,"expectations":[
      {"name":"has_id","dataset":"s.silver","passed_records":10,"failed_records":2}]})"));
}

TEST_F(EventLogTest, ErrorsCarryTheirCode) {
  EventLog log(Options(), tables_, clock_, 1);
  log.Append(FlowProgressEvent(
      "f", "t", "FAILED", MakeError("EXPECTATION_FAILED", "expectation was violated: x \xff")));
  ASSERT_TRUE(log.Close().ok());
  EXPECT_EQ(Column("level")[0], "ERROR");
  EXPECT_EQ(json::parse(Column("error")[0])["code"], "EXPECTATION_FAILED");
}

TEST_F(EventLogTest, AFullQueueCountsWhatItDrops) {
  EventLogOptions options = Options();
  options.max_queued_events = 2;
  EventLog log(options, tables_, clock_, 1);
  for (int i = 0; i < 5; ++i) log.Append(UpdateProgressEvent("RUNNING"));
  EXPECT_EQ(log.dropped_events(), 3);
  clock_.Advance(10'000'000);
  log.WriteDue();
  ASSERT_TRUE(log.Close().ok());
  EXPECT_EQ(Column("message").back(), "3 events were not recorded.");
}

TEST_F(EventLogTest, FailedWritesAreTriedAgain) {
  EventLog log(Options(), tables_, clock_, 1);
  log.Append(UpdateProgressEvent("RUNNING"));
  clock_.Advance(10'000'000);
  storage_.SetHook([](storage::StorageCall call, const std::string&) {
    storage::StorageFault fault;
    if (call == storage::StorageCall::kPutIfAbsent) fault.error = Status::IOError("no disk");
    return fault;
  });
  log.WriteDue();
  storage_.SetHook({});
  log.Append(UpdateProgressEvent("COMPLETED"));
  ASSERT_TRUE(log.Close().ok());
  EXPECT_EQ(Column("message"), (std::vector<std::string>{"Run is RUNNING.", "Run is COMPLETED."}));
}

TEST_F(EventLogTest, TheThreadWritesByItself) {
  EventLogOptions options = Options();
  options.background = true;
  options.min_commit_interval_micros = 1000;
  EventLog log(options, tables_, SystemClock(), 1);
  for (int i = 0; i < 20; ++i) log.Append(UpdateProgressEvent("RUNNING"));
  ASSERT_TRUE(log.Close().ok());
  EXPECT_EQ(Column("id").size(), 20U);
}

}  // namespace
}  // namespace sluice::sinks
