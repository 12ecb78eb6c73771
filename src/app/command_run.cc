// `sluice run`.
#include <unistd.h>

#include <cstdio>

#include "app/commands.h"
#include "app/pipeline_run.h"

namespace sluice::app {
namespace {

ViewMode ChooseView(const std::string& output) {
  if (output == "json") return ViewMode::kJson;
  return ::isatty(STDOUT_FILENO) == 1 ? ViewMode::kTable : ViewMode::kLines;
}

Result<std::unique_ptr<Project>> OpenForRun(const RunOptions& options) {
  if (options.once && options.continuous) {
    return MakeError("CONFLICTING_RUN_MODES", "--once and --continuous exclude each other",
                     "use one of them");
  }
  SLUICE_ASSIGN_OR_RETURN(auto project, Project::Open(options.project));
  SLUICE_RETURN_NOT_OK(project->Analyze());
  return project;
}

}  // namespace

int RunRun(const RunOptions& options) {
  auto project = OpenForRun(options);
  if (!project.ok()) return Fail(project.status(), kDefinitionError, options.project.output);
  PipelineRunOptions run;
  run.selection = {options.refresh, options.full_refresh, options.full_refresh_all};
  const bool continuous =
      options.continuous || (!options.once && (*project)->spec().engine.continuous);
  run.mode = continuous ? engine::RunMode::kContinuous : engine::RunMode::kOnce;
  run.view = ChooseView(options.project.output);
  auto result = RunPipeline(**project, run);
  if (!result.ok()) {
    const bool input = RetryClass(result.status()) == Retry::kNever;
    return Fail(result.status(), input ? kDefinitionError : kRunFailed, options.project.output);
  }
  if (!result->error.ok()) {
    std::printf(run.view == ViewMode::kJson ? "" : "Run is FAILED.\n");
    return Fail(result->error, ExitCodeOf(result->error), options.project.output);
  }
  if (run.view != ViewMode::kJson) std::printf("Run is COMPLETED.\n");
  return kOk;
}

}  // namespace sluice::app
