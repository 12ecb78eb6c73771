// Saves the operators' state of a flow beside the commit it belongs to, and finds the newest that
// still fits. One thread at a time; FinishPending may run on another.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "engine/watermark_tracker.h"
#include "flow/operator.h"
#include "flow/sink.h"
#include "state/snapshot_store.h"

namespace sluice::engine {

/// What is saved beside the operators' own bytes.
struct StateHeader {
  state::SnapshotTag tag;
  flow::Positions positions;  // after the epoch
  TimestampMicros watermark = kNoTimestamp;
  std::deque<WatermarkTracker::OpenEpoch> open;
};

class StateKeeper {
 public:
  /// `store` may be null: nothing is saved and nothing found. State saved under another
  /// `definition` is not used.
  StateKeeper(state::SnapshotStore* store, std::string flow_name, std::string definition)
      : store_(store), flow_name_(std::move(flow_name)), definition_(std::move(definition)) {}

  bool enabled() const { return store_ != nullptr; }
  /// Writes the operators' bytes; durable after FinishPending. Does nothing while the one before is
  /// unfinished.
  Status Save(const StateHeader& header, const std::vector<flow::Operator*>& operators);
  /// Makes what Save wrote durable and deletes older files.
  Status FinishPending();
  bool pending();

  /// Loads the newest valid state at or before the recovered epoch into the operators; deletes
  /// files of other generations or later epochs. Nothing when there is none: the operators are then
  /// cleared.
  Result<std::optional<StateHeader>> Load(const flow::RecoveredFlow& recovered,
                                          const std::vector<flow::Operator*>& operators);

 private:
  static constexpr size_t kKeep = 2;  // files

  Status LoadOne(const state::SnapshotTag& tag, const std::vector<flow::Operator*>& operators,
                 StateHeader* header);

  state::SnapshotStore* const store_;
  const std::string flow_name_;
  const std::string definition_;
  Mutex mutex_;
  std::unique_ptr<state::PendingSnapshot> pending_ GUARDED_BY(mutex_);
};

}  // namespace sluice::engine
