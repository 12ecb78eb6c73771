// The commands that look at a project without running it: dry-run and graph.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/project.h"
#include "sql/data_type_parser.h"

namespace sluice::app {
namespace {

using nlohmann::json;

const char* ExecutionName(plan::Execution execution) {
  switch (execution) {
    case plan::Execution::kStream: return "stream";
    case plan::Execution::kIncremental: return "incremental";
    case plan::Execution::kRecompute: return "recompute";
  }
  return "";
}

std::vector<std::string> Inputs(const plan::FlowDefinition& flow) {
  std::vector<std::string> names;
  for (const plan::TableReference& read : flow.reads)
    names.push_back((read.stream ? "STREAM " : "") + read.name.ToString());
  return names;
}

json FlowJson(const plan::AnalyzedFlow& flow) {
  json out = {{"type", "flow"},
              {"name", flow.definition->name},
              {"target", flow.definition->target.ToString()},
              {"execution", ExecutionName(flow.execution)},
              {"reads", Inputs(*flow.definition)}};
  if (!flow.reason.empty()) out["reason"] = flow.reason;
  if (!flow.notes.empty()) out["notes"] = flow.notes;
  return out;
}

json DatasetJson(const plan::AnalyzedDataset& dataset) {
  json columns = json::array();
  for (const auto& field : dataset.schema->fields()) {
    columns.push_back({{"name", field->name()}, {"type", sql::SparkTypeName(*field->type())}});
  }
  return {{"type", "dataset"},
          {"name", dataset.definition->name.ToString()},
          {"kind", plan::DatasetKindName(dataset.definition->kind)},
          {"partitionedBy", dataset.partition_columns},
          {"columns", columns}};
}

void PrintJson(const json& value) { std::printf("%s\n", value.dump().c_str()); }

void PrintFlow(const plan::AnalyzedFlow& flow) {
  std::printf("Flow %s into %s: %s\n", flow.definition->name.c_str(),
              flow.definition->target.ToString().c_str(), ExecutionName(flow.execution));
  if (!flow.reason.empty()) std::printf("  recomputed because: %s\n", flow.reason.c_str());
  for (const std::string& note : flow.notes) std::printf("  note: %s\n", note.c_str());
}

Result<std::unique_ptr<Project>> OpenAnalyzed(const ProjectOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(auto project, Project::Open(options));
  SLUICE_RETURN_NOT_OK(project->Analyze());
  // Building the flows checks what only the parts know: options of sources, properties.
  SLUICE_RETURN_NOT_OK(plan::BuildFlows(project->spec(), project->graph(), project->pipeline(),
                                        project->environment(), nullptr)
                           .status());
  return project;
}

}  // namespace

int RunDryRun(const ProjectOptions& options) {
  auto project = OpenAnalyzed(options);
  if (!project.ok()) return Fail(project.status(), kDefinitionError, options.output);
  const bool as_json = options.output == "json";
  for (const std::string& warning : (*project)->graph().warnings)
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  for (const plan::AnalyzedFlow& flow : (*project)->pipeline().flows) {
    if (as_json)
      PrintJson(FlowJson(flow));
    else
      PrintFlow(flow);
  }
  if (!as_json)
    std::printf("Run is COMPLETED. %zu datasets, no errors.\n",
                (*project)->pipeline().datasets.size());
  return kOk;
}

int RunGraph(const ProjectOptions& options) {
  auto project = OpenAnalyzed(options);
  if (!project.ok()) return Fail(project.status(), kDefinitionError, options.output);
  const bool as_json = options.output == "json";
  for (const plan::AnalyzedDataset& dataset : (*project)->pipeline().datasets) {
    if (as_json) {
      PrintJson(DatasetJson(dataset));
      continue;
    }
    std::printf("%s %s\n", std::string(plan::DatasetKindName(dataset.definition->kind)).c_str(),
                dataset.definition->name.ToString().c_str());
    for (const plan::FlowDefinition* flow :
         (*project)->graph().FlowsInto(dataset.definition->name)) {
      std::vector<std::string> inputs = Inputs(*flow);
      if (inputs.empty()) inputs.emplace_back("(source)");
      for (const std::string& input : inputs) std::printf("  <- %s\n", input.c_str());
    }
  }
  if (as_json) {
    for (const plan::AnalyzedFlow& flow : (*project)->pipeline().flows) PrintJson(FlowJson(flow));
  }
  return kOk;
}

}  // namespace sluice::app
