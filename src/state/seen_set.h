// An open-addressing set of 128-bit keys with a 32-bit expiry each: 20 bytes a slot, 29 to 43 bytes
// a key. Slots are ordered by hash (linear probing, the home of a key is proportional to its hash):
// a miss stops at the first greater hash, growing and saving run through memory in order, and the
// layout depends on the content only, not on the order of insertion or on time. One thread at a
// time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "base/hash128.h"

namespace sluice::state {

class SeenSet {
 public:
  SeenSet();
  ~SeenSet();
  SeenSet(SeenSet&& other) noexcept;
  SeenSet& operator=(SeenSet&& other) noexcept;

  /// Starts loading the memory that a lookup of `key` will read.
  void Prefetch(const Hash128& key) const {
    const Slot* slot = slots_ + Home(key.low);
    __builtin_prefetch(slot);
    __builtin_prefetch(reinterpret_cast<const char*>(slot) + 64);
  }

  /// Points to the expiry of `key`, valid until the next change; null when it is not in the set.
  uint32_t* Find(const Hash128& key);
  /// Adds `key` with `expiry` (at least 1) unless it is there. Returns true when added, else *found
  /// points to the expiry that is there.
  bool Insert(const Hash128& key, uint32_t expiry, uint32_t** found);
  bool Erase(const Hash128& key);
  void Clear();

  /// Removes keys with expiry < `bound` in the next `num_slots` slots of an endless round; returns
  /// how many.
  int64_t Sweep(int64_t num_slots, uint32_t bound);
  /// Removes the keys of the next `num_slots` slots of that round for which remove(key, expiry).
  template <typename Remove>
  int64_t SweepIf(int64_t num_slots, Remove&& remove) {
    const int64_t size_before = size_;
    if (sweep_at_ >= num_slots_) sweep_at_ = 0;
    const int64_t stop = num_slots >= num_slots_ - sweep_at_ ? num_slots_ : sweep_at_ + num_slots;
    int64_t free_slot = sweep_at_;  // where the next surviving key may go at the earliest
    int64_t at = sweep_at_;
    // Past `stop`, goes on to the end of the cluster: keys that lean on moved ones must move too.
    for (; at < num_slots_; ++at) {
      const Slot slot = slots_[at];
      const int64_t home = slot.expiry == 0 ? at : Home(slot.low());
      if (at >= stop && home == at) break;
      if (slot.expiry == 0) continue;
      slots_[at] = Slot{};
      if (remove(slot.key(), slot.expiry)) {
        --size_;
        continue;
      }
      const int64_t target = std::max(home, free_slot);
      slots_[target] = slot;
      free_slot = target + 1;
    }
    sweep_at_ = at;
    return size_before - size_;
  }
  /// The same for all slots.
  template <typename Remove>
  int64_t RemoveIf(Remove&& remove) {
    sweep_at_ = 0;
    return SweepIf(num_slots_, std::forward<Remove>(remove));
  }
  /// Keys with expiry < `bound` may be removed instead of growing.
  void SetGrowthSweepBound(uint32_t bound) { growth_sweep_bound_ = bound; }

  /// Calls visit(key, expiry) for all keys in order of `low`.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (int64_t i = 0; i < num_slots_; ++i) {
      if (slots_[i].expiry != 0) visit(slots_[i].key(), slots_[i].expiry);
    }
  }

  int64_t size() const { return size_; }
  int64_t num_slots() const { return num_slots_; }
  int64_t memory_bytes() const { return num_slots_ * static_cast<int64_t>(sizeof(Slot)); }

 private:
  // Five 32-bit words, so that no padding is spent. expiry == 0 marks an empty slot.
  struct Slot {
    uint32_t words[4];
    uint32_t expiry;

    uint64_t low() const {
      uint64_t value;
      std::memcpy(&value, words, 8);
      return value;
    }
    uint64_t high() const {
      uint64_t value;
      std::memcpy(&value, words + 2, 8);
      return value;
    }
    Hash128 key() const { return {low(), high()}; }
  };
  static_assert(sizeof(Slot) == 20);

  int64_t Home(uint64_t low) const {
    return static_cast<int64_t>(
        (static_cast<unsigned __int128>(low) * static_cast<uint64_t>(capacity_)) >> 64);
  }
  /// The slot of `key`, or the one it has to be inserted before.
  int64_t Locate(const Hash128& key, bool* found) const;
  static size_t MappedBytes(int64_t num_slots);
  void Allocate(int64_t capacity);
  void Release();
  void Grow();
  void Rehash(int64_t capacity);
  bool Spread(int64_t begin);

  Slot* slots_ = nullptr;
  int64_t capacity_ = 0;   // homes
  int64_t num_slots_ = 0;  // homes and the overflow behind them; the last slot is always empty
  int64_t size_ = 0;
  int64_t sweep_at_ = 0;
  uint32_t growth_sweep_bound_ = 0;
};

}  // namespace sluice::state
