#include "plan/run_log.h"

#include <cstdlib>

#include "base/host.h"
#include "base/log.h"
#include "base/random.h"
#include "sinks/event_log.h"
#include "sql/ast/quote.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"
#include "sql/print/print.h"

namespace sluice::plan {
namespace {

std::string KindWord(DatasetKind kind) {
  std::string word(DatasetKindName(kind));
  for (char& c : word) {
    if (c == ' ') c = '_';
  }
  return word;
}

const char* FlowKind(Execution execution) {
  switch (execution) {
    case Execution::kStream: return "APPEND";
    case Execution::kIncremental: return "INCREMENTAL";
    case Execution::kRecompute: return "COMPLETE";
  }
  return "";
}

std::string Ddl(const arrow::Schema& schema) {
  std::string text;
  for (const auto& field : schema.fields()) {
    text += (text.empty() ? "" : ", ") + sql::QuoteIdentifier(field->name()) + " " +
            sql::SparkTypeSql(*field->type());
  }
  return text;
}

sinks::FlowMetrics ToMetrics(const std::string& flow, const std::string& target,
                             const engine::EpochProgress& progress) {
  sinks::FlowMetrics metrics;
  metrics.flow = flow;
  metrics.dataset = target;
  metrics.output_rows = progress.output_rows;
  metrics.backlog_records = progress.lag;
  metrics.dropped_records = progress.dropped_rows;
  metrics.late_records = progress.late_rows;
  metrics.duplicate_records = progress.duplicate_rows;
  metrics.quarantined_records = progress.quarantined_rows;
  metrics.epochs = 1;
  metrics.version = progress.version;
  metrics.watermark = progress.watermark;
  metrics.expectations = progress.expectations;
  return metrics;
}

}  // namespace

RunLog::RunLog(const ProjectSpec& spec, const AnalyzedPipeline& pipeline,
               delta::TableRegistry& tables, Clock& clock, uint64_t seed,
               engine::FlowListener* next)
    : spec_(spec), pipeline_(pipeline), next_(next) {
  for (const AnalyzedFlow& flow : pipeline.flows) {
    targets_[flow.definition->name] = flow.definition->target.ToString();
  }
  if (!spec.engine.event_log_enabled) return;
  sinks::EventLogOptions options;
  options.table_path =
      catalog::TablePath(spec.engine.warehouse, {spec.database, spec.engine.event_log});
  options.pipeline_name = spec.name;
  options.update_id = Random(seed).Uuid();
  options.host = HostName();
  log_ = std::make_unique<sinks::EventLog>(std::move(options), tables, clock, seed);
}

RunLog::~RunLog() = default;

void RunLog::Begin(bool full_refresh) {
  if (log_ == nullptr) return;
  log_->Append(sinks::CreateUpdateEvent(full_refresh ? "FULL_REFRESH" : "DEFAULT", {}, "0.1.0"));
  const char* user = std::getenv("USER");
  log_->Append(sinks::UserActionEvent(user == nullptr ? "unknown" : user, "START"));
  LogDefinitions();
  log_->Append(sinks::UpdateProgressEvent("RUNNING"));
}

void RunLog::LogDefinitions() {
  std::vector<std::string> datasets;
  std::vector<std::string> flows;
  for (const AnalyzedDataset& dataset : pipeline_.datasets) {
    sinks::DatasetDefinition definition;
    definition.name = dataset.definition->name.ToString();
    definition.kind = KindWord(dataset.definition->kind);
    definition.schema = Ddl(*dataset.schema);
    for (const auto& rule : dataset.expectations) definition.expectations.push_back(rule.name);
    datasets.push_back(definition.name);
    log_->Append(sinks::DatasetDefinitionEvent(definition));
  }
  for (const AnalyzedFlow& flow : pipeline_.flows) {
    sinks::FlowDefinition definition;
    definition.name = flow.definition->name;
    definition.target = flow.definition->target.ToString();
    definition.kind = FlowKind(flow.execution);
    for (const auto& read : flow.definition->reads)
      definition.inputs.push_back(read.name.ToString());
    definition.query = sql::ToSql(flow.definition->query);
    flows.push_back(definition.name);
    log_->Append(sinks::FlowDefinitionEvent(definition));
    if (flow.execution != Execution::kStream) {
      const bool recompute = flow.execution == Execution::kRecompute;
      log_->Append(sinks::PlanningInformationEvent(definition.name, definition.target,
                                                   recompute ? "recomputed" : "incremental",
                                                   flow.reason));
    }
  }
  log_->Append(sinks::GraphCreatedEvent(datasets, flows));
}

void RunLog::End(const Status& error, bool stopped) {
  if (log_ == nullptr) return;
  const char* state = !error.ok() ? "FAILED" : stopped ? "CANCELED" : "COMPLETED";
  log_->Append(sinks::UpdateProgressEvent(state, error));
  const Status closed = log_->Close();
  if (!closed.ok()) log::Warn("event log: {}", closed.message());
}

void RunLog::OnFlowState(const engine::FlowStatus& status) {
  // A continuous flow goes idle and runs again all the time: only what a person would note is kept.
  const bool flapping =
      status.state == engine::FlowState::kIdle ||
      (status.state == engine::FlowState::kRunning && status.epochs > 0 && status.error.ok());
  if (log_ != nullptr && !flapping) {
    log_->Append(sinks::FlowProgressEvent(status.name, status.target,
                                          engine::FlowStateName(status.state), status.error));
  }
  if (next_ != nullptr) next_->OnFlowState(status);
}

void RunLog::OnFlowProgress(const std::string& flow, const engine::EpochProgress& progress) {
  if (log_ != nullptr) {
    const std::string& target = targets_.at(flow);
    log_->AppendMetrics(ToMetrics(flow, target, progress));
    for (const flow::SourceGap& gap : progress.gaps)
      log_->Append(sinks::DataLossEvent(flow, target, gap));
  }
  if (next_ != nullptr) next_->OnFlowProgress(flow, progress);
}

}  // namespace sluice::plan
