#include "engine/flow_status.h"

namespace sluice::engine {

const char* FlowStateName(FlowState state) {
  switch (state) {
    case FlowState::kQueued: return "QUEUED";
    case FlowState::kStarting: return "STARTING";
    case FlowState::kRunning: return "RUNNING";
    case FlowState::kIdle: return "IDLE";
    case FlowState::kCompleted: return "COMPLETED";
    case FlowState::kFailed: return "FAILED";
    case FlowState::kStopped: return "STOPPED";
  }
  return "UNKNOWN";
}

}  // namespace sluice::engine
