// One flow as explicit steps (docs/internals/commit.md): whoever calls them decides on threads. The
// pipeline runs them on three threads per flow, the simulation on one.
//
// Order: Recover, Restore, then per epoch ReadEpoch -> Process -> Stage -> Commit ->
// CommitSatellites -> Publish -> Apply
// -> Report. Threads: {ReadEpoch, PinEnds, AtEnd} on one, {Process, Apply, SaveState} on one,
// {Stage, Commit, CommitSatellites, Publish, Report} on one; Recover, Restore and Reconcile while
// no other step runs; Maintain and Stop on any.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "engine/flow_spec.h"
#include "engine/flow_status.h"
#include "engine/operator_chain.h"
#include "engine/state_keeper.h"
#include "engine/watermark_tracker.h"

namespace sluice {
class Workers;
}

namespace sluice::engine {

/// All outlive the runner; `snapshots` and `workers` may be null (state is then always rebuilt; no
/// parallel steps).
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
  flow::Positions starts;  // of partitions that are new in this epoch
  flow::EpochOutput output;
  std::unique_ptr<flow::StagedEpoch> staged;
  flow::CommittedEpoch committed;
  std::vector<EpochNumber>
      numbers;  // of the epochs this commit carries, oldest first, its own last
  EpochProgress progress;
  int64_t bytes = 0;
  int64_t started_steady_micros = 0;
  bool backlogged = false;  // the sources had more
};

struct ReadBudget {
  int64_t max_rows = 0;         // 0 = the flow's limits
  int64_t max_wait_micros = 0;  // for the first row (shared by the inputs)
  int64_t gather_micros = 0;    // how long to go on while the sources are behind
};

class FlowRunner {
 public:
  /// FLOW_DEFINITION when the spec lacks a part.
  static Result<std::unique_ptr<FlowRunner>> Make(FlowSpec spec,
                                                  const FlowEnvironment& environment);
  ~FlowRunner();

  const std::string& name() const { return spec_.name; }
  const FlowSpec& spec() const { return spec_; }

  /// Reads where the flow stands; the target exists afterwards.
  Status Recover();
  /// Brings the operators' state to the committed epoch and opens the sources there.
  /// FLOW_STATE_LOST.
  Status Restore();

  /// Fixes the end of an input for a bounded run.
  Status PinEnd(size_t input);
  /// All pinned inputs were read to their ends.
  Result<bool> AtEnd();
  /// Steps 1 to 3, first half. Null: nothing new within the budget.
  Result<std::unique_ptr<EpochWork>> ReadEpoch(const ReadBudget& budget);
  /// Step 3, second half.
  Status Process(EpochWork* work);
  /// True when `work` has no output and may wait for the next epoch.
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

  /// After a failed step, when every thread let go of its epochs: reads the log again and discards
  /// what was not committed. An epoch whose commit succeeded without our knowing is applied.
  /// FLOW_FOREIGN_ADVANCE.
  Status Reconcile();

  /// Saves the operators' state as of the last applied epoch, when it changed since the last save.
  Status SaveState();
  /// Makes a saved state durable. From any thread: this is the slow half of saving.
  Status FinishSave();
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
  FlowRunner(FlowSpec spec, const FlowEnvironment& environment);
  flow::Positions OfInput(size_t input, const flow::Positions& positions) const;
  Status RewindSources(const flow::Positions& positions);
  Status ResumeSources();
  Result<int64_t> PollInput(size_t input, const flow::PollLimits& limits, EpochWork* work);
  std::unique_ptr<EpochWork> Plan(std::unique_ptr<EpochWork> work);
  Status RunChain(EpochWork* work);
  void SetReplayFrom(EpochWork* work);
  void Gather(EpochWork* work) const;

  // Restoring: flow_restore.cc.
  Result<flow::RecoveredFlow> RecoverSink() EXCLUDES_LOCK(sink_mutex_);
  Status RebuildFrom(const flow::Positions& from, EpochNumber after,
                     std::optional<TimestampMicros> watermark);
  Status ReplayMarks(const std::vector<flow::EpochMark>& marks, flow::Positions at,
                     TimestampMicros watermark);
  Status ReplayTo(const flow::Positions& until, const flow::EpochMark& mark,
                  TimestampMicros watermark, flow::Positions* at);
  Status PollReplay(const flow::Positions& until, flow::Positions* at, EpochWork* work,
                    bool* moved);
  Status StateLost(const Status& cause) const;
  void GoOnAt(const flow::RecoveredFlow& recovered);

  FlowSpec spec_;
  const FlowEnvironment environment_;
  Mutex sink_mutex_;  // held while the sink is maintained, and while it opens its tables again
  OperatorChain chain_;
  std::vector<flow::Operator*> stateful_;
  StateKeeper state_;
  std::atomic<bool> stopping_{false};
  bool chain_open_ = false;
  bool state_broken_ = false;  // a step of restoring or applying failed: only Restore mends it
  // Reader.
  flow::Positions planned_;  // after the last epoch planned
  flow::Positions read_;     // beyond it, where nothing but empty versions was read since
  std::map<std::string, int64_t> read_fingerprints_;
  flow::Positions read_starts_;  // SourceBatch::started since the last plan
  int64_t unplanned_since_ =
      0;  // steady time at which read_ went ahead of planned_; 0 = it did not
  EpochNumber next_epoch_;
  size_t sources_open_ = 0;
  bool sources_moved_ = false;  // since they were opened or last rewound, while restoring
  // Processor.
  WatermarkTracker watermarks_;
  flow::Positions starts_;                 // where the partitions began
  std::deque<flow::EpochMark> unapplied_;  // processed, not applied; `to` = all positions
  StateHeader applied_;                    // the last applied epoch
  EpochNumber saved_epoch_{-1};
  // Committer.
  flow::RecoveredFlow recovered_;
  EpochNumber committed_epoch_{-1};
  std::atomic<TableVersion> version_{TableVersion(-1)};
  std::atomic<int64_t> state_bytes_{0};
};

}  // namespace sluice::engine
