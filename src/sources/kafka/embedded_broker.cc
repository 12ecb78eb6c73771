#include "sources/kafka/embedded_broker.h"

#include <librdkafka/rdkafka.h>
// The mock header wants the one above first.
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "sources/kafka/kafka_client_internal.h"

namespace sluice::sources {

class EmbeddedBroker::Impl {
 public:
  ~Impl() {
    if (cluster_ != nullptr) rd_kafka_mock_cluster_destroy(cluster_);
  }

  RdPtr<rd_kafka_t> client_;  // the cluster runs on its threads
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  int brokers_ = 0;
  std::string bootstrap_servers_;
};

EmbeddedBroker::EmbeddedBroker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EmbeddedBroker::~EmbeddedBroker() = default;

Result<std::unique_ptr<EmbeddedBroker>> EmbeddedBroker::Start(int brokers) {
  auto impl = std::make_unique<Impl>();
  RdPtr<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  SLUICE_RETURN_NOT_OK(
      SetProperties(conf.get(), {{"client.id", "sluice-embedded-broker"}, {"log_level", "0"}}));
  char error[512];
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), error, sizeof(error));
  if (handle == nullptr)
    return MakeError("KAFKA_CLIENT_ERROR",
                     std::string("cannot start the embedded broker: ") + error);
  (void)conf.release();
  impl->client_.reset(handle);
  impl->brokers_ = brokers;
  impl->cluster_ = rd_kafka_mock_cluster_new(handle, brokers);
  if (impl->cluster_ == nullptr) {
    return MakeError("KAFKA_CLIENT_ERROR", "cannot start the embedded broker",
                     "is there a free port on 127.0.0.1?");
  }
  impl->bootstrap_servers_ = rd_kafka_mock_cluster_bootstraps(impl->cluster_);
  return std::unique_ptr<EmbeddedBroker>(new EmbeddedBroker(std::move(impl)));
}

Status EmbeddedBroker::CreateTopic(const std::string& topic, int partitions) {
  const rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(
      impl_->cluster_, topic.c_str(), partitions, /*replication_factor=*/1);
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? Status::OK()
                                             : KafkaError(error, "cannot create topic " + topic);
}

const std::string& EmbeddedBroker::bootstrap_servers() const { return impl_->bootstrap_servers_; }

Status EmbeddedBroker::SetReachable(bool reachable) {
  for (int32_t broker = 1; broker <= impl_->brokers_; ++broker) {
    const rd_kafka_resp_err_t error = reachable
                                          ? rd_kafka_mock_broker_set_up(impl_->cluster_, broker)
                                          : rd_kafka_mock_broker_set_down(impl_->cluster_, broker);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return KafkaError(error, "cannot switch the embedded broker");
  }
  return Status::OK();
}

/// What was produced to one partition and not yet consumed: sizes in order of offset.
struct PendingRecords {
  std::deque<int64_t> sizes;
  int64_t first_offset = 0;
  int64_t bytes = 0;

  void DropBelow(int64_t consumed) {
    while (!sizes.empty() && first_offset < consumed) {
      bytes -= sizes.front();
      sizes.pop_front();
      ++first_offset;
    }
  }
};

class DemoProducer::Impl {
 public:
  Impl(DemoProducerOptions options, ConsumedOffset consumed, Clock& clock)
      : options_(std::move(options)),
        consumed_(std::move(consumed)),
        clock_(clock),
        pending_(static_cast<size_t>(options_.partitions)) {}
  ~Impl() {
    if (client_ != nullptr) rd_kafka_flush(client_.get(), 1'000);
    topic_.reset();
  }

  Status Connect();
  Result<bool> TryProduce(std::string_view key, std::string_view value, int64_t timestamp_millis);
  Status failure() { return failure_; }

  const DemoProducerOptions options_;
  const ConsumedOffset consumed_;
  Clock& clock_;
  RdPtr<rd_kafka_t> client_;
  RdPtr<rd_kafka_topic_t> topic_;
  std::vector<PendingRecords> pending_;
  int64_t produced_ = 0;

 private:
  static void OnDelivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque);
  std::string payload_;  // the client's interface wants it writable
  Status failure_;       // of a delivery; set by rd_kafka_poll on the caller's thread
};

void DemoProducer::Impl::OnDelivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  static_cast<Impl*>(opaque)->failure_ = KafkaError(message->err, "cannot produce");
}

Status DemoProducer::Impl::Connect() {
  RdPtr<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  SLUICE_RETURN_NOT_OK(
      SetProperties(conf.get(), {{"bootstrap.servers", options_.bootstrap_servers},
                                 {"client.id", "sluice-demo"},
                                 {"linger.ms", std::to_string(options_.linger_millis)},
                                 {"compression.codec", options_.compression},
                                 {"queue.buffering.max.messages", "1000000"},
                                 {"enable.idempotence", "true"},
                                 {"batch.size", "500000"},
                                 {"delivery.report.only.error", "true"}}));
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), OnDelivered);
  char error[512];
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), error, sizeof(error));
  if (handle == nullptr)
    return MakeError("KAFKA_CLIENT_ERROR", std::string("cannot start the producer: ") + error);
  (void)conf.release();
  client_.reset(handle);
  topic_.reset(rd_kafka_topic_new(handle, options_.topic.c_str(), nullptr));
  return topic_ != nullptr
             ? Status::OK()
             : KafkaError(rd_kafka_last_error(), "cannot produce to " + options_.topic);
}

Result<bool> DemoProducer::Impl::TryProduce(std::string_view key, std::string_view value,
                                            int64_t timestamp_millis) {
  SLUICE_RETURN_NOT_OK(failure_);
  const auto partition = static_cast<int32_t>(produced_ % options_.partitions);
  const auto size = static_cast<int64_t>(key.size() + value.size());
  PendingRecords& pending = pending_[static_cast<size_t>(partition)];
  if (!pending.sizes.empty() && pending.bytes + size > options_.max_pending_bytes) {
    pending.DropBelow(consumed_(partition));
    if (!pending.sizes.empty() && pending.bytes + size > options_.max_pending_bytes) {
      rd_kafka_poll(client_.get(), 0);
      return false;
    }
  }
  payload_.assign(value);
  const rd_kafka_resp_err_t error = rd_kafka_producev(
      client_.get(), RD_KAFKA_V_RKT(topic_.get()), RD_KAFKA_V_PARTITION(partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data(), key.size()),
      RD_KAFKA_V_VALUE(payload_.data(), payload_.size()), RD_KAFKA_V_TIMESTAMP(timestamp_millis),
      RD_KAFKA_V_END);
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    rd_kafka_poll(client_.get(), 0);
    return false;
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return KafkaError(error, "cannot produce to " + options_.topic);
  pending.sizes.push_back(size);
  pending.bytes += size;
  if ((++produced_ & 1023) == 0) rd_kafka_poll(client_.get(), 0);
  return true;
}

DemoProducer::DemoProducer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DemoProducer::~DemoProducer() = default;

Result<std::unique_ptr<DemoProducer>> DemoProducer::Make(DemoProducerOptions options,
                                                         ConsumedOffset consumed, Clock& clock) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(consumed), clock);
  SLUICE_RETURN_NOT_OK(impl->Connect());
  return std::unique_ptr<DemoProducer>(new DemoProducer(std::move(impl)));
}

Result<bool> DemoProducer::TryProduce(std::string_view key, std::string_view value,
                                      int64_t timestamp_millis) {
  return impl_->TryProduce(key, value, timestamp_millis);
}

Status DemoProducer::Produce(std::string_view key, std::string_view value, int64_t timestamp_millis,
                             int64_t max_wait_micros) {
  const int64_t deadline = impl_->clock_.SteadyMicros() + max_wait_micros;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const bool taken, impl_->TryProduce(key, value, timestamp_millis));
    if (taken) return Status::OK();
    if (impl_->clock_.SteadyMicros() >= deadline) {
      return MakeError("KAFKA_PRODUCE_STALLED",
                       "nothing was consumed for too long: " + impl_->options_.topic,
                       "is the pipeline running?", Retry::kLater);
    }
    impl_->clock_.SleepMicros(1'000);
  }
}

Status DemoProducer::Flush(int64_t max_wait_micros) {
  const rd_kafka_resp_err_t error =
      rd_kafka_flush(impl_->client_.get(), static_cast<int>(max_wait_micros / 1'000));
  SLUICE_RETURN_NOT_OK(impl_->failure());
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? Status::OK() : KafkaError(error, "cannot flush");
}

int64_t DemoProducer::produced() const { return impl_->produced_; }

}  // namespace sluice::sources
