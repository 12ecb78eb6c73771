// An analyzed pipeline -> flows that the engine runs: sources, operators, sinks, state, hand-offs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "delta/log/table.h"
#include "engine/pipeline.h"
#include "plan/pipeline_analysis.h"
#include "sql/execution/query_runner.h"
#include "state/snapshot_store.h"
#include "storage/storage.h"

namespace sluice {
class Workers;
}

namespace sluice::plan {

/// What the parts of a pipeline share. All outlive the flows.
struct BuildEnvironment {
  storage::Storage& storage;
  delta::TableRegistry& tables;
  Clock& clock;
  sql::QueryRunner& runner;  // recomputed views and static sides
  uint64_t seed = 0;
  Workers* workers = nullptr;  // that encode files; may be null
};

/// The flows of a pipeline, ready for engine::Pipeline. `include` chooses flows by name (null =
/// all). Errors: PIPELINE_INVALID_PROPERTY, those of the sources' options and of the parts.
Result<std::vector<engine::Pipeline::Flow>> BuildFlows(
    const ProjectSpec& spec, const PipelineGraph& graph, const AnalyzedPipeline& pipeline,
    const BuildEnvironment& environment,
    const std::function<bool(const std::string& flow)>& include);

/// Flows whose tables must be complete before `pipeline` starts: what the static sides of
/// stream-static joins read, and everything above them. In dependency order.
std::vector<std::string> FlowsBeforeStart(const AnalyzedPipeline& pipeline);

/// "500 ms", "1 second", "2 minutes", "interval 1 day" -> microseconds. PIPELINE_INVALID_PROPERTY
/// names `key`.
Result<int64_t> ParseDuration(const std::string& key, const std::string& text);

}  // namespace sluice::plan
