// Looks for partitions that appear while reading and for a broker that comes back, and wakes the
// client's fetching, on a thread of its own so that reading never waits for it.
#pragma once

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "sources/kafka/kafka_client_internal.h"
#include "sources/kafka/kafka_start_internal.h"

namespace sluice::sources {

class KafkaWatcher {
 public:
  /// Starts the thread. `client`, `options` and `state` outlive this. `known`: the partitions being
  /// read.
  KafkaWatcher(rd_kafka_t* client, const KafkaSourceOptions& options, KafkaConnectionState* state,
               const std::vector<TopicPartition>& known, int64_t interval_millis);
  /// Ends the thread; waits for a request under way, a second at most.
  ~KafkaWatcher();
  /// Makes the client look at once whether it should fetch from `partition`. Any thread; returns at
  /// once.
  void Nudge(const TopicPartition& partition) EXCLUDES_LOCK(mutex_);
  /// Partitions found since the last call, with their beginnings. Any thread.
  std::vector<PartitionStart> TakeFound() EXCLUDES_LOCK(mutex_);
  /// Empty, or what is wrong with the topics ("topic not found: ..."). Any thread.
  std::string Problem() EXCLUDES_LOCK(mutex_);

 private:
  void Run();
  void Look();
  void SendNudges(const std::set<TopicPartition>& partitions);

  rd_kafka_t* const client_;
  const KafkaSourceOptions& options_;
  KafkaConnectionState* const state_;
  const int64_t interval_millis_;
  std::set<TopicPartition> known_;  // the thread's
  Mutex mutex_;
  ConditionVariable changed_;
  bool stop_ GUARDED_BY(mutex_) = false;
  std::set<TopicPartition> nudges_ GUARDED_BY(mutex_);
  std::vector<PartitionStart> found_ GUARDED_BY(mutex_);
  std::string problem_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace sluice::sources
