// 128-bit hashes of bytes: identity of keys where a collision would be a wrong answer. Thread-safe
// (pure functions).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace sluice {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  constexpr auto operator<=>(const Hash128&) const = default;
};

/// For unordered containers of hashes.
struct HashOfHash {
  size_t operator()(const Hash128& hash) const { return static_cast<size_t>(hash.low); }
};

/// XXH3, 128 bits. `seed` separates uses (columns of a key are chained by it).
Hash128 HashBytes128(const void* data, size_t size, uint64_t seed = 0);

}  // namespace sluice
