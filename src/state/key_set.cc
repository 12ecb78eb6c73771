#include "state/key_set.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "state/cold_keys.h"
#include "state/rocks_keys.h"
#include "state/seen_set.h"
#include "state/state_file.h"

namespace sluice::state {
namespace {

constexpr char kFileKind[] = "keyset";
constexpr uint32_t kFileVersion = 2;
// The keys in memory are spilled a slice at a time: those with the same first bits of `high`, so
// that SeenSet, which is ordered by `low`, stays equally full everywhere.
constexpr int kSliceBits = 5;
constexpr uint64_t kSlices = 1 << kSliceBits;
constexpr int64_t kMaxBytesPerKey = 43;  // of SeenSet
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr size_t kPrefetchRows = 24;

/// Keys with an expiry below it are forgotten when the watermark is `watermark`.
uint32_t ExpiryBound(TimestampMicros watermark) {
  if (watermark == kNoTimestamp || watermark < kMicrosPerSecond) return 1;
  return static_cast<uint32_t>(std::min<int64_t>(watermark / kMicrosPerSecond, kNeverExpires));
}

/// One change of an epoch in flight.
struct Change {
  Hash128 key;
  uint32_t old_expiry = 0;  // 0 = the key was not there
};

struct EpochChanges {
  EpochNumber epoch;
  std::vector<Change> changes;
};

class TieredKeySet : public KeySet {
 public:
  explicit TieredKeySet(KeySetOptions options) : options_(std::move(options)) {}

  Status AddIfAbsent(EpochNumber epoch, TimestampMicros watermark, std::span<const Hash128> keys,
                     std::span<const uint32_t> expiry, std::span<const uint8_t> skip,
                     std::span<uint8_t> fresh) override;
  Status Commit(EpochNumber epoch, TimestampMicros watermark) override;
  Status Abort(EpochNumber epoch) override;
  void Clear() override;
  Status Save(arrow::io::OutputStream* out) override;
  Status Load(arrow::io::InputStream* in) override;

  int64_t num_keys() const override {
    return hot_.size() + (cold_ == nullptr ? 0 : cold_->num_keys());
  }
  int64_t memory_bytes() const override {
    int64_t bytes = hot_.memory_bytes() + (cold_ == nullptr ? 0 : cold_->memory_bytes());
    for (const auto& epoch : in_flight_)
      bytes += static_cast<int64_t>(epoch.changes.capacity() * sizeof(Change));
    return bytes;
  }

 private:
  std::vector<Change>& ChangesOf(EpochNumber epoch) {
    if (in_flight_.empty() || in_flight_.back().epoch != epoch) {
      in_flight_.push_back({epoch, std::exchange(spare_changes_, {})});
    }
    return in_flight_.back().changes;
  }
  Status DropSpilled(uint32_t bound, size_t first_change, std::vector<Change>* changes,
                     std::span<uint8_t> fresh);
  SeenSet Uncommitted() const;
  /// An epoch in flight may have started with an older watermark than the committed one, and an
  /// abort goes back to the committed one: keys that either could still ask for stay.
  uint32_t ReclaimBound() const { return std::min(newest_bound_, committed_bound_); }
  template <typename Visit>
  Status ForEachCommitted(uint32_t bound, Visit&& visit) const;
  Status CheckLimit() const;
  Status SpillIfNeeded();
  Status SpillSlice(SeenSet* uncommitted);
  Status LoadEntries(StateReader* reader);

  const KeySetOptions options_;
  SeenSet hot_;
  std::unique_ptr<ColdKeys> cold_;  // null until the limit is reached
  std::deque<EpochChanges> in_flight_;
  std::vector<Change> spare_changes_;  // empty, for its memory
  uint64_t next_slice_ = 0;
  uint32_t newest_bound_ = 1;         // of the newest epoch processed
  uint32_t committed_bound_ = 1;      // of the committed watermark
  std::vector<uint32_t> added_rows_;  // scratch: rows of the batch that were added, one per change
};

Status TieredKeySet::AddIfAbsent(EpochNumber epoch, TimestampMicros watermark,
                                 std::span<const Hash128> keys, std::span<const uint32_t> expiry,
                                 std::span<const uint8_t> skip, std::span<uint8_t> fresh) {
  const uint32_t bound = newest_bound_ = ExpiryBound(watermark);
  std::vector<Change>& changes = ChangesOf(epoch);
  const size_t first_change = changes.size();
  added_rows_.clear();
  const size_t rows = keys.size();
  for (size_t i = 0; i < std::min(rows, kPrefetchRows); ++i) hot_.Prefetch(keys[i]);
  for (size_t i = 0; i < rows; ++i) {
    if (i + kPrefetchRows < rows) hot_.Prefetch(keys[i + kPrefetchRows]);
    fresh[i] = 1;
    if (!skip.empty() && skip[i] != 0) continue;
    uint32_t* found = nullptr;
    uint32_t old_expiry = 0;
    if (!hot_.Insert(keys[i], expiry[i], &found)) {
      if (*found >= bound) {
        fresh[i] = 0;
        continue;
      }
      old_expiry = std::exchange(*found, expiry[i]);  // forgotten, only not reclaimed yet
    }
    changes.push_back({keys[i], old_expiry});
    if (cold_ != nullptr) added_rows_.push_back(static_cast<uint32_t>(i));
  }
  if (cold_ != nullptr) SLUICE_RETURN_NOT_OK(DropSpilled(bound, first_change, &changes, fresh));
  return CheckLimit();
}

/// Takes back what was added although it had been spilled.
Status TieredKeySet::DropSpilled(uint32_t bound, size_t first_change, std::vector<Change>* changes,
                                 std::span<uint8_t> fresh) {
  std::vector<KeyExpiry> lookups;
  lookups.reserve(added_rows_.size());
  for (size_t i = first_change; i < changes->size(); ++i) lookups.push_back({(*changes)[i].key, 0});
  SLUICE_RETURN_NOT_OK(cold_->Find(lookups));
  size_t kept = first_change;
  for (size_t i = 0; i < lookups.size(); ++i) {
    const Change change = (*changes)[first_change + i];
    if (change.old_expiry == 0 && lookups[i].expiry >= bound) {
      fresh[added_rows_[i]] = 0;
      hot_.Erase(change.key);
    } else {
      (*changes)[kept++] = change;
    }
  }
  changes->resize(kept);
  return Status::OK();
}

Status TieredKeySet::Commit(EpochNumber epoch, TimestampMicros watermark) {
  int64_t committed = 0;
  while (!in_flight_.empty() && in_flight_.front().epoch <= epoch) {
    committed += static_cast<int64_t>(in_flight_.front().changes.size());
    spare_changes_ = std::move(in_flight_.front().changes);
    spare_changes_.clear();
    in_flight_.pop_front();
  }
  committed_bound_ = std::max(committed_bound_, ExpiryBound(watermark));
  const uint32_t bound = ReclaimBound();
  if (bound > 1) {
    hot_.SetGrowthSweepBound(bound);
    hot_.Sweep(hot_.num_slots() / 64 + 2 * committed + 1024, bound);
    if (cold_ != nullptr) cold_->ExpireBelow(bound);
  }
  return SpillIfNeeded();
}

Status TieredKeySet::Abort(EpochNumber epoch) {
  while (!in_flight_.empty() && in_flight_.back().epoch >= epoch) {
    const auto& changes = in_flight_.back().changes;
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
      if (change->old_expiry == 0) {
        hot_.Erase(change->key);
      } else if (uint32_t* expiry = hot_.Find(change->key)) {
        *expiry = change->old_expiry;
      }
    }
    in_flight_.pop_back();
  }
  return Status::OK();
}

void TieredKeySet::Clear() {
  hot_.Clear();
  cold_.reset();
  in_flight_.clear();
  newest_bound_ = committed_bound_ = 1;
}

/// The keys of epochs in flight with the expiry they had before; 1, which no key has, where they
/// were not there.
SeenSet TieredKeySet::Uncommitted() const {
  SeenSet keys;
  for (const auto& epoch : in_flight_) {
    uint32_t* found = nullptr;
    for (const Change& change : epoch.changes)
      keys.Insert(change.key, std::max(change.old_expiry, 1U), &found);
  }
  return keys;
}

/// Calls `visit` for the committed keys in memory with an expiry of at least `bound`.
template <typename Visit>
Status TieredKeySet::ForEachCommitted(uint32_t bound, Visit&& visit) const {
  SeenSet uncommitted = Uncommitted();
  Status status;
  hot_.ForEach([&](const Hash128& key, uint32_t expiry) {
    if (!status.ok()) return;
    if (const uint32_t* old_expiry = uncommitted.Find(key)) expiry = *old_expiry;
    if (expiry > 1 && expiry >= bound) status = visit(KeyExpiry{key, expiry});
  });
  return status;
}

/// Found while an epoch is processed, so that a commit never fails for it.
Status TieredKeySet::CheckLimit() const {
  if (!options_.spill_folder.empty() || hot_.memory_bytes() <= options_.memory_limit_bytes) {
    return Status::OK();
  }
  return MakeError("STATE_LIMIT_EXCEEDED",
                   "keys of the flow need more memory than allowed: flow " + options_.flow_name +
                       ", limit " + std::to_string(options_.memory_limit_bytes) + " bytes, keys " +
                       std::to_string(hot_.size()),
                   "raise the state memory limit, or add a watermark so that keys are forgotten");
}

/// A slice or a few: a commit must not wait for all keys to be moved.
Status TieredKeySet::SpillIfNeeded() {
  if (options_.spill_folder.empty()) return Status::OK();
  const int64_t most = options_.memory_limit_bytes / kMaxBytesPerKey;
  const auto changes = [&] {
    int64_t count = 0;
    for (const auto& epoch : in_flight_) count += static_cast<int64_t>(epoch.changes.size());
    return count;
  };
  if (hot_.size() <= most || hot_.size() <= changes()) return Status::OK();
  if (cold_ == nullptr) {
    SLUICE_ASSIGN_OR_RETURN(cold_, OpenRocksKeys(options_.spill_folder));
  }
  SeenSet uncommitted = Uncommitted();
  for (uint64_t slices = 0; hot_.size() > most && slices < kSlices; ++slices)
    SLUICE_RETURN_NOT_OK(SpillSlice(&uncommitted));
  return Status::OK();
}

/// Moves the committed keys of the next slice to disk. What epochs in flight replaced had expired
/// and is not needed to undo them.
Status TieredKeySet::SpillSlice(SeenSet* uncommitted) {
  const uint32_t bound = ReclaimBound();
  std::vector<KeyExpiry> moved;
  const uint64_t slice = next_slice_++ % kSlices;
  hot_.RemoveIf([&](const Hash128& key, uint32_t expiry) {
    if (key.high >> (64 - kSliceBits) != slice || uncommitted->Find(key) != nullptr) return false;
    if (expiry >= bound) moved.push_back({key, expiry});
    return true;
  });
  const Status spilled = cold_->Put(moved);
  if (spilled.ok()) return spilled;
  uint32_t* found = nullptr;
  for (const KeyExpiry& entry : moved) hot_.Insert(entry.key, entry.expiry, &found);
  return spilled;
}

Status TieredKeySet::Save(arrow::io::OutputStream* out) {
  SLUICE_ASSIGN_OR_RETURN(StateWriter writer, StateWriter::Make(out, kFileKind, kFileVersion));
  SLUICE_RETURN_NOT_OK(writer.Put(committed_bound_));
  const auto put = [&](const KeyExpiry& entry) -> Status {
    if (entry.expiry < committed_bound_) return Status::OK();
    SLUICE_RETURN_NOT_OK(writer.Put(entry.expiry));
    SLUICE_RETURN_NOT_OK(writer.Put(entry.key.low));
    return writer.Put(entry.key.high);
  };
  // Where a key stands in both, the one in memory is the newer.
  std::string spilled;
  if (cold_ != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(spilled, cold_->Save());
  }
  SLUICE_RETURN_NOT_OK(writer.PutBytes(spilled));
  SLUICE_RETURN_NOT_OK(ForEachCommitted(committed_bound_, put));
  SLUICE_RETURN_NOT_OK(writer.Put(uint32_t{0}));
  return writer.Finish();
}

Status TieredKeySet::LoadEntries(StateReader* reader) {
  SLUICE_RETURN_NOT_OK(reader->Get(&committed_bound_));
  std::string spilled;
  SLUICE_RETURN_NOT_OK(reader->GetBytes(&spilled));
  if (!spilled.empty()) {
    if (options_.spill_folder.empty()) return StateCorrupt("a part of it was spilled to disk");
    SLUICE_ASSIGN_OR_RETURN(cold_, OpenRocksKeys(options_.spill_folder));
    SLUICE_RETURN_NOT_OK(cold_->Load(spilled));
    cold_->ExpireBelow(committed_bound_);
  }
  for (;;) {
    KeyExpiry entry;
    SLUICE_RETURN_NOT_OK(reader->Get(&entry.expiry));
    if (entry.expiry == 0) return reader->Finish();
    SLUICE_RETURN_NOT_OK(reader->Get(&entry.key.low));
    SLUICE_RETURN_NOT_OK(reader->Get(&entry.key.high));
    uint32_t* found = nullptr;
    if (!hot_.Insert(entry.key, entry.expiry, &found)) *found = entry.expiry;
    SLUICE_RETURN_NOT_OK(CheckLimit());
    SLUICE_RETURN_NOT_OK(SpillIfNeeded());
  }
}

Status TieredKeySet::Load(arrow::io::InputStream* in) {
  Clear();
  SLUICE_ASSIGN_OR_RETURN(StateReader reader, StateReader::Make(in, kFileKind, kFileVersion));
  Status status = LoadEntries(&reader);
  if (!status.ok()) Clear();
  newest_bound_ = committed_bound_;
  return status;
}

}  // namespace

uint32_t ExpirySecond(TimestampMicros event_time) {
  if (event_time < 2 * kMicrosPerSecond) return 2;
  return static_cast<uint32_t>(std::min<int64_t>(event_time / kMicrosPerSecond, kNeverExpires));
}

Result<std::unique_ptr<KeySet>> KeySet::Make(KeySetOptions options) {
  if (options.memory_limit_bytes <= 0) {
    return MakeError("INVALID_SETTING", "state memory limit must be above 0: " +
                                            std::to_string(options.memory_limit_bytes));
  }
  return std::unique_ptr<KeySet>(std::make_unique<TieredKeySet>(std::move(options)));
}

}  // namespace sluice::state
