// KafkaSource against a real Apache Kafka: offsets, transactions, topics that change, brokers that
// stop.
#include <gtest/gtest.h>

#include <set>

#include "base/clock.h"
#include "kafka_service.h"
#include "sources/kafka/kafka_source.h"

namespace sluice::sources {
namespace {

constexpr int64_t kBase = 1'700'000'000'000;
constexpr int kMaxPolls = 600;  // of 100 ms at most

/// One broker for all tests of the program.
class Broker : public testing::Environment {
 public:
  void SetUp() override {
    service = std::make_unique<KafkaService>();
    ASSERT_TRUE(service->Start()) << "see the broker's log above";
  }
  void TearDown() override { service.reset(); }
  static std::unique_ptr<KafkaService> service;
};
std::unique_ptr<KafkaService> Broker::service;
[[maybe_unused]] testing::Environment* const kBroker =
    testing::AddGlobalTestEnvironment(new Broker);

/// What was read, by partition name.
struct Read {
  std::map<std::string, std::vector<int64_t>> offsets;
  std::vector<std::string> values;
  flow::Positions positions;
  std::map<std::string, int64_t> fingerprints;
  int64_t rows = 0;

  void Add(const flow::SourceBatch& batch) {
    for (const auto& part : batch.rows) {
      ASSERT_TRUE(part->rows->ValidateFull().ok());
      const auto& topic =
          static_cast<const arrow::StringArray&>(*part->rows->GetColumnByName("topic"));
      const auto& partition =
          static_cast<const arrow::Int32Array&>(*part->rows->GetColumnByName("partition"));
      const auto& offset =
          static_cast<const arrow::Int64Array&>(*part->rows->GetColumnByName("offset"));
      const auto& value =
          static_cast<const arrow::BinaryArray&>(*part->rows->GetColumnByName("value"));
      for (int64_t i = 0; i < part->rows->num_rows(); ++i) {
        offsets[topic.GetString(i) + "-" + std::to_string(partition.Value(i))].push_back(
            offset.Value(i));
        values.push_back(value.GetString(i));
      }
    }
    rows += batch.num_rows;
    for (const auto& [key, next] : batch.next) positions[key] = next;
    for (const auto& [key, print] : batch.fingerprints) fingerprints[key] = print;
  }
};

class KafkaBrokerTest : public testing::Test {
 protected:
  KafkaBrokerTest() : client_(Broker::service->address()) {
    topic_ = testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  std::unique_ptr<KafkaSource> Make(std::map<std::string, std::string> more = {}) {
    if (more.count("subscribePattern") == 0 && more.count("assign") == 0)
      more.emplace("subscribe", topic_);
    more.emplace("bootstrapServers", Broker::service->address());
    if (more.count("startingTimestamp") == 0) more.emplace("startingOffsets", "earliest");
    auto options = ParseKafkaOptions("src", more);
    EXPECT_TRUE(options.ok()) << options.status().ToString();
    auto source = KafkaSource::Make(*options, {}, SystemClock());
    EXPECT_TRUE(source.ok()) << source.status().ToString();
    return std::move(*source);
  }

  std::string Key(int partition) const { return "src/" + topic_ + "-" + std::to_string(partition); }
  std::string Name(int partition) const { return topic_ + "-" + std::to_string(partition); }

  TestClient client_;
  std::string topic_;
};

void ReadToEnd(KafkaSource* source, Read* read) {
  const Status pinned = source->PinEnd();
  ASSERT_TRUE(pinned.ok()) << pinned.ToString();
  for (int polls = 0; polls < kMaxPolls && !source->AtEnd().ValueOrDie(); ++polls) {
    const auto batch = source->PollBatch({});
    ASSERT_TRUE(batch.ok()) << batch.status().ToString();
    read->Add(*batch);
  }
  ASSERT_TRUE(source->AtEnd().ValueOrDie());
}

void ReadRows(KafkaSource* source, int64_t rows, Read* read) {
  for (int polls = 0; polls < kMaxPolls && read->rows < rows; ++polls) {
    const auto batch = source->PollBatch({});
    ASSERT_TRUE(batch.ok()) << batch.status().ToString();
    read->Add(*batch);
  }
  ASSERT_EQ(read->rows, rows);
}

Read ReadAll(KafkaSource* source, const Read& from = {}) {
  Read read = from;
  const Status opened = source->Open(from.positions, from.fingerprints);
  EXPECT_TRUE(opened.ok()) << opened.ToString();
  if (opened.ok()) ReadToEnd(source, &read);
  return read;
}

void ExpectConsecutive(const std::vector<int64_t>& offsets, int64_t first, int64_t count) {
  ASSERT_EQ(static_cast<int64_t>(offsets.size()), count);
  for (int64_t i = 0; i < count; ++i) ASSERT_EQ(offsets[static_cast<size_t>(i)], first + i);
}

TEST_F(KafkaBrokerTest, StartsAndEndsAtOffsets) {
  client_.CreateTopic(topic_, 2);
  client_.ProduceMany(topic_, 2, 200);
  Read read = ReadAll(Make({{"startingOffsets", "{\"" + topic_ + "\":{\"0\":23,\"1\":-2}}"},
                            {"endingOffsets", "{\"" + topic_ + "\":{\"0\":50,\"1\":-1}}"}})
                          .get());
  ExpectConsecutive(read.offsets[Name(0)], 23, 27);
  ExpectConsecutive(read.offsets[Name(1)], 0, 100);
  EXPECT_EQ(read.positions, (flow::Positions{{Key(0), 50}, {Key(1), 100}}));
  EXPECT_EQ(ReadAll(Make({{"startingOffsets", "latest"}}).get()).rows, 0);
  read = ReadAll(Make({{"assign", "{\"" + topic_ + "\":[1]}"}}).get());
  EXPECT_EQ(read.offsets.size(), 1U);
  ExpectConsecutive(read.offsets[Name(1)], 0, 100);
  const Status missing =
      Make({{"startingOffsets", "{\"" + topic_ + "\":{\"0\":23}}"}})->Open({}, {});
  EXPECT_TRUE(HasCode(missing, "KAFKA_INVALID_OPTION")) << missing.ToString();
}

TEST_F(KafkaBrokerTest, StartsAndEndsAtTimestamps) {
  client_.CreateTopic(topic_, 2);
  client_.ProduceMany(topic_, 2, 200);  // partition p holds kBase + (2 i + p) s
  const std::string at = std::to_string(kBase + 100'000);
  Read read = ReadAll(Make({{"startingTimestamp", at}}).get());
  ExpectConsecutive(read.offsets[Name(0)], 50, 50);
  ExpectConsecutive(read.offsets[Name(1)], 50, 50);
  read = ReadAll(Make({{"endingTimestamp", at}}).get());
  ExpectConsecutive(read.offsets[Name(0)], 0, 50);
  const std::string late = std::to_string(kBase + 900'000);
  const Status none = Make({{"startingTimestamp", late}})->Open({}, {});
  EXPECT_TRUE(HasCode(none, "KAFKA_NO_OFFSET_FOR_TIMESTAMP")) << none.ToString();
  EXPECT_EQ(
      ReadAll(Make({{"startingTimestamp", late}, {"startingOffsetsByTimestampStrategy", "latest"}})
                  .get())
          .rows,
      0);
}

TEST_F(KafkaBrokerTest, AbortedRecordsAreNotSeen) {
  client_.CreateTopic(topic_, 1);
  TestClient writer(Broker::service->address(), "tx-" + topic_);
  const auto transaction = [&](const std::string& prefix, int count, bool commits) {
    writer.Begin();
    writer.ProduceMany(topic_, 1, count, prefix);
    commits ? writer.Commit() : writer.Abort();
  };
  transaction("a", 100, true);
  transaction("lost", 40, false);
  transaction("b", 50, true);
  transaction("lost", 20, false);
  Read read = ReadAll(Make().get());
  EXPECT_EQ(read.rows, 150);
  for (const std::string& value : read.values) ASSERT_EQ(value.find("lost"), std::string::npos);

  Read again = ReadAll(
      Make().get(), read);  // markers before the position hide no recreated topic and lose nothing
  EXPECT_EQ(again.rows, 150);
  transaction("c", 10, true);
  again = ReadAll(Make().get(), read);
  EXPECT_EQ(again.rows, 160);
  read.fingerprints[Key(0)] ^= 1 << 20;
  EXPECT_TRUE(HasCode(Make()->Open(read.positions, read.fingerprints), "KAFKA_DATA_LOSS"));
  EXPECT_EQ(ReadAll(Make({{"kafka.isolation.level", "read_uncommitted"}}).get()).rows, 220);
}

TEST_F(KafkaBrokerTest, OpenTransactionDoesNotHoldUpTheEnd) {
  client_.CreateTopic(topic_, 1);
  client_.ProduceMany(topic_, 1, 10);
  TestClient writer(Broker::service->address(), "tx-" + topic_);
  writer.Begin();
  writer.ProduceMany(topic_, 1, 10, "open");
  Read read = ReadAll(Make().get());
  EXPECT_EQ(read.rows, 10);
  writer.Commit();
  read = ReadAll(Make().get(), read);
  EXPECT_EQ(read.rows, 20);
}

TEST_F(KafkaBrokerTest, HeadersNullsAndEmptyValues) {
  client_.CreateTopic(topic_, 1);
  client_.Produce(topic_, {0, std::nullopt, "no key", kBase, {}});
  client_.Produce(topic_, {0, "tombstone", std::nullopt, kBase, {}});
  client_.Produce(topic_, {0, "", "", kBase, {{"h", "1"}, {"h", std::nullopt}, {"x", ""}}});
  client_.Flush();
  const auto source = Make({{"includeHeaders", "true"}});
  ASSERT_TRUE(source->Open({}, {}).ok());
  std::vector<std::shared_ptr<arrow::RecordBatch>> parts;
  ASSERT_TRUE(source->PinEnd().ok());
  for (int polls = 0; polls < kMaxPolls && !source->AtEnd().ValueOrDie(); ++polls) {
    const auto batch = source->PollBatch({}).ValueOrDie();
    for (const auto& part : batch.rows) parts.push_back(part->rows);
  }
  const auto rows =
      arrow::Table::FromRecordBatches(parts).ValueOrDie()->CombineChunksToBatch().ValueOrDie();
  ASSERT_EQ(rows->num_rows(), 3);
  ASSERT_TRUE(rows->ValidateFull().ok());
  const auto key = rows->GetColumnByName("key");
  const auto value = rows->GetColumnByName("value");
  const auto headers = rows->GetColumnByName("headers");
  EXPECT_TRUE(key->IsNull(0));
  EXPECT_TRUE(value->IsValid(0) && headers->IsNull(0));
  EXPECT_TRUE(key->IsValid(1) && value->IsNull(1));
  EXPECT_TRUE(key->IsValid(2) && value->IsValid(2));
  EXPECT_EQ(static_cast<const arrow::BinaryArray&>(*value).GetView(2), "");
  EXPECT_EQ(headers->GetScalar(2).ValueOrDie()->ToString(),
            "list<item: struct<key: string, value: binary>>[{key:string = h, value:binary = 1}, "
            "{key:string = h, "
            "value:binary = null}, {key:string = x, value:binary = }]");
}

TEST_F(KafkaBrokerTest, LargeRecords) {
  client_.CreateTopic(topic_, 1, {{"max.message.bytes", "120000000"}});
  const std::string large(20 << 20, 'x');
  for (int i = 0; i < 3; ++i) {
    client_.Produce(topic_, {0, "small", "s", kBase, {}});
    client_.Produce(topic_, {0, "large", large, kBase, {}});
    client_.Flush();
  }
  const Read read = ReadAll(Make().get());
  ASSERT_EQ(read.rows, 6);
  EXPECT_EQ(read.values[3].size(), large.size());
}

TEST_F(KafkaBrokerTest, NewPartitionsAreReadFromTheirBeginning) {
  client_.CreateTopic(topic_, 1);
  client_.ProduceMany(topic_, 1, 10);
  const auto source = Make({{"startingOffsets", "latest"}, {"kafka.metadata.max.age.ms", "300"}});
  ASSERT_TRUE(source->Open({}, {}).ok());
  client_.AddPartitions(topic_, 3);
  TestClient late(Broker::service->address());
  late.ProduceMany(topic_, 3, 30);
  Read read;
  ReadRows(source.get(), 30, &read);
  ExpectConsecutive(read.offsets[Name(0)], 10, 10);
  ExpectConsecutive(read.offsets[Name(1)], 0, 10);
  ExpectConsecutive(read.offsets[Name(2)], 0, 10);
}

TEST_F(KafkaBrokerTest, PatternFindsTopicsNowAndLater) {
  client_.CreateTopic(topic_ + "_a", 1);
  client_.CreateTopic("not_" + topic_, 1);
  client_.ProduceMany(topic_ + "_a", 1, 5);
  client_.ProduceMany("not_" + topic_, 1, 5);
  const auto source =
      Make({{"subscribePattern", topic_ + "_.*"}, {"kafka.metadata.max.age.ms", "300"}});
  ASSERT_TRUE(source->Open({}, {}).ok());
  Read read;
  ReadRows(source.get(), 5, &read);
  client_.CreateTopic(topic_ + "_b", 1);
  client_.ProduceMany(topic_ + "_b", 1, 5);
  ReadRows(source.get(), 10, &read);
  EXPECT_EQ(read.offsets.size(), 2U);
}

TEST_F(KafkaBrokerTest, TruncatedTopicIsDataLossOrACountedGap) {
  client_.CreateTopic(topic_, 1);
  client_.ProduceMany(topic_, 1, 100);
  client_.DeleteRecords(topic_, 0, 50);
  const Status status = Make()->Open({{Key(0), 10}}, {});
  EXPECT_TRUE(HasCode(status, "KAFKA_DATA_LOSS")) << status.ToString();
  EXPECT_NE(status.message().find(Name(0)), std::string::npos) << status.message();
  const auto source = Make({{"failOnDataLoss", "false"}});
  ASSERT_TRUE(source->Open({{Key(0), 10}}, {}).ok());
  Read read;
  ReadToEnd(source.get(), &read);
  ExpectConsecutive(read.offsets[Name(0)], 50, 50);
  EXPECT_EQ(source->LostRecords(), 40);
  EXPECT_TRUE(HasCode(source->Rewind({{Key(0), 20}}), "KAFKA_DATA_LOSS"));
}

TEST_F(KafkaBrokerTest, RecreatedTopicIsDataLoss) {
  client_.CreateTopic(topic_, 1);
  client_.ProduceMany(topic_, 1, 100);
  const Read read = ReadAll(Make().get());
  client_.DeleteTopic(topic_);
  TestClient other(Broker::service->address());
  SystemClock().SleepMicros(500'000);
  other.CreateTopic(topic_, 1);
  other.ProduceMany(topic_, 1, 50, "other");
  Status status = Make()->Open(read.positions, read.fingerprints);
  EXPECT_TRUE(HasCode(status, "KAFKA_DATA_LOSS"))
      << status.ToString();  // the position is behind the end
  other.ProduceMany(topic_, 1, 100, "other");
  status = Make()->Open(read.positions, read.fingerprints);
  EXPECT_TRUE(HasCode(status, "KAFKA_DATA_LOSS"))
      << status.ToString();  // another record stands before it
  const auto source = Make({{"failOnDataLoss", "false"}});
  ASSERT_TRUE(source->Open(read.positions, read.fingerprints).ok());
  Read fresh;
  ReadToEnd(source.get(), &fresh);
  EXPECT_EQ(fresh.rows, 150);
}

TEST_F(KafkaBrokerTest, TopicRecreatedWhileReadingIsDataLoss) {
  client_.CreateTopic(topic_, 1);
  client_.ProduceMany(topic_, 1, 100);
  const auto source = Make();
  ASSERT_TRUE(source->Open({}, {}).ok());
  Read read;
  ReadRows(source.get(), 100, &read);
  client_.DeleteTopic(topic_);
  SystemClock().SleepMicros(500'000);
  TestClient other(Broker::service->address());
  other.CreateTopic(topic_, 1);
  other.ProduceMany(topic_, 1, 10, "other");
  Status status;
  for (int polls = 0; polls < kMaxPolls && status.ok(); ++polls) {
    const auto batch = source->PollBatch({});
    status = batch.status();
    if (batch.ok()) read.Add(*batch);
  }
  EXPECT_TRUE(HasCode(status, "KAFKA_DATA_LOSS")) << status.ToString();
  EXPECT_EQ(read.rows, 100);
}

TEST_F(KafkaBrokerTest, TopicRecreatedWithMoreRecordsWhileReadingIsDataLoss) {
  client_.CreateTopic(topic_, 1);
  client_.ProduceMany(topic_, 1, 100);
  const auto source = Make();
  ASSERT_TRUE(source->Open({}, {}).ok());
  Read read;
  ReadRows(source.get(), 100, &read);
  client_.DeleteTopic(topic_);
  TestClient other(Broker::service->address());
  other.CreateTopic(topic_, 1);
  other.ProduceMany(topic_, 1, 5'000, "other");
  Status status;
  for (int polls = 0; polls < kMaxPolls && status.ok(); ++polls) {
    const auto batch = source->PollBatch({});
    status = batch.status();
    if (batch.ok()) read.Add(*batch);
  }
  EXPECT_TRUE(HasCode(status, "KAFKA_DATA_LOSS")) << status.ToString();
  EXPECT_EQ(read.rows, 100);
}

// What the pipeline does after an error that passes.
Status ReadRowsWithRetries(KafkaSource* source, const Read& from, int64_t rows, Read* read) {
  Status status;
  for (int attempt = 0; attempt < 5; ++attempt) {
    *read = Read();
    const int64_t until = SystemClock().SteadyMicros() + 20'000'000;
    status = Status::OK();
    while (read->rows < rows && status.ok() && SystemClock().SteadyMicros() < until) {
      auto batch = source->PollBatch({});
      status = batch.status();
      if (status.ok()) read->Add(*batch);
    }
    if (status.ok()) return status;
    if (RetryClass(status) == Retry::kNever) return status;
    SLUICE_RETURN_NOT_OK(source->Resume(from.positions, from.fingerprints));
  }
  return status;
}

TEST_F(KafkaBrokerTest, AllowedLossIsPassedOverAgainWhenAnEpochFailed) {
  client_.CreateTopic(topic_, 1);
  client_.ProduceMany(topic_, 1, 100);
  const Read read = ReadAll(Make().get());
  client_.DeleteTopic(topic_);
  SystemClock().SleepMicros(500'000);
  TestClient other(Broker::service->address());
  other.CreateTopic(topic_, 1);
  other.ProduceMany(topic_, 1, 100, "other");  // as many: the position alone tells nothing
  const auto source = Make({{"failOnDataLoss", "false"}});
  ASSERT_TRUE(source->Open(read.positions, read.fingerprints).ok());
  ASSERT_TRUE(source->Resume(read.positions, read.fingerprints).ok());
  Read first;
  ASSERT_TRUE(ReadRowsWithRetries(source.get(), read, 100, &first).ok());
  ASSERT_EQ(first.rows, 100);
  ASSERT_TRUE(source->Resume(read.positions, read.fingerprints).ok());  // its epoch failed
  Read again;
  ASSERT_TRUE(ReadRowsWithRetries(source.get(), read, 100, &again).ok());
  ExpectConsecutive(again.offsets[Name(0)], 0, 100);
  ASSERT_TRUE(source->Resume(again.positions, again.fingerprints).ok());  // it was committed
  other.ProduceMany(topic_, 1, 10, "more");
  Read more;
  ASSERT_TRUE(ReadRowsWithRetries(source.get(), again, 10, &more).ok());
  ExpectConsecutive(more.offsets[Name(0)], 100, 10);
}

TEST_F(KafkaBrokerTest, MissingTopicIsSaidAtOnce) {
  const int64_t start = SystemClock().SteadyMicros();
  const Status status = Make()->Open({}, {});
  EXPECT_TRUE(HasCode(status, "KAFKA_TOPIC_NOT_FOUND")) << status.ToString();
  EXPECT_LT(SystemClock().SteadyMicros() - start, 15'000'000);
}

TEST_F(KafkaBrokerTest, WrongPasswordIsSaidAtOnce) {
  client_.CreateTopic(topic_, 1);
  client_.ProduceMany(topic_, 1, 5);
  const auto options = [&](const std::string& password) -> std::map<std::string, std::string> {
    return {{"bootstrapServers", Broker::service->login_address()},
            {"kafka.security.protocol", "SASL_PLAINTEXT"},
            {"kafka.sasl.mechanism", "PLAIN"},
            {"kafka.sasl.jaas.config",
             "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"sluice\" "
             "password=\"" +
                 password + "\";"}};
  };
  const int64_t start = SystemClock().SteadyMicros();
  const Status status = Make(options("shut"))->Open({}, {});
  EXPECT_TRUE(HasCode(status, "KAFKA_AUTHENTICATION_FAILED")) << status.ToString();
  EXPECT_LT(SystemClock().SteadyMicros() - start, 15'000'000);
  EXPECT_EQ(ReadAll(Make(options("open")).get()).rows, 5);
}

TEST_F(KafkaBrokerTest, CommitsReachTheConsumerGroup) {
  client_.CreateTopic(topic_, 1);
  client_.ProduceMany(topic_, 1, 42);
  const auto source = Make({{"kafka.group.id", "lag-" + topic_}});
  ASSERT_TRUE(source->Open({}, {}).ok());
  Read read;
  ReadToEnd(source.get(), &read);
  source->OnCommitted({{Key(0), 10}});
  source->OnCommitted({{Key(0), 42}});
  ASSERT_TRUE(source->Close().ok());
  EXPECT_EQ(client_.CommittedOffset("lag-" + topic_, topic_, 0), 42);
}

TEST_F(KafkaBrokerTest, RewindReadsAgain) {
  client_.CreateTopic(topic_, 2);
  client_.ProduceMany(topic_, 2, 2'000);
  const auto source = Make();
  ASSERT_TRUE(source->Open({}, {}).ok());
  Read read;
  ReadToEnd(source.get(), &read);
  ASSERT_TRUE(source->Rewind({{Key(0), 400}, {Key(1), 1'000}}).ok());
  Read again;
  ReadToEnd(source.get(), &again);
  ExpectConsecutive(again.offsets[Name(0)], 400, 600);
  EXPECT_EQ(again.offsets.count(Name(1)), 0U);
}

// Last in this file: it stops the broker.
TEST_F(KafkaBrokerTest, RestartedBrokerLosesAndRepeatsNothing) {
  client_.CreateTopic(topic_, 2);
  client_.ProduceMany(topic_, 2, 1'000);
  const auto source = Make();
  ASSERT_TRUE(source->Open({}, {}).ok());
  Read read;
  ReadRows(source.get(), 1'000, &read);
  Broker::service->Stop();
  for (int polls = 0; polls < kMaxPolls && source->Lag().state == "RUNNING"; ++polls) {
    ASSERT_TRUE(source->PollBatch({}).ok());
  }
  EXPECT_NE(source->Lag().state.find("broker unreachable since"), std::string::npos)
      << source->Lag().state;
  ASSERT_TRUE(Broker::service->Start());
  TestClient later(Broker::service->address());
  later.ProduceMany(topic_, 2, 1'000);
  ReadRows(source.get(), 2'000, &read);
  ExpectConsecutive(read.offsets[Name(0)], 0, 1'000);
  ExpectConsecutive(read.offsets[Name(1)], 0, 1'000);
  EXPECT_EQ(source->Lag().state, "RUNNING");
}

}  // namespace
}  // namespace sluice::sources
