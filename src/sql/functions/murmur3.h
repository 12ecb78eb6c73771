// MurmurHash3 (x86, 32 bits) as Spark computes it. Pure functions.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::sql {

/// The bytes at `at` as a number, lowest first.
template <typename T>
T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

struct Murmur3 {
  using Hash = int32_t;

  static uint32_t MixKey(uint32_t key) { return std::rotl(key * 0xCC9E2D51u, 15) * 0x1B873593u; }
  static uint32_t MixHash(uint32_t hash, uint32_t key) {
    return std::rotl(hash ^ key, 13) * 5 + 0xE6546B64u;
  }
  static int32_t Finish(uint32_t hash, uint32_t length) {
    hash ^= length;
    hash = (hash ^ hash >> 16) * 0x85EBCA6Bu;
    hash = (hash ^ hash >> 13) * 0xC2B2AE35u;
    return static_cast<int32_t>(hash ^ hash >> 16);
  }
  static int32_t Int(int32_t value, int32_t seed) {
    return Finish(MixHash(static_cast<uint32_t>(seed), MixKey(static_cast<uint32_t>(value))), 4);
  }
  static int32_t Long(int64_t value, int32_t seed) {
    const auto bits = static_cast<uint64_t>(value);
    uint32_t hash = MixHash(static_cast<uint32_t>(seed), MixKey(static_cast<uint32_t>(bits)));
    return Finish(MixHash(hash, MixKey(static_cast<uint32_t>(bits >> 32))), 8);
  }
  // The bytes after the last whole word are mixed in one by one, as signed numbers.
  static int32_t Bytes(std::string_view bytes, int32_t seed) {
    auto hash = static_cast<uint32_t>(seed);
    size_t at = 0;
    for (; at + 4 <= bytes.size(); at += 4)
      hash = MixHash(hash, MixKey(Load<uint32_t>(bytes.data() + at)));
    for (; at < bytes.size(); ++at) {
      const auto byte = static_cast<int32_t>(static_cast<signed char>(bytes[at]));
      hash = MixHash(hash, MixKey(static_cast<uint32_t>(byte)));
    }
    return Finish(hash, static_cast<uint32_t>(bytes.size()));
  }
};

}  // namespace sluice::sql
