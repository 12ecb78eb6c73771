// One flow as explicit steps (docs/internals/commit.md): whoever calls them decides on threads. The pipeline runs them on
// three threads per flow, the simulation on one.
//
// Order: Recover, Restore, then per epoch ReadEpoch -> Process -> Stage -> Commit -> CommitSatellites -> Publish -> Apply
// -> Report. Threads: {ReadEpoch, PinEnds, AtEnd} on one, {Process, Apply, SaveState} on one, {Stage, Commit,
// CommitSatellites, Publish, Report} on one; Recover, Restore and Reconcile while no other step runs; Maintain and Stop
// on any.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "engine/flow_spec.h"
#include "engine/flow_status.h"
#include "engine/operator_chain.h"
#include "engine/state_keeper.h"
#include "engine/watermark_tracker.h"

namespace sluice::engine {

class Workers;

/// All outlive the runner; `snapshots` and `workers` may be null (state is then always rebuilt; no parallel steps).
struct FlowEnvironment {
  Clock* clock = nullptr;
  state::SnapshotStore* snapshots = nullptr;
  Workers* workers = nullptr;
};

/// One epoch on its way through the steps.
struct EpochWork {
  flow::EpochContext context;
  std::vector<std::vector<std::shared_ptr<const SourceRows>>> rows;  // per input
  flow::EpochRecord record;
  flow::EpochOutput output;
  std::unique_ptr<flow::StagedEpoch> staged;
  flow::CommittedEpoch committed;
  std::vector<flow::EpochMark> applied;  // the epochs this commit carries, oldest first, its own last
  EpochProgress progress;
  int64_t bytes = 0;
  int64_t started_steady_micros = 0;
  bool backlogged = false;  // the sources had more
};

struct ReadBudget {
  int64_t max_rows = 0;          // 0 = the flow's limits
  int64_t max_wait_micros = 0;   // for the first row
  int64_t gather_micros = 0;     // how long to go on while the sources are behind
};

class FlowRunner {
 public:
  /// FLOW_DEFINITION when the spec lacks a part.
  static Result<std::unique_ptr<FlowRunner>> Make(FlowSpec spec, const FlowEnvironment& environment);
  ~FlowRunner();

  const std::string& name() const { return spec_.name; }
  const FlowSpec& spec() const { return spec_; }

  /// Reads where the flow stands; the target exists afterwards.
  Status Recover();
  /// Brings the operators' state to the committed epoch and opens the sources there. FLOW_STATE_LOST.
  Status Restore();

  /// Fixes the end of an input for a bounded run.
  Status PinEnd(size_t input);
  /// All pinned inputs were read to their ends.
  Result<bool> AtEnd();
  /// Steps 1 to 3, first half. Null: nothing new within the budget.
  Result<std::unique_ptr<EpochWork>> ReadEpoch(const ReadBudget& budget);
  /// Step 3, second half.
  Status Process(EpochWork* work);
  /// True when `work` has no output and may wait for the next epoch; `held` are epochs waiting already.
  static bool CanHold(const EpochWork& work);
  /// Makes `next` carry `held`: their commit becomes one.
  static void Merge(std::unique_ptr<EpochWork> held, EpochWork* next);
  Status Stage(EpochWork* work);
  Status Commit(EpochWork* work);
  Status CommitSatellites(EpochWork* work);
  /// Hands the committed rows to downstream flows.
  void Publish(const EpochWork& work);
  /// Step 7: pending changes of the committed epochs become the state.
  Status Apply(const EpochWork& work);
  /// Step 8: lag offsets.
  void Report(const EpochWork& work);

  /// After a failed step, when every thread let go of its epochs: reads the log again and discards what was not committed.
  /// An epoch whose commit succeeded without our knowing is applied. FLOW_FOREIGN_ADVANCE.
  Status Reconcile();

  /// Saves the operators' state as of the last applied epoch, when it changed since the last save.
  Status SaveState();
  Status Maintain();
  /// Makes waiting reads return soon.
  void Stop();
  Status Close();

  flow::SourceLag Lag();
  EpochNumber committed_epoch() const { return committed_epoch_; }
  TimestampMicros watermark() const { return watermarks_.watermark(); }
  TableVersion version() const { return version_.load(); }
  int64_t state_bytes() const { return state_bytes_.load(); }

 private:
  struct InFlight {
    EpochNumber number;
    std::vector<flow::EpochMark> marks;
  };
  FlowRunner(FlowSpec spec, const FlowEnvironment& environment);
  Status Rebuild(const flow::Positions& from, EpochNumber after);
  Status ReplayEpoch(const flow::EpochMark& mark, TimestampMicros watermark_before);
  Status ReplayRange(const flow::Positions& until);
  Status RunChain(EpochWork* work);
  Status OpenSources();
  Status RewindSources(const flow::Positions& positions);
  flow::Positions OfInput(size_t input, const flow::Positions& positions) const;
  Result<int64_t> PollInput(size_t input, const flow::PollLimits& limits, EpochWork* work);

  FlowSpec spec_;
  const FlowEnvironment environment_;
  OperatorChain chain_;
  StateKeeper state_;
  // Reader.
  flow::Positions read_positions_;
  EpochNumber next_epoch_;
  std::vector<bool> opened_;
  // Processor.
  WatermarkTracker watermarks_;
  std::deque<flow::EpochRecord> unapplied_;  // processed, not applied
  flow::EpochRecord applied_;                // the last applied epoch
  // Committer.
  flow::RecoveredFlow recovered_;
  EpochNumber committed_epoch_{-1};
  std::atomic<TableVersion> version_{TableVersion(-1)};
  std::atomic<int64_t> state_bytes_{0};
};

}  // namespace sluice::engine
