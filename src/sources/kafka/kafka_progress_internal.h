// What other threads may ask of a running source, and tell it: committed offsets, lag, gaps.
// Thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "flow/positions.h"
#include "flow/source.h"
#include "sources/kafka/kafka_client_internal.h"
#include "sources/kafka/kafka_source.h"

namespace sluice::sources {

class KafkaProgress {
 public:
  /// `state` outlives this.
  KafkaProgress(std::string source_id, KafkaConnectionState* state)
      : prefix_(source_id + "/"), state_(state) {}

  /// From now on commits are told to the consumer group of `client`, at most once a second, until
  /// Detach.
  void Attach(rd_kafka_t* client) EXCLUDES_LOCK(mutex_);
  void AddPartition(const TopicPartition& partition) EXCLUDES_LOCK(mutex_);
  /// Tells the last commits, waiting a second at most; `client` is not used afterwards.
  void Detach() EXCLUDES_LOCK(mutex_);

  void OnCommitted(const flow::Positions& positions) EXCLUDES_LOCK(mutex_);
  int64_t CommittedOffset(const std::string& partition_name) EXCLUDES_LOCK(mutex_);

  void SetLag(int64_t records, std::string problem) EXCLUDES_LOCK(mutex_);
  flow::SourceLag Lag() EXCLUDES_LOCK(mutex_);

  void AddGaps(std::vector<flow::SourceGap> gaps) EXCLUDES_LOCK(mutex_);
  std::vector<flow::SourceGap> TakeGaps() EXCLUDES_LOCK(mutex_);
  int64_t LostRecords() EXCLUDES_LOCK(mutex_);

 private:
  PartitionList ToCommit() REQUIRES_LOCK(mutex_);

  const std::string prefix_;
  KafkaConnectionState* const state_;
  Mutex mutex_;
  rd_kafka_t* client_ GUARDED_BY(mutex_) = nullptr;
  std::map<std::string, TopicPartition> ids_ GUARDED_BY(mutex_);  // by "<topic>-<n>"
  std::map<std::string, int64_t> committed_ GUARDED_BY(mutex_);   // likewise
  bool untold_ GUARDED_BY(mutex_) = false;
  int64_t next_telling_ GUARDED_BY(mutex_) = 0;
  int64_t lag_records_ GUARDED_BY(mutex_) = -1;
  std::string problem_ GUARDED_BY(mutex_);
  std::vector<flow::SourceGap> gaps_ GUARDED_BY(mutex_);
  int64_t lost_records_ GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::sources
