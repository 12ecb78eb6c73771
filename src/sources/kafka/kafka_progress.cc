#include "sources/kafka/kafka_progress_internal.h"

#include <utility>

namespace sluice::sources {

namespace {

constexpr int64_t kTellIntervalMicros = 1'000'000;
constexpr int kLastTellMillis = 1'000;

void IgnoreReply(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*, void*) {}

}  // namespace

void KafkaProgress::Attach(rd_kafka_t* client) {
  MutexLock lock(mutex_);
  client_ = client;
}

void KafkaProgress::AddPartition(const TopicPartition& partition) {
  MutexLock lock(mutex_);
  ids_[PartitionName(partition)] = partition;
}

PartitionList KafkaProgress::ToCommit() {
  PartitionList list = NewPartitionList(committed_.size());
  for (const auto& [name, offset] : committed_) {
    const auto id = ids_.find(name);
    if (id == ids_.end()) continue;
    rd_kafka_topic_partition_list_add(list.get(), id->second.first.c_str(), id->second.second)
        ->offset = offset;
  }
  return list;
}

void KafkaProgress::Detach() {
  MutexLock lock(mutex_);
  rd_kafka_t* const client = std::exchange(client_, nullptr);
  if (client == nullptr || !untold_ || state_->unreachable()) return;
  const PartitionList list = ToCommit();
  if (list->cnt == 0) return;
  const RdPtr<rd_kafka_queue_t> reply(rd_kafka_queue_new(client));
  const auto error = rd_kafka_commit_queue(client, list.get(), reply.get(), IgnoreReply, nullptr);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
    rd_kafka_queue_poll_callback(reply.get(), kLastTellMillis);
}

void KafkaProgress::OnCommitted(const flow::Positions& positions) {
  const int64_t now = state_->clock().SteadyMicros();
  MutexLock lock(mutex_);
  for (const auto& [key, offset] : positions) {
    if (key.compare(0, prefix_.size(), prefix_) == 0)
      committed_[key.substr(prefix_.size())] = offset;
  }
  untold_ = true;
  if (client_ == nullptr || now < next_telling_ || state_->unreachable()) return;
  next_telling_ = now + kTellIntervalMicros;
  const PartitionList list = ToCommit();
  if (list->cnt == 0) return;
  untold_ = rd_kafka_commit(client_, list.get(), /*async=*/1) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

int64_t KafkaProgress::CommittedOffset(const std::string& partition_name) {
  MutexLock lock(mutex_);
  const auto found = committed_.find(partition_name);
  return found == committed_.end() ? 0 : found->second;
}

void KafkaProgress::SetLag(int64_t records, std::string problem) {
  MutexLock lock(mutex_);
  lag_records_ = records;
  problem_ = std::move(problem);
}

flow::SourceLag KafkaProgress::Lag() {
  flow::SourceLag lag;
  lag.state = state_->Describe();
  MutexLock lock(mutex_);
  lag.records = lag_records_;
  if (!state_->unreachable() && !problem_.empty()) lag.state = problem_;
  return lag;
}

void KafkaProgress::AddGaps(std::vector<flow::SourceGap> gaps) {
  MutexLock lock(mutex_);
  for (flow::SourceGap& gap : gaps) {
    lost_records_ += gap.records;
    gaps_.push_back(std::move(gap));
  }
}

std::vector<flow::SourceGap> KafkaProgress::TakeGaps() {
  MutexLock lock(mutex_);
  return std::exchange(gaps_, {});
}

int64_t KafkaProgress::LostRecords() {
  MutexLock lock(mutex_);
  return lost_records_;
}

}  // namespace sluice::sources
