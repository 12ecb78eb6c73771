// A checked pipeline: every query analyzed, every flow with its way of being executed. What dry-run
// and graph print and what the pipeline is built from. Immutable.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/table.h"
#include "plan/pipeline_graph.h"
#include "plan/stream_program.h"
#include "plan/view_store.h"
#include "sql/analysis/logical_plan.h"

namespace sluice::plan {

enum class Execution {
  kStream,       // a streaming table's flow: rows are appended
  kIncremental,  // a view kept up to date from what is appended to its input
  kRecompute,    // a view computed anew when an input changed
};

struct AnalyzedFlow {
  const FlowDefinition* definition = nullptr;
  sql::PlanPtr plan;  // its columns are those of the target, in order
  Execution execution = Execution::kStream;
  StreamProgram program;           // not for kRecompute
  std::string reason;              // why a view is recomputed
  std::vector<std::string> notes;  // for dry-run: unbounded state and the like
};

struct AnalyzedDataset {
  const DatasetDefinition* definition = nullptr;
  std::shared_ptr<arrow::Schema> schema;
  sql::PlanPtr view;  // of a view: its query
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> properties;
  std::vector<quality::Expectation> expectations;
};

struct AnalyzedPipeline {
  std::vector<AnalyzedDataset> datasets;  // in the graph's order
  std::vector<AnalyzedFlow> flows;        // flows of tables, in the graph's order; views have none

  const AnalyzedDataset* FindDataset(const catalog::TableName& name) const;
};

/// `graph`, `spec` and `tables` outlive the result; `views` are those of the warehouse, may be
/// null. Errors carry Spark's classes and the place in the file.
Result<AnalyzedPipeline> AnalyzePipeline(const ProjectSpec& spec, const PipelineGraph& graph,
                                         delta::TableRegistry& tables,
                                         const ViewStore* views = nullptr);
/// Likewise, but leaves out the datasets with errors, which go to `errors`, and those that read
/// them. Errors that are there already mean that tables may be missing because of them.
AnalyzedPipeline AnalyzePipeline(const ProjectSpec& spec, const PipelineGraph& graph,
                                 delta::TableRegistry& tables, std::vector<Status>* errors,
                                 const ViewStore* views = nullptr);

/// Where a table of the project or a path (delta.`/x`) lives, by the name a ScanNode has.
std::string ScanPath(const ProjectSpec& spec, const std::string& dataset);

/// Names of the tables that `plan` reads (ScanNode::dataset), without repeats.
std::vector<std::string> ScannedTables(const sql::PlanPtr& plan);

}  // namespace sluice::plan
