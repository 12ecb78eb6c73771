// The commands that look at a project without running it: dry-run and graph.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "app/commands.h"
#include "app/project.h"
#include "plan/column_lineage.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

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

json OriginsJson(const std::set<plan::ColumnOrigin>& origins) {
  json out = json::array();
  for (const plan::ColumnOrigin& origin : origins) {
    out.push_back({{"dataset", origin.dataset},
                   {"column", origin.column},
                   {"type", plan::IsDirect(origin.how) ? "DIRECT" : "INDIRECT"},
                   {"subtype", plan::DerivationName(origin.how)}});
  }
  return out;
}

/// `lineage` may be null: then it is left out.
json DatasetJson(const plan::AnalyzedDataset& dataset, const plan::ColumnLineage* lineage) {
  json columns = json::array();
  for (const auto& field : dataset.schema->fields()) {
    json column = {{"name", field->name()}, {"type", sql::SparkTypeName(*field->type())}};
    if (lineage != nullptr) column["from"] = OriginsJson(lineage->columns[columns.size()]);
    columns.push_back(std::move(column));
  }
  json out = {{"type", "dataset"},
              {"name", dataset.definition->name.ToString()},
              {"kind", plan::DatasetKindName(dataset.definition->kind)},
              {"partitionedBy", dataset.partition_columns},
              {"columns", columns}};
  if (lineage != nullptr) out["rowsFrom"] = OriginsJson(lineage->rows);
  return out;
}

std::string OriginsText(const std::set<plan::ColumnOrigin>& origins) {
  std::string text;
  for (const plan::ColumnOrigin& origin : origins) {
    text += (text.empty() ? "" : ", ") + origin.dataset + "." + origin.column + " (" +
            std::string(plan::DerivationName(origin.how)) + ")";
  }
  return text.empty() ? "(constant)" : text;
}

void PrintLineage(const plan::AnalyzedDataset& dataset, const plan::ColumnLineage& lineage) {
  for (size_t i = 0; i < lineage.columns.size(); ++i) {
    std::printf("  %s <- %s\n", dataset.schema->field(static_cast<int>(i))->name().c_str(),
                OriginsText(lineage.columns[i]).c_str());
  }
  if (!lineage.rows.empty()) std::printf("  rows <- %s\n", OriginsText(lineage.rows).c_str());
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
  const std::vector<Status> errors = project->Check();
  if (!errors.empty()) return errors.front();
  return project;
}

/// All errors, one JSON object a line on standard output, or as text.
int ReportErrors(const std::vector<Status>& errors, bool as_json) {
  for (const Status& error : errors) {
    if (as_json)
      std::printf("%s\n", ErrorJson(error).c_str());
    else
      Fail(error, kDefinitionError);
  }
  if (!as_json && errors.size() > 1) std::fprintf(stderr, "%zu errors\n", errors.size());
  return kDefinitionError;
}

}  // namespace

int RunDryRun(const ProjectOptions& options) {
  const bool as_json = options.output == "json";
  auto project = Project::Open(options);
  if (!project.ok()) return ReportErrors({project.status()}, as_json);
  const std::vector<Status> errors = (*project)->Check();
  for (const std::string& warning : (*project)->graph().warnings)
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  if (!errors.empty()) return ReportErrors(errors, as_json);
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

int RunGraph(const ProjectOptions& options, bool columns) {
  auto project = OpenAnalyzed(options);
  if (!project.ok()) return Fail(project.status(), kDefinitionError, options.output);
  const bool as_json = options.output == "json";
  for (const plan::AnalyzedDataset& dataset : (*project)->pipeline().datasets) {
    std::optional<plan::ColumnLineage> lineage;
    if (columns) lineage = plan::LineageOf((*project)->pipeline(), dataset);
    if (as_json) {
      PrintJson(DatasetJson(dataset, lineage ? &*lineage : nullptr));
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
    if (lineage) PrintLineage(dataset, *lineage);
  }
  if (as_json) {
    for (const plan::AnalyzedFlow& flow : (*project)->pipeline().flows) PrintJson(FlowJson(flow));
  }
  return kOk;
}

}  // namespace sluice::app
