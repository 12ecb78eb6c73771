#include "base/hash128.h"

#include <xxhash.h>

namespace sluice {

Hash128 HashBytes128(const void* data, size_t size, uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(data, size, seed);
  return {hash.low64, hash.high64};
}

}  // namespace sluice
