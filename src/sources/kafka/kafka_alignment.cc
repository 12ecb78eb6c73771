#include <algorithm>
#include <limits>

#include "base/log.h"
#include "sources/kafka/kafka_alignment_internal.h"

namespace sluice::sources {

namespace {

constexpr int64_t kStallMicros = 10'000'000;
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// kNoLimit when there is no such record or it has no time; kNoTimestamp when it is not known yet.
int64_t OldestUndelivered(KafkaPartition* partition, int64_t steady_now) {
  if (partition->has_message() && !partition->suspect && !partition->AtUntil()) {
    partition->waiting_since = 0;
    partition->stalled = false;
    return partition->head_timestamp() < 0 ? kNoLimit : partition->head_timestamp();
  }
  if (partition->suspect || !partition->HasBacklog()) {
    partition->waiting_since = 0;
    return kNoLimit;
  }
  if (partition->waiting_since == 0) partition->waiting_since = steady_now;
  if (!partition->stalled && steady_now - partition->waiting_since > kStallMicros) {
    partition->stalled = true;
    log::Warn("kafka: nothing arrives from {}, the other partitions go on without it",
              partition->key());
  }
  const int64_t last = partition->last_timestamp();
  const bool has_no_times = last < 0 && last != KafkaPartition::kNoTimestamp;
  return partition->stalled || has_no_times ? kNoLimit : last;
}

}  // namespace

int64_t LatestDeliverable(const std::vector<std::unique_ptr<KafkaPartition>>& partitions,
                          int64_t skew_millis, Clock& clock) {
  if (partitions.size() < 2) return kNoLimit;
  const int64_t steady_now = clock.SteadyMicros();
  int64_t oldest = kNoLimit;
  for (const auto& partition : partitions) {
    oldest = std::min(oldest, OldestUndelivered(partition.get(), steady_now));
  }
  if (oldest == KafkaPartition::kNoTimestamp) return oldest;
  // Nothing waits for records that claim to be of the future.
  if (oldest >= clock.NowMicros() / 1'000 - skew_millis) return kNoLimit;
  return oldest + skew_millis;
}

}  // namespace sluice::sources
