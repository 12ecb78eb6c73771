// A Kafka broker inside the process, for the demo and for tests: nothing to install, nothing kept.
// It holds only some MiB a partition and then forgets the oldest records: DemoProducer waits for
// the consumer instead.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace sluice::sources {

/// Stops when destroyed. Thread-safe.
class EmbeddedBroker {
 public:
  static Result<std::unique_ptr<EmbeddedBroker>> Start(int brokers = 1);
  ~EmbeddedBroker();
  Status CreateTopic(const std::string& topic, int partitions);
  /// "127.0.0.1:PORT[,...]"
  const std::string& bootstrap_servers() const;
  /// Takes all brokers down (connections closed, none accepted) or up again: a test's broken
  /// network.
  Status SetReachable(bool reachable);

 private:
  class Impl;
  explicit EmbeddedBroker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct DemoProducerOptions {
  std::string bootstrap_servers;
  std::string topic;
  int partitions = 1;
  std::string compression = "lz4";
  int64_t linger_millis = 5;
  /// Payload bytes of one partition that are produced but not consumed; must stay below what the
  /// broker keeps.
  int64_t max_pending_bytes = 3LL << 20;
};

/// Feeds an EmbeddedBroker no faster than it is read. One thread.
class DemoProducer {
 public:
  /// Next offset of a partition that nobody will ask for again below: consumed and committed.
  /// Called often.
  using ConsumedOffset = std::function<int64_t(int32_t partition)>;
  static Result<std::unique_ptr<DemoProducer>> Make(DemoProducerOptions options,
                                                    ConsumedOffset consumed, Clock& clock);
  ~DemoProducer();
  /// Hands one record over; partitions in turn. Returns false at once, without taking it, when the
  /// partition whose turn it is has too much pending: try again later.
  Result<bool> TryProduce(std::string_view key, std::string_view value, int64_t timestamp_millis);
  /// The same, waiting up to `max_wait_micros`; KAFKA_PRODUCE_STALLED when nothing was consumed in
  /// that time.
  Status Produce(std::string_view key, std::string_view value, int64_t timestamp_millis,
                 int64_t max_wait_micros = 60'000'000);
  /// Waits until the broker has acknowledged everything.
  Status Flush(int64_t max_wait_micros = 30'000'000);
  int64_t produced() const;

 private:
  class Impl;
  explicit DemoProducer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::sources
