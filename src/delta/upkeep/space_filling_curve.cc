#include "delta/upkeep/space_filling_curve.h"

#include <algorithm>
#include <utility>

namespace sluice::delta {

int CurveBits(size_t dimensions) {
  // One dimension has no more ranges than are worth telling apart in a sample.
  constexpr int kMostBits = 16;
  constexpr int kPositionBits = 63;
  return std::clamp(kPositionBits / static_cast<int>(std::max<size_t>(dimensions, 1)), 1,
                    kMostBits);
}

uint64_t MortonPosition(std::span<const uint32_t> cell, int bits) {
  uint64_t position = 0;
  for (int bit = bits - 1; bit >= 0; --bit) {
    for (const uint32_t coordinate : cell) position = (position << 1) | ((coordinate >> bit) & 1);
  }
  return position;
}

uint64_t HilbertPosition(std::span<uint32_t> cell, int bits) {
  // From the largest cubes to the smallest, the axes of each cube are turned back to those of the
  // first one; what is left is a Gray code of the position (Skilling 2004).
  const uint32_t top = 1U << (bits - 1);
  for (uint32_t side = top; side > 1; side >>= 1) {
    const uint32_t below = side - 1;
    for (uint32_t& coordinate : cell) {
      if ((coordinate & side) != 0) {
        cell[0] ^= below;
      } else {
        const uint32_t differing = (cell[0] ^ coordinate) & below;
        cell[0] ^= differing;
        coordinate ^= differing;
      }
    }
  }
  for (size_t i = 1; i < cell.size(); ++i) cell[i] ^= cell[i - 1];
  uint32_t turn = 0;
  for (uint32_t side = top; side > 1; side >>= 1) {
    if ((cell.back() & side) != 0) turn ^= side - 1;
  }
  for (uint32_t& coordinate : cell) coordinate ^= turn;
  return MortonPosition(cell, bits);
}

}  // namespace sluice::delta
