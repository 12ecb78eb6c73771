// Feeds the example project: an embedded Kafka broker with one topic and a generator of realistic
// events on a thread of its own, paced by what the bronze table has committed (the broker forgets
// old records).
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/status.h"
#include "delta/log/table.h"

namespace sluice::plan {

struct DemoFeedOptions {
  std::string topic = "events";
  int partitions = 4;
  int64_t events = 200'000;
  int64_t events_per_second = 20'000;
  std::string bronze_path;  // table whose committed positions pace the feed
  uint64_t seed = 7;
};

/// What was produced, by class ("good", "duplicate", ...).
using ProducedEvents = std::map<std::string, int64_t>;

class DemoFeed {
 public:
  /// Starts the broker and makes the topic; nothing is produced yet. `tables` and `clock` outlive
  /// the feed.
  static Result<std::unique_ptr<DemoFeed>> Start(DemoFeedOptions options,
                                                 delta::TableRegistry& tables, Clock& clock);
  ~DemoFeed();

  std::string bootstrap_servers() const;
  /// Starts producing.
  void Begin();
  bool finished() const { return finished_; }
  int64_t produced() const { return produced_; }
  /// After `finished`: OK, or why it ended early.
  Status error() const;
  ProducedEvents counts() const;

 private:
  struct Parts;
  DemoFeed(DemoFeedOptions options, delta::TableRegistry& tables, Clock& clock);
  void Produce();
  Status ProduceAll();
  int64_t Consumed(int32_t partition);

  const DemoFeedOptions options_;
  delta::TableRegistry& tables_;
  Clock& clock_;
  std::unique_ptr<Parts> parts_;
  std::thread thread_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> finished_ = false;
  std::atomic<int64_t> produced_ = 0;
};

}  // namespace sluice::plan
