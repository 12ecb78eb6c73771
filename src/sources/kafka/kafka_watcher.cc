#include "sources/kafka/kafka_watcher_internal.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"

namespace sluice::sources {

namespace {
constexpr int64_t kUnreachableIntervalMillis = 500;
constexpr int64_t kRequestMillis = 900;
}  // namespace

KafkaWatcher::KafkaWatcher(rd_kafka_t* client, const KafkaSourceOptions& options,
                           KafkaConnectionState* state, const std::vector<TopicPartition>& known,
                           int64_t interval_millis)
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

void KafkaWatcher::Nudge(const TopicPartition& partition) {
  MutexLock lock(mutex_);
  nudges_.insert(partition);
  changed_.notify_all();
}

void KafkaWatcher::Run() {
  Clock& clock = state_->clock();
  int64_t last_look = clock.SteadyMicros();
  while (true) {
    std::set<TopicPartition> nudges;
    {
      MutexLock lock(mutex_);
      changed_.wait_for(
          lock.native(),
          std::chrono::milliseconds(std::min(interval_millis_, kUnreachableIntervalMillis)),
          [&] { return stop_ || !nudges_.empty(); });
      if (stop_) return;
      nudges.swap(nudges_);
    }
    SendNudges(nudges);
    const bool worried = state_->TakeDoubt() || state_->unreachable();
    const int64_t interval = worried ? 0 : interval_millis_;
    if (clock.SteadyMicros() - last_look < interval * 1'000) continue;
    Look();
    last_look = clock.SteadyMicros();
  }
}

// The question is of no interest; that it reaches the broker's thread is.
void KafkaWatcher::SendNudges(const std::set<TopicPartition>& partitions) {
  if (partitions.empty()) return;
  const PartitionList list = NewPartitionList(partitions.size());
  for (const TopicPartition& partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), partition.first.c_str(), partition.second)
        ->offset = KafkaOffsetSpec::kLatestOffset;
  }
  (void)rd_kafka_offsets_for_times(client_, list.get(), static_cast<int>(kRequestMillis));
}

void KafkaWatcher::Look() {
  const Result<std::vector<TopicPartition>> partitions =
      DiscoverPartitions(client_, options_, state_, kRequestMillis);
  if (!partitions.ok()) {
    if (HasCode(partitions.status(), "KAFKA_UNREACHABLE")) state_->Lost();
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
