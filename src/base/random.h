// Randomness enters every part through this class, so that a seed replays a run. Not thread-safe:
// one per owner.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

/// SplitMix64 (Steele, Lea, Flood 2014): small, seedable, good enough for ids, jitter and tests.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  /// Seeded by the operating system.
  static Random FromSystem();

  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  /// True once in `n` calls on average. REQUIRES: n > 0.
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  /// A random UUID (version 4), 36 characters in lower case.
  std::string Uuid();

 private:
  uint64_t state_;
};

}  // namespace sluice
