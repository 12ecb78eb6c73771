// The protocol's rules on whether a transaction still stands after another writer's commit
// (isolation: serializable; a transaction that changes no data, such as OPTIMIZE: snapshot).
// Thread-safe (pure functions).
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/snapshot.h"
#include "delta/log/transaction.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

/// What a transaction writes, summed up once.
struct WriteSummary {
  bool adds = false;
  bool removes = false;
  bool changes_data = false;  // any add or remove with dataChange=true
  bool adds_data = false;     // an add with dataChange=true
  bool removes_data = false;  // a remove with dataChange=true
  bool metadata = false;
  bool protocol = false;
  std::set<std::string> removed_paths;
  std::set<std::string> domains;

  static WriteSummary Of(const std::vector<Action>& actions);
};

/// True when a commit of `summary` that read `reads` adds files, or none, without having looked at
/// files.
bool IsBlindAppend(const ReadSet& reads, const WriteSummary& summary);

/// OK, or DELTA_COMMIT_CONFLICT (Retry::kReplan) that says what the winner did. `read` is the
/// snapshot the transaction was decided on.
Status CheckConflict(const ReadSet& reads, const WriteSummary& mine, const Snapshot& read,
                     TableVersion winner_version, const std::vector<Action>& winner);

}  // namespace sluice::delta
