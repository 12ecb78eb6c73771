#include "app/pipeline_run.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "base/clock.h"
#include "base/workers.h"
#include "plan/kept_views.h"
#include "plan/run_log.h"

namespace sluice::app {
namespace {

constexpr int64_t kTick = 500'000;  // microseconds between redraws

/// Passes flow events to the view and to who else wants them.
class RunListener : public engine::FlowListener {
 public:
  RunListener(TerminalView* view, engine::FlowListener* next) : view_(view), next_(next) {}
  void OnFlowState(const engine::FlowStatus& status) override {
    view_->OnState(status);
    if (next_ != nullptr) next_->OnFlowState(status);
  }
  void OnFlowProgress(const std::string& flow, const engine::EpochProgress& progress) override {
    if (next_ != nullptr) next_->OnFlowProgress(flow, progress);
  }

 private:
  TerminalView* const view_;
  engine::FlowListener* const next_;
};

/// Waits for SIGINT and SIGTERM on a thread of its own; the second one ends the process at once.
class SignalWatch {
 public:
  explicit SignalWatch(bool enabled) : enabled_(enabled) {
    if (!enabled_) return;
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGUSR2);  // ends the thread
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    thread_ = std::thread([this] { Loop(); });
  }
  ~SignalWatch() {
    if (!enabled_) return;
    done_ = true;
    pthread_kill(thread_.native_handle(), SIGUSR2);
    thread_.join();
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  bool asked() const { return asked_; }

 private:
  void Loop() {
    while (!done_) {
      int number = 0;
      sigwait(&signals_, &number);
      if (done_ || number == SIGUSR2) continue;
      if (asked_.exchange(true)) ::_exit(128 + number);
      std::fprintf(stderr, "stopping: epochs in flight are finished; once more to stop at once\n");
    }
  }

  const bool enabled_;
  sigset_t signals_ = {};
  sigset_t before_ = {};
  std::atomic<bool> done_ = false;
  std::atomic<bool> asked_ = false;
  std::thread thread_;
};

/// Redraws and looks for reasons to stop while the pipeline runs.
void Watch(engine::Pipeline& pipeline, const PipelineRunOptions& options,
           const SignalWatch& signals, TerminalView& view, const std::atomic<bool>& finished) {
  bool stopping = false;
  for (int64_t waited = 0; !finished; waited += kTick / 10) {
    SystemClock().SleepMicros(kTick / 10);
    const bool tick = waited % kTick == 0;
    if (tick) view.Draw(pipeline.Statuses());
    if (stopping) continue;
    if (signals.asked() ||
        (tick && options.should_stop != nullptr && options.should_stop(pipeline.Statuses()))) {
      stopping = true;
      pipeline.RequestStop();
    }
  }
  view.Draw(pipeline.Statuses());
}

Result<PipelineRunResult> RunFlows(Project& project, const PipelineRunOptions& options,
                                   engine::RunMode mode,
                                   const std::function<bool(const std::string&)>& include,
                                   const SignalWatch& signals, engine::FlowListener* listener,
                                   TerminalView& view) {
  plan::BuildEnvironment environment = project.environment();
  environment.workers = &project.workers();
  SLUICE_ASSIGN_OR_RETURN(auto flows, plan::BuildFlows(project.spec(), project.graph(),
                                                       project.pipeline(), environment, include));
  engine::PipelineOptions pipeline_options;
  pipeline_options.mode = mode;
  pipeline_options.workers = &project.workers();
  SLUICE_ASSIGN_OR_RETURN(auto pipeline, engine::Pipeline::Make(std::move(flows), pipeline_options,
                                                                SystemClock(), listener));
  std::atomic<bool> finished = false;
  std::thread watcher([&] { Watch(*pipeline, options, signals, view, finished); });
  const int64_t started = SystemClock().SteadyMicros();
  const Status run = pipeline->Run();
  finished = true;
  watcher.join();
  SLUICE_RETURN_NOT_OK(run);
  PipelineRunResult result;
  result.error = pipeline->FirstError();
  result.flows = pipeline->Statuses();
  result.seconds = static_cast<double>(SystemClock().SteadyMicros() - started) / 1e6;
  return result;
}

/// First the flows whose tables the static sides of joins read, to their end; then all.
Result<PipelineRunResult> RunInOrder(Project& project, const PipelineRunOptions& options,
                                     const std::set<std::string>& selected,
                                     const SignalWatch& signals, engine::FlowListener* listener,
                                     TerminalView& view) {
  const std::vector<std::string> before = plan::FlowsBeforeStart(project.pipeline());
  const std::set<std::string> first(before.begin(), before.end());
  auto include_first = [&](const std::string& flow) {
    return selected.count(flow) != 0 && first.count(flow) != 0;
  };
  if (std::any_of(before.begin(), before.end(), include_first)) {
    TerminalView quiet(ViewMode::kSilent);  // these flows run again below, where they are shown
    SLUICE_ASSIGN_OR_RETURN(
        PipelineRunResult result,
        RunFlows(project, {}, engine::RunMode::kOnce, include_first, signals, nullptr, quiet));
    if (!result.error.ok() || signals.asked()) return result;
  }
  return RunFlows(
      project, options, options.mode,
      [&](const std::string& flow) { return selected.count(flow) != 0; }, signals, listener, view);
}

}  // namespace

Result<PipelineRunResult> RunPipeline(Project& project, const PipelineRunOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(auto selected, plan::SelectFlows(project.spec(), project.graph(),
                                                           project.pipeline(), options.selection));
  SLUICE_ASSIGN_OR_RETURN(auto kept, plan::ResetTables(project.spec(), project.pipeline(),
                                                       options.selection, project.tables()));
  for (const std::string& table : kept) {
    std::fprintf(stderr, "not reset, pipelines.reset.allowed is false: %s\n", table.c_str());
  }
  const plan::ViewStore views(project.storage(), project.spec().engine.warehouse);
  SLUICE_RETURN_NOT_OK(plan::KeepViews(project.spec(), project.pipeline(), project.graph(), views,
                                       project.tables(), SystemClock().NowMicros()));
  SignalWatch signals(options.handle_signals);
  TerminalView view(options.view);
  RunListener shown(&view, options.listener);
  plan::RunLog run_log(project.spec(), project.pipeline(), project.tables(), SystemClock(),
                       project.environment().seed, &shown);
  run_log.Begin(options.selection.full_refresh_all || !options.selection.full_refresh.empty());
  auto result = RunInOrder(project, options, selected, signals, &run_log, view);
  run_log.End(result.ok() ? result->error : result.status(), signals.asked());
  if (result.ok()) view.Summary(result->flows, result->seconds);
  return result;
}

int ExitCodeOf(const Status& run_error) {
  if (run_error.ok()) return kOk;
  return HasCode(run_error, "EXPECTATION_FAILED") ? kExpectationFailed : kRunFailed;
}

}  // namespace sluice::app
