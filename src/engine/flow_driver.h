// The threads of one flow: reads, processes and commits epochs behind each other, tries again after
// errors that may pass, and keeps the flow's status. Made and owned by the Pipeline. Thread-safe
// where not said otherwise.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/status.h"
#include "engine/epoch_queue.h"
#include "engine/flow_runner.h"
#include "engine/flow_status.h"
#include "engine/pipeline.h"

namespace sluice::engine {

class FlowDriver {
 public:
  /// `clock` and `listener` (may be null) outlive this.
  FlowDriver(std::unique_ptr<FlowRunner> runner, const PipelineOptions& options, Clock& clock,
             FlowListener* listener);
  ~FlowDriver();

  /// Once, before Start: flows that write what this one reads, and flows that read what this one
  /// writes.
  void AddUpstream(size_t input, FlowDriver* upstream) { upstream_[input].push_back(upstream); }
  void AddDownstream(FlowDriver* downstream) { downstream_.push_back(downstream); }

  void Start(std::function<void()> on_end);
  void Join();
  /// Reads no more, finishes what is in flight, saves state.
  void RequestStop();
  /// Drops what is in flight, too.
  void Abandon();
  /// Checkpoints, compaction, durable state; from one thread at a time.
  void Maintain();

  const std::string& name() const { return runner_->name(); }
  FlowRunner& runner() { return *runner_; }
  bool ended() const { return ended_.load(); }
  FlowStatus Status();

 private:
  /// One life of the three threads; ends with the first error, or when there is nothing more to do.
  struct Attempt {
    Attempt() : processing(1), committing(1) {}
    EpochQueue processing;  // read epochs; urgent: committed epochs to apply
    EpochQueue committing;  // processed epochs
    Mutex mutex;
    sluice::Status error GUARDED_BY(mutex);
    std::atomic<bool> failed{false};
  };

  void Run();
  sluice::Status RunAttempt();
  void ReadLoop(Attempt* attempt);
  sluice::Status ReadUntilEnd(Attempt* attempt);
  sluice::Status PinEnds();
  bool UpstreamEnded(size_t input) const;
  /// Nothing can come any more, once what is there has been read.
  bool MayComplete() const;
  void WaitForTrigger(int64_t last_start);
  void ProcessLoop(Attempt* attempt);
  sluice::Status ProcessAll(Attempt* attempt);
  sluice::Status CommitAll(Attempt* attempt);
  sluice::Status CommitOne(std::unique_ptr<EpochWork> work, Attempt* attempt);
  sluice::Status MaybeSave(bool now);
  void Fail(Attempt* attempt, const sluice::Status& error);
  bool MayRetry(const sluice::Status& error, int retries) const;
  bool WaitBackoff(int retries);
  void SetState(FlowState state, const sluice::Status& error = sluice::Status::OK());
  void CountEpoch(const EpochWork& work);
  void WakeDownstream();
  void MaintainTable();

  std::unique_ptr<FlowRunner> runner_;
  const PipelineOptions options_;
  Clock& clock_;
  FlowListener* const listener_;
  std::vector<std::vector<FlowDriver*>> upstream_;  // per input
  std::vector<FlowDriver*> downstream_;
  std::vector<bool> pinned_;
  std::function<void()> on_end_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> abandoned_{false};
  std::atomic<bool> ended_{false};
  std::atomic<bool> running_{false};
  std::atomic<int64_t> commits_{0};
  int64_t last_save_ = 0;  // processor
  int64_t last_save_took_ = 0;
  Mutex mutex_;
  ConditionVariable changed_;
  FlowStatus status_ GUARDED_BY(mutex_);
  std::deque<std::pair<int64_t, int64_t>> recent_ GUARDED_BY(mutex_);  // steady time, input rows
};

}  // namespace sluice::engine
