// One simulated run of the warehouse over a storage that fails, tears, loses replies and loses
// power; one thread, one seed.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "engine/flow_runner.h"
#include "scripted_topic.h"
#include "storage/memory_storage.h"
#include "warehouse.h"

namespace sluice::sim {

/// Drives one FlowRunner as the pipeline's threads would, one step per call.
class SimFlow {
 public:
  /// Both outlive it.
  SimFlow(engine::FlowRunner& runner, Random& random) : runner_(runner), random_(random) {}
  /// Does one step of the flow, chosen at random among those that may come next.
  Status Step();
  /// True when nothing is in flight and the last read found nothing.
  bool idle() const { return idle_; }
  bool started() const { return started_; }
  engine::FlowRunner& runner() { return runner_; }

 private:
  enum class Next { kStage, kCommit, kSatellites, kPublish, kDone };
  Status Start();
  Status Read();
  Status CommitStep();
  Status ApplyOne();

  engine::FlowRunner& runner_;
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
  int64_t records = 300;
  int crashes = 3;
  std::string spill_folder;  // local, of this run alone
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
  void Start();
  void Crash();
  void DamageState();
  storage::StorageFault Fault(storage::StorageCall call, const std::string& path);
  Status Act();
  Status StepFlow(SimFlow* flow);
  Status ForeignCommit();
  Status Drain();

  const SimOptions options_;
  Random random_;
  const bool quiet_;  // no faults at all: the baseline
  ManualClock clock_;
  storage::MemoryStorage storage_;
  ScriptedTopic topic_;
  Warehouse warehouse_;
  SimReport report_;
  // Lives until the next crash.
  std::optional<SimFlow> silver_;
  std::optional<SimFlow> gold_;
  // Faults.
  bool faults_on_ = false;
  bool dead_ = false;  // the machine lost power: every call fails until Crash()
  int64_t calls_until_death_ = -1;
};

}  // namespace sluice::sim
