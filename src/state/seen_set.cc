#include "state/seen_set.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace sluice::state {
namespace {

constexpr int64_t kMinCapacity = 1024;
constexpr size_t kPageBytes = 4096;
constexpr size_t kHugePages = 8 << 20;  // a table above it asks for huge pages

/// Slots behind the last home, for keys pushed over the end; when they do not suffice the set
/// grows.
int64_t Overflow(int64_t capacity) { return 64 + capacity / 256; }

}  // namespace

SeenSet::SeenSet() { Allocate(kMinCapacity); }
SeenSet::~SeenSet() { Release(); }

SeenSet::SeenSet(SeenSet&& other) noexcept
    : slots_(std::exchange(other.slots_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      num_slots_(std::exchange(other.num_slots_, 0)),
      size_(std::exchange(other.size_, 0)),
      sweep_at_(std::exchange(other.sweep_at_, 0)),
      growth_sweep_bound_(other.growth_sweep_bound_) {}

SeenSet& SeenSet::operator=(SeenSet&& other) noexcept {
  std::swap(slots_, other.slots_);
  std::swap(capacity_, other.capacity_);
  std::swap(num_slots_, other.num_slots_);
  std::swap(size_, other.size_);
  std::swap(sweep_at_, other.sweep_at_);
  std::swap(growth_sweep_bound_, other.growth_sweep_bound_);
  return *this;
}

void SeenSet::Allocate(int64_t capacity) {
  capacity_ = capacity;
  num_slots_ = capacity + Overflow(capacity);
  void* memory = mmap(nullptr, MappedBytes(num_slots_), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SLUICE_CHECK(memory != MAP_FAILED, "out of memory for seen keys");
  slots_ = static_cast<Slot*>(memory);  // zero: all empty
}

size_t SeenSet::MappedBytes(int64_t num_slots) {
  const size_t bytes = static_cast<size_t>(num_slots) * sizeof(Slot);
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

void SeenSet::Release() {
  if (slots_ != nullptr) munmap(slots_, MappedBytes(num_slots_));
}

void SeenSet::Clear() {
  Release();
  size_ = 0;
  sweep_at_ = 0;
  Allocate(kMinCapacity);
}

int64_t SeenSet::Locate(const Hash128& key, bool* found) const {
  int64_t at = Home(key.low);
  while (slots_[at].expiry != 0) {
    const uint64_t low = slots_[at].low();
    if (low > key.low) break;
    if (low == key.low && slots_[at].high() == key.high) {
      *found = true;
      return at;
    }
    ++at;
  }
  *found = false;
  return at;
}

uint32_t* SeenSet::Find(const Hash128& key) {
  bool found = false;
  const int64_t at = Locate(key, &found);
  return found ? &slots_[at].expiry : nullptr;
}

bool SeenSet::Insert(const Hash128& key, uint32_t expiry, uint32_t** found_expiry) {
  bool found = false;
  int64_t at = Locate(key, &found);
  if (found) {
    *found_expiry = &slots_[at].expiry;
    return false;
  }
  if (size_ >= capacity_ * 7 / 10) {
    Grow();
    at = Locate(key, &found);
  }
  int64_t empty = at;
  while (slots_[empty].expiry != 0) ++empty;
  while (empty + 1 >= num_slots_) {
    Rehash(capacity_ + capacity_ / 2);
    empty = at = Locate(key, &found);
    while (slots_[empty].expiry != 0) ++empty;
  }
  std::memmove(static_cast<void*>(slots_ + at + 1), slots_ + at,
               static_cast<size_t>(empty - at) * sizeof(Slot));
  std::memcpy(slots_[at].words, &key.low, 8);
  std::memcpy(slots_[at].words + 2, &key.high, 8);
  slots_[at].expiry = expiry;
  ++size_;
  return true;
}

bool SeenSet::Erase(const Hash128& key) {
  bool found = false;
  const int64_t at = Locate(key, &found);
  if (!found) return false;
  int64_t end = at + 1;  // keys behind it that are not at home move one back
  while (slots_[end].expiry != 0 && Home(slots_[end].low()) < end) ++end;
  std::memmove(static_cast<void*>(slots_ + at), slots_ + at + 1,
               static_cast<size_t>(end - at - 1) * sizeof(Slot));
  slots_[end - 1] = Slot{};
  --size_;
  return true;
}

int64_t SeenSet::Sweep(int64_t num_slots, uint32_t bound) {
  return SweepIf(num_slots, [bound](const Hash128&, uint32_t expiry) { return expiry < bound; });
}

void SeenSet::Grow() {
  if (growth_sweep_bound_ > 1) {
    sweep_at_ = 0;
    Sweep(num_slots_, growth_sweep_bound_);
    if (size_ < capacity_ / 2) return;
  }
  Rehash(capacity_ + capacity_ / 2);
}

/// In place: the mapping grows, keys gather at its end in order, then take their places from the
/// front.
void SeenSet::Rehash(int64_t capacity) {
  for (bool fits = false; !fits; capacity += capacity / 2) {
    const int64_t old_num_slots = num_slots_;
    const size_t old_bytes = MappedBytes(num_slots_);
    capacity_ = capacity;
    num_slots_ = capacity + Overflow(capacity);
    void* memory = mremap(slots_, old_bytes, MappedBytes(num_slots_), MREMAP_MAYMOVE);
    SLUICE_CHECK(memory != MAP_FAILED, "out of memory for seen keys");
    slots_ = static_cast<Slot*>(memory);
    // Random probes miss the TLB on small pages. A hint only: what it answers does not matter.
    if (MappedBytes(num_slots_) >= kHugePages)
      madvise(slots_, MappedBytes(num_slots_), MADV_HUGEPAGE);
    int64_t gathered = num_slots_;
    for (int64_t i = old_num_slots; i-- > 0;) {
      if (slots_[i].expiry == 0) continue;
      slots_[--gathered] = slots_[i];
      if (gathered != i) slots_[i] = Slot{};
    }
    fits = Spread(gathered);
  }
  sweep_at_ = 0;
}

/// Moves the keys in slots [begin, end) to their places. A place never lies behind the key that
/// moves to it, as long as what follows fits. Returns false, with the rest unmoved, when the
/// overflow does not suffice.
bool SeenSet::Spread(int64_t begin) {
  int64_t free_slot = 0;
  for (int64_t i = begin; i < num_slots_; ++i) {
    const Slot slot = slots_[i];
    const int64_t target = std::max(Home(slot.low()), free_slot);
    if (target > i || target + 1 >= num_slots_) return false;
    slots_[i] = Slot{};
    slots_[target] = slot;
    free_slot = target + 1;
  }
  return true;
}

}  // namespace sluice::state
