// The Kafka source's state machine; its parts stand in kafka_source.cc (opening and moving) and
// kafka_poll.cc (reading).
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sources/kafka/kafka_client_internal.h"
#include "sources/kafka/kafka_partition_internal.h"
#include "sources/kafka/kafka_progress_internal.h"
#include "sources/kafka/kafka_rows_internal.h"
#include "sources/kafka/kafka_source.h"
#include "sources/kafka/kafka_start_internal.h"
#include "sources/kafka/kafka_watcher_internal.h"

namespace sluice::sources {

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

}  // namespace sluice::sources
