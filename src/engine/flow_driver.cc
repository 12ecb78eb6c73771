#include "engine/flow_driver.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/thread_name.h"

namespace sluice::engine {
namespace {

constexpr int64_t kPollMicros = 50'000;
// The first epoch is small, so that rows are visible soon.
constexpr int64_t kFirstEpochMicros = 150'000;
constexpr int64_t kFirstEpochRows = 20'000;
constexpr int64_t kRateWindowMicros = 5'000'000;
constexpr int64_t kSaveShare = 50;  // saving takes at most one part in so many of the time
constexpr int64_t kIdleMicros = 2'000'000;
constexpr int64_t kRoomWaitMicros =
    2'000'000;  // a downstream flow that lets go of nothing for so long is left behind

}  // namespace

FlowDriver::FlowDriver(std::unique_ptr<FlowRunner> runner, const PipelineOptions& options,
                       Clock& clock, FlowListener* listener)
    : runner_(std::move(runner)),
      options_(options),
      clock_(clock),
      listener_(listener),
      upstream_(runner_->spec().inputs.size()),
      pinned_(runner_->spec().inputs.size(), false) {
  status_.name = runner_->name();
  status_.target = runner_->spec().target;
}

FlowDriver::~FlowDriver() { Join(); }

void FlowDriver::Start(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  thread_ = std::thread([this] { Run(); });
}

void FlowDriver::Join() {
  if (thread_.joinable()) thread_.join();
}

void FlowDriver::RequestStop() {
  stopping_ = true;
  runner_->Stop();
  if (runner_->spec().hand_off != nullptr) runner_->spec().hand_off->Wake();
  MutexLock lock(mutex_);
  changed_.notify_all();
}

void FlowDriver::Abandon() {
  abandoned_ = true;
  RequestStop();
}

void FlowDriver::Run() {
  SetThreadName("commit " + name().substr(name().rfind('.') + 1));
  SetState(FlowState::kStarting);
  sluice::Status status;
  bool restored = false;
  for (int retries = 0;; ++retries) {
    status = sluice::Status::OK();
    if (!restored) {
      status = runner_->Recover();
      if (status.ok()) status = runner_->Restore();
      restored = status.ok();
    } else {
      status = runner_->Reconcile();
    }
    if (status.ok()) {
      SetState(FlowState::kRunning);
      const int64_t commits_before = commits_;
      running_ = true;
      status = RunAttempt();
      running_ = false;
      if (commits_ > commits_before) retries = 0;
    }
    if (status.ok() || stopping_ || !MayRetry(status, retries)) break;
    log::Warn("flow {}: {}; trying again", name(), status.ToString());
    {
      MutexLock lock(mutex_);
      status_.retries = retries + 1;
    }
    SetState(FlowState::kRunning, status);
    if (!WaitBackoff(retries)) break;
  }
  const bool failed =
      !status.ok() && !(stopping_ && (MayRetry(status, 0) || HasCode(status, "FLOW_STOPPED")));
  if (!failed && restored) {
    if (!abandoned_) MaintainTable();  // of short runs nobody else does it
    sluice::Status saved = MaybeSave(true);
    if (saved.ok()) saved = runner_->FinishSave();
    if (!saved.ok()) log::Warn("flow {}: state is not saved: {}", name(), saved.ToString());
  }
  const sluice::Status closed = runner_->Close();
  if (!closed.ok()) log::Warn("flow {}: {}", name(), closed.ToString());
  SetState(failed      ? FlowState::kFailed
           : stopping_ ? FlowState::kStopped
                       : FlowState::kCompleted,
           failed ? status : sluice::Status::OK());
  ended_ = true;
  WakeDownstream();
  if (on_end_) on_end_();
}

sluice::Status FlowDriver::RunAttempt() {
  Attempt attempt;
  std::thread reader([&] { ReadLoop(&attempt); });
  std::thread processor([&] { ProcessLoop(&attempt); });
  const sluice::Status committed = CommitAll(&attempt);
  if (!committed.ok()) Fail(&attempt, committed);
  reader.join();
  processor.join();
  // What was committed after the processor ended.
  while (auto item = attempt.processing.Pop(0).work) {
    const sluice::Status applied = runner_->Apply(*item);
    if (!applied.ok()) return applied;
  }
  MutexLock lock(attempt.mutex);
  return attempt.error;
}

void FlowDriver::Fail(Attempt* attempt, const sluice::Status& error) {
  {
    MutexLock lock(attempt->mutex);
    if (attempt->error.ok()) attempt->error = error;
  }
  attempt->failed = true;
  attempt->processing.Close(true);
  attempt->committing.Close(true);
  changed_.notify_all();
}

void FlowDriver::ReadLoop(Attempt* attempt) {
  SetThreadName("read " + name().substr(name().rfind('.') + 1));
  const sluice::Status status = ReadUntilEnd(attempt);
  if (!status.ok()) Fail(attempt, status);
  attempt->processing.Close(abandoned_);
}

sluice::Status FlowDriver::ReadUntilEnd(Attempt* attempt) {
  const FlowSpec& spec = runner_->spec();
  const bool once = options_.mode == RunMode::kOnce;
  const bool follows =
      std::any_of(spec.inputs.begin(), spec.inputs.end(),
                  [](const FlowInput& input) { return !input.upstream_flows.empty(); });
  bool backlogged = true;
  bool first = true;
  int64_t last_start = 0;
  int64_t last_rows = clock_.SteadyMicros();
  while (!stopping_ && !attempt->failed) {
    if (once || MayComplete()) {
      SLUICE_RETURN_NOT_OK(PinEnds());
      const bool all_pinned = std::find(pinned_.begin(), pinned_.end(), false) == pinned_.end();
      if (all_pinned) {
        SLUICE_ASSIGN_OR_RETURN(const bool at_end, runner_->AtEnd());
        if (at_end) return sluice::Status::OK();
      }
    }
    if (spec.hand_off != nullptr && backlogged) spec.hand_off->WaitForRoom(kRoomWaitMicros);
    if (!once && !follows && !backlogged) WaitForTrigger(last_start);
    last_start = clock_.SteadyMicros();
    ReadBudget budget;
    budget.max_wait_micros = std::min(kPollMicros, spec.limits.trigger_interval_micros);
    budget.gather_micros = first ? kFirstEpochMicros : spec.limits.trigger_interval_micros;
    budget.max_rows = first ? std::min(kFirstEpochRows, spec.limits.max_epoch_rows) : 0;
    SLUICE_ASSIGN_OR_RETURN(auto work, runner_->ReadEpoch(budget));
    if (work == nullptr) {
      backlogged = false;
      if (clock_.SteadyMicros() - last_rows > kIdleMicros) SetState(FlowState::kIdle);
      continue;
    }
    last_rows = clock_.SteadyMicros();
    SetState(FlowState::kRunning);
    first = false;
    backlogged = work->backlogged;
    if (!attempt->processing.Push(std::move(work))) break;
  }
  return sluice::Status::OK();
}

sluice::Status FlowDriver::PinEnds() {
  for (size_t i = 0; i < pinned_.size(); ++i) {
    if (pinned_[i] || !UpstreamEnded(i)) continue;
    SLUICE_RETURN_NOT_OK(runner_->PinEnd(i));
    pinned_[i] = true;
  }
  return sluice::Status::OK();
}

bool FlowDriver::MayComplete() const {
  const auto& inputs = runner_->spec().inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool ends = inputs[i].finite || (!upstream_[i].empty() && UpstreamEnded(i));
    if (!ends) return false;
  }
  return true;
}

bool FlowDriver::UpstreamEnded(size_t input) const {
  return std::all_of(upstream_[input].begin(), upstream_[input].end(),
                     [](const FlowDriver* flow) { return flow->ended(); });
}

void FlowDriver::WaitForTrigger(int64_t last_start) {
  const int64_t left =
      last_start + runner_->spec().limits.trigger_interval_micros - clock_.SteadyMicros();
  if (left <= 0) return;
  MutexLock lock(mutex_);
  changed_.wait_for(lock.native(), std::chrono::microseconds(left),
                    [&] { return stopping_.load(); });
}

void FlowDriver::ProcessLoop(Attempt* attempt) {
  SetThreadName("process " + name().substr(name().rfind('.') + 1));
  const sluice::Status status = ProcessAll(attempt);
  if (!status.ok()) Fail(attempt, status);
  attempt->committing.Close(abandoned_);
}

sluice::Status FlowDriver::ProcessAll(Attempt* attempt) {
  if (last_save_ == 0) last_save_ = clock_.SteadyMicros();
  while (!attempt->processing.drained() && !attempt->failed) {
    EpochQueue::Item item = attempt->processing.Pop(1'000'000);
    if (item.work == nullptr) continue;
    if (item.urgent) {
      SLUICE_RETURN_NOT_OK(runner_->Apply(*item.work));
      SLUICE_RETURN_NOT_OK(MaybeSave(false));
      continue;
    }
    SLUICE_RETURN_NOT_OK(runner_->Process(item.work.get()));
    if (!attempt->committing.Push(std::move(item.work))) break;
  }
  return sluice::Status::OK();
}

sluice::Status FlowDriver::MaybeSave(bool now) {
  const int64_t steady = clock_.SteadyMicros();
  const int64_t interval =
      std::max(runner_->spec().limits.state_save_interval_micros, kSaveShare * last_save_took_);
  if (!now && steady - last_save_ < interval) {
    return sluice::Status::OK();
  }
  last_save_ = steady;
  if (now) SLUICE_RETURN_NOT_OK(runner_->FinishSave());
  const sluice::Status saved = runner_->SaveState();
  last_save_took_ = clock_.SteadyMicros() - steady;
  // State is a cache: without it the next start takes longer, no more.
  if (!saved.ok()) log::Warn("flow {}: state is not saved: {}", name(), saved.ToString());
  return sluice::Status::OK();
}

sluice::Status FlowDriver::CommitAll(Attempt* attempt) {
  std::unique_ptr<EpochWork> held;
  int64_t held_since = 0;
  const int64_t hold = runner_->spec().limits.empty_commit_interval_micros;
  while (!attempt->failed) {
    const int64_t left = held == nullptr ? 1'000'000 : held_since + hold - clock_.SteadyMicros();
    auto work = attempt->committing.Pop(std::clamp<int64_t>(left, 0, 1'000'000)).work;
    if (work == nullptr) {
      const bool end = attempt->committing.drained();
      const bool due = held != nullptr && clock_.SteadyMicros() - held_since >= hold;
      if (held != nullptr && (end || due) && !attempt->failed) {
        SLUICE_RETURN_NOT_OK(CommitOne(std::move(held), attempt));
        held = nullptr;
      }
      if (end) break;
      continue;
    }
    const bool empty = FlowRunner::CanHold(*work);
    if (held != nullptr) {
      FlowRunner::Merge(std::move(held), work.get());
    } else if (empty) {
      held_since = clock_.SteadyMicros();
    }
    if (empty && clock_.SteadyMicros() - held_since < hold) {
      held = std::move(work);
      continue;
    }
    SLUICE_RETURN_NOT_OK(CommitOne(std::move(work), attempt));
    held = nullptr;
  }
  return sluice::Status::OK();
}

sluice::Status FlowDriver::CommitOne(std::unique_ptr<EpochWork> work, Attempt* attempt) {
  SLUICE_RETURN_NOT_OK(runner_->Stage(work.get()));
  SLUICE_RETURN_NOT_OK(runner_->Commit(work.get()));
  commits_ += 1;
  const sluice::Status satellites = runner_->CommitSatellites(work.get());
  if (satellites.ok()) {
    runner_->Publish(*work);
    runner_->Report(*work);
  }
  CountEpoch(*work);
  work->staged.reset();
  work->committed.rows.clear();
  attempt->processing.PushUrgent(std::move(work));
  return satellites;
}

bool FlowDriver::MayRetry(const sluice::Status& error, int retries) const {
  if (RetryClass(error) == Retry::kNever) return false;
  const FlowLimits& limits = runner_->spec().limits;
  const int allowed =
      options_.mode == RunMode::kOnce ? limits.max_retries_once : limits.max_retries;
  return allowed == 0 || retries < allowed;
}

bool FlowDriver::WaitBackoff(int retries) {
  int64_t wait = options_.backoff_min_micros;
  for (int i = 0; i < retries && wait < options_.backoff_max_micros; ++i) wait *= 2;
  MutexLock lock(mutex_);
  changed_.wait_for(lock.native(),
                    std::chrono::microseconds(std::min(wait, options_.backoff_max_micros)),
                    [&] { return stopping_.load(); });
  return !stopping_;
}

void FlowDriver::Maintain() {
  const sluice::Status saved = runner_->FinishSave();
  if (!saved.ok()) log::Warn("flow {}: state is not saved: {}", name(), saved.ToString());
  if (running_) MaintainTable();
}

void FlowDriver::MaintainTable() {
  if (commits_ == 0) return;
  const sluice::Status status = runner_->Maintain();
  if (!status.ok()) log::Warn("flow {}: maintenance of its table: {}", name(), status.ToString());
}

void FlowDriver::SetState(FlowState state, const sluice::Status& error) {
  FlowStatus now;
  {
    MutexLock lock(mutex_);
    if (status_.state == state && status_.error.Equals(error)) return;
    status_.state = state;
    status_.error = error;
    now = status_;
  }
  if (listener_ != nullptr) listener_->OnFlowState(now);
}

void FlowDriver::CountEpoch(const EpochWork& work) {
  EpochProgress progress = work.progress;
  const int64_t steady = clock_.SteadyMicros();
  progress.epoch_micros = steady - work.started_steady_micros;
  progress.lag = runner_->Lag().records;
  {
    MutexLock lock(mutex_);
    status_.input_rows += progress.input_rows;
    status_.output_rows += progress.output_rows;
    status_.dropped_rows += progress.dropped_rows;
    status_.late_rows += progress.late_rows;
    status_.duplicate_rows += progress.duplicate_rows;
    status_.quarantined_rows += progress.quarantined_rows;
    status_.epochs += 1;
    status_.retries = 0;
    status_.last_epoch_micros = progress.epoch_micros;
    status_.version = progress.version;
    status_.watermark = progress.watermark;
    for (const auto& [rule, count] : progress.expectations) {
      status_.expectations[rule].passed += count.passed;
      status_.expectations[rule].failed += count.failed;
    }
    recent_.emplace_back(steady, progress.input_rows);
  }
  if (listener_ != nullptr) listener_->OnFlowProgress(name(), progress);
}

FlowStatus FlowDriver::Status() {
  const flow::SourceLag lag = ended_ ? flow::SourceLag{} : runner_->Lag();
  const int64_t steady = clock_.SteadyMicros();
  MutexLock lock(mutex_);
  while (!recent_.empty() && recent_.front().first < steady - kRateWindowMicros)
    recent_.pop_front();
  int64_t rows = 0;
  for (const auto& [at, count] : recent_) rows += count;
  const int64_t span =
      recent_.empty() ? 0 : std::max<int64_t>(steady - recent_.front().first, 1'000'000);
  FlowStatus status = status_;
  status.rows_per_second =
      span == 0 ? 0 : static_cast<double>(rows) * 1e6 / static_cast<double>(span);
  status.lag = ended_ ? 0 : lag.records;
  status.waits_for = lag.state == "RUNNING" ? "" : lag.state;
  status.state_bytes = runner_->state_bytes();
  return status;
}

void FlowDriver::WakeDownstream() {
  if (runner_->spec().hand_off != nullptr) runner_->spec().hand_off->Wake();
  for (FlowDriver* flow : downstream_) flow->changed_.notify_all();
}

}  // namespace sluice::engine
