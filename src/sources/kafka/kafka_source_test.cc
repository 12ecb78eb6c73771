// KafkaSource on the embedded broker. tests/sources/ holds what needs a real one.
#include "sources/kafka/kafka_source.h"

#include <gtest/gtest.h>

#include <thread>

#include "sources/kafka/embedded_broker.h"
#include "sources/kafka/event_generator.h"

namespace sluice::sources {
namespace {

constexpr int64_t kBase = 1'700'000'000'000;

flow::PollLimits Limits(int64_t rows, int64_t bytes, int64_t wait_micros) {
  flow::PollLimits limits;
  limits.max_rows = rows;
  limits.max_bytes = bytes;
  limits.max_wait_micros = wait_micros;
  return limits;
}

class KafkaSourceTest : public testing::Test {
 protected:
  void SetUp() override { broker_ = EmbeddedBroker::Start().ValueOrDie(); }

  void Fill(
      const std::string& topic, int partitions, int records,
      const std::function<int64_t(int)>& timestamp = [](int i) { return kBase + i; }) {
    ASSERT_TRUE(broker_->CreateTopic(topic, partitions).ok());
    Append(topic, partitions, records, timestamp);
  }

  void Append(
      const std::string& topic, int partitions, int records,
      const std::function<int64_t(int)>& timestamp = [](int i) { return kBase + i; }) {
    DemoProducerOptions options;
    options.bootstrap_servers = broker_->bootstrap_servers();
    options.topic = topic;
    options.partitions = partitions;
    const auto producer = DemoProducer::Make(
                              options, [](int32_t) { return 0; }, SystemClock())
                              .ValueOrDie();
    for (int i = 0; i < records; ++i) {
      ASSERT_TRUE(
          producer->Produce("k" + std::to_string(i), "v" + std::to_string(i), timestamp(i)).ok());
    }
    ASSERT_TRUE(producer->Flush().ok());
  }

  std::unique_ptr<KafkaSource> Make(const std::string& topic,
                                    std::map<std::string, std::string> more = {},
                                    std::vector<std::string> columns = {}) {
    more.insert({{"bootstrapServers", broker_->bootstrap_servers()}, {"subscribe", topic}});
    more.emplace("startingOffsets", "earliest");
    auto options = ParseKafkaOptions("src", more);
    EXPECT_TRUE(options.ok()) << options.status().ToString();
    auto source = KafkaSource::Make(*options, std::move(columns), SystemClock());
    EXPECT_TRUE(source.ok()) << source.status().ToString();
    return std::move(*source);
  }

  std::unique_ptr<EmbeddedBroker> broker_;
};

/// What was read, by partition.
struct Read {
  std::map<int32_t, std::vector<int64_t>> offsets;
  flow::Positions positions;
  std::map<std::string, int64_t> fingerprints;
  std::vector<flow::SourceGap> gaps;
  int64_t rows = 0;

  void Add(const flow::SourceBatch& batch) {
    for (const auto& part : batch.rows) {
      const auto& partition =
          static_cast<const arrow::Int32Array&>(*part->rows->GetColumnByName("partition"));
      const auto& offset =
          static_cast<const arrow::Int64Array&>(*part->rows->GetColumnByName("offset"));
      for (int64_t i = 0; i < part->rows->num_rows(); ++i)
        offsets[partition.Value(i)].push_back(offset.Value(i));
      ASSERT_TRUE(part->rows->ValidateFull().ok());
      rows += part->rows->num_rows();
    }
    for (const auto& [key, next] : batch.next) positions[key] = next;
    for (const auto& [key, print] : batch.fingerprints) fingerprints[key] = print;
    gaps.insert(gaps.end(), batch.gaps.begin(), batch.gaps.end());
  }
};

void ReadRows(KafkaSource* source, int64_t rows, Read* read, const flow::PollLimits& limits = {}) {
  for (int polls = 0; read->rows < rows && polls < 600; ++polls) {
    const auto batch = source->PollBatch(limits);
    ASSERT_TRUE(batch.ok()) << batch.status().ToString();
    read->Add(*batch);
  }
  ASSERT_GE(read->rows, rows);
}

void ReadToEnd(KafkaSource* source, Read* read) {
  ASSERT_TRUE(source->PinEnd().ok());
  for (int polls = 0; polls < 600 && !source->AtEnd().ValueOrDie(); ++polls) {
    const auto batch = source->PollBatch({});
    ASSERT_TRUE(batch.ok()) << batch.status().ToString();
    read->Add(*batch);
  }
  ASSERT_TRUE(source->AtEnd().ValueOrDie());
}

void ExpectConsecutive(const std::vector<int64_t>& offsets, int64_t first) {
  for (size_t i = 0; i < offsets.size(); ++i)
    ASSERT_EQ(offsets[i], first + static_cast<int64_t>(i));
}

TEST_F(KafkaSourceTest, ReadsEveryPartitionInOrderToThePinnedEnd) {
  Fill("t", 3, 3'000);
  const auto source = Make("t");
  ASSERT_TRUE(source->Open({}, {}).ok());
  Read read;
  ReadToEnd(source.get(), &read);
  EXPECT_EQ(read.rows, 3'000);
  ASSERT_EQ(read.offsets.size(), 3U);
  for (const auto& [partition, offsets] : read.offsets) ExpectConsecutive(offsets, 0);
  EXPECT_EQ(read.positions,
            (flow::Positions{{"src/t-0", 1'000}, {"src/t-1", 1'000}, {"src/t-2", 1'000}}));
  EXPECT_EQ(read.fingerprints.size(), 3U);
  EXPECT_EQ(source->Lag().state, "RUNNING");
  Append("t", 3, 300);
  EXPECT_EQ(source->PollBatch({}).ValueOrDie().num_rows, 0);  // behind the end
}

TEST_F(KafkaSourceTest, ColumnsHoldWhatWasProduced) {
  Fill("t", 1, 3);
  const auto source = Make("t", {}, {"timestamp", "value", "key", "topic", "timestampType"});
  ASSERT_TRUE(source->Open({}, {}).ok());
  const auto batch = source->PollBatch(Limits(500, 1 << 20, 5'000'000)).ValueOrDie();
  ASSERT_EQ(batch.rows.size(), 1U);
  const auto& rows = *batch.rows[0]->rows;
  ASSERT_EQ(rows.num_columns(), 5);
  EXPECT_EQ(static_cast<const arrow::TimestampArray&>(*rows.column(0)).Value(2),
            (kBase + 2) * 1'000);
  EXPECT_EQ(static_cast<const arrow::BinaryArray&>(*rows.column(1)).GetView(1), "v1");
  EXPECT_EQ(static_cast<const arrow::BinaryArray&>(*rows.column(2)).GetView(0), "k0");
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*rows.column(3)).GetView(0), "t");
  EXPECT_EQ(static_cast<const arrow::Int32Array&>(*rows.column(4)).Value(0), 0);
  EXPECT_FALSE(KafkaSource::Make(source->options(), {"nope"}, SystemClock()).ok());
}

TEST_F(KafkaSourceTest, GoesOnAtCommittedPositions) {
  Fill("t", 2, 2'000);
  Read read;
  {
    const auto source = Make("t");
    ASSERT_TRUE(source->Open({}, {}).ok());
    ReadRows(source.get(), 700, &read, Limits(350, 1 << 20, 100'000));
    ASSERT_EQ(read.positions.size(), 2U);
    source->OnCommitted(read.positions);
    EXPECT_EQ(source->CommittedOffset("t", 0), read.positions.at("src/t-0"));
  }
  const auto source = Make("t");
  ASSERT_TRUE(source->Open(read.positions, read.fingerprints).ok());
  ReadToEnd(source.get(), &read);
  EXPECT_EQ(read.rows, 2'000);
  for (const auto& [partition, offsets] : read.offsets) ExpectConsecutive(offsets, 0);
}

TEST_F(KafkaSourceTest, RewindRepeatsExactly) {
  Fill("t", 2, 2'000);
  const auto source = Make("t");
  ASSERT_TRUE(source->Open({}, {}).ok());
  Read first;
  ReadRows(source.get(), 500, &first, Limits(250, 1 << 20, 100'000));
  Read ahead;
  ReadRows(source.get(), 1'000, &ahead, Limits(300, 1 << 20, 100'000));
  ASSERT_TRUE(source->Rewind(first.positions).ok());
  ReadToEnd(source.get(), &first);
  EXPECT_EQ(first.rows, 2'000);
  for (const auto& [partition, offsets] : first.offsets) ExpectConsecutive(offsets, 0);
  ASSERT_TRUE(source->Rewind({}).ok());
  Read again;
  ReadToEnd(source.get(), &again);
  EXPECT_EQ(again.rows, 2'000);
  EXPECT_EQ(again.positions, first.positions);
}

TEST_F(KafkaSourceTest, UntilStopsExactlyAndKeepsTheRest) {
  Fill("t", 3, 3'000);
  const auto source = Make("t");
  ASSERT_TRUE(source->Open({{"src/t-0", 900}, {"src/t-1", 900}, {"src/t-2", 900}}, {}).ok());
  ASSERT_TRUE(source->Rewind({{"src/t-0", 100}, {"src/t-1", 500}}).ok());
  flow::PollLimits limits;
  limits.until = {{"src/t-0", 400}, {"src/t-1", 550}, {"src/gone-0", 7}};
  Read rebuilt;
  for (int polls = 0; polls < 100 && rebuilt.positions != limits.until; ++polls) {
    const auto batch = source->PollBatch(limits);
    ASSERT_TRUE(batch.ok()) << batch.status().ToString();
    rebuilt.Add(*batch);
  }
  EXPECT_EQ(rebuilt.positions, limits.until);
  EXPECT_EQ(rebuilt.rows, 350);
  Read rest;
  ReadToEnd(source.get(), &rest);
  ExpectConsecutive(rest.offsets[0], 400);
  ExpectConsecutive(rest.offsets[1], 550);
  ExpectConsecutive(rest.offsets[2], 0);  // rewound without an entry: where the options start
  EXPECT_EQ(rest.rows, 600 + 450 + 1'000);
  EXPECT_TRUE(HasCode(source->Rewind({{"src/t-0", 5'000}}), "KAFKA_DATA_LOSS"));
}

TEST_F(KafkaSourceTest, LimitsAreKept) {
  Fill("t", 1, 5'000);
  const auto source = Make("t", {{"maxOffsetsPerTrigger", "1000"}});
  ASSERT_TRUE(source->Open({}, {}).ok());
  EXPECT_EQ(source->PollBatch(Limits(5'000, 1 << 20, 5'000'000)).ValueOrDie().num_rows, 1'000);
  EXPECT_EQ(source->PollBatch(Limits(7, 1 << 20, 5'000'000)).ValueOrDie().num_rows, 7);
  EXPECT_LE(source->PollBatch(Limits(5'000, 100, 5'000'000)).ValueOrDie().num_rows, 20);
}

TEST_F(KafkaSourceTest, LatestStartIsAnnouncedWithTheFirstRows) {
  Fill("t", 2, 100);
  const auto source = Make("t", {{"startingOffsets", "latest"}});
  ASSERT_TRUE(source->Open({}, {}).ok());
  EXPECT_EQ(source->PollBatch(Limits(10, 1 << 20, 50'000)).ValueOrDie().num_rows, 0);
  Append("t", 1, 1);  // to partition 0
  Read read;
  ReadRows(source.get(), 1, &read);
  EXPECT_EQ(read.positions, (flow::Positions{{"src/t-0", 51}, {"src/t-1", 50}}));
}

TEST_F(KafkaSourceTest, PositionBehindTheEndIsDataLoss) {
  Fill("t", 1, 10);
  const auto strict = Make("t");
  const Status status = strict->Open({{"src/t-0", 500}}, {});
  EXPECT_TRUE(HasCode(status, "KAFKA_DATA_LOSS")) << status.ToString();
  const auto lenient = Make("t", {{"failOnDataLoss", "false"}});
  ASSERT_TRUE(lenient->Open({{"src/t-0", 500}}, {}).ok());
  Read read;
  ReadToEnd(lenient.get(), &read);
  EXPECT_EQ(read.rows, 10);
  ASSERT_EQ(read.gaps.size(), 1U);
  EXPECT_EQ(read.gaps[0].from, 500);
  EXPECT_EQ(read.gaps[0].to, 0);
}

TEST_F(KafkaSourceTest, OtherRecordsBeforeThePositionAreDataLoss) {
  Fill("t", 1, 10);
  Read read;
  {
    const auto source = Make("t");
    ASSERT_TRUE(source->Open({}, {}).ok());
    ReadToEnd(source.get(), &read);
  }
  read.fingerprints["src/t-0"] ^= 1 << 20;
  EXPECT_TRUE(HasCode(Make("t")->Open(read.positions, read.fingerprints), "KAFKA_DATA_LOSS"));
}

TEST_F(KafkaSourceTest, UnreachableBrokerFailsOpenInTime) {
  const auto source = Make("t", {{"connectTimeoutMs", "700"}});
  ASSERT_TRUE(broker_->SetReachable(false).ok());
  const Status status = source->Open({}, {});
  EXPECT_TRUE(HasCode(status, "KAFKA_UNREACHABLE")) << status.ToString();
  EXPECT_EQ(RetryClass(status), Retry::kLater);
}

TEST_F(KafkaSourceTest, LostBrokerIsWaitedFor) {
  Fill("t", 1, 100);
  const auto source = Make("t");
  ASSERT_TRUE(source->Open({}, {}).ok());
  Read read;
  ReadRows(source.get(), 100, &read);
  ASSERT_TRUE(broker_->SetReachable(false).ok());
  for (int i = 0; i < 200 && source->Lag().state == "RUNNING"; ++i) {
    ASSERT_TRUE(source->PollBatch({}).ok());
  }
  EXPECT_NE(source->Lag().state.find("broker unreachable since"), std::string::npos);
  ASSERT_TRUE(broker_->SetReachable(true).ok());
  Append("t", 1, 50);
  ReadRows(source.get(), 150, &read);
  ExpectConsecutive(read.offsets[0], 0);
  EXPECT_EQ(source->Lag().state, "RUNNING");
}

TEST_F(KafkaSourceTest, StopWakesAPollThatWaits) {
  Fill("t", 1, 1);
  const auto source = Make("t", {{"startingOffsets", "latest"}});
  ASSERT_TRUE(source->Open({}, {}).ok());
  Clock& clock = SystemClock();
  const int64_t start = clock.SteadyMicros();
  std::thread stopper([&] {
    clock.SleepMicros(50'000);
    source->Stop();
  });
  EXPECT_EQ(source->PollBatch(Limits(10, 1 << 20, 30'000'000)).ValueOrDie().num_rows, 0);
  stopper.join();
  EXPECT_LT(clock.SteadyMicros() - start, 10'000'000);
}

TEST_F(KafkaSourceTest, PartitionsAdvanceTogetherInRecordTime) {
  // Partition 0 has a record a second, partition 1 ten a second: read evenly, 0 would run ahead in
  // time.
  Fill("t", 2, 8'000, [](int i) { return kBase + (i % 2 == 0 ? i / 2 * 1'000 : i / 2 * 100); });
  const auto source = Make("t", {{"maxPartitionSkewMs", "20000"}});
  ASSERT_TRUE(source->Open({}, {}).ok());
  std::map<int32_t, int64_t> newest = {{0, kBase}, {1, kBase}};
  for (int polls = 0; polls < 400 && newest[1] < kBase + 3'999 * 100; ++polls) {
    const auto batch = source->PollBatch(Limits(100, 1 << 20, 1'000'000)).ValueOrDie();
    for (const auto& part : batch.rows) {
      const auto& partition =
          static_cast<const arrow::Int32Array&>(*part->rows->GetColumnByName("partition"));
      const auto& time =
          static_cast<const arrow::TimestampArray&>(*part->rows->GetColumnByName("timestamp"));
      for (int64_t i = 0; i < part->rows->num_rows(); ++i)
        newest[partition.Value(i)] = time.Value(i) / 1'000;
    }
    if (newest[1] < kBase + 3'900 * 100) {
      ASSERT_LE(newest[0] - newest[1], 41'000) << "poll " << polls;
    }
  }
  Read rest;
  ReadToEnd(source.get(), &rest);
  EXPECT_EQ(rest.positions.count("src/t-0"), 1U);
}

TEST_F(KafkaSourceTest, DemoProducerLosesNothing) {
  ASSERT_TRUE(broker_->CreateTopic("demo", 2).ok());
  const auto source = Make("demo");
  ASSERT_TRUE(source->Open({}, {}).ok());
  constexpr int64_t kEvents = 60'000;  // more than the broker keeps
  std::thread feeder([&] {
    const auto generator = EventGenerator::Make({}, SystemClock()).ValueOrDie();
    DemoProducerOptions options;
    options.bootstrap_servers = broker_->bootstrap_servers();
    options.topic = "demo";
    options.partitions = 2;
    options.compression = "none";
    const auto producer =
        DemoProducer::Make(
            options, [&](int32_t p) { return source->CommittedOffset("demo", p); }, SystemClock())
            .ValueOrDie();
    for (int64_t i = 0; i < kEvents; ++i) {
      const GeneratedEvent& event = generator->Next();
      ASSERT_TRUE(producer->Produce(event.key, event.value, event.timestamp_millis).ok());
    }
    ASSERT_TRUE(producer->Flush().ok());
  });
  Read read;
  while (read.rows < kEvents) {
    const auto batch = source->PollBatch({});
    ASSERT_TRUE(batch.ok()) << batch.status().ToString();
    read.Add(*batch);
    source->OnCommitted(batch->next);
  }
  feeder.join();
  EXPECT_EQ(read.rows, kEvents);
  for (const auto& [partition, offsets] : read.offsets) ExpectConsecutive(offsets, 0);
}

}  // namespace
}  // namespace sluice::sources
