#include "sources/kafka/kafka_watcher_internal.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"

namespace sluice::sources {

namespace {
constexpr int64_t kUnreachableIntervalMillis = 500;
constexpr int64_t kRequestMillis = 900;
}  // namespace

KafkaWatcher::KafkaWatcher(rd_kafka_t* client, const KafkaSourceOptions& options, KafkaConnectionState* state,
                           const std::vector<TopicPartition>& known, int64_t interval_millis)
    : client_(client),
      options_(options),
      state_(state),
      interval_millis_(interval_millis),
      known_(known.begin(), known.end()),
      thread_([this] { Run(); }) {}

KafkaWatcher::~KafkaWatcher() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

std::vector<PartitionStart> KafkaWatcher::TakeFound() {
  MutexLock lock(mutex_);
  return std::exchange(found_, {});
}

std::string KafkaWatcher::Problem() {
  MutexLock lock(mutex_);
  return problem_;
}

void KafkaWatcher::Run() {
  int64_t waited = 0;
  while (true) {
    const int64_t slice = std::min(interval_millis_, kUnreachableIntervalMillis);
    {
      MutexLock lock(mutex_);
      changed_.wait_for(lock.native(), std::chrono::milliseconds(slice), [&] { return stop_; });
      if (stop_) return;
    }
    waited += slice;
    if (waited < interval_millis_ && !state_->unreachable()) continue;
    waited = 0;
    Look();
  }
}

void KafkaWatcher::Look() {
  const Result<std::vector<TopicPartition>> partitions =
      DiscoverPartitions(client_, options_, state_, kRequestMillis);
  if (!partitions.ok()) {
    const bool missing = HasCode(partitions.status(), "KAFKA_TOPIC_NOT_FOUND");
    MutexLock lock(mutex_);
    if (missing && problem_.empty()) log::Warn("kafka: {}", partitions.status().message());
    if (missing) problem_ = partitions.status().message();
    return;
  }
  std::vector<TopicPartition> fresh;
  for (const TopicPartition& partition : *partitions) {
    if (known_.count(partition) == 0) fresh.push_back(partition);
  }
  Result<PartitionRanges> ranges = PartitionRanges();
  if (!fresh.empty()) ranges = QueryRanges({client_, options_, state_, kRequestMillis}, fresh);
  MutexLock lock(mutex_);
  problem_.clear();
  if (!ranges.ok()) return;  // asked again at the next look
  for (const auto& [partition, range] : *ranges) {
    log::Info("kafka: new partition {}, read from its beginning", PartitionName(partition));
    known_.insert(partition);
    found_.push_back({partition, range.low, range.high, false});
  }
}

}  // namespace sluice::sources
