// Contract of a sink: writes one epoch and decides it in one commit that carries the source
// positions (docs/internals/commit.md, steps 4 to 6). Stage may run for epoch n+1 while epoch n
// commits; Commit and CommitSatellites come in epoch order from one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "flow/epoch.h"

namespace sluice::flow {

/// What the target's newest snapshot says of this flow. Absent positions = nothing consumed yet.
struct RecoveredFlow {
  int64_t generation = 0;
  Positions positions;
  Positions replay_from;
  std::map<std::string, int64_t> fingerprints;
  TimestampMicros watermark = kNoTimestamp;
  EpochNumber replay_epoch{-1};  // the epoch that started at replay_from; -1 = nothing recorded
  std::optional<EpochNumber> last_epoch;  // number of the last committed epoch
  bool committed_here =
      false;  // ... and this very sink object committed it (also when the reply was lost)
  std::string committed_by;  // host, process and time of the last epoch's commit, for messages
  TableVersion version{-1};  // newest version of the target
};

/// Files of an epoch, durable but not yet part of the table. Owned by the engine between Stage and
/// Commit.
class StagedEpoch {
 public:
  virtual ~StagedEpoch() = default;
};

struct CommittedEpoch {
  TableVersion version{-1};
  /// The rows as the table would return them (partition-value and type rules applied), for the hot
  /// hand-off.
  std::vector<std::shared_ptr<arrow::RecordBatch>> rows;
  bool appended_only = true;  // false: a downstream streaming reader must not take it as an append
};

class Sink {
 public:
  virtual ~Sink() = default;
  /// Creates or opens the target, redoes the satellites of the last epoch if they are behind,
  /// returns where to go on.
  virtual Result<RecoveredFlow> Recover() = 0;
  /// Step 4: writes the files of target and satellites; durable on return. Thread-safe against
  /// Commit.
  virtual Result<std::unique_ptr<StagedEpoch>> Stage(EpochOutput output) = 0;
  /// Step 5: the one decision. FLOW_FOREIGN_ADVANCE when the positions are not those the epoch
  /// started from.
  virtual Result<CommittedEpoch> Commit(StagedEpoch* staged) = 0;
  /// Step 6. Only after Commit of the same epoch succeeded.
  virtual Status CommitSatellites(StagedEpoch* staged) = 0;
  /// Maintenance between epochs (checkpoint, log cleanup, compaction, rewriting of idle positions);
  /// cheap when nothing is due. May run beside Stage and Commit on a thread of its own, not beside
  /// Recover. Returns the versions it committed: they change no data, and hot readers pass over
  /// them.
  virtual Result<std::vector<TableVersion>> Maintain() = 0;
  /// The committed epochs after `after` up to the last one, oldest first, from the log; what the
  /// log no longer has is missing at the front. Only for a rebuild of state.
  virtual Result<std::vector<EpochMark>> History(EpochNumber after);
};

}  // namespace sluice::flow
