// What happened in a pipeline, as plain values: the events of Lakeflow's event log with their JSON
// details. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/named_type.h"
#include "base/status.h"
#include "flow/epoch.h"
#include "flow/source_gap.h"

namespace sluice::sinks {

enum class EventLevel { kInfo, kWarn, kError, kMetrics };
/// "INFO", "WARN", "ERROR", "METRICS".
std::string_view EventLevelName(EventLevel level);

struct PipelineEvent {
  std::string type;  // "flow_progress", ...
  EventLevel level = EventLevel::kInfo;
  std::string message;  // one line, as on the terminal
  std::string flow;     // empty = none
  std::string dataset;  // empty = none
  std::string details;  // JSON: an object with one member named as the type
  std::string error;    // JSON; empty = none
};

/// A dataset or flow as it was planned.
struct DatasetDefinition {
  std::string name;
  std::string kind;    // "STREAMING_TABLE", "MATERIALIZED_VIEW", "VIEW", "SINK"
  std::string schema;  // DDL text
  std::vector<std::string> expectations;
};
struct FlowDefinition {
  std::string name;
  std::string target;
  std::string kind;  // "APPEND", "AUTO_CDC", "INCREMENTAL", "COMPLETE"
  std::vector<std::string> inputs;
  std::string query;
};

/// Counts of one flow since its last metrics event.
struct FlowMetrics {
  std::string flow;
  std::string dataset;  // its target
  int64_t output_rows = 0;
  int64_t upserted_rows = 0;
  int64_t deleted_rows = 0;
  int64_t backlog_records = -1;  // -1 = not known
  int64_t dropped_records = 0;
  int64_t late_records = 0;
  int64_t duplicate_records = 0;
  int64_t quarantined_records = 0;
  int64_t epochs = 0;
  TableVersion version{-1};  // newest of the target
  TimestampMicros watermark = kNoTimestamp;
  std::map<std::string, flow::ExpectationCount> expectations;

  /// Adds the counts of `later`; its backlog, version and watermark replace these.
  void Add(const FlowMetrics& later);
};

/// `selection`: the tables asked for, empty = all. `mode`: "DEFAULT", "FULL_REFRESH", "DRY_RUN".
PipelineEvent CreateUpdateEvent(std::string_view mode, const std::vector<std::string>& selection,
                                std::string_view program_version);
PipelineEvent UserActionEvent(std::string_view user, std::string_view action);
PipelineEvent DatasetDefinitionEvent(const DatasetDefinition& dataset);
PipelineEvent FlowDefinitionEvent(const FlowDefinition& flow);
PipelineEvent GraphCreatedEvent(const std::vector<std::string>& datasets,
                                const std::vector<std::string>& flows);
/// How a view is kept ("incremental", "recomputed") and why.
PipelineEvent PlanningInformationEvent(std::string_view flow, std::string_view dataset,
                                       std::string_view technique, std::string_view reason);
/// `state`: "RUNNING", "COMPLETED", "FAILED", "CANCELED".
PipelineEvent UpdateProgressEvent(std::string_view state, const Status& error = Status::OK());
/// A change of state of a flow: "QUEUED", "STARTING", "RUNNING", "IDLE", "COMPLETED", "FAILED",
/// "STOPPED".
PipelineEvent FlowProgressEvent(std::string_view flow, std::string_view dataset,
                                std::string_view state, const Status& error = Status::OK());
/// Records that the flow's source no longer had, passed over because failOnDataLoss is false.
PipelineEvent DataLossEvent(std::string_view flow, std::string_view dataset,
                            const flow::SourceGap& gap);
PipelineEvent FlowMetricsEvent(const FlowMetrics& metrics);

}  // namespace sluice::sinks
