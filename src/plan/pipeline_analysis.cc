#include "plan/pipeline_analysis.h"

#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "plan/answer_settings.h"
#include "plan/flow_builder.h"
#include "plan/relation_catalog.h"
#include "plan/stream_planner.h"
#include "sql/analysis/analyzer.h"
#include "sql/ast/parse_error.h"
#include "sql/print/print.h"

namespace sluice::plan {
namespace {

using sql::BoundPtr;
using sql::PlanKind;
using sql::PlanPtr;

/// Delta's column metadata holds JSON text.
std::string JsonString(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      json += "\\u00";
      json.push_back(kHex[c >> 4]);
      json.push_back(kHex[c & 15]);
    } else {
      json.push_back(c);
    }
  }
  return json + "\"";
}

bool IsVolatile(const sql::BoundExpression& expression) {
  static const auto* const names = new std::set<std::string>{"current_timestamp",
                                                             "now",
                                                             "current_date",
                                                             "localtimestamp",
                                                             "uuid",
                                                             "rand",
                                                             "randn",
                                                             "random",
                                                             "shuffle"};
  return sql::Any(expression, [](const sql::BoundExpression& node) {
    return (node.kind == sql::BoundKind::kCall && names->count(node.name) != 0) ||
           std::any_of(node.lambdas.begin(), node.lambdas.end(),
                       [](const auto& lambda) { return IsVolatile(*lambda.body); });
  });
}

void CollectScans(const PlanPtr& plan, std::vector<const sql::ScanNode*>* scans) {
  if (plan->kind == PlanKind::kScan) scans->push_back(&sql::As<sql::ScanNode>(*plan));
  for (const PlanPtr& input : plan->inputs) CollectScans(input, scans);
}

bool PlanIsVolatile(const PlanPtr& plan) {
  std::vector<BoundPtr> expressions;
  if (plan->kind == PlanKind::kProject) expressions = sql::As<sql::ProjectNode>(*plan).expressions;
  if (plan->kind == PlanKind::kFilter) expressions = {sql::As<sql::FilterNode>(*plan).condition};
  if (plan->kind == PlanKind::kGenerate) expressions = {sql::As<sql::GenerateNode>(*plan).list};
  if (plan->kind == PlanKind::kAggregate) {
    const auto& node = sql::As<sql::AggregateNode>(*plan);
    expressions = node.groups;
    for (const auto& call : node.calls)
      expressions.insert(expressions.end(), call.args.begin(), call.args.end());
  }
  if (std::any_of(expressions.begin(), expressions.end(),
                  [](const BoundPtr& e) { return IsVolatile(*e); }))
    return true;
  return std::any_of(plan->inputs.begin(), plan->inputs.end(), PlanIsVolatile);
}

class PipelineAnalyzer {
 public:
  PipelineAnalyzer(const ProjectSpec& spec, const PipelineGraph& graph,
                   delta::TableRegistry& tables, const ViewStore* views)
      : spec_(spec), graph_(graph), tables_(tables), views_(views) {
    for (const DatasetDefinition& dataset : graph.datasets) own_.insert(dataset.name);
  }

  Result<AnalyzedPipeline> Run() {
    SLUICE_RETURN_NOT_OK(CheckSettings(graph_.configuration));
    for (const DatasetDefinition& dataset : graph_.datasets)
      SLUICE_RETURN_NOT_OK(AnalyzeDataset(dataset));
    return std::move(pipeline_);
  }

  AnalyzedPipeline RunAll(std::vector<Status>* errors) {
    const bool complete = errors->empty();
    if (const Status settings = CheckSettings(graph_.configuration); !settings.ok())
      errors->push_back(settings);
    for (const DatasetDefinition& dataset : graph_.datasets) {
      if (ReadsBroken(dataset)) {
        broken_.insert(dataset.name);
        continue;
      }
      const Status status = AnalyzeDataset(dataset);
      if (status.ok()) continue;
      broken_.insert(dataset.name);
      if (complete || !HasCode(status, "TABLE_OR_VIEW_NOT_FOUND")) errors->push_back(status);
    }
    return std::move(pipeline_);
  }

 private:
  bool ReadsBroken(const DatasetDefinition& dataset) const {
    const auto flows = graph_.FlowsInto(dataset.name);
    return flows.empty() || std::any_of(flows.begin(), flows.end(), [&](const auto* flow) {
             return std::any_of(
                 flow->reads.begin(), flow->reads.end(),
                 [&](const TableReference& read) { return broken_.count(read.name) != 0; });
           });
  }

  Status AnalyzeDataset(const DatasetDefinition& dataset) {
    SLUICE_RETURN_NOT_OK(CheckOptions(dataset));
    const bool view =
        dataset.kind == DatasetKind::kTemporaryView || dataset.kind == DatasetKind::kView;
    return view ? AnalyzeView(dataset) : AnalyzeTable(dataset);
  }

  Status NotSupported(const DatasetDefinition& dataset, const std::string& what) {
    return DefinitionError("NOT_SUPPORTED_YET", dataset.site, dataset.span,
                           "not supported yet: " + what);
  }

  Status CheckOptions(const DatasetDefinition& dataset) {
    const sql::DatasetOptions& options = dataset.options;
    if (options.using_format.has_value() &&
        !EqualsIgnoreCase(options.using_format->last(), "delta")) {
      return NotSupported(
          dataset, "USING " + options.using_format->ToString() + "; tables are Delta tables");
    }
    if (options.clustering != sql::DatasetOptions::Clustering::kUnset)
      return NotSupported(dataset, "CLUSTER BY");
    if (options.location.has_value()) return NotSupported(dataset, "LOCATION");
    if (!options.options.empty()) return NotSupported(dataset, "OPTIONS of a dataset");
    if (options.collation.has_value()) return NotSupported(dataset, "DEFAULT COLLATION");
    if (options.schedule.has_value()) return NotSupported(dataset, "SCHEDULE");
    if (options.trigger.has_value()) return NotSupported(dataset, "TRIGGER ON UPDATE");
    if (options.row_filter.has_value()) return NotSupported(dataset, "WITH ROW FILTER");
    for (const sql::ColumnDefinition& column : options.columns) {
      if (column.mask.has_value())
        return NotSupported(dataset, "MASK of column " + column.name.text);
      if (column.default_value)
        return NotSupported(dataset, "DEFAULT of column " + column.name.text);
      if (column.generated_as)
        return NotSupported(dataset, "GENERATED ALWAYS AS of column " + column.name.text);
      if (column.identity) return NotSupported(dataset, "IDENTITY of column " + column.name.text);
    }
    return Status::OK();
  }

  /// Puts the dataset and place in front of errors that have no place of their own.
  Status At(const DefinitionSite& site, sql::Span span, const Status& status) const {
    if (status.ok() || sql::PlaceOf(status) != nullptr) return status;
    return DefinitionError(ErrorCode(status), site, span, status.message(), ErrorHint(status));
  }

  Result<PlanPtr> AnalyzeFlowQuery(const FlowDefinition& flow) {
    RelationCatalog catalog(spec_, tables_, known_, flow.site.default_schema,
                            {views_, nullptr, {}, &own_});
    sql::Analyzer analyzer(catalog, *flow.site.source);
    auto plan = analyzer.AnalyzeQuery(flow.query);
    if (!plan.ok()) return At(flow.site, flow.query.span, plan.status());
    return plan;
  }

  Status AnalyzeView(const DatasetDefinition& dataset) {
    const FlowDefinition& flow = *graph_.FlowsInto(dataset.name).front();
    if (!dataset.options.expectations.empty())
      return NotSupported(dataset, "expectations of a view");
    SLUICE_ASSIGN_OR_RETURN(PlanPtr plan, AnalyzeFlowQuery(flow));
    if (dataset.kind == DatasetKind::kView) SLUICE_RETURN_NOT_OK(CheckKept(flow, *plan));
    if (!dataset.options.columns.empty()) {
      SLUICE_ASSIGN_OR_RETURN(plan, RenameColumns(dataset, plan));
    }
    known_[dataset.name] = {dataset.kind, plan->schema, plan};
    pipeline_.datasets.push_back({&dataset, plan->schema, plan, {}, {}, {}});
    return Status::OK();
  }

  /// A view that outlives the run has to be readable without it.
  Status CheckKept(const FlowDefinition& flow, const sql::LogicalPlan& plan) const {
    if (plan.is_streaming)
      return DefinitionError("INVALID_FLOW_QUERY_TYPE.STREAMING_RELATION_FOR_PERSISTED_VIEW",
                             flow.site, flow.query.span,
                             "the query of view " + flow.name + " reads a stream",
                             "leave STREAM out, or make it a TEMPORARY VIEW");
    for (const TableReference& read : flow.reads) {
      const DatasetDefinition* input = graph_.FindDataset(read.name);
      if (input != nullptr && input->kind == DatasetKind::kTemporaryView)
        return DefinitionError(
            "INVALID_TEMP_OBJ_REFERENCE", flow.site, read.span,
            "a view that is kept cannot read the temporary view " + read.name.ToString(),
            "make it a TEMPORARY VIEW too, or make the other one a VIEW");
    }
    return Status::OK();
  }

  Result<PlanPtr> RenameColumns(const DatasetDefinition& dataset, const PlanPtr& plan) {
    const auto& columns = dataset.options.columns;
    if (static_cast<int>(columns.size()) != plan->schema->num_fields()) {
      return DefinitionError("CREATE_VIEW_COLUMN_ARITY_MISMATCH", dataset.site, dataset.span,
                             "the view names " + std::to_string(columns.size()) +
                                 " columns, its query has " +
                                 std::to_string(plan->schema->num_fields()));
    }
    auto project = std::make_shared<sql::ProjectNode>();
    arrow::FieldVector fields;
    for (int i = 0; i < plan->schema->num_fields(); ++i) {
      fields.push_back(plan->schema->field(i)->WithName(columns[static_cast<size_t>(i)].name.text));
      project->expressions.push_back(sql::MakeColumn(i, *plan->schema->field(i)));
    }
    project->schema = arrow::schema(fields);
    project->inputs = {plan};
    project->is_streaming = plan->is_streaming;
    return PlanPtr(project);
  }

  Status AnalyzeTable(const DatasetDefinition& dataset) {
    std::vector<std::pair<const FlowDefinition*, PlanPtr>> plans;
    for (const FlowDefinition* flow : graph_.FlowsInto(dataset.name)) {
      if (flow->once) return NotSupported(dataset, "INSERT ONCE");
      SLUICE_ASSIGN_OR_RETURN(PlanPtr plan, AnalyzeFlowQuery(*flow));
      SLUICE_RETURN_NOT_OK(CheckKind(dataset, *flow, *plan));
      plans.emplace_back(flow, plan);
    }
    AnalyzedDataset analyzed;
    analyzed.definition = &dataset;
    SLUICE_ASSIGN_OR_RETURN(analyzed.schema, TableSchema(dataset, plans));
    SLUICE_RETURN_NOT_OK(ReadPartitioning(dataset, &analyzed));
    for (const sql::Property& property : dataset.options.properties)
      analyzed.properties[property.key] = property.value;
    std::vector<BoundExpectation> rules;
    SLUICE_RETURN_NOT_OK(BindExpectations(dataset, *analyzed.schema, &rules));
    for (const BoundExpectation& rule : rules) analyzed.expectations.push_back(rule.expectation);
    known_[dataset.name] = {dataset.kind, analyzed.schema, nullptr};
    for (const auto& [flow, plan] : plans) {
      AnalyzedFlow out;
      out.definition = flow;
      SLUICE_ASSIGN_OR_RETURN(out.plan, ToTableColumns(*flow, plan, analyzed.schema));
      SLUICE_RETURN_NOT_OK(At(flow->site, flow->query.span, ChooseExecution(dataset, rules, &out)));
      pipeline_.flows.push_back(std::move(out));
    }
    pipeline_.datasets.push_back(std::move(analyzed));
    return Status::OK();
  }

  Status CheckKind(const DatasetDefinition& dataset, const FlowDefinition& flow,
                   const sql::LogicalPlan& plan) {
    if (dataset.kind == DatasetKind::kStreamingTable && !plan.is_streaming) {
      return DefinitionError("INVALID_FLOW_QUERY_TYPE.BATCH_RELATION_FOR_STREAMING_TABLE",
                             flow.site, flow.query.span,
                             "the query of flow " + flow.name +
                                 " is not a stream, but its target is a STREAMING TABLE",
                             "read a source with STREAM, or make the target a MATERIALIZED VIEW");
    }
    if (dataset.kind == DatasetKind::kMaterializedView && plan.is_streaming) {
      return DefinitionError("INVALID_FLOW_QUERY_TYPE.STREAMING_RELATION_FOR_MATERIALIZED_VIEW",
                             flow.site, flow.query.span,
                             "the query of materialized view " + flow.name + " reads a stream",
                             "leave STREAM out, or make it a STREAMING TABLE");
    }
    return Status::OK();
  }

  /// Declared columns with a type, else those of the flows: the first one's, then what later ones
  /// add.
  Result<std::shared_ptr<arrow::Schema>> TableSchema(
      const DatasetDefinition& dataset,
      const std::vector<std::pair<const FlowDefinition*, PlanPtr>>& plans) {
    arrow::FieldVector fields;
    for (const sql::ColumnDefinition& column : dataset.options.columns) {
      if (!column.type.has_value())
        return NotSupported(dataset, "a column list without types: " + column.name.text);
      auto field = arrow::field(column.name.text, column.type->type, !column.not_null);
      if (column.comment.has_value()) {
        field = field->WithMetadata(
            arrow::KeyValueMetadata::Make({"comment"}, {JsonString(*column.comment)}));
      }
      fields.push_back(field);
    }
    const bool declared = !fields.empty();
    for (const auto& [flow, plan] : plans) {
      for (const auto& field : plan->schema->fields()) {
        const bool known = std::any_of(fields.begin(), fields.end(), [&](const auto& other) {
          return EqualsIgnoreCase(other->name(), field->name());
        });
        if (!known && !declared) {
          if (field->type()->id() == arrow::Type::NA) {
            return DefinitionError("VOID_COLUMN", flow->site, flow->query.span,
                                   "column has no type: " + field->name(),
                                   "cast NULL to a type: CAST(NULL AS STRING) AS " + field->name());
          }
          fields.push_back(arrow::field(field->name(), field->type(), true));
        } else if (!known) {
          return DefinitionError("INSERT_COLUMN_NOT_FOUND", flow->site, flow->query.span,
                                 "the query's column is not one of table " +
                                     dataset.name.ToString() + ": " + field->name());
        }
      }
      SLUICE_RETURN_NOT_OK(CheckUnique(*flow, *plan->schema));
    }
    return arrow::schema(fields);
  }

  Status CheckUnique(const FlowDefinition& flow, const arrow::Schema& schema) {
    std::set<std::string> names;
    for (const auto& field : schema.fields()) {
      if (!names.insert(LowerAscii(field->name())).second) {
        return DefinitionError("COLUMN_ALREADY_EXISTS", flow.site, flow.query.span,
                               "the query has two columns of one name: " + field->name(),
                               "give one of them an alias");
      }
    }
    return Status::OK();
  }

  Status ReadPartitioning(const DatasetDefinition& dataset, AnalyzedDataset* analyzed) {
    for (const sql::Expr& expr : dataset.options.partitioned_by) {
      const auto* column = expr.As<sql::ColumnRef>();
      if (column == nullptr || column->parts.size() != 1) {
        return DefinitionError(
            "NOT_SUPPORTED_YET", dataset.site, expr.span,
            "not supported yet: PARTITIONED BY something else than a top-level column");
      }
      std::string name;
      for (const auto& field : analyzed->schema->fields()) {
        if (EqualsIgnoreCase(field->name(), column->parts[0].text)) name = field->name();
      }
      if (name.empty()) {
        return DefinitionError(
            "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", dataset.site, expr.span,
            "PARTITIONED BY names no column of the table: " + column->parts[0].text);
      }
      analyzed->partition_columns.push_back(name);
    }
    return Status::OK();
  }

  Status BindExpectations(const DatasetDefinition& dataset, const arrow::Schema& schema,
                          std::vector<BoundExpectation>* rules) {
    RelationCatalog catalog(spec_, tables_, known_, dataset.site.default_schema);
    sql::Analyzer analyzer(catalog, *dataset.site.source);
    std::set<std::string> names;
    for (const sql::Expectation& expectation : dataset.options.expectations) {
      if (!names.insert(LowerAscii(expectation.name.text)).second) {
        return DefinitionError("DUPLICATE_EXPECTATION", dataset.site, expectation.span,
                               "two expectations have one name: " + expectation.name.text);
      }
      BoundExpectation rule;
      auto condition =
          analyzer.AnalyzeCondition(*expectation.condition, schema, dataset.name.table);
      if (!condition.ok()) return At(dataset.site, expectation.span, condition.status());
      rule.condition = *condition;
      rule.expectation.name = expectation.name.text;
      rule.expectation.condition = sql::ToSql(*expectation.condition);
      switch (expectation.action) {
        case sql::ViolationAction::kWarn:
          rule.expectation.action = quality::ViolationAction::kWarn;
          break;
        case sql::ViolationAction::kDropRow:
          rule.expectation.action = quality::ViolationAction::kDrop;
          break;
        case sql::ViolationAction::kFailUpdate:
          rule.expectation.action = quality::ViolationAction::kFail;
          break;
        case sql::ViolationAction::kQuarantine: {
          rule.expectation.action = quality::ViolationAction::kQuarantine;
          catalog::TableName table{dataset.name.schema, dataset.name.table + "_quarantine"};
          if (expectation.quarantine_table.has_value()) {
            SLUICE_ASSIGN_OR_RETURN(
                table, catalog::QualifyName(expectation.quarantine_table->Texts(), spec_.catalog,
                                            dataset.site.default_schema));
          }
          rule.expectation.quarantine_table = table.ToString();
          break;
        }
      }
      rules->push_back(std::move(rule));
    }
    return Status::OK();
  }

  /// The flow's columns matched to the table's by name, converted as an INSERT does; missing ones
  /// are NULL.
  Result<PlanPtr> ToTableColumns(const FlowDefinition& flow, const PlanPtr& plan,
                                 const std::shared_ptr<arrow::Schema>& schema) {
    auto project = std::make_shared<sql::ProjectNode>();
    for (const auto& field : schema->fields()) {
      BoundPtr value;
      for (int i = 0; i < plan->schema->num_fields(); ++i) {
        if (EqualsIgnoreCase(plan->schema->field(i)->name(), field->name()))
          value = sql::MakeColumn(i, *plan->schema->field(i));
      }
      if (value == nullptr) value = sql::MakeLiteral(arrow::MakeNullScalar(field->type()));
      auto assigned = sql::StoreAssignment(value, field->type(), field->name());
      if (!assigned.ok()) return At(flow.site, flow.query.span, assigned.status());
      project->expressions.push_back(*assigned);
    }
    project->schema = schema;
    project->inputs = {plan};
    project->is_streaming = plan->is_streaming;
    return PlanPtr(project);
  }

  Status ChooseExecution(const DatasetDefinition& dataset,
                         const std::vector<BoundExpectation>& rules, AnalyzedFlow* flow) {
    if (dataset.kind == DatasetKind::kStreamingTable) {
      StreamPlannerOptions options;
      options.expectations = rules;
      options.is_followed = [](const sql::LogicalPlan& node) {
        return node.is_streaming &&
               (node.kind == PlanKind::kScan || node.kind == PlanKind::kTableFunctionScan);
      };
      SLUICE_ASSIGN_OR_RETURN(flow->program, PlanStream(flow->plan, options));
      SLUICE_RETURN_NOT_OK(TryBuild(flow->program));
      NoteState(flow);
      return Status::OK();
    }
    flow->reason = WhyRecomputed(rules, flow);
    flow->execution = flow->reason.empty() ? Execution::kIncremental : Execution::kRecompute;
    return Status::OK();
  }

  /// Empty when the view can be kept from what is appended to its one input; fills flow->program
  /// then.
  std::string WhyRecomputed(const std::vector<BoundExpectation>& rules, AnalyzedFlow* flow) {
    std::vector<const sql::ScanNode*> scans;
    CollectScans(flow->plan, &scans);
    if (scans.empty()) return "it reads no table";
    if (scans.size() > 1) return "it reads more than one table";
    if (scans[0]->version.has_value() || scans[0]->changes.has_value())
      return "it reads versions of a table: " + scans[0]->dataset;
    if (!rules.empty()) return "it has expectations";
    if (PlanIsVolatile(flow->plan)) return "its query depends on the time it runs";
    const auto input = std::find_if(known_.begin(), known_.end(), [&](const auto& entry) {
      return entry.first.ToString() == scans[0]->dataset;
    });
    if (input == known_.end() || input->second.kind != DatasetKind::kStreamingTable) {
      return "rows of its input may change: " + scans[0]->dataset +
             " is not a streaming table of the pipeline";
    }
    StreamPlannerOptions options;
    options.view = true;
    options.is_followed = [](const sql::LogicalPlan& node) { return node.kind == PlanKind::kScan; };
    auto program = PlanStream(flow->plan, options);
    Status status = program.status();
    if (status.ok()) status = TryBuild(*program);
    if (!status.ok()) return status.message();
    flow->program = std::move(program).ValueUnsafe();
    return "";
  }

  /// Makes the operators once, so that what they refuse is an error of the definition.
  Status TryBuild(const StreamProgram& program) {
    FlowBuilderOptions options;
    options.flow_name = "check";
    options.make_static_table = [](const PlanPtr&) -> Result<operators::StaticTableProvider> {
      return operators::StaticTableProvider(
          []() -> Result<std::shared_ptr<const operators::StaticTable>> {
            return MakeError("INTERNAL_ERROR", "a plan under test was run");
          });
    };
    SLUICE_ASSIGN_OR_RETURN(BuiltFlow built, BuildFlow(program, options));
    for (auto& step : built.operators) SLUICE_RETURN_NOT_OK(step->Open());
    return Status::OK();
  }

  static void NoteState(AnalyzedFlow* flow) {
    for (const StreamStep& step : flow->program.steps) {
      if (step.kind == StepKind::kDedup && step.event_time < 0) {
        flow->notes.emplace_back(
            "deduplication without a watermark keeps every key for ever: its state grows without "
            "bound");
      }
    }
  }

  const ProjectSpec& spec_;
  const PipelineGraph& graph_;
  delta::TableRegistry& tables_;
  const ViewStore* const views_;
  std::map<catalog::TableName, KnownDataset> known_;
  std::set<catalog::TableName> broken_;
  std::set<catalog::TableName> own_;  // the datasets of the graph
  AnalyzedPipeline pipeline_;
};

}  // namespace

const AnalyzedDataset* AnalyzedPipeline::FindDataset(const catalog::TableName& name) const {
  const auto found = std::find_if(datasets.begin(), datasets.end(),
                                  [&](const auto& d) { return d.definition->name == name; });
  return found == datasets.end() ? nullptr : &*found;
}

Result<AnalyzedPipeline> AnalyzePipeline(const ProjectSpec& spec, const PipelineGraph& graph,
                                         delta::TableRegistry& tables, const ViewStore* views) {
  return PipelineAnalyzer(spec, graph, tables, views).Run();
}

AnalyzedPipeline AnalyzePipeline(const ProjectSpec& spec, const PipelineGraph& graph,
                                 delta::TableRegistry& tables, std::vector<Status>* errors,
                                 const ViewStore* views) {
  return PipelineAnalyzer(spec, graph, tables, views).RunAll(errors);
}

std::string ScanPath(const ProjectSpec& spec, const std::string& dataset) {
  if (dataset.rfind(kPathPrefix, 0) == 0) return dataset.substr(kPathPrefix.size());
  const size_t dot = dataset.find('.');
  return catalog::TablePath(spec.engine.warehouse,
                            {dataset.substr(0, dot), dataset.substr(dot + 1)});
}

std::vector<std::string> ScannedTables(const PlanPtr& plan) {
  std::vector<const sql::ScanNode*> scans;
  CollectScans(plan, &scans);
  std::vector<std::string> names;
  for (const sql::ScanNode* scan : scans) {
    if (std::find(names.begin(), names.end(), scan->dataset) == names.end())
      names.push_back(scan->dataset);
  }
  return names;
}

}  // namespace sluice::plan
