#include "sources/kafka/kafka_source.h"

#include <arrow/type.h>

#include <algorithm>

#include "base/log.h"
#include "sources/kafka/kafka_source_internal.h"

namespace sluice::sources {
namespace {

constexpr int64_t kRewindQueryMillis = 5'000;

int64_t RefreshIntervalMillis(const KafkaSourceOptions& options) {
  const auto given = options.client.find("topic.metadata.refresh.interval.ms");
  const int64_t millis = given == options.client.end() ? 10'000 : std::atoll(given->second.c_str());
  return std::max<int64_t>(millis, 100);
}

}  // namespace

Status KafkaSource::Impl::Open(const flow::Positions& committed,
                               const std::map<std::string, int64_t>& fingerprints) {
  SLUICE_CHECK(client_ == nullptr, "a Kafka source is opened once");
  StartPlan plan;
  {
    SLUICE_ASSIGN_OR_RETURN(const auto probe,
                            NewConsumer(options_, KafkaClientRole::kProbe, 1, &state_));
    SLUICE_ASSIGN_OR_RETURN(const auto found, DiscoverPartitions(probe.get(), options_, &state_,
                                                                 options_.connect_timeout_millis));
    SLUICE_ASSIGN_OR_RETURN(
        plan, PlanStart({probe.get(), options_, &state_, options_.connect_timeout_millis}, found,
                        committed, fingerprints));
  }
  progress_.AddGaps(std::move(plan.gaps));
  SLUICE_ASSIGN_OR_RETURN(
      client_, NewConsumer(options_, KafkaClientRole::kReader, plan.starts.size(), &state_));
  partition_queue_bytes_ = PartitionQueueBytes(options_, plan.starts.size());
  std::vector<TopicPartition> known;
  for (const PartitionStart& start : plan.starts) {
    AddPartition(start);
    partitions_.back()->announced = start.committed;
    partitions_.back()->from_options = !start.committed;
    known.push_back(start.partition);
  }
  SLUICE_RETURN_NOT_OK(FetchAll(client_.get(), partitions_));
  progress_.Attach(client_.get());
  watcher_ = std::make_unique<KafkaWatcher>(client_.get(), options_, &state_, known,
                                            RefreshIntervalMillis(options_));
  log::Info("kafka source {}: reading {} partitions of {}", options_.id, known.size(),
            source_name_);
  return Status::OK();
}

std::vector<TopicPartition> KafkaSource::Impl::PartitionIds() const {
  std::vector<TopicPartition> ids;
  for (const auto& partition : partitions_) ids.push_back(partition->id());
  return ids;
}

void KafkaSource::Impl::AddPartition(const PartitionStart& start) {
  partitions_.push_back(std::make_unique<KafkaPartition>(client_.get(), start.partition,
                                                         options_.id, start.offset, start.high,
                                                         partition_queue_bytes_, &wake_));
  progress_.AddPartition(start.partition);
}

Status KafkaSource::Impl::AdoptNewPartitions() {
  if (pinned_ || watcher_ == nullptr) return Status::OK();
  for (const PartitionStart& start : watcher_->TakeFound()) {
    AddPartition(start);
    SLUICE_RETURN_NOT_OK(partitions_.back()->Fetch());
  }
  return Status::OK();
}

Status KafkaSource::Impl::PinEnd() {
  SLUICE_ASSIGN_OR_RETURN(const auto ends,
                          PlanEnd(Probe(options_.connect_timeout_millis), PartitionIds()));
  bool read_beyond = false;
  for (const auto& partition : partitions_) {
    // Records behind an earlier end were dropped: they must be fetched again for a later one.
    read_beyond = read_beyond ||
                  (pinned_ && partition->AtEnd() && partition->end() < ends.at(partition->id()));
    partition->set_end(ends.at(partition->id()));
  }
  pinned_ = true;
  if (!read_beyond) return Status::OK();
  for (const auto& partition : partitions_)
    partition->Reset(partition->next(), partition->fingerprint());
  return FetchAll(client_.get(), partitions_);
}

Result<bool> KafkaSource::Impl::AtEnd() { return pinned_ && AllAtEnd(); }

// Where each partition goes; those without an entry to where the options say, as they did or do
// now.
Result<flow::Positions> KafkaSource::Impl::RewindTargets(const flow::Positions& positions) {
  flow::Positions targets;
  std::vector<TopicPartition> unknown;
  for (const auto& partition : partitions_) {
    const auto position = positions.find(partition->key());
    if (position != positions.end()) {
      targets[partition->key()] = position->second;
    } else if (partition->from_options) {
      targets[partition->key()] = partition->start();
    } else {
      unknown.push_back(partition->id());
    }
  }
  if (unknown.empty()) return targets;
  SLUICE_ASSIGN_OR_RETURN(const StartPlan plan,
                          PlanStart(Probe(options_.connect_timeout_millis), unknown, {}, {}));
  for (const PartitionStart& start : plan.starts) {
    targets[options_.id + "/" + PartitionName(start.partition)] = start.offset;
  }
  return targets;
}

/// With a new client; the ends of a bounded run stay.
Status KafkaSource::Impl::Reopen(const flow::Positions& positions,
                                 const std::map<std::string, int64_t>& fingerprints) {
  if (pinned_) {
    for (const auto& partition : partitions_) ends_[partition->id()] = partition->end();
  }
  SLUICE_RETURN_NOT_OK(Close());
  SLUICE_ASSIGN_OR_RETURN(auto discarded, builder_.Finish());
  any_suspect_ = false;
  waits_since_ = 0;
  Status status = Open(positions, fingerprints);
  if (!status.ok()) {
    (void)Close();
    return status;
  }
  for (const auto& partition : partitions_) {
    const auto end = ends_.find(partition->id());
    if (end != ends_.end()) partition->set_end(end->second);
  }
  broken_ = false;
  return Status::OK();
}

Status KafkaSource::Impl::Rewind(const flow::Positions& positions) {
  if (broken_) return Reopen(positions, {});
  SLUICE_ASSIGN_OR_RETURN(const flow::Positions targets, RewindTargets(positions));
  SLUICE_RETURN_NOT_OK(CheckRecordsExist(Probe(kRewindQueryMillis), PartitionIds(), targets));
  for (const auto& partition : partitions_) {
    partition->announced = positions.count(partition->key()) > 0;
    partition->Reset(targets.at(partition->key()));
  }
  SLUICE_ASSIGN_OR_RETURN(auto discarded, builder_.Finish());
  return FetchAll(client_.get(), partitions_);
}

Status KafkaSource::Impl::Resume(const flow::Positions& committed,
                                 const std::map<std::string, int64_t>& fingerprints) {
  if (broken_) return Reopen(committed, fingerprints);
  SLUICE_ASSIGN_OR_RETURN(const flow::Positions targets, RewindTargets(committed));
  for (const auto& partition : partitions_) {
    const auto fingerprint = fingerprints.find(partition->key());
    partition->announced = committed.count(partition->key()) > 0;
    partition->Reset(targets.at(partition->key()),
                     fingerprint == fingerprints.end() ? 0 : fingerprint->second);
  }
  SuspectAll();
  SLUICE_ASSIGN_OR_RETURN(auto discarded, builder_.Finish());
  return FetchAll(client_.get(), partitions_);
}

void KafkaSource::Impl::Stop() {
  stop_ = true;
  wake_.Raise();
}

Status KafkaSource::Impl::Close() {
  watcher_.reset();
  progress_.Detach();
  partitions_.clear();
  client_.reset();
  return Status::OK();
}

KafkaSource::KafkaSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaSource::~KafkaSource() = default;

Result<std::unique_ptr<KafkaSource>> KafkaSource::Make(KafkaSourceOptions options,
                                                       std::vector<std::string> columns,
                                                       Clock& clock) {
  std::shared_ptr<arrow::Schema> schema = FullSchema(options.include_headers);
  if (!columns.empty()) {
    arrow::FieldVector fields;
    for (const std::string& column : columns) {
      const auto field = schema->GetFieldByName(column);
      if (field == nullptr) {
        return MakeError("KAFKA_INVALID_OPTION", "a Kafka source has no such column: " + column,
                         column == "headers" ? "set includeHeaders to true" : schema->ToString());
      }
      fields.push_back(field);
    }
    schema = arrow::schema(std::move(fields));
  }
  // The client's own properties are checked now, not when the run starts.
  SLUICE_RETURN_NOT_OK(CheckClientProperties(options));
  return std::unique_ptr<KafkaSource>(
      new KafkaSource(std::make_unique<Impl>(std::move(options), std::move(schema), clock)));
}

std::shared_ptr<arrow::Schema> KafkaSource::FullSchema(bool include_headers) {
  return KafkaRowSchema(include_headers);
}

const std::string& KafkaSource::id() const { return impl_->options_.id; }
const std::shared_ptr<arrow::Schema>& KafkaSource::schema() const { return impl_->schema_; }
Status KafkaSource::Open(const flow::Positions& committed,
                         const std::map<std::string, int64_t>& fingerprints) {
  return impl_->Open(committed, fingerprints);
}

Status KafkaSource::PinEnd() { return impl_->PinEnd(); }
Result<bool> KafkaSource::AtEnd() { return impl_->AtEnd(); }
Result<flow::SourceBatch> KafkaSource::PollBatch(const flow::PollLimits& limits) {
  return impl_->PollBatch(limits);
}

Status KafkaSource::Rewind(const flow::Positions& positions) { return impl_->Rewind(positions); }
Status KafkaSource::Resume(const flow::Positions& committed,
                           const std::map<std::string, int64_t>& fingerprints) {
  return impl_->Resume(committed, fingerprints);
}

void KafkaSource::OnCommitted(const flow::Positions& positions) {
  impl_->progress_.OnCommitted(positions);
}

flow::SourceLag KafkaSource::Lag() { return impl_->progress_.Lag(); }
void KafkaSource::Stop() { impl_->Stop(); }
Status KafkaSource::Close() { return impl_->Close(); }
const KafkaSourceOptions& KafkaSource::options() const { return impl_->options_; }
int64_t KafkaSource::CommittedOffset(const std::string& topic, int32_t partition) const {
  return impl_->progress_.CommittedOffset(PartitionName({topic, partition}));
}
int64_t KafkaSource::LostRecords() const { return impl_->progress_.LostRecords(); }

}  // namespace sluice::sources
