// What a Kafka source is told: Spark's option names (and those of Lakeflow's read_kafka) parsed and
// checked once. Plain values, no thread rules.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace sluice::sources {

/// Where to begin or end in every partition: startingOffsets, startingTimestamp,
/// startingOffsetsByTimestamp and their ending forms.
struct KafkaOffsetSpec {
  enum class Kind {
    kEarliest,
    kLatest,
    kOffsets,              // `partitions` holds offsets, or kLatestOffset / kEarliestOffset
    kTimestamp,            // `timestamp_millis` for every partition
    kPartitionTimestamps,  // `partitions` holds milliseconds since 1970 UTC
  };
  static constexpr int64_t kLatestOffset = -1;
  static constexpr int64_t kEarliestOffset = -2;

  Kind kind = Kind::kLatest;
  int64_t timestamp_millis = 0;
  std::map<std::string, std::map<int32_t, int64_t>> partitions;  // topic -> partition -> value
};

struct KafkaSourceOptions {
  std::string id;  // stable name in positions
  std::string bootstrap_servers;

  // Exactly one of the three is set.
  std::vector<std::string> subscribe;
  std::string subscribe_pattern;
  std::map<std::string, std::vector<int32_t>> assign;

  KafkaOffsetSpec starting;
  KafkaOffsetSpec ending;  // used by PinEnd only
  /// No record at or after a starting timestamp: start at the end (true) or fail (false, Spark's
  /// default).
  bool timestamp_falls_back_to_latest = false;

  std::optional<int64_t> max_offsets_per_trigger;  // the most rows that one epoch may take
  bool fail_on_data_loss = true;
  bool include_headers = false;
  std::string group_id;  // offsets are committed to it for lag tools
  std::map<std::string, std::string>
      client;  // properties of the client, already under its own names

  // Limits.
  int64_t connect_timeout_millis = 30'000;  // how long Open tries to reach a broker
  int64_t queue_bytes = 64LL << 20;         // records fetched ahead, all partitions together
  int64_t alignment_millis =
      5'000;  // while catching up: record time a partition may be ahead of the slowest
  int64_t batch_rows = 65'536;  // rows of one delivered Arrow batch
  int64_t batch_bytes =
      32LL << 20;  // payload of one delivered Arrow batch (one record may be larger)
};

/// Parses the options of one source, names without regard to case. Values that contradict each
/// other, unknown names and what Spark refuses are KAFKA_INVALID_OPTION; what cannot be had here is
/// KAFKA_UNSUPPORTED_OPTION.
Result<KafkaSourceOptions> ParseKafkaOptions(const std::string& id,
                                             const std::map<std::string, std::string>& options);

}  // namespace sluice::sources
