// What `sluice run` shows while it runs: on a terminal a table that is drawn anew twice a second,
// elsewhere one line per change of state, in the shape of spark-pipelines ("Flow x is RUNNING.").
// Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/flow_status.h"

namespace sluice::app {

enum class ViewMode { kSilent, kLines, kTable, kJson };

class TerminalView {
 public:
  explicit TerminalView(ViewMode mode) : mode_(mode) {}
  /// A flow changed its state: a line of its own, but for table mode.
  void OnState(const engine::FlowStatus& status) EXCLUDES_LOCK(mutex_);
  /// Draws the table (table mode only).
  void Draw(const std::vector<engine::FlowStatus>& flows) EXCLUDES_LOCK(mutex_);
  /// The closing lines: rows, expectations and rates of every flow.
  void Summary(const std::vector<engine::FlowStatus>& flows, double seconds) EXCLUDES_LOCK(mutex_);

 private:
  void PrintJson(const engine::FlowStatus& status, const char* type) REQUIRES_LOCK(mutex_);

  const ViewMode mode_;
  Mutex mutex_;
  std::map<std::string, engine::FlowState> shown_ GUARDED_BY(mutex_);
  std::set<std::string> running_ GUARDED_BY(mutex_);  // flows seen RUNNING
  size_t drawn_lines_ GUARDED_BY(mutex_) = 0;
};

/// "1.2 M", "350 k", "17".
std::string ShortNumber(double value);

}  // namespace sluice::app
