// The datasets and flows that a project's files define, and the order in which they depend on each
// other. Names are resolved, queries are not analyzed yet. Immutable after Build.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "catalog/table_name.h"
#include "plan/project_spec.h"
#include "sql/parser/pipeline_parser.h"

namespace sluice::plan {

enum class DatasetKind { kStreamingTable, kMaterializedView, kTemporaryView, kView };

/// "STREAMING TABLE", "MATERIALIZED VIEW", ...
std::string_view DatasetKindName(DatasetKind kind);

/// Where a definition was read: what its spans refer to, and the session state of its file at that
/// point.
struct DefinitionSite {
  std::shared_ptr<const sql::SourceText> source;
  std::string default_schema;
};

/// A table that a query reads, as it names it.
struct TableReference {
  catalog::TableName name;
  bool stream = false;
  sql::Span span;
};

struct DatasetDefinition {
  DatasetKind kind = DatasetKind::kStreamingTable;
  catalog::TableName name;
  sql::DatasetOptions options;
  sql::Span span;
  DefinitionSite site;
};

struct FlowDefinition {
  std::string name;  // unique in the pipeline; a flow of `... AS query` has its dataset's name
  catalog::TableName target;
  sql::Query query;
  bool once = false;
  sql::Span span;
  DefinitionSite site;
  std::vector<TableReference> reads;  // in text order; tables outside the pipeline included
};

struct PipelineGraph {
  std::vector<DatasetDefinition>
      datasets;                       // in dependency order: what a dataset reads comes before it
  std::vector<FlowDefinition> flows;  // in the order of their targets
  std::map<std::string, std::string> configuration;  // spec, --set and SET statements
  std::vector<std::string> warnings;                 // "file:line:column: text"

  const DatasetDefinition* FindDataset(const catalog::TableName& name) const;
  std::vector<const FlowDefinition*> FlowsInto(const catalog::TableName& name) const;
};

/// An error at a place of a definition: message with file:line:column and a caret line.
Status DefinitionError(std::string_view code, const DefinitionSite& site, sql::Span span,
                       const std::string& message, std::string hint = "");

/// Errors: those of the parser; PIPELINE_DUPLICATE_IDENTIFIERS.DATASET and .FLOW,
/// PIPELINE_DATASET_WITHOUT_FLOW, PIPELINE_GRAPH_NOT_TOPOLOGICALLY_SORTED, RUN_EMPTY_PIPELINE,
/// FLOW_TARGET_NOT_FOUND, UNSUPPORTED_PIPELINE_STATEMENT, NOT_SUPPORTED_YET.
Result<PipelineGraph> BuildPipelineGraph(const ProjectSpec& spec,
                                         const std::vector<ProjectFile>& files);
/// Likewise, but leaves out what has errors and adds all of them to `errors`; what may only be
/// missing because of another error is none. Fails where there is no graph to go on with.
Result<PipelineGraph> BuildPipelineGraph(const ProjectSpec& spec,
                                         const std::vector<ProjectFile>& files,
                                         std::vector<Status>* errors);

}  // namespace sluice::plan
