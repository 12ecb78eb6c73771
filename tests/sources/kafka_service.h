// A real Apache Kafka for tests, and a client that puts into it what tests need. One thread.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::sources {

/// Started on free ports of 127.0.0.1 with a data folder of its own; both are gone when it is
/// destroyed.
class KafkaService {
 public:
  KafkaService();
  ~KafkaService();
  KafkaService(const KafkaService&) = delete;
  KafkaService& operator=(const KafkaService&) = delete;
  /// On the same ports and data.
  bool Start();
  void Stop();
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// The listener that wants user "sluice", password "open".
  std::string login_address() const { return "127.0.0.1:" + std::to_string(login_port_); }

 private:
  std::string data_;
  int port_;
  int controller_port_;
  int login_port_;
};

struct TestRecord {
  int32_t partition = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  int64_t timestamp_millis = 1'700'000'000'000;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

/// Producer and administrator. Every call fails the test that makes it when the broker refuses.
class TestClient {
 public:
  /// `transactional_id` not empty: records are produced between Begin and Commit or Abort.
  explicit TestClient(const std::string& address, const std::string& transactional_id = "");
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void CreateTopic(const std::string& topic, int partitions,
                   const std::map<std::string, std::string>& config = {});
  void DeleteTopic(const std::string& topic);
  void AddPartitions(const std::string& topic, int total);
  void DeleteRecords(const std::string& topic, int32_t partition, int64_t before);
  /// Offset that `group` committed; -1 = none.
  int64_t CommittedOffset(const std::string& group, const std::string& topic, int32_t partition);

  void Produce(const std::string& topic, const TestRecord& record);
  /// `count` records "<prefix><i>", partitions in turn, timestamps a second apart.
  void ProduceMany(const std::string& topic, int partitions, int count,
                   const std::string& prefix = "v");
  void Flush();
  void Begin();
  void Commit();
  void Abort();

 private:
  void WaitForAdmin(rd_kafka_queue_t* queue, const std::string& what);
  const std::string address_;
  rd_kafka_t* client_;
};

}  // namespace sluice::sources
