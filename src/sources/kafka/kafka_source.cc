#include "sources/kafka/kafka_source.h"

#include <arrow/type.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>

#include "base/log.h"
#include "sources/kafka/kafka_alignment_internal.h"
#include "sources/kafka/kafka_client_internal.h"
#include "sources/kafka/kafka_partition_internal.h"
#include "sources/kafka/kafka_progress_internal.h"
#include "sources/kafka/kafka_rows_internal.h"
#include "sources/kafka/kafka_start_internal.h"
#include "sources/kafka/kafka_watcher_internal.h"

namespace sluice::sources {

namespace {

constexpr int64_t kWaitSliceMicros = 20'000;
constexpr int64_t kLagIntervalMicros = 100'000;
constexpr int64_t kRecheckIntervalMicros = 1'000'000;
constexpr int64_t kRecheckMillis = 5'000;
constexpr int64_t kRewindQueryMillis = 5'000;
constexpr int kMaxClientEvents = 100;
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

int64_t RefreshIntervalMillis(const KafkaSourceOptions& options) {
  const auto given = options.client.find("topic.metadata.refresh.interval.ms");
  const int64_t millis = given == options.client.end() ? 10'000 : std::atoll(given->second.c_str());
  return std::max<int64_t>(millis, 100);
}

}  // namespace

/// One poll under way.
struct PollState {
  flow::SourceBatch out;
  int64_t rows_left = 0;
  int64_t bytes_left = 0;
  bool full() const { return rows_left <= 0 || bytes_left <= 0; }
};

class KafkaSource::Impl {
 public:
  Impl(KafkaSourceOptions options, std::shared_ptr<arrow::Schema> schema, Clock& clock)
      : options_(std::move(options)),
        schema_(std::move(schema)),
        state_(clock),
        progress_(options_.id, &state_),
        source_name_(TopicsText(options_)),
        clock_(clock),
        builder_(schema_) {}
  ~Impl() { (void)Close(); }

  Status Open(const flow::Positions& committed, const std::map<std::string, int64_t>& fingerprints);
  Status PinEnd();
  Result<bool> AtEnd();
  Result<flow::SourceBatch> PollBatch(const flow::PollLimits& limits);
  Status Rewind(const flow::Positions& positions);
  Status Resume(const flow::Positions& committed,
                const std::map<std::string, int64_t>& fingerprints);
  void Stop();
  Status Close();

  const KafkaSourceOptions options_;
  const std::shared_ptr<arrow::Schema> schema_;
  KafkaConnectionState state_;
  KafkaProgress progress_;

 private:
  KafkaProbe Probe(int64_t timeout_millis) {
    return {client_.get(), options_, &state_, timeout_millis};
  }
  std::vector<TopicPartition> PartitionIds() const;
  void AddPartition(const PartitionStart& start);
  Status AdoptNewPartitions();
  Status ServeClient();
  Status FillAll();
  Status HandleEvent(KafkaPartition* partition, const PartitionEvent& event);
  void SuspectAll();
  Status RecheckSuspects();
  Status Recheck(const std::vector<KafkaPartition*>& partitions);
  Status CheckPatience();
  Result<int64_t> DeliverRound(PollState* poll);
  Status FlushRows(flow::SourceBatch* out);
  void SetUntil(const flow::Positions& until);
  void NotePositions(flow::SourceBatch* out);
  void NoteUntil(const flow::Positions& until, flow::SourceBatch* out);
  Status Reopen(const flow::Positions& positions,
                const std::map<std::string, int64_t>& fingerprints);
  Result<flow::Positions> RewindTargets(const flow::Positions& positions);
  void UpdateLag();
  bool AllAtEnd() const;
  bool AllAtUntil() const;
  bool AnyBacklog();

  const std::string source_name_;
  Clock& clock_;
  WakeSignal wake_;
  std::atomic<bool> stop_{false};

  RdPtr<rd_kafka_t> client_;
  std::vector<std::unique_ptr<KafkaPartition>>
      partitions_;  // by topic and number; destroyed before client_
  std::unique_ptr<KafkaWatcher> watcher_;
  KafkaRowBuilder builder_;
  std::vector<KafkaPartition*> order_;  // scratch of DeliverRound
  int64_t partition_queue_bytes_ = 0;
  bool pinned_ = false;
  bool broken_ = false;                     // the client must be made anew
  std::map<TopicPartition, int64_t> ends_;  // of a bounded run, while it is
  bool any_suspect_ = false;
  int64_t next_recheck_ = 0;
  int64_t waits_since_ = 0;  // steady micros since when a bounded run cannot go on; 0 = it can
  int64_t next_lag_ = 0;
};

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

bool KafkaSource::Impl::AllAtEnd() const {
  return std::all_of(partitions_.begin(), partitions_.end(), [](const auto& partition) {
    return partition->AtEnd() && !partition->suspect;
  });
}

Result<bool> KafkaSource::Impl::AtEnd() { return pinned_ && AllAtEnd(); }

// Errors of the client as a whole, and its callbacks.
Status KafkaSource::Impl::ServeClient() {
  for (int i = 0; i < kMaxClientEvents; ++i) {
    const RdPtr<rd_kafka_message_t> event(rd_kafka_consumer_poll(client_.get(), 0));
    if (event == nullptr) break;
    if (event->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      // After some re-assignments the client forgets that partitions have queues of their own.
      broken_ = true;
      return MakeError("KAFKA_CLIENT_ERROR",
                       "the Kafka client lost the queue of " +
                           PartitionName({rd_kafka_topic_name(event->rkt), event->partition}) +
                           ": it is made anew",
                       "nothing to do: reading goes on at the committed positions", Retry::kLater);
    }
    if (event->err == RD_KAFKA_RESP_ERR__FATAL) {
      return KafkaError(event->err, "the Kafka client gave up",
                        rd_kafka_message_errstr(event.get()));
    }
    log::Debug("kafka source {}: {}", options_.id, rd_kafka_message_errstr(event.get()));
  }
  return Status::OK();
}

Status KafkaSource::Impl::HandleEvent(KafkaPartition* partition, const PartitionEvent& event) {
  if (event.PositionLost()) {
    log::Warn("kafka source {}: {}: {}", options_.id, partition->name(), event.text);
    partition->suspect = true;
    partition->seek_after = true;
    any_suspect_ = true;
    return Status::OK();
  }
  if (event.error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
    return KafkaError(event.error, "cannot read " + partition->name(), event.text);
  }
  if (event.Unreadable()) {
    return MakeError(
        "KAFKA_RECORD_UNREADABLE",
        "a record cannot be read: " + partition->name() + ", at or after offset " +
            std::to_string(partition->next()) + ": " + event.text,
        "the broker's copy is damaged or compressed in a way this client does not know");
  }
  log::Debug("kafka source {}: {}: {}", options_.id, partition->name(), event.text);
  return Status::OK();
}

Status KafkaSource::Impl::FillAll() {
  for (const auto& partition : partitions_) {
    if (partition->suspect) continue;
    const PartitionEvent event = partition->Fill();
    if (event.error != RD_KAFKA_RESP_ERR_NO_ERROR)
      SLUICE_RETURN_NOT_OK(HandleEvent(partition.get(), event));
    if (partition->has_message()) state_.Alive();
    if (partition->TakeWantsFetch()) watcher_->Nudge(partition->id());
  }
  return Status::OK();
}

void KafkaSource::Impl::SuspectAll() {
  for (const auto& partition : partitions_) partition->suspect = true;
  any_suspect_ = true;
  next_recheck_ = 0;
}

// A partition whose topic may be another one, or whose position is out of range, goes on only after
// the same checks as at Open.
Status KafkaSource::Impl::RecheckSuspects() {
  if (!any_suspect_ || clock_.SteadyMicros() < next_recheck_) return Status::OK();
  std::map<std::string, std::vector<KafkaPartition*>> by_topic;
  for (const auto& partition : partitions_) {
    if (partition->suspect) by_topic[partition->id().first].push_back(partition.get());
  }
  bool left = false;
  for (const auto& [topic, partitions] : by_topic) {
    const Status status = Recheck(partitions);
    if (HasCode(status, "KAFKA_UNREACHABLE") || HasCode(status, "KAFKA_TOPIC_NOT_FOUND") ||
        HasCode(status, "KAFKA_CLIENT_ERROR")) {
      left = true;
      continue;
    }
    SLUICE_RETURN_NOT_OK(status);
  }
  any_suspect_ = left;
  next_recheck_ = clock_.SteadyMicros() + kRecheckIntervalMicros;
  return Status::OK();
}

Status KafkaSource::Impl::Recheck(const std::vector<KafkaPartition*>& partitions) {
  KafkaConnectionState probe_state(clock_);
  SLUICE_ASSIGN_OR_RETURN(const auto probe,
                          NewConsumer(options_, KafkaClientRole::kProbe, 1, &probe_state));
  std::vector<TopicPartition> ids;
  flow::Positions positions;
  std::map<std::string, int64_t> fingerprints;
  for (const KafkaPartition* partition : partitions) {
    ids.push_back(partition->id());
    positions[partition->key()] = partition->next();
    if (partition->fingerprint() != 0) fingerprints[partition->key()] = partition->fingerprint();
  }
  const KafkaProbe asked{probe.get(), options_, &probe_state, kRecheckMillis};
  SLUICE_ASSIGN_OR_RETURN(StartPlan plan, PlanStart(asked, ids, positions, fingerprints));
  progress_.AddGaps(std::move(plan.gaps));
  for (KafkaPartition* partition : partitions) {
    const auto start =
        std::find_if(plan.starts.begin(), plan.starts.end(),
                     [&](const PartitionStart& one) { return one.partition == partition->id(); });
    const bool moved = start->offset != partition->next();
    partition->suspect = false;
    if (!moved && !std::exchange(partition->seek_after, false)) continue;
    partition->seek_after = false;
    partition->Reset(start->offset, moved ? 0 : partition->fingerprint());
    SLUICE_RETURN_NOT_OK(partition->FetchAgain());
  }
  return Status::OK();
}

// A bounded run does not wait for ever for a broker or topic that went away.
Status KafkaSource::Impl::CheckPatience() {
  const int64_t now = clock_.SteadyMicros();
  const bool waits = pinned_ && !AllAtEnd() && (any_suspect_ || state_.unreachable());
  if (!waits) {
    waits_since_ = 0;
    return Status::OK();
  }
  if (waits_since_ == 0) waits_since_ = now;
  if (now - waits_since_ < options_.connect_timeout_millis * 1'000) return Status::OK();
  waits_since_ = 0;
  return MakeError(
      "KAFKA_UNREACHABLE",
      "the rest of the topic cannot be read: " + source_name_ + ": " + state_.Describe(),
      "check the broker and the topic", Retry::kLater);
}

Result<int64_t> KafkaSource::Impl::DeliverRound(PollState* poll) {
  SLUICE_RETURN_NOT_OK(RecheckSuspects());
  SLUICE_RETURN_NOT_OK(FillAll());
  // Looked at behind Fill: what was fetched after a disturbance is not delivered unchecked.
  if (state_.TakeDisturbance()) {
    SuspectAll();
    return 0;
  }
  const int64_t latest = LatestDeliverable(partitions_, options_.alignment_millis, clock_);
  order_.clear();
  for (const auto& partition : partitions_) {
    if (partition->has_message() && !partition->suspect && !partition->AtUntil())
      order_.push_back(partition.get());
  }
  std::sort(order_.begin(), order_.end(), [](const KafkaPartition* a, const KafkaPartition* b) {
    return a->head_timestamp() < b->head_timestamp();
  });
  int64_t delivered = 0;
  for (KafkaPartition* partition : order_) {
    while (!poll->full() && partition->has_message()) {
      int64_t bytes = 0;
      SLUICE_ASSIGN_OR_RETURN(
          const int64_t rows,
          partition->Deliver(
              latest, std::min(poll->rows_left, options_.batch_rows - builder_.rows()),
              std::min(poll->bytes_left, options_.batch_bytes - builder_.payload_bytes()),
              &builder_, &bytes));
      if (rows == 0) break;
      delivered += rows;
      poll->rows_left -= rows;
      poll->bytes_left -= bytes;
      if (builder_.rows() >= options_.batch_rows ||
          builder_.payload_bytes() >= options_.batch_bytes) {
        SLUICE_RETURN_NOT_OK(FlushRows(&poll->out));
      }
    }
  }
  return delivered;
}

Status KafkaSource::Impl::FlushRows(flow::SourceBatch* out) {
  if (builder_.rows() == 0) return Status::OK();
  auto rows = std::make_shared<SourceRows>();
  rows->source_name = source_name_;
  rows->record = {schema_->GetFieldIndex("value"), schema_->GetFieldIndex("topic"),
                  schema_->GetFieldIndex("partition"), schema_->GetFieldIndex("offset")};
  SLUICE_ASSIGN_OR_RETURN(rows->rows, builder_.Finish());
  out->num_rows += rows->rows->num_rows();
  out->rows.push_back(std::move(rows));
  return Status::OK();
}

void KafkaSource::Impl::NotePositions(flow::SourceBatch* out) {
  if (out->num_rows == 0)
    return;  // what only passed over transaction markers is told with the next rows
  out->gaps = progress_.TakeGaps();
  for (const auto& partition : partitions_) {
    if (!partition->advanced && partition->announced) continue;
    out->next[partition->key()] = partition->next();
    if (!partition->announced) out->started[partition->key()] = partition->start();
    const int64_t fingerprint = partition->fingerprint();
    if (fingerprint != 0) out->fingerprints[partition->key()] = fingerprint;
    partition->advanced = false;
    partition->announced = true;
  }
}

// What a poll with `until` reports: the partitions named there and nothing else, never beyond.
void KafkaSource::Impl::NoteUntil(const flow::Positions& until, flow::SourceBatch* out) {
  flow::Positions gone = until;
  for (const auto& partition : partitions_) {
    if (gone.erase(partition->key()) == 0) continue;
    out->next[partition->key()] = std::min(partition->next(), partition->until());
    const int64_t fingerprint = partition->fingerprint();
    if (fingerprint != 0 && partition->next() <= partition->until())
      out->fingerprints[partition->key()] = fingerprint;
    partition->announced = true;
  }
  // A partition that no longer exists has nothing to deliver: its loss was judged when the source
  // was opened.
  const std::string own = options_.id + "/";
  for (const auto& [key, position] : gone) {
    if (key.compare(0, own.size(), own) == 0) out->next[key] = position;
  }
}

void KafkaSource::Impl::SetUntil(const flow::Positions& until) {
  for (const auto& partition : partitions_) {
    const auto named = until.find(partition->key());
    partition->set_until(until.empty()          ? KafkaPartition::kNoEnd
                         : named == until.end() ? 0
                                                : named->second);
  }
}

bool KafkaSource::Impl::AllAtUntil() const {
  return std::all_of(partitions_.begin(), partitions_.end(),
                     [](const auto& partition) { return partition->AtUntil(); });
}

bool KafkaSource::Impl::AnyBacklog() {
  return std::any_of(partitions_.begin(), partitions_.end(), [](const auto& partition) {
    return !partition->suspect && !partition->stalled && partition->HasBacklog();
  });
}

Result<flow::SourceBatch> KafkaSource::Impl::PollBatch(const flow::PollLimits& limits) {
  SLUICE_RETURN_NOT_OK(ServeClient());
  SLUICE_RETURN_NOT_OK(AdoptNewPartitions());
  SLUICE_RETURN_NOT_OK(CheckPatience());
  PollState poll;
  poll.rows_left = std::min(limits.max_rows, options_.max_offsets_per_trigger.value_or(kNoLimit));
  poll.bytes_left = limits.max_bytes;
  SetUntil(limits.until);
  const int64_t deadline = clock_.SteadyMicros() + limits.max_wait_micros;
  while (!poll.full()) {
    SLUICE_ASSIGN_OR_RETURN(const int64_t delivered, DeliverRound(&poll));
    if (delivered > 0) continue;
    // Rows are kept waiting only while it is known that more are on their way.
    const bool has_rows = poll.out.num_rows > 0 || builder_.rows() > 0;
    if (has_rows && !AnyBacklog()) break;
    if ((pinned_ && AllAtEnd()) || AllAtUntil()) break;
    const int64_t left = deadline - clock_.SteadyMicros();
    if (left <= 0 || stop_.load()) break;
    wake_.Wait(std::min(left, kWaitSliceMicros));
  }
  stop_ = false;
  SLUICE_RETURN_NOT_OK(FlushRows(&poll.out));
  if (limits.until.empty()) {
    NotePositions(&poll.out);
  } else {
    NoteUntil(limits.until, &poll.out);
  }
  UpdateLag();
  return std::move(poll.out);
}

void KafkaSource::Impl::UpdateLag() {
  const int64_t now = clock_.SteadyMicros();
  if (now < next_lag_) return;
  next_lag_ = now + kLagIntervalMicros;
  int64_t records = 0;
  std::string problem = watcher_ == nullptr ? "" : watcher_->Problem();
  for (const auto& partition : partitions_) {
    records += partition->Lag();
    if (partition->suspect && problem.empty())
      problem = "waiting for partition " + partition->name();
  }
  progress_.SetLag(records, std::move(problem));
}

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
