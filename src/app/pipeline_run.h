// One run of a pipeline from the command line: reset, flows that must be complete first, then all;
// signals stop it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/project.h"
#include "app/terminal_view.h"
#include "base/status.h"
#include "engine/pipeline.h"
#include "plan/refresh.h"

namespace sluice::app {

struct PipelineRunOptions {
  plan::RefreshSelection selection;
  engine::RunMode mode = engine::RunMode::kOnce;
  ViewMode view = ViewMode::kLines;
  bool handle_signals = true;
  engine::FlowListener* listener = nullptr;  // told what flows do, may be null
  /// Asked twice a second in continuous mode; true ends the run gracefully. May be null.
  std::function<bool(const std::vector<engine::FlowStatus>&)> should_stop;
};

struct PipelineRunResult {
  Status error;  // of the first failed flow
  std::vector<engine::FlowStatus> flows;
  double seconds = 0;
};

/// An error Status: nothing was run. `project` is analyzed.
Result<PipelineRunResult> RunPipeline(Project& project, const PipelineRunOptions& options);

/// 0, or 2, or 3 when an expectation failed.
int ExitCodeOf(const Status& run_error);

}  // namespace sluice::app
