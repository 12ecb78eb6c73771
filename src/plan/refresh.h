// Which flows a run updates, and resetting of tables before it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/table.h"
#include "plan/pipeline_analysis.h"

namespace sluice::plan {

struct RefreshSelection {
  std::vector<std::string> refresh;       // datasets to update; with both lists empty: all
  std::vector<std::string> full_refresh;  // datasets to reset and update
  bool full_refresh_all = false;
};

/// Flow names to run. Errors: CONFLICTING_PIPELINE_REFRESH_OPTIONS, TABLE_OR_VIEW_NOT_FOUND for an
/// unknown dataset.
Result<std::set<std::string>> SelectFlows(const ProjectSpec& spec, const PipelineGraph& graph,
                                          const AnalyzedPipeline& pipeline,
                                          const RefreshSelection& selection);

/// Empties the tables that `selection` resets. A protected table (pipelines.reset.allowed=false) is
/// an error when named, and left as it is (returned) by full_refresh_all.
Result<std::vector<std::string>> ResetTables(const ProjectSpec& spec,
                                             const AnalyzedPipeline& pipeline,
                                             const RefreshSelection& selection,
                                             delta::TableRegistry& tables);

}  // namespace sluice::plan
