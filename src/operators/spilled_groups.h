// Groups of a view that memory has no room for: moved out of the table of committed groups all
// together, and back one by one when rows for them come. One thread at a time.
#pragma once

#include <arrow/io/interfaces.h>

#include <memory>
#include <span>
#include <string>

#include "base/hash128.h"
#include "base/status.h"
#include "operators/group_table.h"
#include "state/cold_store.h"

namespace sluice::operators {

class SpilledGroups {
 public:
  /// `folder` is local, emptied when first used: a cache, never the truth. Empty = nothing can be
  /// spilled.
  explicit SpilledGroups(std::string folder) : folder_(std::move(folder)) {}

  bool enabled() const { return !folder_.empty(); }
  /// Groups that are here and not in the table.
  int64_t size() const { return size_; }
  /// Takes all groups of `table`, which is then to be emptied. STATE_SPILL_FAILED.
  Status Spill(const GroupTable& table);
  /// Moves those of `hashes` that are here into `table`, which has none of them.
  Status Recall(std::span<const Hash128> hashes, GroupTable* table);
  Status Clear();
  int64_t memory_bytes() const { return store_ == nullptr ? 0 : store_->memory_bytes(); }

  /// `newer` has the groups that were recalled. Writes the name of what lies in the folder.
  Status Save(const GroupTable& newer, arrow::io::OutputStream* out) const;
  /// Replaces everything. STATE_CORRUPT, also when the folder no longer has it.
  Status Load(arrow::io::InputStream* in, const GroupTable& table);

 private:
  Status OpenStore();
  Status LoadContent(state::StateReader* in, const GroupTable& table);

  const std::string folder_;
  std::unique_ptr<state::ColdStore> store_;  // null until something was spilled
  int64_t size_ = 0;
};

}  // namespace sluice::operators
