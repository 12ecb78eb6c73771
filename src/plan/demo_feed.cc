#include "plan/demo_feed.h"

#include <algorithm>

#include "sources/kafka/embedded_broker.h"
#include "sources/kafka/event_generator.h"

namespace sluice::plan {

struct DemoFeed::Parts {
  std::unique_ptr<sources::EmbeddedBroker> broker;
  std::unique_ptr<sources::EventGenerator> generator;
  Status error;
};

DemoFeed::DemoFeed(DemoFeedOptions options, delta::TableRegistry& tables, Clock& clock)
    : options_(std::move(options)),
      tables_(tables),
      clock_(clock),
      parts_(std::make_unique<Parts>()) {}

Result<std::unique_ptr<DemoFeed>> DemoFeed::Start(DemoFeedOptions options,
                                                  delta::TableRegistry& tables, Clock& clock) {
  auto feed = std::unique_ptr<DemoFeed>(new DemoFeed(std::move(options), tables, clock));
  SLUICE_ASSIGN_OR_RETURN(feed->parts_->broker, sources::EmbeddedBroker::Start());
  SLUICE_RETURN_NOT_OK(
      feed->parts_->broker->CreateTopic(feed->options_.topic, feed->options_.partitions));
  sources::EventGeneratorOptions generator;
  generator.seed = feed->options_.seed;
  SLUICE_ASSIGN_OR_RETURN(feed->parts_->generator, sources::EventGenerator::Make(generator, clock));
  return feed;
}

DemoFeed::~DemoFeed() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string DemoFeed::bootstrap_servers() const { return parts_->broker->bootstrap_servers(); }

void DemoFeed::Begin() {
  thread_ = std::thread([this] { Produce(); });
}

Status DemoFeed::error() const { return parts_->error; }

ProducedEvents DemoFeed::counts() const {
  ProducedEvents counts;
  for (const auto& [event_class, count] : parts_->generator->ledger().counts) {
    counts[std::string(sources::EventClassName(event_class))] = count;
  }
  return counts;
}

void DemoFeed::Produce() {
  parts_->error = ProduceAll();
  finished_ = true;
}

Status DemoFeed::ProduceAll() {
  sources::DemoProducerOptions producer_options;
  producer_options.bootstrap_servers = bootstrap_servers();
  producer_options.topic = options_.topic;
  producer_options.partitions = options_.partitions;
  SLUICE_ASSIGN_OR_RETURN(
      auto producer,
      sources::DemoProducer::Make(
          producer_options, [this](int32_t partition) { return Consumed(partition); }, clock_));
  const int64_t started = clock_.SteadyMicros();
  while (!stop_ && produced_ < options_.events) {
    const int64_t due = (clock_.SteadyMicros() - started) * options_.events_per_second / 1'000'000;
    if (produced_ >= std::min(due, options_.events)) {
      clock_.SleepMicros(2'000);
      continue;
    }
    const sources::GeneratedEvent& event = parts_->generator->Next();
    SLUICE_RETURN_NOT_OK(producer->Produce(event.key, event.value, event.timestamp_millis));
    ++produced_;
  }
  return producer->Flush();
}

/// The next offset of a partition by the positions in the bronze table's log (".../<topic>-<n>").
int64_t DemoFeed::Consumed(int32_t partition) {
  const auto table = tables_.Open(options_.bronze_path);
  if (!table.ok()) return 0;
  const std::string suffix = "/" + options_.topic + "-" + std::to_string(partition);
  int64_t consumed = 0;
  for (const auto& [app_id, txn] : (*table)->Current()->txns()) {
    if (app_id.rfind("sluice/", 0) == 0 && app_id.ends_with(suffix) &&
        app_id.find('#') == std::string::npos) {
      consumed = std::max(consumed, txn.version);
    }
  }
  return consumed;
}

}  // namespace sluice::plan
