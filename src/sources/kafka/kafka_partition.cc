#include "sources/kafka/kafka_partition_internal.h"

#include <algorithm>
#include <chrono>

namespace sluice::sources {

namespace {

constexpr size_t kTakeAtOnce = 2'048;
// Large records are taken a few at a time: what is taken no longer counts against the queue's
// limit.
constexpr int64_t kTakeBytes = 4 << 20;

void OnQueueNotEmpty(rd_kafka_t*, void* opaque) { static_cast<WakeSignal*>(opaque)->Raise(); }

}  // namespace

bool PartitionEvent::PositionLost() const {
  return error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
         error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE ||
         error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
         error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

bool PartitionEvent::Unreadable() const {
  return error == RD_KAFKA_RESP_ERR__BAD_MSG || error == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
         error == RD_KAFKA_RESP_ERR_INVALID_MSG || error == RD_KAFKA_RESP_ERR__UNDERFLOW;
}

void WakeSignal::Raise() {
  MutexLock lock(mutex_);
  raised_ = true;
  changed_.notify_all();
}

void WakeSignal::Wait(int64_t micros) {
  MutexLock lock(mutex_);
  changed_.wait_for(lock.native(), std::chrono::microseconds(micros), [&] { return raised_; });
  raised_ = false;
}

KafkaPartition::KafkaPartition(rd_kafka_t* client, TopicPartition partition,
                               const std::string& source_id, int64_t start, int64_t known_high,
                               int64_t queue_bytes, WakeSignal* wake)
    : client_(client),
      id_(std::move(partition)),
      name_(PartitionName(id_)),
      key_(source_id + "/" + name_),
      queue_(rd_kafka_queue_get_partition(client, id_.first.c_str(), id_.second)),
      start_(start),
      next_(start),
      known_high_(known_high),
      queue_bytes_(queue_bytes) {
  SLUICE_CHECK(queue_ != nullptr, "a partition has a queue");
  rd_kafka_queue_forward(queue_.get(), nullptr);
  rd_kafka_queue_cb_event_enable(queue_.get(), OnQueueNotEmpty, wake);
}

KafkaPartition::~KafkaPartition() {
  rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  DestroyTaken();
}

void KafkaPartition::DestroyTaken() {
  for (size_t i = taken_next_; i < taken_.size(); ++i) rd_kafka_message_destroy(taken_[i]);
  taken_.clear();
  timestamps_.clear();
  timestamp_types_.clear();
  taken_next_ = 0;
  eof_offset_ = -1;
  event_ = {};
}

void KafkaPartition::TakeMessage(rd_kafka_message_t* message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const int64_t timestamp = rd_kafka_message_timestamp(message, &type);
  taken_.push_back(message);
  timestamps_.push_back(type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp);
  timestamp_types_.push_back(static_cast<int8_t>(static_cast<int>(type) - 1));
}

void KafkaPartition::NoteQueueLevel() {
  const int64_t queued = static_cast<int64_t>(rd_kafka_queue_length(queue_.get())) * average_bytes_;
  if (queued > queue_bytes_ * 3 / 4) {
    queue_was_full_ = true;
  } else if (queue_was_full_ && queued < queue_bytes_ / 2) {
    queue_was_full_ = false;
    wants_fetch_ = true;
  }
}

PartitionEvent KafkaPartition::Fill() {
  if (has_message()) return {};
  if (event_.error == RD_KAFKA_RESP_ERR_NO_ERROR && eof_offset_ < 0) {
    DestroyTaken();
    rd_kafka_message_t* messages[kTakeAtOnce];
    const auto wanted = static_cast<size_t>(
        std::clamp<int64_t>(kTakeBytes / std::max<int64_t>(average_bytes_, 1), 1, kTakeAtOnce));
    const ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), 0, messages, wanted);
    for (ssize_t i = 0; i < count; ++i) {
      rd_kafka_message_t* message = messages[i];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        // What was fetched before a seek, or belongs behind the pinned end, is not wanted.
        if (message->offset >= next_ && message->offset < end_ &&
            (taken_.empty() || message->offset > taken_.back()->offset)) {
          TakeMessage(message);
          continue;
        }
        if (message->offset >= end_) eof_offset_ = end_;
      } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        eof_offset_ = std::max(eof_offset_, std::min(message->offset, end_));
        at_eof_ = true;
      } else if (event_.error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        event_ = {message->err, rd_kafka_message_errstr(message)};
      }
      rd_kafka_message_destroy(message);
    }
    if (!taken_.empty()) at_eof_ = at_eof_ && eof_offset_ > taken_.back()->offset;
    NoteQueueLevel();
    if (has_message()) return {};
  }
  // Nothing left before the marks: they count now.
  if (eof_offset_ > next_) {
    next_ = eof_offset_;
    advanced = true;
  }
  PartitionEvent event = std::move(event_);
  DestroyTaken();
  return event;
}

Result<int64_t> KafkaPartition::Deliver(int64_t latest_timestamp, int64_t max_rows,
                                        int64_t max_bytes, KafkaRowBuilder* builder,
                                        int64_t* bytes) {
  *bytes = 0;
  size_t stop = taken_next_;
  while (stop < taken_.size() && static_cast<int64_t>(stop - taken_next_) < max_rows) {
    const rd_kafka_message_t& message = *taken_[stop];
    if (timestamps_[stop] > latest_timestamp || message.offset >= until_) break;
    const int64_t size = static_cast<int64_t>(message.len + message.key_len);
    if (stop > taken_next_ && *bytes + size > max_bytes) break;
    *bytes += size;
    ++stop;
  }
  const int64_t rows = static_cast<int64_t>(stop - taken_next_);
  if (rows == 0) {
    if (has_message() && taken_[taken_next_]->offset >= until_) next_ = std::max(next_, until_);
    return 0;
  }
  const MessageRun run{&id_.first,
                       id_.second,
                       taken_.data() + taken_next_,
                       timestamps_.data() + taken_next_,
                       timestamp_types_.data() + taken_next_,
                       rows,
                       *bytes};
  SLUICE_RETURN_NOT_OK(builder->Append(run));
  const rd_kafka_message_t& last = *taken_[stop - 1];
  last_offset_ = last.offset;
  last_hash_ = HashRecord(last);
  last_timestamp_ = timestamps_[stop - 1];
  next_ = last.offset + 1;
  advanced = true;
  average_bytes_ = (average_bytes_ + *bytes / rows) / 2;
  for (size_t i = taken_next_; i < stop; ++i) rd_kafka_message_destroy(taken_[i]);
  taken_next_ = stop;
  return rows;
}

void KafkaPartition::Reset(int64_t next, int64_t fingerprint) {
  DestroyTaken();
  next_ = next;
  reset_to_ = next;
  reset_fingerprint_ = fingerprint;
  at_eof_ = false;
  last_timestamp_ = kNoTimestamp;
  last_offset_ = -1;
  advanced = false;
  waiting_since = 0;
  stalled = false;
}

bool KafkaPartition::HasBacklog() {
  if (AtEnd() || AtUntil()) return false;
  if (has_message() || rd_kafka_queue_length(queue_.get()) > 0) return true;
  return !at_eof_ && Lag() > 0;
}

int64_t KafkaPartition::Lag() {
  int64_t low = 0;
  int64_t high = 0;
  const auto error =
      rd_kafka_get_watermark_offsets(client_, id_.first.c_str(), id_.second, &low, &high);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR && high > known_high_) known_high_ = high;
  return std::max<int64_t>(std::min(known_high_, end_) - next_, 0);
}

int64_t KafkaPartition::fingerprint() const {
  if (last_offset_ < 0) return next_ == reset_to_ ? reset_fingerprint_ : 0;
  return MakeFingerprint(last_hash_, next_ - 1 - last_offset_);
}

PartitionList KafkaPartition::Place() const {
  PartitionList list = NewPartitionList(1);
  rd_kafka_topic_partition_list_add(list.get(), id_.first.c_str(), id_.second)->offset = next_;
  return list;
}

Status KafkaPartition::Fetch() {
  const RdPtr<rd_kafka_error_t> error(rd_kafka_incremental_assign(client_, Place().get()));
  if (error == nullptr) return Status::OK();
  return KafkaError(rd_kafka_error_code(error.get()), "cannot assign " + name_,
                    rd_kafka_error_string(error.get()));
}

Status KafkaPartition::FetchAgain() {
  const RdPtr<rd_kafka_error_t> gone(rd_kafka_incremental_unassign(client_, Place().get()));
  return Fetch();
}

Status FetchAll(rd_kafka_t* client,
                const std::vector<std::unique_ptr<KafkaPartition>>& partitions) {
  const PartitionList list = NewPartitionList(partitions.size());
  for (const auto& partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), partition->id().first.c_str(),
                                      partition->id().second)
        ->offset = partition->next();
  }
  const rd_kafka_resp_err_t error = rd_kafka_assign(client, list.get());
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? Status::OK()
                                             : KafkaError(error, "cannot assign partitions");
}

}  // namespace sluice::sources
