// One simulated run: a topic, a silver table fed from it (gate, dedup, two satellites), a gold view
// over silver, real sinks and sources over a storage that fails, tears, loses replies and loses
// power; one thread, one seed.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "delta/table.h"
#include "engine/flow_runner.h"
#include "scripted_topic.h"
#include "state/snapshot_store.h"
#include "storage/memory_storage.h"

namespace sluice::sim {

/// Drives one FlowRunner as the pipeline's threads would, one step per call.
class SimFlow {
 public:
  SimFlow(std::unique_ptr<engine::FlowRunner> runner, Random& random);
  /// Does one step of the flow, chosen at random among those that may come next.
  Status Step();
  /// True when nothing is in flight and the last read found nothing.
  bool idle() const { return idle_; }
  bool started() const { return started_; }
  engine::FlowRunner& runner() { return *runner_; }

 private:
  enum class Next { kStage, kCommit, kSatellites, kPublish, kDone };
  Status Start();
  Status Read();
  Status CommitStep();
  Status ApplyOne();

  std::unique_ptr<engine::FlowRunner> runner_;
  Random& random_;
  bool started_ = false;
  bool restored_ = false;
  bool idle_ = false;
  std::unique_ptr<engine::EpochWork> read_;
  std::unique_ptr<engine::EpochWork> processed_;
  std::unique_ptr<engine::EpochWork> held_;
  std::unique_ptr<engine::EpochWork> committing_;
  Next next_ = Next::kStage;
  std::deque<std::unique_ptr<engine::EpochWork>> to_apply_;
};

struct SimOptions {
  int64_t records = 400;
  int crashes = 3;
};

/// What happened, for the test's report.
struct SimReport {
  int crashes = 0;
  int faults = 0;
  int foreign_commits = 0;
  int64_t epochs = 0;
};

class Simulation {
 public:
  Simulation(uint64_t seed, const SimOptions& options);
  ~Simulation();
  /// OK when the tables agree with the ledger.
  Status Run();
  const SimReport& report() const { return report_; }

 private:
  static constexpr int64_t kDelay = 60'000'000;

  void Build();
  std::unique_ptr<engine::FlowRunner> MakeSilver();
  std::unique_ptr<engine::FlowRunner> MakeGold();
  void Crash();
  void DamageState();
  storage::StorageFault Fault(storage::StorageCall call, const std::string& path);
  Status Act();
  Status StepFlow(SimFlow* flow);
  Status ForeignCommit();
  Status Drain();
  Status Check();
  Status CheckSilver();
  Status CheckGold();
  Status CheckVersions(const std::string& table);
  Result<std::shared_ptr<arrow::RecordBatch>> ReadTable(const std::string& path);

  const SimOptions options_;
  Random random_;
  const bool rewrite_whole_;
  const bool deletion_vectors_;
  const bool quiet_;  // no faults at all: the baseline
  ManualClock clock_;
  storage::MemoryStorage storage_;
  ScriptedTopic topic_;
  SimReport report_;
  // Lives until the next crash.
  std::unique_ptr<delta::TableRegistry> tables_;
  std::unique_ptr<state::SnapshotStore> silver_states_;
  std::unique_ptr<state::SnapshotStore> gold_states_;
  std::shared_ptr<flow::HandOff> hand_off_;
  std::unique_ptr<SimFlow> silver_;
  std::unique_ptr<SimFlow> gold_;
  // Faults.
  bool faults_on_ = false;
  bool dead_ = false;  // the machine lost power: every call fails until Crash()
  int64_t calls_until_death_ = -1;
};

}  // namespace sluice::sim
