// How long after its record was produced an event was visible in each table of the demo: from the
// record's Kafka timestamp to the commit of the version that holds it (a view: of the first version
// that covers it). Commits are noted while the pipeline runs, rows are looked up afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/project.h"
#include "base/mutex.h"
#include "base/status.h"
#include "engine/flow_status.h"

namespace sluice::app {

/// Notes when each version was committed. Thread-safe.
class CommitTimes : public engine::FlowListener {
 public:
  explicit CommitTimes(Clock& clock) : clock_(clock) {}
  void OnFlowState(const engine::FlowStatus&) override {}
  void OnFlowProgress(const std::string& flow, const engine::EpochProgress& progress) override;
  /// Version -> time, of the versions that `flow` committed.
  std::map<int64_t, TimestampMicros> Of(const std::string& flow) EXCLUDES_LOCK(mutex_);

 private:
  Clock& clock_;
  Mutex mutex_;
  std::map<std::string, std::map<int64_t, TimestampMicros>> commits_ GUARDED_BY(mutex_);
};

/// Milliseconds.
struct LatencyRow {
  std::string table;
  int64_t rows = 0;
  int64_t p50 = 0;
  int64_t p95 = 0;
  int64_t p99 = 0;
};

/// Of the tables that carry the Kafka timestamp (`timestamp` in bronze_events, `kafka_timestamp` in
/// silver_events) and of the views that are kept incrementally over the latter.
Result<std::vector<LatencyRow>> MeasureLatencies(Project& project, CommitTimes& commits);

}  // namespace sluice::app
