#include "plan/refresh.h"

#include <algorithm>

#include "base/text.h"
#include "sinks/full_refresh.h"

namespace sluice::plan {
namespace {

Result<catalog::TableName> Named(const ProjectSpec& spec, const AnalyzedPipeline& pipeline,
                                 const std::string& name) {
  SLUICE_ASSIGN_OR_RETURN(catalog::TableName qualified,
                          catalog::QualifyDottedName(name, spec.catalog, spec.database));
  if (pipeline.FindDataset(qualified) == nullptr) {
    return MakeError("TABLE_OR_VIEW_NOT_FOUND",
                     "the pipeline defines no dataset of this name: " + name,
                     "'sluice graph' lists the datasets");
  }
  return qualified;
}

bool ResetAllowed(const AnalyzedDataset& dataset) {
  return std::none_of(dataset.properties.begin(), dataset.properties.end(),
                      [](const auto& property) {
                        return EqualsIgnoreCase(property.first, "pipelines.reset.allowed") &&
                               EqualsIgnoreCase(property.second, "false");
                      });
}

}  // namespace

Result<std::set<std::string>> SelectFlows(const ProjectSpec& spec, const PipelineGraph& graph,
                                          const AnalyzedPipeline& pipeline,
                                          const RefreshSelection& selection) {
  if (selection.full_refresh_all &&
      (!selection.refresh.empty() || !selection.full_refresh.empty())) {
    return MakeError("CONFLICTING_PIPELINE_REFRESH_OPTIONS",
                     "--full-refresh-all cannot be combined with --refresh or --full-refresh",
                     "use one of them");
  }
  std::vector<std::string> names = selection.refresh;
  names.insert(names.end(), selection.full_refresh.begin(), selection.full_refresh.end());
  std::set<std::string> flows;
  if (names.empty()) {
    for (const AnalyzedFlow& flow : pipeline.flows) flows.insert(flow.definition->name);
    return flows;
  }
  for (const std::string& name : names) {
    SLUICE_ASSIGN_OR_RETURN(catalog::TableName table, Named(spec, pipeline, name));
    for (const FlowDefinition* flow : graph.FlowsInto(table)) flows.insert(flow->name);
  }
  return flows;
}

Result<std::vector<std::string>> ResetTables(const ProjectSpec& spec,
                                             const AnalyzedPipeline& pipeline,
                                             const RefreshSelection& selection,
                                             delta::TableRegistry& tables) {
  std::vector<std::string> kept;
  std::set<catalog::TableName> named;
  for (const std::string& name : selection.full_refresh) {
    SLUICE_ASSIGN_OR_RETURN(catalog::TableName table, Named(spec, pipeline, name));
    named.insert(table);
  }
  for (const AnalyzedDataset& dataset : pipeline.datasets) {
    const catalog::TableName& name = dataset.definition->name;
    if (!selection.full_refresh_all && named.count(name) == 0) continue;
    if (!ResetAllowed(dataset)) {
      if (selection.full_refresh_all) {
        kept.push_back(name.ToString());
        continue;
      }
      return MakeError("FLOW_RESET_NOT_ALLOWED", "the table may not be reset: " + name.ToString(),
                       "its property pipelines.reset.allowed is false");
    }
    SLUICE_RETURN_NOT_OK(
        sinks::FullRefresh(tables, catalog::TablePath(spec.engine.warehouse, name)));
  }
  return kept;
}

}  // namespace sluice::plan
