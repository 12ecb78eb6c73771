// The simulation's topic: records that follow from a seed, and a source that delivers them as Kafka
// would.
#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "flow/source.h"

namespace sluice::sim {

/// One record; the ledger knows each by (partition, offset).
struct Record {
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t id = 0;  // copies of a record have its id and event time
  int64_t event_time = 0;
  int64_t value = 0;
  int64_t group = 0;
  bool bad = false;  // a rule breaker: goes to quarantine
};

/// Grows while the simulation runs; survives crashes of the engine. Thread-safe.
class ScriptedTopic {
 public:
  ScriptedTopic(uint64_t seed, int partitions, int64_t start_time, int64_t delay);
  /// Appends up to `count` records to random partitions.
  void Produce(int64_t count);
  int partitions() const { return static_cast<int>(records_.size()); }
  std::vector<Record> records(int partition) const;
  int64_t size() const;

 private:
  mutable Mutex mutex_;  // a test produces while the engine reads
  Random random_;
  const int64_t delay_;
  int64_t time_;
  int64_t next_id_ = 0;
  std::vector<std::vector<Record>> records_;
  std::vector<Record> originals_;
};

std::shared_ptr<arrow::Schema> TopicSchema();

/// Position keys "topic/p-<n>". Polls are cut at random places.
class ScriptedSource : public flow::Source {
 public:
  /// Both outlive the source.
  ScriptedSource(const ScriptedTopic& topic, Random& random);
  const std::string& id() const override { return id_; }
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  Status Open(const flow::Positions& committed,
              const std::map<std::string, int64_t>& fingerprints) override;
  Status PinEnd() override { return Status::OK(); }
  Result<bool> AtEnd() override;
  Result<flow::SourceBatch> PollBatch(const flow::PollLimits& limits) override;
  Status Rewind(const flow::Positions& positions) override;
  void OnCommitted(const flow::Positions&) override {}
  flow::SourceLag Lag() override { return {0, "RUNNING"}; }
  void Stop() override {}
  Status Close() override { return Status::OK(); }

 private:
  std::string Key(int partition) const { return id_ + "/p-" + std::to_string(partition); }

  const ScriptedTopic& topic_;
  Random& random_;
  const std::string id_ = "topic";
  const std::shared_ptr<arrow::Schema> schema_ = TopicSchema();
  std::vector<int64_t> next_;
};

}  // namespace sluice::sim
