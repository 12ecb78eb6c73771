#include "sinks/pipeline_event.h"

#include <nlohmann/json.hpp>

namespace sluice::sinks {

namespace {

using Json = nlohmann::ordered_json;

std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);  // foreign bytes may be in it
}

PipelineEvent MakeEvent(std::string_view type, EventLevel level, std::string message,
                        Json details) {
  PipelineEvent event;
  event.type = type;
  event.level = level;
  event.message = std::move(message);
  Json outer;
  outer[event.type] = std::move(details);
  event.details = Text(outer);
  return event;
}

void SetError(const Status& error, PipelineEvent* event) {
  if (error.ok()) return;
  event->level = EventLevel::kError;
  Json json = {{"code", ErrorCode(error)}, {"message", error.message()}};
  const std::string hint = ErrorHint(error);
  if (!hint.empty()) json["hint"] = hint;
  event->error = Text(json);
  event->message += " " + ErrorCode(error) + ": " + error.message();
}

Json ExpectationsJson(const FlowMetrics& metrics) {
  Json list = Json::array();
  for (const auto& [name, count] : metrics.expectations) {
    list.push_back({{"name", name},
                    {"dataset", metrics.dataset},
                    {"passed_records", count.passed},
                    {"failed_records", count.failed}});
  }
  return list;
}

}  // namespace

std::string_view EventLevelName(EventLevel level) {
  switch (level) {
    case EventLevel::kInfo: return "INFO";
    case EventLevel::kWarn: return "WARN";
    case EventLevel::kError: return "ERROR";
    case EventLevel::kMetrics: return "METRICS";
  }
  return "INFO";
}

void FlowMetrics::Add(const FlowMetrics& later) {
  output_rows += later.output_rows;
  upserted_rows += later.upserted_rows;
  deleted_rows += later.deleted_rows;
  dropped_records += later.dropped_records;
  late_records += later.late_records;
  duplicate_records += later.duplicate_records;
  quarantined_records += later.quarantined_records;
  epochs += later.epochs;
  backlog_records = later.backlog_records;
  version = later.version;
  watermark = later.watermark;
  for (const auto& [name, count] : later.expectations) {
    expectations[name].passed += count.passed;
    expectations[name].failed += count.failed;
  }
}

PipelineEvent CreateUpdateEvent(std::string_view mode, const std::vector<std::string>& selection,
                                std::string_view program_version) {
  return MakeEvent(
      "create_update", EventLevel::kInfo, "Update started.",
      {{"mode", mode}, {"selection", selection}, {"program_version", program_version}});
}

PipelineEvent UserActionEvent(std::string_view user, std::string_view action) {
  return MakeEvent("user_action", EventLevel::kInfo,
                   "User " + std::string(user) + " performed " + std::string(action) + ".",
                   {{"action", action}, {"user_name", user}});
}

PipelineEvent DatasetDefinitionEvent(const DatasetDefinition& dataset) {
  PipelineEvent event = MakeEvent("dataset_definition", EventLevel::kInfo,
                                  "Dataset `" + dataset.name + "` defined as " + dataset.kind + ".",
                                  {{"name", dataset.name},
                                   {"dataset_type", dataset.kind},
                                   {"schema", dataset.schema},
                                   {"expectations", dataset.expectations}});
  event.dataset = dataset.name;
  return event;
}

PipelineEvent FlowDefinitionEvent(const FlowDefinition& flow) {
  PipelineEvent event = MakeEvent("flow_definition", EventLevel::kInfo,
                                  "Flow `" + flow.name + "` defined as " + flow.kind + ".",
                                  {{"name", flow.name},
                                   {"output_dataset", flow.target},
                                   {"flow_type", flow.kind},
                                   {"input_datasets", flow.inputs},
                                   {"query", flow.query}});
  event.flow = flow.name;
  event.dataset = flow.target;
  return event;
}

PipelineEvent GraphCreatedEvent(const std::vector<std::string>& datasets,
                                const std::vector<std::string>& flows) {
  return MakeEvent("graph_created", EventLevel::kInfo, "Flow graph created.",
                   {{"datasets", datasets}, {"flows", flows}});
}

PipelineEvent PlanningInformationEvent(std::string_view flow, std::string_view dataset,
                                       std::string_view technique, std::string_view reason) {
  PipelineEvent event =
      MakeEvent("planning_information", EventLevel::kInfo,
                "Flow `" + std::string(flow) + "` is kept " + std::string(technique) + ".",
                {{"technique", technique}, {"reason", reason}});
  event.flow = flow;
  event.dataset = dataset;
  return event;
}

PipelineEvent UpdateProgressEvent(std::string_view state, const Status& error) {
  PipelineEvent event = MakeEvent("update_progress", EventLevel::kInfo,
                                  "Run is " + std::string(state) + ".", {{"state", state}});
  SetError(error, &event);
  return event;
}

PipelineEvent FlowProgressEvent(std::string_view flow, std::string_view dataset,
                                std::string_view state, const Status& error) {
  PipelineEvent event = MakeEvent("flow_progress", EventLevel::kInfo,
                                  "Flow `" + std::string(flow) + "` is " + std::string(state) + ".",
                                  {{"status", state}});
  event.flow = flow;
  event.dataset = dataset;
  SetError(error, &event);
  return event;
}

PipelineEvent DataLossEvent(std::string_view flow, std::string_view dataset,
                            const flow::SourceGap& gap) {
  PipelineEvent event = MakeEvent("data_loss", EventLevel::kWarn,
                                  "Flow `" + std::string(flow) + "` passed over records of " +
                                      gap.partition + " that are gone: " + gap.reason + ".",
                                  {{"partition", gap.partition},
                                   {"from_offset", gap.from},
                                   {"to_offset", gap.to},
                                   {"records", gap.records},
                                   {"reason", gap.reason}});
  event.flow = flow;
  event.dataset = dataset;
  return event;
}

PipelineEvent FlowMetricsEvent(const FlowMetrics& metrics) {
  Json counts = {{"num_output_rows", metrics.output_rows},
                 {"num_upserted_rows", metrics.upserted_rows},
                 {"num_deleted_rows", metrics.deleted_rows},
                 {"num_late_rows", metrics.late_records},
                 {"num_duplicate_rows", metrics.duplicate_records},
                 {"num_quarantined_rows", metrics.quarantined_records},
                 {"num_epochs", metrics.epochs}};
  if (metrics.backlog_records >= 0) counts["backlog_records"] = metrics.backlog_records;
  if (metrics.version.value() >= 0) counts["table_version"] = metrics.version.value();
  if (metrics.watermark != kNoTimestamp) counts["watermark_micros"] = metrics.watermark;
  PipelineEvent event =
      MakeEvent("flow_progress", EventLevel::kMetrics,
                "Flow `" + metrics.flow + "` wrote " + std::to_string(metrics.output_rows) +
                    " rows in " + std::to_string(metrics.epochs) + " epochs.",
                {{"status", "RUNNING"},
                 {"metrics", std::move(counts)},
                 {"data_quality",
                  {{"dropped_records", metrics.dropped_records},
                   {"expectations", ExpectationsJson(metrics)}}}});
  event.flow = metrics.flow;
  event.dataset = metrics.dataset;
  return event;
}

}  // namespace sluice::sinks
