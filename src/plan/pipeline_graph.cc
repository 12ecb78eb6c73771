#include "plan/pipeline_graph.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/closest_word.h"
#include "plan/table_references.h"
#include "sql/ast/parse_error.h"
#include "sql/parser/statement_name.h"
#include "sql/parser/substitute.h"

namespace sluice::plan {
namespace {

/// Reads the statements of all files in order and gathers what they define.
class GraphBuilder {
 public:
  /// `errors` may be null: then the first error ends it. Outlives this.
  GraphBuilder(const ProjectSpec& spec, std::vector<Status>* errors)
      : spec_(spec), errors_(errors) {
    graph_.configuration = spec.configuration;
  }

  Status AddFile(const ProjectFile& file) {
    auto lookup = [this](const std::string& key) -> std::optional<std::string> {
      const auto found = graph_.configuration.find(key);
      if (found == graph_.configuration.end()) return std::nullopt;
      return found->second;
    };
    auto text = sql::Substitute(file.path, file.text, lookup);
    if (!text.ok()) return Note(text.status());
    auto source = std::make_shared<const sql::SourceText>(std::move(text).ValueUnsafe());
    std::vector<Status> errors;
    sql::ParsedFile parsed = sql::ParseStatements(source, &errors);
    for (const Status& error : errors) SLUICE_RETURN_NOT_OK(Note(error));
    site_ = {source, spec_.database};
    for (const sql::ParseWarning& warning : parsed.warnings) {
      graph_.warnings.push_back(source->Place(warning.span) + ": " + warning.message);
    }
    for (sql::Statement& statement : parsed.statements) {
      span_ = statement.span;
      SLUICE_RETURN_NOT_OK(
          Note(std::visit([this](auto& node) { return Add(node); }, statement.node)));
    }
    return Status::OK();
  }

  Result<PipelineGraph> Finish() {
    // What a statement with an error would have defined is not known to be missing.
    const bool complete = errors_ == nullptr || errors_->empty();
    if (graph_.datasets.empty() && complete) {
      return MakeError("RUN_EMPTY_PIPELINE", "the pipeline defines no datasets",
                       "write CREATE STREAMING TABLE or CREATE MATERIALIZED VIEW statements in the "
                       "files of 'libraries'");
    }
    for (const FlowDefinition& flow : graph_.flows)
      SLUICE_RETURN_NOT_OK(Note(CheckTarget(flow, complete)));
    for (const DatasetDefinition& dataset : graph_.datasets) {
      if (!complete || !graph_.FlowsInto(dataset.name).empty()) continue;
      SLUICE_RETURN_NOT_OK(
          Note(DefinitionError("PIPELINE_DATASET_WITHOUT_FLOW", dataset.site, dataset.span,
                               "no flow feeds dataset " + dataset.name.ToString(),
                               "give it AS query, or add CREATE FLOW ... AS INSERT INTO " +
                                   dataset.name.ToString() + " BY NAME ...")));
    }
    SLUICE_RETURN_NOT_OK(SortByDependency());
    return std::move(graph_);
  }

 private:
  /// Gathers an error where all of them are asked for.
  Status Note(const Status& status) {
    if (status.ok() || errors_ == nullptr) return status;
    errors_->push_back(status);
    return Status::OK();
  }

  Status CheckTarget(const FlowDefinition& flow, bool complete) {
    const DatasetDefinition* target = graph_.FindDataset(flow.target);
    if (target == nullptr) {
      if (!complete) return Status::OK();
      return DefinitionError("FLOW_TARGET_NOT_FOUND", flow.site, flow.span,
                             "the target of flow " + flow.name +
                                 " is not defined in the pipeline: " + flow.target.ToString(),
                             MeantDataset(flow.target)
                                 .value_or("add CREATE STREAMING TABLE " + flow.target.ToString()));
    }
    if (target->kind != DatasetKind::kStreamingTable && flow.name != flow.target.ToString()) {
      return DefinitionError("INVALID_FLOW_TARGET", flow.site, flow.span,
                             "flow " + flow.name + " inserts into a " +
                                 std::string(DatasetKindName(target->kind)) + ": " +
                                 flow.target.ToString(),
                             "flows insert into streaming tables only");
    }
    return Status::OK();
  }

  /// "did you mean silver.orders?" where a dataset has a name like it.
  std::optional<std::string> MeantDataset(const catalog::TableName& name) const {
    std::vector<std::string> known;
    for (const DatasetDefinition& dataset : graph_.datasets)
      known.push_back(dataset.name.ToString());
    const std::string closest = ClosestWord(name.ToString(), known);
    if (closest.empty()) return std::nullopt;
    return "did you mean " + closest + "?";
  }

  Status NotSupported(const std::string& what) {
    return DefinitionError("NOT_SUPPORTED_YET", site_, span_, "not supported yet: " + what);
  }

  Result<catalog::TableName> Qualify(const sql::QualifiedName& name) {
    auto qualified = catalog::QualifyName(name.Texts(), spec_.catalog, site_.default_schema);
    if (!qualified.ok()) {
      return DefinitionError(ErrorCode(qualified.status()), site_, name.span,
                             qualified.status().message(), ErrorHint(qualified.status()));
    }
    return qualified;
  }

  Status AddDataset(DatasetKind kind, const sql::QualifiedName& name, sql::DatasetOptions options) {
    SLUICE_ASSIGN_OR_RETURN(catalog::TableName qualified, Qualify(name));
    if (const DatasetDefinition* other = graph_.FindDataset(qualified)) {
      return DefinitionError("PIPELINE_DUPLICATE_IDENTIFIERS.DATASET", site_, name.span,
                             "dataset is defined twice: " + qualified.ToString() + ", first at " +
                                 other->site.source->Place(other->span));
    }
    graph_.datasets.push_back({kind, qualified, std::move(options), span_, site_});
    return Status::OK();
  }

  Status AddFlow(std::string name, const sql::QualifiedName& target, const sql::Query& query,
                 bool once) {
    FlowDefinition flow;
    SLUICE_ASSIGN_OR_RETURN(flow.target, Qualify(target));
    flow.name = name.empty() ? flow.target.ToString() : std::move(name);
    flow.query = query;
    flow.once = once;
    flow.span = span_;
    flow.site = site_;
    auto reads = FindTableReferences(query, spec_.catalog, site_.default_schema);
    if (!reads.ok())
      return DefinitionError(ErrorCode(reads.status()), site_, query.span,
                             reads.status().message());
    flow.reads = std::move(reads).ValueUnsafe();
    for (const FlowDefinition& other : graph_.flows) {
      if (other.name != flow.name) continue;
      return DefinitionError("PIPELINE_DUPLICATE_IDENTIFIERS.FLOW", site_, span_,
                             "flow is defined twice: " + flow.name + ", first at " +
                                 other.site.source->Place(other.span));
    }
    graph_.flows.push_back(std::move(flow));
    return Status::OK();
  }

  Status AddBody(const std::string& name, const sql::QualifiedName& target,
                 const sql::FlowBody& body) {
    if (std::holds_alternative<sql::AutoCdc>(body)) return NotSupported("AUTO CDC");
    const auto& insert = std::get<sql::InsertFlow>(body);
    if (insert.overwrite || insert.replace_where || insert.replace_on ||
        !insert.replace_using.empty()) {
      return NotSupported(
          "a flow that replaces rows (INSERT OVERWRITE, REPLACE WHERE, REPLACE USING)");
    }
    if (!insert.columns.empty())
      return NotSupported("a column list after INSERT INTO; columns are matched by name");
    return AddFlow(name, target, *insert.query, insert.once);
  }

  Status Add(sql::CreateStreamingTable& node) {
    SLUICE_RETURN_NOT_OK(
        AddDataset(DatasetKind::kStreamingTable, node.name, std::move(node.options)));
    return node.flow.has_value() ? AddBody("", node.name, *node.flow) : Status::OK();
  }
  Status Add(sql::CreateMaterializedView& node) {
    SLUICE_RETURN_NOT_OK(
        AddDataset(DatasetKind::kMaterializedView, node.name, std::move(node.options)));
    return AddFlow("", node.name, *node.query, false);
  }
  Status Add(sql::CreateView& node) {
    const DatasetKind kind = node.temporary ? DatasetKind::kTemporaryView : DatasetKind::kView;
    SLUICE_RETURN_NOT_OK(AddDataset(kind, node.name, std::move(node.options)));
    return AddFlow("", node.name, *node.query, false);
  }
  Status Add(sql::CreateFlow& node) {
    return AddBody(node.anonymous ? "" : node.name.text, node.target, node.body);
  }
  Status Add(sql::CreateSink&) { return NotSupported("CREATE SINK"); }
  Status Add(sql::SetConfiguration& node) {
    if (node.value.has_value()) graph_.configuration[node.key] = *node.value;
    return Status::OK();
  }
  Status Add(sql::UseNamespace& node) {
    if (node.catalog) {
      if (node.name.last() == spec_.catalog) return Status::OK();
      return NotSupported("another catalog than the project's (" + spec_.catalog + ")");
    }
    site_.default_schema = node.name.last();
    return Status::OK();
  }
  /// Everything else may be SQL, but defines nothing.
  template <typename T>
  Status Add(T& node) {
    return Unsupported(sql::StatementName({std::move(node), span_}));
  }

  Status Unsupported(const std::string& what) {
    return DefinitionError("UNSUPPORTED_PIPELINE_STATEMENT", site_, span_,
                           "a pipeline file defines datasets and flows; it cannot hold " + what,
                           "run it with 'sluice sql'");
  }

  /// Depth-first over what each dataset's flows read; datasets keep their text order where they are
  /// free.
  Status SortByDependency() {
    enum class Mark { kNew, kOpen, kDone };
    std::map<catalog::TableName, Mark> marks;
    std::vector<DatasetDefinition> sorted;
    std::vector<std::string> path;
    std::function<Status(const DatasetDefinition&)> visit =
        [&](const DatasetDefinition& dataset) -> Status {
      Mark& mark = marks[dataset.name];
      if (mark == Mark::kDone) return Status::OK();
      path.push_back(dataset.name.ToString());
      if (mark == Mark::kOpen) {
        std::string cycle;
        for (auto it = std::find(path.begin(), path.end(), path.back()); it != path.end(); ++it) {
          cycle += (cycle.empty() ? "" : " -> ") + *it;
        }
        return DefinitionError("PIPELINE_GRAPH_NOT_TOPOLOGICALLY_SORTED", dataset.site,
                               dataset.span, "datasets read each other in a circle: " + cycle);
      }
      mark = Mark::kOpen;
      for (const FlowDefinition* flow : graph_.FlowsInto(dataset.name)) {
        for (const TableReference& read : flow->reads) {
          const DatasetDefinition* input = graph_.FindDataset(read.name);
          if (input != nullptr) SLUICE_RETURN_NOT_OK(visit(*input));
        }
      }
      marks[dataset.name] = Mark::kDone;
      path.pop_back();
      sorted.push_back(dataset);
      return Status::OK();
    };
    for (const DatasetDefinition& dataset : graph_.datasets) SLUICE_RETURN_NOT_OK(visit(dataset));
    std::map<catalog::TableName, size_t> rank;
    for (size_t i = 0; i < sorted.size(); ++i) rank[sorted[i].name] = i;
    std::stable_sort(graph_.flows.begin(), graph_.flows.end(),
                     [&](const FlowDefinition& a, const FlowDefinition& b) {
                       return rank[a.target] < rank[b.target];
                     });
    graph_.datasets = std::move(sorted);
    return Status::OK();
  }

  const ProjectSpec& spec_;
  std::vector<Status>* const errors_;
  PipelineGraph graph_;
  DefinitionSite site_;
  sql::Span span_;
};

}  // namespace

std::string_view DatasetKindName(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::kStreamingTable: return "STREAMING TABLE";
    case DatasetKind::kMaterializedView: return "MATERIALIZED VIEW";
    case DatasetKind::kTemporaryView: return "TEMPORARY VIEW";
    case DatasetKind::kView: return "VIEW";
  }
  return "";
}

const DatasetDefinition* PipelineGraph::FindDataset(const catalog::TableName& name) const {
  const auto found = std::find_if(datasets.begin(), datasets.end(),
                                  [&](const auto& dataset) { return dataset.name == name; });
  return found == datasets.end() ? nullptr : &*found;
}

std::vector<const FlowDefinition*> PipelineGraph::FlowsInto(const catalog::TableName& name) const {
  std::vector<const FlowDefinition*> into;
  for (const FlowDefinition& flow : flows) {
    if (flow.target == name) into.push_back(&flow);
  }
  return into;
}

Status DefinitionError(std::string_view code, const DefinitionSite& site, sql::Span span,
                       const std::string& message, std::string hint) {
  return sql::ErrorAt(*site.source, span, code, message, std::move(hint));
}

Result<PipelineGraph> BuildPipelineGraph(const ProjectSpec& spec,
                                         const std::vector<ProjectFile>& files) {
  return BuildPipelineGraph(spec, files, nullptr);
}

Result<PipelineGraph> BuildPipelineGraph(const ProjectSpec& spec,
                                         const std::vector<ProjectFile>& files,
                                         std::vector<Status>* errors) {
  GraphBuilder builder(spec, errors);
  for (const ProjectFile& file : files) SLUICE_RETURN_NOT_OK(builder.AddFile(file));
  return builder.Finish();
}

}  // namespace sluice::plan
