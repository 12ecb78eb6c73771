#include "plan/pipeline_builder.h"

#include <unistd.h>

#include <algorithm>

#include "base/host.h"
#include "base/text.h"
#include "delta/files/scan.h"
#include "engine/recompute.h"
#include "operators/project_operator.h"
#include "operators/sql_row_evaluator.h"
#include "plan/flow_builder.h"
#include "plan/json_decoding.h"
#include "plan/record_lineage.h"
#include "plan/relation_catalog.h"
#include "plan/static_table.h"
#include "plan/table_scan.h"
#include "quality/expectation_operator.h"
#include "sinks/delta_append_sink.h"
#include "sinks/delta_merge_sink.h"
#include "sources/kafka/kafka_source.h"
#include "sources/table/table_source.h"
#include "sql/analysis/analyzer.h"
#include "sql/print/print.h"
#include "state/snapshot_store.h"

namespace sluice::plan {
namespace {

class FlowsBuilder {
 public:
  FlowsBuilder(const ProjectSpec& spec, const PipelineGraph& graph,
               const AnalyzedPipeline& pipeline, const BuildEnvironment& environment,
               const std::function<bool(const std::string&)>& include)
      : spec_(spec),
        graph_(graph),
        pipeline_(pipeline),
        environment_(environment),
        include_(include) {}

  Result<std::vector<engine::Pipeline::Flow>> Run() {
    std::vector<engine::Pipeline::Flow> flows;
    for (const AnalyzedFlow& flow : pipeline_.flows) {
      if (!Included(flow.definition->name)) continue;
      auto built = Build(flow);
      if (!built.ok()) return WithContext(built.status(), "flow " + flow.definition->name);
      flows.push_back(std::move(built).ValueUnsafe());
    }
    return flows;
  }

 private:
  bool Included(const std::string& flow) const { return include_ == nullptr || include_(flow); }

  Result<engine::Pipeline::Flow> Build(const AnalyzedFlow& flow) {
    const AnalyzedDataset& dataset = *pipeline_.FindDataset(flow.definition->target);
    engine::Pipeline::Flow out;
    out.spec.name = flow.definition->name;
    out.spec.target = flow.definition->target.ToString();
    out.spec.definition = sql::ToSql(flow.definition->query);
    out.spec.hand_off = HandOffOf(out.spec.target);
    SLUICE_RETURN_NOT_OK(ReadLimits(dataset, &out.spec.limits));
    if (flow.execution == Execution::kRecompute) {
      SLUICE_RETURN_NOT_OK(BuildRecompute(flow, dataset, &out.spec));
    } else {
      SLUICE_RETURN_NOT_OK(BuildStream(flow, dataset, &out.spec));
    }
    out.snapshots = std::make_unique<state::SnapshotStore>(
        environment_.storage, spec_.storage + "/state/" + flow.definition->name);
    return out;
  }

  /// A setting of a table: its property, else the project's configuration.
  std::string Setting(const AnalyzedDataset& dataset, const std::string& key,
                      const std::string& otherwise) const {
    for (const auto& [name, value] : dataset.properties) {
      if (EqualsIgnoreCase(name, key)) return value;
    }
    const auto found = graph_.configuration.find(key);
    return found == graph_.configuration.end() ? otherwise : found->second;
  }

  Status ReadLimits(const AnalyzedDataset& dataset, engine::FlowLimits* limits) const {
    const std::string trigger = "pipelines.trigger.interval";
    SLUICE_ASSIGN_OR_RETURN(limits->trigger_interval_micros,
                            ParseDuration(trigger, Setting(dataset, trigger, "1 second")));
    if (limits->trigger_interval_micros < 25'000) {
      return MakeError("PIPELINE_INVALID_PROPERTY",
                       trigger + " is below 25 ms: " + Setting(dataset, trigger, ""));
    }
    const std::string future = "pipelines.watermark.maxFuture";
    SLUICE_ASSIGN_OR_RETURN(limits->max_future_micros,
                            ParseDuration(future, Setting(dataset, future, "1 hour")));
    limits->max_epoch_rows = spec_.engine.max_rows_per_epoch;
    limits->max_epoch_bytes = spec_.engine.max_bytes_per_epoch;
    return Status::OK();
  }

  Status BuildStream(const AnalyzedFlow& flow, const AnalyzedDataset& dataset,
                     engine::FlowSpec* spec) {
    FlowBuilderOptions options;
    options.flow_name = spec->name;
    options.state_limit_bytes = spec_.engine.state_limit_bytes;
    options.spill_folder = spec_.storage + "/spill/" + spec->name;
    options.late_table = QuarantineTable(flow.definition->target);
    SLUICE_ASSIGN_OR_RETURN(options.late_policy, LatePolicyOf(dataset));
    const std::string collected = Setting(dataset, "pipelines.state.maxCollected", "10000");
    options.max_collected = std::strtoll(collected.c_str(), nullptr, 10);
    if (options.max_collected <= 0) {
      return MakeError("PIPELINE_INVALID_PROPERTY",
                       "pipelines.state.maxCollected is not a number above 0: " + collected);
    }
    options.make_static_table = [this](const sql::PlanPtr& plan) {
      return MakeStaticTable(plan, spec_, environment_.tables, environment_.runner,
                             environment_.clock);
    };
    SLUICE_ASSIGN_OR_RETURN(BuiltFlow built, BuildFlow(flow.program, options));
    engine::FlowInput input;
    input.watermark_delay_micros = built.watermark_delay_micros;
    SLUICE_RETURN_NOT_OK(BuildSource(*flow.program.source, built.source_columns, &input));
    spec->inputs.push_back(std::move(input));
    spec->operators = std::move(built.operators);
    if (built.has_memory) {
      const bool replay = built.bounded_memory && built.watermark_delay_micros.has_value();
      spec->state_rebuild =
          replay ? engine::StateRebuild::kFromReplay : engine::StateRebuild::kFromStart;
    }
    return BuildSink(flow, dataset, options, spec);
  }

  Status BuildSource(const sql::LogicalPlan& source, const std::vector<int>& columns,
                     engine::FlowInput* input) {
    arrow::FieldVector fields;
    std::vector<std::string> names;
    for (const int column : columns) {
      fields.push_back(source.schema->field(column));
      names.push_back(source.schema->field(column)->name());
    }
    if (source.kind == sql::PlanKind::kTableFunctionScan) {
      const auto& function = sql::As<sql::TableFunctionNode>(source);
      SLUICE_ASSIGN_OR_RETURN(auto options,
                              sources::ParseKafkaOptions(KafkaSourceId(function), function.args));
      input->max_rows_per_epoch = options.max_offsets_per_trigger.value_or(0);
      SLUICE_ASSIGN_OR_RETURN(
          input->source, sources::KafkaSource::Make(std::move(options), names, environment_.clock));
      return Status::OK();
    }
    const auto& scan = sql::As<sql::ScanNode>(source);
    sources::TableSourceOptions options;
    options.id = scan.dataset.rfind(kPathPrefix, 0) == 0 ? "path" : scan.dataset;
    options.table_path = ScanPath(spec_, scan.dataset);
    options.schema = arrow::schema(fields);
    options.record = CarriedRecord(pipeline_, scan.dataset, *options.schema);
    SLUICE_RETURN_NOT_OK(ReadScanOptions(scan, &options));
    SLUICE_ASSIGN_OR_RETURN(input->source, sources::TableSource::Make(
                                               std::move(options), environment_.tables,
                                               HandOffIfWritten(scan.dataset), environment_.clock));
    input->upstream_flows = UpstreamFlows(scan.dataset);
    return Status::OK();
  }

  static Status ReadScanOptions(const sql::ScanNode& scan, sources::TableSourceOptions* options) {
    for (const auto& [key, value] : scan.options) {
      const std::string name = LowerAscii(key);
      const bool on = value.empty() || EqualsIgnoreCase(value, "true");
      if (name == "skipchangecommits" || name == "ignorechanges" || name == "ignoredeletes") {
        options->skip_change_commits = on;
      } else if (name == "startingversion") {
        options->starting_version = TableVersion(std::strtoll(value.c_str(), nullptr, 10));
      } else {
        return MakeError("NOT_SUPPORTED_YET",
                         "not supported yet: option " + key + " of STREAM " + scan.dataset);
      }
    }
    return Status::OK();
  }

  /// Stable while the flow reads the same topics: positions carry it.
  static std::string KafkaSourceId(const sql::TableFunctionNode& function) {
    std::string id = function.identified_by;
    for (const auto& [key, value] : function.args) {
      const std::string name = LowerAscii(key);
      if (id.empty() && (name == "subscribe" || name == "subscribepattern" || name == "assign"))
        id = value;
    }
    std::replace(id.begin(), id.end(), '/', '_');
    return "kafka-" + id;
  }

  Status BuildSink(const AnalyzedFlow& flow, const AnalyzedDataset& dataset,
                   const FlowBuilderOptions& options, engine::FlowSpec* spec) {
    sinks::DeltaSinkOptions sink = SinkOptions(flow, dataset);
    for (const quality::Expectation& rule : dataset.expectations) {
      if (rule.action == quality::ViolationAction::kQuarantine)
        AddSatellite(rule.quarantine_table, &sink);
    }
    const bool late =
        std::any_of(flow.program.steps.begin(), flow.program.steps.end(),
                    [](const StreamStep& step) { return step.kind == StepKind::kWatermark; });
    if (late && options.late_policy == operators::LatePolicy::kQuarantine)
      AddSatellite(options.late_table, &sink);
    if (flow.program.has_aggregate) {
      sinks::MergeOptions merge;
      for (const int key : flow.program.merge_keys)
        merge.key_columns.push_back(sink.schema->field(key)->name());
      return MakeMergeSink(std::move(sink), std::move(merge), spec);
    }
    SLUICE_ASSIGN_OR_RETURN(
        spec->sink, sinks::DeltaAppendSink::Make(std::move(sink), environment_.tables, NextSeed()));
    return Status::OK();
  }

  Status MakeMergeSink(sinks::DeltaSinkOptions sink, sinks::MergeOptions merge,
                       engine::FlowSpec* spec) {
    sink.properties.emplace("delta.enableDeletionVectors", "true");
    SLUICE_ASSIGN_OR_RETURN(spec->sink,
                            sinks::DeltaMergeSink::Make(std::move(sink), std::move(merge),
                                                        environment_.tables, NextSeed()));
    return Status::OK();
  }

  sinks::DeltaSinkOptions SinkOptions(const AnalyzedFlow& flow,
                                      const AnalyzedDataset& dataset) const {
    sinks::DeltaSinkOptions sink;
    sink.workers = environment_.workers;
    sink.flow_name = flow.definition->name;
    sink.table_path = catalog::TablePath(spec_.engine.warehouse, flow.definition->target);
    sink.schema = dataset.schema;
    sink.partition_columns = dataset.partition_columns;
    sink.properties = dataset.properties;
    sink.table_name = flow.definition->target.table;
    sink.comment = dataset.definition->options.comment;
    sink.host = HostName();
    sink.pid = ::getpid();
    return sink;
  }

  void AddSatellite(const std::string& table, sinks::DeltaSinkOptions* sink) const {
    sinks::SatelliteOptions satellite;
    satellite.path = ScanPath(spec_, table);
    sink->satellites.emplace(table, std::move(satellite));
  }

  Status BuildRecompute(const AnalyzedFlow& flow, const AnalyzedDataset& dataset,
                        engine::FlowSpec* spec) {
    std::vector<engine::RecomputeInput> inputs;
    std::vector<std::string> upstream;
    for (const std::string& table : ScannedTables(flow.plan)) {
      inputs.push_back(MakeRecomputeInput(table));
      for (std::string& name : UpstreamFlows(table)) upstream.push_back(std::move(name));
    }
    const bool constant = inputs.empty();
    auto compute = [this_spec = spec_, plan = flow.plan, environment = environment_](
                       const flow::EpochContext& epoch,
                       const std::map<std::string, int64_t>& versions)
        -> Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> {
      SLUICE_ASSIGN_OR_RETURN(
          auto rows,
          environment.runner.Run(plan, MakeScanOpener(this_spec, environment.tables, versions),
                                 epoch.clock));
      return rows->ToRecordBatches();
    };
    auto parts =
        engine::MakeRecompute("inputs", std::move(inputs), dataset.schema, std::move(compute),
                              environment_.clock, spec->limits.trigger_interval_micros);
    engine::FlowInput input;
    input.source = std::move(parts.source);
    input.finite = constant;
    input.upstream_flows = std::move(upstream);
    spec->inputs.push_back(std::move(input));
    spec->operators.push_back(std::move(parts.compute));
    SLUICE_RETURN_NOT_OK(AddViewExpectations(flow, dataset, spec));
    sinks::DeltaSinkOptions sink = SinkOptions(flow, dataset);
    return MakeMergeSink(std::move(sink), {}, spec);
  }

  /// Rules of a recomputed view: conditions computed behind its columns, then checked.
  Status AddViewExpectations(const AnalyzedFlow& flow, const AnalyzedDataset& dataset,
                             engine::FlowSpec* spec) {
    if (dataset.expectations.empty()) return Status::OK();
    const std::map<catalog::TableName, KnownDataset> none;
    const DatasetDefinition& definition = *dataset.definition;
    RelationCatalog catalog(spec_, environment_.tables, none, definition.site.default_schema);
    sql::Analyzer analyzer(catalog, *definition.site.source);
    operators::ProjectOptions project;
    for (int i = 0; i < dataset.schema->num_fields(); ++i) {
      project.columns.push_back(operators::OutputColumn::PassOn(dataset.schema->field(i), i));
    }
    std::vector<sql::BoundPtr> conditions;
    std::vector<quality::EvaluatedExpectation> rules;
    for (size_t i = 0; i < dataset.expectations.size(); ++i) {
      if (dataset.expectations[i].action == quality::ViolationAction::kQuarantine) {
        return MakeError("EXPECTATION_NOT_ROW_PRESERVING",
                         "rule " + dataset.expectations[i].name +
                             " of a materialized view cannot quarantine: " + flow.definition->name,
                         "use DROP ROW, or put the rule on a streaming table");
      }
      SLUICE_ASSIGN_OR_RETURN(
          auto condition, analyzer.AnalyzeCondition(*definition.options.expectations[i].condition,
                                                    *dataset.schema, definition.name.table));
      project.columns.push_back(operators::OutputColumn::Compute(
          arrow::field(dataset.expectations[i].name, arrow::boolean()), static_cast<int>(i)));
      rules.push_back(
          {dataset.expectations[i], dataset.schema->num_fields() + static_cast<int>(i)});
      conditions.push_back(std::move(condition));
    }
    project.evaluator = operators::SqlEvaluatorFactory(dataset.schema, std::move(conditions), {});
    auto computed = std::make_unique<operators::ProjectOperator>(std::move(project));
    const auto schema = computed->output_schema();
    spec->operators.push_back(std::move(computed));
    SLUICE_ASSIGN_OR_RETURN(
        auto expect,
        quality::ExpectationOperator::Make(std::move(rules), schema, dataset.schema->num_fields()));
    spec->operators.push_back(std::move(expect));
    return Status::OK();
  }

  engine::RecomputeInput MakeRecomputeInput(const std::string& table) {
    engine::RecomputeInput input;
    input.id = table;
    input.hand_off = HandOffIfWritten(table);
    delta::TableRegistry& tables = environment_.tables;
    const std::string path = ScanPath(spec_, table);
    input.newest_version = [&tables, path]() -> Result<int64_t> {
      SLUICE_ASSIGN_OR_RETURN(bool exists, tables.Exists(path));
      if (!exists) return -1;
      SLUICE_ASSIGN_OR_RETURN(auto opened, tables.Open(path));
      SLUICE_ASSIGN_OR_RETURN(auto snapshot, opened->Update());
      return snapshot->version().value();
    };
    input.rows_changed = [&tables, path](int64_t after, int64_t upto) -> Result<bool> {
      SLUICE_ASSIGN_OR_RETURN(auto opened, tables.Open(path));
      for (int64_t version = after + 1; version <= upto; ++version) {
        auto changes = delta::ReadVersionChanges(*opened, TableVersion(version));
        if (HasCode(changes.status(), "DELTA_VERSION_NOT_FOUND"))
          return true;  // cleaned up: assume a change
        SLUICE_RETURN_NOT_OK(changes.status());
        if (!changes->added.empty() || changes->removed_rows || changes->metadata_changed)
          return true;
      }
      return false;
    };
    return input;
  }

  std::vector<std::string> UpstreamFlows(const std::string& table) const {
    std::vector<std::string> names;
    for (const FlowDefinition& flow : graph_.flows) {
      if (flow.target.ToString() == table && Included(flow.name)) names.push_back(flow.name);
    }
    return names;
  }

  std::shared_ptr<flow::HandOff> HandOffOf(const std::string& table) {
    auto& hand_off = hand_offs_[table];
    if (hand_off == nullptr)
      hand_off = std::make_shared<flow::HandOff>(spec_.engine.hand_off_bytes);
    return hand_off;
  }
  std::shared_ptr<flow::HandOff> HandOffIfWritten(const std::string& table) {
    return UpstreamFlows(table).empty() ? nullptr : HandOffOf(table);
  }

  static std::string QuarantineTable(const catalog::TableName& target) {
    return target.ToString() + "_quarantine";
  }

  Result<operators::LatePolicy> LatePolicyOf(const AnalyzedDataset& dataset) const {
    const std::string policy = Setting(dataset, "pipelines.late.rows", "quarantine");
    if (policy == "quarantine") return operators::LatePolicy::kQuarantine;
    if (policy == "drop") return operators::LatePolicy::kDrop;
    if (policy == "keep") return operators::LatePolicy::kKeep;
    return MakeError("PIPELINE_INVALID_PROPERTY",
                     "pipelines.late.rows is none of quarantine, drop, keep: " + policy);
  }

  uint64_t NextSeed() { return environment_.seed + 0x9E3779B97F4A7C15ULL * ++seeds_; }

  const ProjectSpec& spec_;
  const PipelineGraph& graph_;
  const AnalyzedPipeline& pipeline_;
  const BuildEnvironment environment_;
  const std::function<bool(const std::string&)>& include_;
  std::map<std::string, std::shared_ptr<flow::HandOff>> hand_offs_;
  uint64_t seeds_ = 0;
};

}  // namespace

Result<std::vector<engine::Pipeline::Flow>> BuildFlows(
    const ProjectSpec& spec, const PipelineGraph& graph, const AnalyzedPipeline& pipeline,
    const BuildEnvironment& environment,
    const std::function<bool(const std::string& flow)>& include) {
  return FlowsBuilder(spec, graph, pipeline, environment, include).Run();
}

std::vector<std::string> FlowsBeforeStart(const AnalyzedPipeline& pipeline) {
  std::set<std::string> tables;
  for (const AnalyzedFlow& flow : pipeline.flows) {
    for (const StreamStep& step : flow.program.steps) {
      if (step.kind != StepKind::kStaticJoin) continue;
      for (const std::string& table : ScannedTables(step.static_plan)) tables.insert(table);
    }
  }
  std::vector<std::string> flows;
  for (auto flow = pipeline.flows.rbegin(); flow != pipeline.flows.rend();
       ++flow) {  // downstream first
    if (tables.count(flow->definition->target.ToString()) == 0) continue;
    flows.insert(flows.begin(), flow->definition->name);
    for (const std::string& table : ScannedTables(flow->plan)) tables.insert(table);
  }
  return flows;
}

Result<int64_t> ParseDuration(const std::string& key, const std::string& text) {
  std::string lower = LowerAscii(text);
  if (lower.rfind("interval ", 0) == 0) lower = lower.substr(9);
  char* end = nullptr;
  const double number = std::strtod(lower.c_str(), &end);
  std::string unit(end);
  unit.erase(std::remove(unit.begin(), unit.end(), ' '), unit.end());
  if (unit.size() > 2 && unit.back() == 's' && unit != "ms") unit.pop_back();
  static const std::map<std::string, double> kMicros = {
      {"us", 1},       {"microsecond", 1}, {"ms", 1e3},      {"millisecond", 1e3}, {"s", 1e6},
      {"second", 1e6}, {"m", 6e7},         {"minute", 6e7},  {"min", 6e7},         {"h", 3.6e9},
      {"hour", 3.6e9}, {"d", 8.64e10},     {"day", 8.64e10}, {"week", 6.048e11}};
  const auto found = kMicros.find(unit);
  if (end == lower.c_str() || found == kMicros.end() || number < 0) {
    return MakeError("PIPELINE_INVALID_PROPERTY", key + " is not a duration: " + text,
                     "write for example '500 ms' or '2 minutes'");
  }
  return static_cast<int64_t>(number * found->second);
}

}  // namespace sluice::plan
