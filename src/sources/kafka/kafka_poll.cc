#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.h"
#include "sources/kafka/kafka_alignment_internal.h"
#include "sources/kafka/kafka_source_internal.h"

namespace sluice::sources {
namespace {

constexpr int64_t kWaitSliceMicros = 20'000;
constexpr int64_t kLagIntervalMicros = 100'000;
constexpr int64_t kRecheckIntervalMicros = 1'000'000;
constexpr int64_t kRecheckMillis = 5'000;
constexpr int kMaxClientEvents = 100;
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

}  // namespace

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

bool KafkaSource::Impl::AllAtEnd() const {
  return std::all_of(partitions_.begin(), partitions_.end(), [](const auto& partition) {
    return partition->AtEnd() && !partition->suspect;
  });
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

}  // namespace sluice::sources
