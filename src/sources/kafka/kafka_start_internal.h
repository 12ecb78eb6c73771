// Where reading starts and ends: committed positions checked against what the topic holds now, and
// the options' offsets and timestamps turned into numbers. Asks the broker; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "flow/positions.h"
#include "sources/kafka/kafka_client_internal.h"
#include "sources/kafka/kafka_options.h"
#include "sources/kafka/kafka_source.h"

namespace sluice::sources {

struct PartitionRange {
  int64_t low = 0;   // first offset that is there
  int64_t high = 0;  // offset after the last one that a reader of committed records sees
};
using PartitionRanges = std::map<TopicPartition, PartitionRange>;

struct PartitionStart {
  TopicPartition partition;
  int64_t offset = 0;
  int64_t high = 0;
  bool committed = false;  // the offset came from a committed position
};

struct StartPlan {
  std::vector<PartitionStart> starts;  // of every partition, in order
  std::vector<flow::SourceGap>
      gaps;  // with failOnDataLoss=false; else the plan fails with KAFKA_DATA_LOSS
};

/// A client and what it is asked with.
struct KafkaProbe {
  rd_kafka_t* client;
  const KafkaSourceOptions& options;
  KafkaConnectionState* state;
  int64_t timeout_millis;
};

Result<PartitionRanges> QueryRanges(const KafkaProbe& probe,
                                    const std::vector<TopicPartition>& partitions);

/// The start of every partition in `partitions`. `committed` and `fingerprints` are keyed by
/// "<id>/<topic>-<n>". When anything is committed, partitions without a position are new ones and
/// start at their beginning.
Result<StartPlan> PlanStart(const KafkaProbe& probe, const std::vector<TopicPartition>& partitions,
                            const flow::Positions& committed,
                            const std::map<std::string, int64_t>& fingerprints);

/// KAFKA_DATA_LOSS when records from `targets` (keyed as positions) on no longer exist. OK when no
/// broker answers: should they be gone, the fetch finds out.
Status CheckRecordsExist(const KafkaProbe& probe, const std::vector<TopicPartition>& partitions,
                         const flow::Positions& targets);

/// The end offset of every partition as the options say, by now.
Result<std::map<TopicPartition, int64_t>> PlanEnd(const KafkaProbe& probe,
                                                  const std::vector<TopicPartition>& partitions);

}  // namespace sluice::sources
