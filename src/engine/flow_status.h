// What the outside sees of a flow: a snapshot for the terminal view, and calls for the event log.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/named_type.h"
#include "base/status.h"
#include "flow/epoch.h"
#include "flow/source_gap.h"

namespace sluice::engine {

/// Lakeflow's words for flow_progress.
enum class FlowState { kQueued, kStarting, kRunning, kIdle, kCompleted, kFailed, kStopped };
/// "QUEUED", "STARTING", ...
const char* FlowStateName(FlowState state);

struct FlowStatus {
  std::string name;
  std::string target;
  FlowState state = FlowState::kQueued;
  std::string
      waits_for;  // what a RUNNING flow waits for ("broker unreachable since ..."), empty = nothing
  Status error;   // of a FAILED flow, or the one being retried
  int retries = 0;             // of the error above, in a row
  double rows_per_second = 0;  // input rows, over the last seconds
  int64_t input_rows = 0;      // since the start of the run
  int64_t output_rows = 0;
  int64_t epochs = 0;  // committed
  int64_t lag = -1;    // records or versions behind; -1 = not known
  TimestampMicros watermark = kNoTimestamp;
  int64_t last_epoch_micros = 0;  // from its first row read to its commit
  int64_t state_bytes = 0;
  TableVersion version{-1};                                    // of the target
  std::map<std::string, flow::ExpectationCount> expectations;  // totals of the run
  int64_t dropped_rows = 0;
  int64_t late_rows = 0;
  int64_t duplicate_rows = 0;
  int64_t quarantined_rows = 0;
};

/// One committed epoch.
struct EpochProgress {
  EpochNumber number;
  TableVersion version{-1};
  TimestampMicros clock = 0;
  TimestampMicros watermark = kNoTimestamp;
  int64_t input_rows = 0;
  int64_t output_rows = 0;
  int64_t dropped_rows = 0;
  int64_t late_rows = 0;
  int64_t duplicate_rows = 0;
  int64_t quarantined_rows = 0;
  int64_t lag = -1;
  int64_t epoch_micros = 0;
  int64_t read_micros = 0;
  int64_t process_micros = 0;
  int64_t stage_micros = 0;
  int64_t commit_micros = 0;
  std::map<std::string, flow::ExpectationCount> expectations;
  std::vector<flow::SourceGap> gaps;  // that this epoch passed over
};

/// Called on the threads of the flow: must be quick and thread-safe.
class FlowListener {
 public:
  virtual ~FlowListener() = default;
  virtual void OnFlowState(const FlowStatus& status) = 0;
  virtual void OnFlowProgress(const std::string& flow, const EpochProgress& progress) = 0;
};

}  // namespace sluice::engine
