// Keeps the partitions of a source together in record time while it catches up: a partition that is
// read later must not find its records late. One thread.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "sources/kafka/kafka_partition_internal.h"

namespace sluice::sources {

/// Record time in milliseconds up to which messages may be delivered now: `skew_millis` after the
/// oldest record that is known to be undelivered. No limit when nothing is behind. A partition
/// whose records do not arrive holds the others up for ten seconds at most.
int64_t LatestDeliverable(const std::vector<std::unique_ptr<KafkaPartition>>& partitions,
                          int64_t skew_millis, Clock& clock);

}  // namespace sluice::sources
