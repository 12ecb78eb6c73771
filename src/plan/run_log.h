// The event log of one run: what the pipeline is, how its flows fare, how it ends. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "delta/log/table.h"
#include "engine/flow_status.h"
#include "plan/pipeline_analysis.h"

namespace sluice::sinks {
class EventLog;
}

namespace sluice::plan {

/// Writes <schema>.event_log, or nothing when sluice.yml says `event_log: false`.
class RunLog : public engine::FlowListener {
 public:
  /// `next` (may be null) is told the same after this. All outlive the log.
  RunLog(const ProjectSpec& spec, const AnalyzedPipeline& pipeline, delta::TableRegistry& tables,
         Clock& clock, uint64_t seed, engine::FlowListener* next);
  ~RunLog() override;

  /// The run begins: definitions, plan and state of the update.
  void Begin(bool full_refresh);
  /// The run is over; everything is written on return. Never an error of the run.
  void End(const Status& error, bool stopped);

  void OnFlowState(const engine::FlowStatus& status) override;
  void OnFlowProgress(const std::string& flow, const engine::EpochProgress& progress) override;

 private:
  void LogDefinitions();

  const ProjectSpec& spec_;
  const AnalyzedPipeline& pipeline_;
  engine::FlowListener* const next_;
  std::map<std::string, std::string> targets_;  // flow -> table
  std::unique_ptr<sinks::EventLog> log_;
};

}  // namespace sluice::plan
