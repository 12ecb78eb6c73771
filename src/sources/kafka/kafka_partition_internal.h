// One partition being read: its queue, the messages taken from the queue but not delivered yet, and
// where it stands. One thread (the flow's read thread), except the wake-up signal that the client
// raises.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "sources/kafka/kafka_client_internal.h"
#include "sources/kafka/kafka_rows_internal.h"

namespace sluice::sources {

/// Raised by the client's threads when a queue is no longer empty, and by Stop. Thread-safe.
class WakeSignal {
 public:
  void Raise() EXCLUDES_LOCK(mutex_);
  /// Waits until it is raised or `micros` have passed, and lowers it.
  void Wait(int64_t micros) EXCLUDES_LOCK(mutex_);

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  bool raised_ GUARDED_BY(mutex_) = false;
};

/// What a queue said besides records.
struct PartitionEvent {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string text;
  /// The topic vanished, or the position is not within it.
  bool PositionLost() const;
  bool Unreadable() const;
};

class KafkaPartition {
 public:
  static constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max();
  static constexpr int64_t kNoTimestamp = std::numeric_limits<int64_t>::min();

  /// Takes the partition's queue out of the common one. `client` and `wake` outlive this.
  /// `queue_bytes`: the client fetches no further when so much is queued.
  KafkaPartition(rd_kafka_t* client, TopicPartition partition, const std::string& source_id,
                 int64_t start, int64_t known_high, int64_t queue_bytes, WakeSignal* wake);
  ~KafkaPartition();
  KafkaPartition(const KafkaPartition&) = delete;
  KafkaPartition& operator=(const KafkaPartition&) = delete;

  /// Takes messages from the queue when none are left over; end-of-partition marks move `next` and
  /// are not messages. Returns the first other event, if there was one; messages before it are
  /// delivered first.
  PartitionEvent Fill();
  bool has_message() const { return taken_next_ < taken_.size(); }
  /// Record time of the message that is next, in milliseconds; kNoTimestamp when unknown. REQUIRES:
  /// has_message().
  int64_t head_timestamp() const { return timestamps_[taken_next_]; }

  /// Delivers messages in order while their time is at most `latest_timestamp` and they are before
  /// `until`, at most `max_rows` of them and `max_bytes` (but one at least), to `builder`. Returns
  /// how many; `*bytes` is their payload.
  Result<int64_t> Deliver(int64_t latest_timestamp, int64_t max_rows, int64_t max_bytes,
                          KafkaRowBuilder* builder, int64_t* bytes);

  /// True once after a full queue was half emptied. The client looks at full queues again only
  /// after up to a second; any request to the partition's broker makes it look at once.
  bool TakeWantsFetch() { return std::exchange(wants_fetch_, false); }

  /// Lets the client fetch this partition too, from `next` on.
  Status Fetch();
  /// Lets it start over at `next`.
  Status FetchAgain();

  /// Forgets what was taken; `next` is where the caller is about to seek, `fingerprint` that of the
  /// position when it is known.
  void Reset(int64_t next, int64_t fingerprint = 0);
  /// Whether records that exist have not been taken yet, as far as is known.
  bool HasBacklog();
  bool AtEnd() const { return next_ >= end_; }
  /// A limit below the end for some polls: records from here on are kept. kNoEnd = none; 0 =
  /// nothing is delivered.
  void set_until(int64_t until) { until_ = until; }
  int64_t until() const { return until_; }
  bool AtUntil() const { return next_ >= until_; }
  int64_t Lag();
  /// Fingerprint of the position, 0 when the record before it is not known.
  int64_t fingerprint() const;

  const TopicPartition& id() const { return id_; }
  const std::string& name() const { return name_; }  // "<topic>-<n>"
  const std::string& key() const { return key_; }    // "<source id>/<topic>-<n>"
  int64_t next() const { return next_; }
  int64_t start() const { return start_; }
  int64_t end() const { return end_; }
  void set_end(int64_t end) { end_ = end; }
  int64_t last_timestamp() const { return last_timestamp_; }

  // The source's notes.
  bool from_options = true;  // `start` is where the options say; false = a committed position
  bool announced = false;    // its position was part of a delivered batch
  bool advanced = false;     // `next` moved since the last delivered batch
  bool suspect = false;      // to be checked before reading on: may be another topic of that name
  bool seek_after = false;   // the client stopped fetching: it needs a seek after the check
  int64_t waiting_since =
      0;  // steady micros since when its queue is empty despite a backlog; 0 = it is not
  bool stalled = false;  // others no longer wait for it

 private:
  void DestroyTaken();
  void TakeMessage(rd_kafka_message_t* message);
  void NoteQueueLevel();
  PartitionList Place() const;

  rd_kafka_t* const client_;
  const TopicPartition id_;
  const std::string name_;
  const std::string key_;
  RdPtr<rd_kafka_queue_t> queue_;
  const int64_t start_;
  int64_t next_;
  int64_t end_ = kNoEnd;
  int64_t until_ = kNoEnd;
  int64_t known_high_;
  const int64_t queue_bytes_;
  bool queue_was_full_ = false;
  bool wants_fetch_ = false;
  bool at_eof_ = false;
  int64_t last_timestamp_ = kNoTimestamp;
  int64_t last_offset_ = -1;
  uint64_t last_hash_ = 0;
  int64_t reset_to_ = -1;          // position of the last Reset
  int64_t reset_fingerprint_ = 0;  // and its fingerprint
  int64_t average_bytes_ = 256;

  std::vector<rd_kafka_message_t*> taken_;  // owned
  std::vector<int64_t> timestamps_;
  std::vector<int8_t> timestamp_types_;
  size_t taken_next_ = 0;
  int64_t eof_offset_ = -1;  // end-of-partition behind the taken messages; -1 = none
  PartitionEvent event_;     // behind the taken messages
};

/// Lets the client fetch exactly these partitions, each from its `next` on.
Status FetchAll(rd_kafka_t* client, const std::vector<std::unique_ptr<KafkaPartition>>& partitions);

}  // namespace sluice::sources
