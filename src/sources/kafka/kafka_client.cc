#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <regex>

#include "base/log.h"
#include "sources/kafka/kafka_client_internal.h"

namespace sluice::sources {

namespace {

constexpr int kMetadataAttemptMillis = 1'000;
constexpr int64_t kMinQueueBytes = 512 << 10;

std::string FormatUtc(TimestampMicros micros) {
  const std::time_t seconds = static_cast<std::time_t>(micros / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

void OnClientError(rd_kafka_t*, int error, const char* reason, void* opaque) {
  static_cast<KafkaConnectionState*>(opaque)->Report(static_cast<rd_kafka_resp_err_t>(error),
                                                     reason);
}

// The client says in its log alone that a broker knows a partition no longer, and fetches on when a
// topic of that name is there again. It says so before it fetches, so that no record of the new
// topic is delivered unchecked.
constexpr const char* kFetchLogContext = "topic";
constexpr std::string_view kPartitionUnavailable = "BROKERUA";

void OnClientLog(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  if (facility == kPartitionUnavailable) {
    static_cast<KafkaConnectionState*>(rd_kafka_opaque(client))->Disturb();
  }
  // Errors come through the error callback, once each; here the client repeats them for every
  // attempt. AUTOCREATE: an old broker may create topics that are asked for; ours are known to
  // exist.
  const bool warns = level == 4 && std::string_view(facility) != "AUTOCREATE";
  if (warns) {
    log::Warn("kafka client: {}: {}", facility, text);
  } else {
    log::Debug("kafka client: {}: {}", facility, text);
  }
}

void OnOffsetCommit(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t*,
                    void*) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR__NO_OFFSET &&
      error != RD_KAFKA_RESP_ERR__DESTROY) {
    log::Debug("kafka group offsets not committed (for lag tools only): {}",
               rd_kafka_err2str(error));
  }
}

std::map<std::string, std::string> RoleProperties(const KafkaSourceOptions& options,
                                                  KafkaClientRole role, size_t partitions) {
  std::map<std::string, std::string> properties = {
      {"client.id", "sluice"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"enable.partition.eof", "true"},
      {"auto.offset.reset", "error"},
      {"isolation.level", "read_committed"},
      {"check.crcs", "false"},
      {"allow.auto.create.topics", "false"},
      {"receive.message.max.bytes", "1000000000"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "2000"},
      {"fetch.error.backoff.ms", "100"},
      {"socket.keepalive.enable", "true"},
      {"log.connection.close", "false"},
  };
  if (role == KafkaClientRole::kProbe) {
    // Above the marks that an assignment itself puts into the queue: they count, and would hold the
    // first fetch back.
    properties["queued.min.messages"] = "100";
    properties["queued.max.messages.kbytes"] = "1024";
    properties["fetch.message.max.bytes"] = "65536";
    properties["fetch.wait.max.ms"] = "10";
    return properties;
  }
  // Per partition, because every partition has its own queue.
  const int64_t share = PartitionQueueBytes(options, partitions);
  properties["queued.max.messages.kbytes"] =
      std::to_string(std::min<int64_t>(share >> 10, 2'000'000));
  properties["queued.min.messages"] = "10000000";
  properties["fetch.message.max.bytes"] =
      std::to_string(std::clamp<int64_t>(share / 8, 64 << 10, 4 << 20));
  properties["fetch.max.bytes"] =
      std::to_string(std::clamp<int64_t>(options.queue_bytes / 8, 1 << 20, 50 << 20));
  properties["fetch.wait.max.ms"] = "100";
  properties["debug"] = kFetchLogContext;
  properties["topic.metadata.refresh.interval.ms"] = "10000";
  return properties;
}

}  // namespace

void RdKafkaDeleter::operator()(rd_kafka_t* handle) const {
  rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

PartitionList NewPartitionList(size_t capacity) {
  return PartitionList(rd_kafka_topic_partition_list_new(static_cast<int>(capacity)));
}

std::string PartitionName(const TopicPartition& partition) {
  return partition.first + "-" + std::to_string(partition.second);
}

std::string TopicsText(const KafkaSourceOptions& options) {
  if (!options.subscribe_pattern.empty()) return options.subscribe_pattern;
  std::string name;
  for (const std::string& topic : options.subscribe) name += (name.empty() ? "" : ",") + topic;
  for (const auto& [topic, partitions] : options.assign) name += (name.empty() ? "" : ",") + topic;
  return name;
}

Status KafkaError(rd_kafka_resp_err_t error, const std::string& what, const std::string& detail) {
  const std::string reason = detail.empty() ? std::string(rd_kafka_err2str(error)) : detail;
  const std::string message = what + ": " + reason;
  switch (error) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
      return MakeError("KAFKA_AUTHENTICATION_FAILED", message,
                       "check the kafka.sasl.* options of the source");
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return MakeError("KAFKA_AUTHORIZATION_FAILED", message,
                       "the user needs READ and DESCRIBE on the topic");
    case RD_KAFKA_RESP_ERR__SSL:
      return MakeError("KAFKA_TLS_FAILED", message,
                       "check the kafka.ssl.* options and kafka.security.protocol");
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return MakeError("KAFKA_TOPIC_NOT_FOUND", message,
                       "create the topic or correct the source's options");
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return MakeError("KAFKA_UNREACHABLE", message,
                       "check the bootstrap servers, the network and the broker", Retry::kLater);
    default: return MakeError("KAFKA_CLIENT_ERROR", message, "", Retry::kLater);
  }
}

void KafkaConnectionState::Report(rd_kafka_resp_err_t error, const char* reason) {
  const bool for_good =
      error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL ||
      error == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED || error == RD_KAFKA_RESP_ERR__FATAL ||
      error == RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM;
  MutexLock lock(mutex_);
  reason_ = reason == nullptr ? rd_kafka_err2str(error) : reason;
  if (for_good && fatal_.ok())
    fatal_ = KafkaError(error, "cannot talk to the Kafka broker", reason_);
  // One broker of many may be away without harm: the watcher finds out.
  doubt_ = true;
}

void KafkaConnectionState::Lost() {
  MutexLock lock(mutex_);
  if (unreachable_.exchange(true)) return;
  since_ = clock_.NowMicros();
  log::Warn("kafka broker unreachable, trying on: {}", reason_);
}

void KafkaConnectionState::Alive() {
  if (!unreachable_.load(std::memory_order_relaxed)) return;
  MutexLock lock(mutex_);
  if (!unreachable_.exchange(false)) return;
  Disturb();
  log::Info("kafka broker reachable again after {:.1f} s",
            static_cast<double>(clock_.NowMicros() - since_) / 1e6);
}

Status KafkaConnectionState::Fatal() {
  MutexLock lock(mutex_);
  return fatal_;
}

std::string KafkaConnectionState::Describe() {
  MutexLock lock(mutex_);
  if (!unreachable_.load()) return "RUNNING";
  return fmt::format("broker unreachable since {} ({})", FormatUtc(since_), reason_);
}

std::string KafkaConnectionState::last_reason() {
  MutexLock lock(mutex_);
  return reason_;
}

int64_t PartitionQueueBytes(const KafkaSourceOptions& options, size_t partitions) {
  const auto given = options.client.find("queued.max.messages.kbytes");
  if (given != options.client.end())
    return std::max<int64_t>(std::atoll(given->second.c_str()), 1) << 10;
  return std::max(options.queue_bytes / static_cast<int64_t>(std::max<size_t>(partitions, 1)),
                  kMinQueueBytes);
}

Status SetProperties(rd_kafka_conf_t* conf, const std::map<std::string, std::string>& properties) {
  char error[512];
  for (const auto& [name, value] : properties) {
    const rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof(error));
    if (result == RD_KAFKA_CONF_OK) continue;
    return MakeError(
        "KAFKA_INVALID_OPTION", "the Kafka client refuses option kafka." + name + ": " + error,
        result == RD_KAFKA_CONF_UNKNOWN ? "properties are those of librdkafka and their Java names"
                                        : "");
  }
  return Status::OK();
}

namespace {

Result<RdPtr<rd_kafka_conf_t>> MakeConf(const KafkaSourceOptions& options, KafkaClientRole role,
                                        size_t partitions) {
  RdPtr<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  std::map<std::string, std::string> properties = RoleProperties(options, role, partitions);
  properties["bootstrap.servers"] = options.bootstrap_servers;
  properties["group.id"] = options.group_id.empty() ? "sluice-" + options.id : options.group_id;
  for (const auto& [name, value] : options.client) {
    // A probe keeps its small buffers whatever the reader is told.
    const bool buffer = name.rfind("fetch.", 0) == 0 || name.rfind("queued.", 0) == 0;
    if (role == KafkaClientRole::kReader || !buffer) properties[name] = value;
  }
  const auto debug = options.client.find("debug");
  if (role == KafkaClientRole::kReader && debug != options.client.end() && !debug->second.empty())
    properties["debug"] = debug->second + "," + kFetchLogContext;
  SLUICE_RETURN_NOT_OK(SetProperties(conf.get(), properties));
  return conf;
}

}  // namespace

Status CheckClientProperties(const KafkaSourceOptions& options) {
  return MakeConf(options, KafkaClientRole::kReader, 1).status();
}

Result<RdPtr<rd_kafka_t>> NewConsumer(const KafkaSourceOptions& options, KafkaClientRole role,
                                      size_t partitions, KafkaConnectionState* state) {
  SLUICE_ASSIGN_OR_RETURN(RdPtr<rd_kafka_conf_t> conf, MakeConf(options, role, partitions));
  rd_kafka_conf_set_opaque(conf.get(), state);
  rd_kafka_conf_set_error_cb(conf.get(), OnClientError);
  rd_kafka_conf_set_log_cb(conf.get(), OnClientLog);
  rd_kafka_conf_set_offset_commit_cb(conf.get(), OnOffsetCommit);
  char error[512];
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), error, sizeof(error));
  if (handle == nullptr) {
    return MakeError("KAFKA_INVALID_OPTION",
                     std::string("the Kafka client refuses its options: ") + error);
  }
  (void)conf.release();  // owned by the handle now
  rd_kafka_poll_set_consumer(handle);
  return RdPtr<rd_kafka_t>(handle);
}

namespace {

constexpr size_t kTopicsAskedOneByOne = 8;
// A topic that was just created may be unknown to the broker asked for a moment.
constexpr int64_t kUnknownTopicPatienceMillis = 2'000;

using Metadata = RdPtr<const rd_kafka_metadata_t>;

// One metadata request after the other until one is answered. `topic` null = all topics.
Result<Metadata> FetchMetadata(rd_kafka_t* client, rd_kafka_topic_t* topic,
                               KafkaConnectionState* state, const Deadline& deadline) {
  while (true) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(client, topic == nullptr ? 1 : 0, topic, &metadata,
                          deadline.Millis(kMetadataAttemptMillis));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      state->Alive();
      return Metadata(metadata);
    }
    RdPtr<rd_kafka_message_t> event(
        rd_kafka_consumer_poll(client, 0));  // serves the error callback
    SLUICE_RETURN_NOT_OK(state->Fatal());
    if (deadline.passed())
      return KafkaError(error, "cannot reach a Kafka broker", state->last_reason());
  }
}

const rd_kafka_metadata_topic_t* FindTopic(const rd_kafka_metadata_t& metadata,
                                           const std::string& name) {
  for (int i = 0; i < metadata.topic_cnt; ++i) {
    if (name == metadata.topics[i].topic) return &metadata.topics[i];
  }
  return nullptr;
}

void AddPartitions(const rd_kafka_metadata_topic_t& topic, std::vector<TopicPartition>* out) {
  for (int i = 0; i < topic.partition_cnt; ++i)
    out->emplace_back(topic.topic, topic.partitions[i].id);
}

// Adds the partitions of a topic that is named in the options.
Status AddNamedTopic(rd_kafka_t* client, const std::string& name, const rd_kafka_metadata_t* all,
                     KafkaConnectionState* state, const Deadline& deadline,
                     std::vector<TopicPartition>* out) {
  RdPtr<rd_kafka_topic_t> handle(rd_kafka_topic_new(client, name.c_str(), nullptr));
  if (handle == nullptr) return KafkaError(rd_kafka_last_error(), "cannot read topic " + name);
  const Deadline patience(state->clock(), kUnknownTopicPatienceMillis);
  while (true) {
    Metadata own;
    if (all == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(own, FetchMetadata(client, handle.get(), state, deadline));
    }
    const rd_kafka_metadata_topic_t* topic = FindTopic(all == nullptr ? *own : *all, name);
    const rd_kafka_resp_err_t error =
        topic == nullptr ? RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART : topic->err;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && topic->partition_cnt > 0) {
      AddPartitions(*topic, out);
      return Status::OK();
    }
    const bool may_come = error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
                          error == RD_KAFKA_RESP_ERR_NO_ERROR ||
                          error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (!may_come || patience.passed() || deadline.passed())
      return KafkaError(error, "cannot read topic " + name);
    all = nullptr;
    state->clock().SleepMicros(100'000);
  }
}

void AddMatchingTopics(const std::string& pattern, const rd_kafka_metadata_t& metadata,
                       std::vector<TopicPartition>* out) {
  const std::regex form(pattern);
  for (int i = 0; i < metadata.topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = metadata.topics[i];
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR && std::regex_match(topic.topic, form))
      AddPartitions(topic, out);
  }
}

std::vector<std::string> NamedTopics(const KafkaSourceOptions& options) {
  if (options.assign.empty()) return options.subscribe;
  std::vector<std::string> names;
  for (const auto& [topic, partitions] : options.assign) names.push_back(topic);
  return names;
}

}  // namespace

int Deadline::Millis(int64_t most) const {
  return static_cast<int>(std::clamp<int64_t>((end_ - clock_.SteadyMicros()) / 1'000, 1, most));
}

Result<std::vector<TopicPartition>> DiscoverPartitions(rd_kafka_t* client,
                                                       const KafkaSourceOptions& options,
                                                       KafkaConnectionState* state,
                                                       int64_t timeout_millis) {
  const Deadline deadline(state->clock(), timeout_millis);
  const std::vector<std::string> names = NamedTopics(options);
  Metadata all;
  if (names.empty() || names.size() > kTopicsAskedOneByOne) {
    SLUICE_ASSIGN_OR_RETURN(all, FetchMetadata(client, nullptr, state, deadline));
  }
  std::vector<TopicPartition> found;
  if (names.empty()) AddMatchingTopics(options.subscribe_pattern, *all, &found);
  for (const std::string& name : names) {
    SLUICE_RETURN_NOT_OK(AddNamedTopic(client, name, all.get(), state, deadline, &found));
  }
  std::sort(found.begin(), found.end());
  if (options.assign.empty()) return found;
  std::vector<TopicPartition> assigned;
  for (const auto& [topic, partitions] : options.assign) {
    for (const int32_t partition : partitions) {
      assigned.emplace_back(topic, partition);
      if (!std::binary_search(found.begin(), found.end(), assigned.back())) {
        return KafkaError(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
                          "cannot read " + PartitionName(assigned.back()));
      }
    }
  }
  return assigned;
}

Status QueryOffsets(rd_kafka_t* client, rd_kafka_topic_partition_list_t* partitions,
                    KafkaConnectionState* state, int64_t timeout_millis) {
  if (partitions->cnt == 0) return Status::OK();
  const Deadline deadline(state->clock(), timeout_millis);
  const PartitionList asked(rd_kafka_topic_partition_list_copy(partitions));
  while (true) {
    rd_kafka_resp_err_t error =
        rd_kafka_offsets_for_times(client, partitions, deadline.Millis(5'000));
    for (int i = 0; i < partitions->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
      error = partitions->elems[i].err;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::OK();
    const Status failure = KafkaError(error, "cannot query offsets");
    RdPtr<rd_kafka_message_t> event(rd_kafka_consumer_poll(client, 0));
    SLUICE_RETURN_NOT_OK(state->Fatal());
    const bool for_good = RetryClass(failure) == Retry::kNever;
    if (for_good || deadline.passed()) return failure;
    for (int i = 0; i < partitions->cnt; ++i) {
      partitions->elems[i].offset = asked->elems[i].offset;
      partitions->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    state->clock().SleepMicros(50'000);
  }
}

}  // namespace sluice::sources
