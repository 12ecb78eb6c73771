// Runs the flows of a pipeline on threads: per flow one reads, one processes, one commits, with
// bounded queues between, so that neighbouring epochs overlap; maintenance has a thread of its own.
// Thread-safe after Make.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "engine/flow_spec.h"
#include "engine/flow_status.h"

namespace sluice {
class Workers;
}
namespace sluice::state {
class SnapshotStore;
}

namespace sluice::engine {

enum class RunMode {
  kOnce,        // until every flow has consumed what its sources had when the run started
  kContinuous,  // until RequestStop
};

struct PipelineOptions {
  RunMode mode = RunMode::kOnce;
  Workers* workers = nullptr;  // for the stateless operators; outlives the pipeline; null = none
  int64_t backoff_min_micros = 100'000;
  int64_t backoff_max_micros = 10'000'000;
  int64_t stop_timeout_micros =
      10'000'000;  // how long a graceful stop waits for the epochs in flight
};

class FlowDriver;

class Pipeline {
 public:
  /// A flow's parts and its saved state.
  struct Flow {
    FlowSpec spec;
    std::unique_ptr<state::SnapshotStore> snapshots;  // may be null
  };
  /// `flows` in any order; FLOW_DEFINITION when their upstream_flows do not exist or form a cycle.
  /// `clock` and `listener` (may be null) outlive the pipeline.
  static Result<std::unique_ptr<Pipeline>> Make(std::vector<Flow> flows,
                                                const PipelineOptions& options, Clock& clock,
                                                FlowListener* listener);
  ~Pipeline();

  /// Runs until done, or stopped. OK also when flows failed: see Statuses. Call once.
  Status Run();
  /// Finishes or drops the epochs in flight, saves state, and makes Run return. From any thread,
  /// also before Run.
  void RequestStop();
  /// In topological order.
  std::vector<FlowStatus> Statuses() const;
  /// The error of the first failed flow, in topological order; OK when there is none.
  Status FirstError() const;

 private:
  Pipeline(const PipelineOptions& options, Clock& clock, FlowListener* listener);
  Status Prepare();
  void MaintainLoop();

  const PipelineOptions options_;
  Clock& clock_;
  FlowListener* const listener_;
  std::vector<std::unique_ptr<state::SnapshotStore>> snapshots_;
  std::vector<std::unique_ptr<FlowDriver>> drivers_;  // topological order
  Mutex mutex_;
  ConditionVariable changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
};

}  // namespace sluice::engine
