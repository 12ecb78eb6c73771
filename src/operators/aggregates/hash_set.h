// A small set of 128-bit hashes, one per group of a distinct count: a list up to eight values, a
// table above.
#pragma once

#include <cstdint>
#include <memory>

#include "base/hash128.h"

namespace sluice::operators {

class HashSet {
 public:
  HashSet() = default;
  /// Returns false when it was there.
  bool Insert(Hash128 hash);
  bool Contains(Hash128 hash) const;
  uint32_t size() const { return size_; }
  int64_t memory_bytes() const { return static_cast<int64_t>(capacity_ * sizeof(Hash128)); }

  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (uint32_t i = 0; i < capacity_; ++i) {
      if (slots_[i] != Hash128{}) visit(slots_[i]);
    }
  }

 private:
  static constexpr uint32_t kListCapacity = 8;
  /// The slot of `hash` or the empty one where it belongs.
  uint32_t Locate(const Hash128& hash) const;
  void Grow();

  // An empty slot is zero; the hash zero is kept as one (see Insert).
  std::unique_ptr<Hash128[]> slots_;
  uint32_t capacity_ = 0;
  uint32_t size_ = 0;
};

}  // namespace sluice::operators
