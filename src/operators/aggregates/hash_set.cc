#include "operators/aggregates/hash_set.h"

#include <utility>

namespace sluice::operators {
namespace {

Hash128 NotZero(const Hash128& hash) { return hash == Hash128{} ? Hash128{1, 0} : hash; }

}  // namespace

uint32_t HashSet::Locate(const Hash128& hash) const {
  const bool list = capacity_ <= kListCapacity;
  uint32_t at = list ? 0 : static_cast<uint32_t>(hash.low) & (capacity_ - 1);
  while (at < capacity_ && slots_[at] != Hash128{} && slots_[at] != hash) {
    ++at;
    if (!list) at &= capacity_ - 1;
  }
  return at;
}

void HashSet::Grow() {
  const auto old = std::exchange(slots_, nullptr);
  const uint32_t old_capacity = std::exchange(capacity_, capacity_ == 0 ? 2 : capacity_ * 2);
  slots_ = std::make_unique<Hash128[]>(capacity_);
  for (uint32_t i = 0; i < old_capacity; ++i) {
    if (old[i] != Hash128{}) slots_[Locate(old[i])] = old[i];
  }
}

bool HashSet::Insert(Hash128 hash) {
  hash = NotZero(hash);
  if (capacity_ == 0) Grow();
  uint32_t at = Locate(hash);
  if (at < capacity_ && slots_[at] == hash) return false;
  const uint32_t room = capacity_ <= kListCapacity ? capacity_ : capacity_ - capacity_ / 4;
  if (size_ >= room) {
    Grow();
    at = Locate(hash);
  }
  slots_[at] = hash;
  ++size_;
  return true;
}

bool HashSet::Contains(Hash128 hash) const {
  if (capacity_ == 0) return false;
  hash = NotZero(hash);
  const uint32_t at = Locate(hash);
  return at < capacity_ && slots_[at] == hash;
}

}  // namespace sluice::operators
