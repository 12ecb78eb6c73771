#include "app/project.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "plan/json_decoding.h"

namespace sluice::app {

Project::Project()
    : random_(Random::FromSystem()),
      workers_(static_cast<int>(std::max(2U, std::thread::hardware_concurrency())) - 1) {}

Result<std::unique_ptr<Project>> Project::Open(const ProjectOptions& options, bool spec_optional) {
  auto project = std::unique_ptr<Project>(new Project());
  std::string path = options.spec;
  if (path.empty()) {
    auto found = plan::FindSpecFile(std::filesystem::current_path().string());
    if (!found.ok() && !(spec_optional && HasCode(found.status(), "PIPELINE_SPEC_FILE_NOT_FOUND")))
      return found.status();
    if (found.ok()) path = *found;
  }
  if (path.empty()) {
    project->spec_.root = std::filesystem::current_path().string();
    project->spec_.engine.warehouse = project->spec_.root + "/warehouse";
    for (const auto& [key, value] : options.set) project->spec_.configuration[key] = value;
  } else {
    if (std::filesystem::is_directory(path)) {
      SLUICE_ASSIGN_OR_RETURN(path, plan::FindSpecFile(path));
    }
    SLUICE_ASSIGN_OR_RETURN(project->spec_, plan::LoadProjectSpec(path, options.set));
  }
  project->tables_ = std::make_unique<delta::TableRegistry>(
      project->storage_, SystemClock(), project->random_.Next(), &project->workers_);
  sql::QueryRunnerOptions runner;
  runner.native_functions = plan::JsonFunctions();
  project->runner_ = sql::QueryRunner::Make(runner);
  return project;
}

Status Project::Analyze() {
  const plan::ViewStore views(storage_, spec_.engine.warehouse);
  SLUICE_ASSIGN_OR_RETURN(auto files, plan::LoadProjectFiles(spec_));
  SLUICE_ASSIGN_OR_RETURN(graph_, plan::BuildPipelineGraph(spec_, files));
  SLUICE_ASSIGN_OR_RETURN(pipeline_, plan::AnalyzePipeline(spec_, graph_, *tables_, &views));
  return Status::OK();
}

std::vector<Status> Project::Check() {
  const plan::ViewStore views(storage_, spec_.engine.warehouse);
  std::vector<Status> errors;
  const auto gathered = [&](const Status& status) {
    errors.push_back(status);
    return errors;
  };
  auto files = plan::LoadProjectFiles(spec_);
  if (!files.ok()) return gathered(files.status());
  auto graph = plan::BuildPipelineGraph(spec_, *files, &errors);
  if (!graph.ok()) return gathered(graph.status());
  graph_ = std::move(graph).ValueUnsafe();
  pipeline_ = plan::AnalyzePipeline(spec_, graph_, *tables_, &errors, &views);
  if (!errors.empty()) return errors;
  // Building the flows checks what only the parts know: options of sources, properties.
  auto built = plan::BuildFlows(spec_, graph_, pipeline_, environment(), nullptr);
  return built.ok() ? errors : gathered(built.status());
}

plan::BuildEnvironment Project::environment() {
  return {storage_, *tables_, SystemClock(), *runner_, random_.Next()};
}

statements::Session& Project::session() {
  if (session_ == nullptr) session_ = std::make_unique<statements::Session>(spec_);
  return *session_;
}

Result<catalog::TableName> Project::Qualify(const std::string& name) const {
  return catalog::QualifyDottedName(name, spec_.catalog, spec_.database);
}

Result<std::shared_ptr<delta::Table>> Project::OpenTable(const std::string& name) {
  std::string path = name;
  if (name.find('/') == std::string::npos) {
    SLUICE_ASSIGN_OR_RETURN(catalog::TableName qualified, Qualify(name));
    path = catalog::TablePath(spec_.engine.warehouse, qualified);
  }
  SLUICE_ASSIGN_OR_RETURN(bool exists, tables_->Exists(path));
  if (!exists) {
    return MakeError("TABLE_OR_VIEW_NOT_FOUND",
                     "no such table: " + name + " (looked in " + path + ")",
                     "run the pipeline first, or check the name with 'sluice graph'");
  }
  return tables_->Open(path);
}

}  // namespace sluice::app
