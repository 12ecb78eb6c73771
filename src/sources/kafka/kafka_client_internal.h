// The one place where librdkafka is set up and its errors become ours. Included by the files of
// this folder only.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "sources/kafka/kafka_options.h"

namespace sluice::sources {

struct RdKafkaDeleter {
  void operator()(rd_kafka_t* handle) const;
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
};
template <typename T>
using RdPtr = std::unique_ptr<T, RdKafkaDeleter>;

using PartitionList = RdPtr<rd_kafka_topic_partition_list_t>;
PartitionList NewPartitionList(size_t capacity);

/// Topic and partition number.
using TopicPartition = std::pair<std::string, int32_t>;
/// "<topic>-<n>"
std::string PartitionName(const TopicPartition& partition);

/// The topics or the pattern of the options, as one text.
std::string TopicsText(const KafkaSourceOptions& options);

/// Error of the client as ours: KAFKA_AUTHENTICATION_FAILED, KAFKA_AUTHORIZATION_FAILED,
/// KAFKA_TLS_FAILED, KAFKA_TOPIC_NOT_FOUND, KAFKA_UNREACHABLE or KAFKA_CLIENT_ERROR. `what` = what
/// was tried.
Status KafkaError(rd_kafka_resp_err_t error, const std::string& what,
                  const std::string& detail = "");

/// What the client's threads report about the connection. Thread-safe.
class KafkaConnectionState {
 public:
  explicit KafkaConnectionState(Clock& clock) : clock_(clock) {}
  /// Called by the client's error callback.
  void Report(rd_kafka_resp_err_t error, const char* reason) EXCLUDES_LOCK(mutex_);
  /// A broker answered, or none did.
  void Alive() EXCLUDES_LOCK(mutex_);
  void Lost() EXCLUDES_LOCK(mutex_);
  /// A partition could not be fetched for a while: another topic of its name may take its place.
  void Disturb() { disturbed_.store(true, std::memory_order_release); }
  /// True once after Disturb, or after a broker came back.
  bool TakeDisturbance() {
    return disturbed_.load(std::memory_order_acquire) && disturbed_.exchange(false);
  }
  /// True once after a connection failed: time to ask whether any broker answers.
  bool TakeDoubt() { return doubt_.exchange(false); }
  /// Not OK once login or TLS failed: what Open gives up for. A running source keeps trying.
  Status Fatal() EXCLUDES_LOCK(mutex_);
  /// "RUNNING" or "broker unreachable since TIME (REASON)".
  std::string Describe() EXCLUDES_LOCK(mutex_);
  bool unreachable() const { return unreachable_.load(std::memory_order_relaxed); }
  std::string last_reason() EXCLUDES_LOCK(mutex_);
  Clock& clock() const { return clock_; }

 private:
  Clock& clock_;
  std::atomic<bool> unreachable_{false};
  std::atomic<bool> doubt_{false};
  std::atomic<bool> disturbed_{false};
  Mutex mutex_;
  TimestampMicros since_ GUARDED_BY(mutex_) = 0;
  std::string reason_ GUARDED_BY(mutex_);
  Status fatal_ GUARDED_BY(mutex_);
};

/// Whether the handle looks at offsets and single records (small buffers) or reads at full speed.
enum class KafkaClientRole { kProbe, kReader };

/// Bytes that the client queues for one of `partitions`.
int64_t PartitionQueueBytes(const KafkaSourceOptions& options, size_t partitions);

/// A consumer. `state` outlives it. `partitions` = how many share the options' queue_bytes.
Result<RdPtr<rd_kafka_t>> NewConsumer(const KafkaSourceOptions& options, KafkaClientRole role,
                                      size_t partitions, KafkaConnectionState* state);

/// Whether the client takes the options' properties; nothing is connected.
Status CheckClientProperties(const KafkaSourceOptions& options);

/// Sets the properties one by one; the first that the client refuses is KAFKA_INVALID_OPTION.
Status SetProperties(rd_kafka_conf_t* conf, const std::map<std::string, std::string>& properties);

/// A moment after which waiting ends.
class Deadline {
 public:
  Deadline(Clock& clock, int64_t millis)
      : clock_(clock), end_(clock.SteadyMicros() + millis * 1'000) {}
  bool passed() const { return clock_.SteadyMicros() >= end_; }
  /// What is left, at least 1 and at most `most`: a timeout for one call of the client.
  int Millis(int64_t most) const;

 private:
  Clock& clock_;
  const int64_t end_;
};

/// The partitions that the options name as they exist now, in order. Tries for `timeout_millis`; a
/// wrong password ends it at once. A topic or partition that is named and does not exist:
/// KAFKA_TOPIC_NOT_FOUND.
Result<std::vector<TopicPartition>> DiscoverPartitions(rd_kafka_t* client,
                                                       const KafkaSourceOptions& options,
                                                       KafkaConnectionState* state,
                                                       int64_t timeout_millis);

/// Sets each `offset` to the answer for the timestamp in it (milliseconds; -1 = end, -2 =
/// beginning), in one request a broker. The end is what a reader of committed records sees.
Status QueryOffsets(rd_kafka_t* client, rd_kafka_topic_partition_list_t* partitions,
                    KafkaConnectionState* state, int64_t timeout_millis);

}  // namespace sluice::sources
