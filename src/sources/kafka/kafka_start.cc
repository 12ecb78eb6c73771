#include "sources/kafka/kafka_start_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <set>

#include "base/log.h"
#include "sources/kafka/kafka_rows_internal.h"

namespace sluice::sources {

namespace {

constexpr int64_t kVerifyMillis = 5'000;

std::string PositionKey(const KafkaSourceOptions& options, const TopicPartition& partition) {
  return options.id + "/" + PartitionName(partition);
}

// "<id>/<topic>-<n>" -> topic and partition; nothing for the keys of other sources.
std::optional<TopicPartition> ParsePositionKey(const std::string& id, const std::string& key) {
  if (key.size() <= id.size() + 1 || key.compare(0, id.size(), id) != 0 || key[id.size()] != '/')
    return std::nullopt;
  const std::string name = key.substr(id.size() + 1);
  const size_t dash = name.rfind('-');
  if (dash == std::string::npos || dash == 0 || dash + 1 >= name.size() || name.size() - dash > 10)
    return std::nullopt;
  int32_t number = 0;
  for (size_t i = dash + 1; i < name.size(); ++i) {
    if (name[i] < '0' || name[i] > '9') return std::nullopt;
    number = number * 10 + (name[i] - '0');
  }
  return TopicPartition(name.substr(0, dash), number);
}

// Whether the options still ask for this partition, be it there or not.
bool IsSelected(const KafkaSourceOptions& options, const TopicPartition& partition) {
  if (!options.subscribe_pattern.empty()) {
    return std::regex_match(partition.first, std::regex(options.subscribe_pattern));
  }
  if (!options.subscribe.empty()) {
    return std::binary_search(options.subscribe.begin(), options.subscribe.end(), partition.first);
  }
  const auto topic = options.assign.find(partition.first);
  return topic != options.assign.end() &&
         std::binary_search(topic->second.begin(), topic->second.end(), partition.second);
}

Result<std::map<TopicPartition, int64_t>> QueryAll(
    const KafkaProbe& probe, const std::map<TopicPartition, int64_t>& timestamps) {
  const PartitionList list = NewPartitionList(timestamps.size());
  for (const auto& [partition, timestamp] : timestamps) {
    rd_kafka_topic_partition_list_add(list.get(), partition.first.c_str(), partition.second)
        ->offset = timestamp;
  }
  SLUICE_RETURN_NOT_OK(QueryOffsets(probe.client, list.get(), probe.state, probe.timeout_millis));
  std::map<TopicPartition, int64_t> offsets;
  for (int i = 0; i < list->cnt; ++i) {
    offsets[{list->elems[i].topic, list->elems[i].partition}] = list->elems[i].offset;
  }
  return offsets;
}

std::map<TopicPartition, int64_t> SameForAll(const std::vector<TopicPartition>& partitions,
                                             int64_t value) {
  std::map<TopicPartition, int64_t> values;
  for (const TopicPartition& partition : partitions) values[partition] = value;
  return values;
}

// The values given per partition in JSON; every partition that is read must have one, as Spark
// demands.
Result<std::map<TopicPartition, int64_t>> ValuesPerPartition(
    const KafkaOffsetSpec& spec, const std::string& what,
    const std::vector<TopicPartition>& partitions) {
  std::map<TopicPartition, int64_t> values;
  for (const TopicPartition& partition : partitions) {
    const auto topic = spec.partitions.find(partition.first);
    if (topic == spec.partitions.end() || topic->second.count(partition.second) == 0) {
      return MakeError(
          "KAFKA_INVALID_OPTION",
          what + " name no value for a partition: " + PartitionName(partition),
          "give one for every partition of the topics read; -2 is earliest, -1 latest");
    }
    values[partition] = topic->second.at(partition.second);
  }
  return values;
}

// Timestamps -> offsets. A partition without a record that late: its end, where the caller allows
// it.
Result<std::map<TopicPartition, int64_t>> OffsetsForTimes(
    const KafkaProbe& probe, const std::map<TopicPartition, int64_t>& timestamps,
    const PartitionRanges& ranges, bool falls_back_to_latest) {
  SLUICE_ASSIGN_OR_RETURN(auto offsets, QueryAll(probe, timestamps));
  for (auto& [partition, offset] : offsets) {
    if (offset >= 0) continue;
    if (!falls_back_to_latest) {
      return MakeError("KAFKA_NO_OFFSET_FOR_TIMESTAMP",
                       fmt::format("no record at or after the starting timestamp: {}, timestamp {}",
                                   PartitionName(partition), timestamps.at(partition)),
                       "set startingOffsetsByTimestampStrategy to latest, or an earlier timestamp");
    }
    offset = ranges.at(partition).high;
  }
  return offsets;
}

Result<std::map<TopicPartition, int64_t>> ResolveSpec(const KafkaProbe& probe,
                                                      const KafkaOffsetSpec& spec, bool ending,
                                                      const std::vector<TopicPartition>& partitions,
                                                      const PartitionRanges& ranges) {
  std::map<TopicPartition, int64_t> offsets;
  const std::string what = ending ? "endingOffsets" : "startingOffsets";
  const bool fall_back = ending || probe.options.timestamp_falls_back_to_latest;
  switch (spec.kind) {
    case KafkaOffsetSpec::Kind::kTimestamp:
      return OffsetsForTimes(probe, SameForAll(partitions, spec.timestamp_millis), ranges,
                             fall_back);
    case KafkaOffsetSpec::Kind::kPartitionTimestamps: {
      SLUICE_ASSIGN_OR_RETURN(const auto timestamps,
                              ValuesPerPartition(spec, what + "ByTimestamp", partitions));
      return OffsetsForTimes(probe, timestamps, ranges, fall_back);
    }
    case KafkaOffsetSpec::Kind::kOffsets: {
      SLUICE_ASSIGN_OR_RETURN(offsets, ValuesPerPartition(spec, what, partitions));
      break;
    }
    case KafkaOffsetSpec::Kind::kEarliest:
      offsets = SameForAll(partitions, KafkaOffsetSpec::kEarliestOffset);
      break;
    case KafkaOffsetSpec::Kind::kLatest:
      offsets = SameForAll(partitions, KafkaOffsetSpec::kLatestOffset);
      break;
  }
  for (auto& [partition, offset] : offsets) {
    if (offset == KafkaOffsetSpec::kEarliestOffset) offset = ranges.at(partition).low;
    if (offset == KafkaOffsetSpec::kLatestOffset) offset = ranges.at(partition).high;
  }
  return offsets;
}

/// A committed position under examination.
struct Check {
  TopicPartition partition;
  int64_t position = 0;
  std::optional<int64_t> fingerprint;
};

// The hash of the record at each of the offsets, where there is one. Reads all partitions at once.
Result<std::map<TopicPartition, uint64_t>> ReadHashes(
    const KafkaProbe& probe, const std::map<TopicPartition, int64_t>& wanted) {
  std::map<TopicPartition, uint64_t> hashes;
  if (wanted.empty()) return hashes;
  const PartitionList list = NewPartitionList(wanted.size());
  for (const auto& [partition, offset] : wanted) {
    rd_kafka_topic_partition_list_add(list.get(), partition.first.c_str(), partition.second)
        ->offset = offset;
  }
  rd_kafka_assign(probe.client, list.get());
  std::set<TopicPartition> open;
  for (const auto& [partition, offset] : wanted) open.insert(partition);
  const Deadline deadline(probe.state->clock(), std::min(probe.timeout_millis, kVerifyMillis));
  while (!open.empty() && !deadline.passed()) {
    RdPtr<rd_kafka_message_t> message(rd_kafka_consumer_poll(probe.client, deadline.Millis(100)));
    if (message == nullptr || message->rkt == nullptr) continue;
    const TopicPartition partition(rd_kafka_topic_name(message->rkt), message->partition);
    const auto asked = wanted.find(partition);
    if (open.erase(partition) == 0 || asked == wanted.end()) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset == asked->second) {
      hashes[partition] = HashRecord(*message);
    }
  }
  rd_kafka_assign(probe.client, nullptr);
  if (!open.empty()) {
    return KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, "the record before the committed position of " +
                                                        PartitionName(*open.begin()) +
                                                        " cannot be read");
  }
  return hashes;
}

// A loss: an error or, when it is allowed, a gap.
Status ReportLoss(const KafkaSourceOptions& options, flow::SourceGap gap, const std::string& hint,
                  std::vector<flow::SourceGap>* gaps) {
  const std::string text = fmt::format("{}: {}, wanted offset {}, next there is {}", gap.reason,
                                       gap.partition, gap.from, gap.to);
  if (options.fail_on_data_loss) return MakeError("KAFKA_DATA_LOSS", text, hint);
  log::Warn("kafka: {} (failOnDataLoss=false: reading goes on)", text);
  gaps->push_back(std::move(gap));
  return Status::OK();
}

constexpr const char* kRecreatedHint =
    "the topic was probably deleted and created again: full-refresh the table, or set "
    "failOnDataLoss=false to read the "
    "new topic from its beginning";

// Sets `start` to where reading goes on.
Status CheckPosition(const KafkaSourceOptions& options, const Check& check,
                     const PartitionRange& range, const std::map<TopicPartition, uint64_t>& hashes,
                     int64_t* start, std::vector<flow::SourceGap>* gaps) {
  const std::string name = PartitionName(check.partition);
  *start = check.position;
  if (check.position < range.low) {
    *start = range.low;
    return ReportLoss(options,
                      {name, check.position, range.low, range.low - check.position,
                       "records were deleted before they were read"},
                      "retention removed them: raise the topic's retention.ms, or set "
                      "failOnDataLoss=false to go on "
                      "behind the gap",
                      gaps);
  }
  if (check.position > range.high) {
    *start = range.low;
    return ReportLoss(
        options,
        {name, check.position, range.low, 0, "the committed position is behind the topic's end"},
        kRecreatedHint, gaps);
  }
  const auto hash = hashes.find(check.partition);
  if (hash == hashes.end()) return Status::OK();
  int64_t distance = 0;
  FingerprintDistance(*check.fingerprint, &distance);
  if (MakeFingerprint(hash->second, distance) == *check.fingerprint) return Status::OK();
  *start = range.low;
  return ReportLoss(
      options,
      {name, check.position, range.low, 0, "the topic holds other records than were consumed"},
      kRecreatedHint, gaps);
}

std::map<TopicPartition, int64_t> RecordsToVerify(const std::vector<Check>& checks,
                                                  const PartitionRanges& ranges) {
  std::map<TopicPartition, int64_t> wanted;
  for (const Check& check : checks) {
    int64_t distance = 0;
    if (!check.fingerprint || !FingerprintDistance(*check.fingerprint, &distance)) continue;
    const PartitionRange& range = ranges.at(check.partition);
    const int64_t offset = check.position - 1 - distance;
    if (offset >= range.low && check.position <= range.high) wanted[check.partition] = offset;
  }
  return wanted;
}

// Committed partitions that the options ask for and that no longer exist.
Status ReportMissing(const KafkaProbe& probe, const std::vector<TopicPartition>& partitions,
                     const flow::Positions& committed, std::vector<flow::SourceGap>* gaps) {
  for (const auto& [key, position] : committed) {
    const auto partition = ParsePositionKey(probe.options.id, key);
    if (!partition || !IsSelected(probe.options, *partition)) continue;
    if (std::binary_search(partitions.begin(), partitions.end(), *partition)) continue;
    SLUICE_RETURN_NOT_OK(ReportLoss(
        probe.options, {PartitionName(*partition), position, 0, 0, "the partition is gone"},
        kRecreatedHint, gaps));
  }
  return Status::OK();
}

}  // namespace

Result<PartitionRanges> QueryRanges(const KafkaProbe& probe,
                                    const std::vector<TopicPartition>& partitions) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto low, QueryAll(probe, SameForAll(partitions, KafkaOffsetSpec::kEarliestOffset)));
  SLUICE_ASSIGN_OR_RETURN(const auto high,
                          QueryAll(probe, SameForAll(partitions, KafkaOffsetSpec::kLatestOffset)));
  PartitionRanges ranges;
  for (const TopicPartition& partition : partitions)
    ranges[partition] = {low.at(partition), high.at(partition)};
  return ranges;
}

Result<StartPlan> PlanStart(const KafkaProbe& probe, const std::vector<TopicPartition>& partitions,
                            const flow::Positions& committed,
                            const std::map<std::string, int64_t>& fingerprints) {
  StartPlan plan;
  SLUICE_ASSIGN_OR_RETURN(const PartitionRanges ranges, QueryRanges(probe, partitions));
  std::vector<Check> checks;
  std::vector<TopicPartition> fresh;
  for (const TopicPartition& partition : partitions) {
    const std::string key = PositionKey(probe.options, partition);
    const auto position = committed.find(key);
    if (position == committed.end()) {
      fresh.push_back(partition);
      continue;
    }
    const auto fingerprint = fingerprints.find(key);
    checks.push_back(
        {partition, position->second,
         fingerprint == fingerprints.end() ? std::nullopt : std::optional(fingerprint->second)});
  }
  SLUICE_RETURN_NOT_OK(ReportMissing(probe, partitions, committed, &plan.gaps));

  SLUICE_ASSIGN_OR_RETURN(const auto hashes, ReadHashes(probe, RecordsToVerify(checks, ranges)));
  for (const Check& check : checks) {
    int64_t start = 0;
    SLUICE_RETURN_NOT_OK(CheckPosition(probe.options, check, ranges.at(check.partition), hashes,
                                       &start, &plan.gaps));
    plan.starts.push_back({check.partition, start, ranges.at(check.partition).high, true});
  }
  const KafkaOffsetSpec from_beginning{KafkaOffsetSpec::Kind::kEarliest, 0, {}};
  const KafkaOffsetSpec& spec = checks.empty() ? probe.options.starting : from_beginning;
  SLUICE_ASSIGN_OR_RETURN(const auto starts,
                          ResolveSpec(probe, spec, /*ending=*/false, fresh, ranges));
  for (const auto& [partition, offset] : starts) {
    plan.starts.push_back({partition, offset, ranges.at(partition).high, false});
  }
  std::sort(
      plan.starts.begin(), plan.starts.end(),
      [](const PartitionStart& a, const PartitionStart& b) { return a.partition < b.partition; });
  return plan;
}

Status CheckRecordsExist(const KafkaProbe& probe, const std::vector<TopicPartition>& partitions,
                         const flow::Positions& targets) {
  const Result<PartitionRanges> ranges = QueryRanges(probe, partitions);
  if (!ranges.ok()) {
    return RetryClass(ranges.status()) == Retry::kLater ? Status::OK() : ranges.status();
  }
  for (const auto& [partition, range] : *ranges) {
    const int64_t target = targets.at(PositionKey(probe.options, partition));
    if (target >= range.low && target <= range.high) continue;
    return MakeError("KAFKA_DATA_LOSS",
                     fmt::format("records to read again are gone: {}, wanted offset {}, there are "
                                 "{} to {}",
                                 PartitionName(partition), target, range.low, range.high),
                     "retention removed them, or the topic was created again: raise its "
                     "retention.ms, or full-refresh");
  }
  return Status::OK();
}

Result<std::map<TopicPartition, int64_t>> PlanEnd(const KafkaProbe& probe,
                                                  const std::vector<TopicPartition>& partitions) {
  SLUICE_ASSIGN_OR_RETURN(const PartitionRanges ranges, QueryRanges(probe, partitions));
  return ResolveSpec(probe, probe.options.ending, /*ending=*/true, partitions, ranges);
}

}  // namespace sluice::sources
