#include "delta/upkeep/space_filling_curve.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <vector>

namespace sluice::delta {
namespace {

/// Every cell of a grid, by its position on the curve.
std::map<uint64_t, std::vector<uint32_t>> CellsAlong(size_t dimensions, int bits, bool hilbert) {
  std::map<uint64_t, std::vector<uint32_t>> cells;
  const uint32_t side = 1U << bits;
  std::vector<uint32_t> cell(dimensions, 0);
  while (true) {
    auto scratch = cell;
    cells[hilbert ? HilbertPosition(scratch, bits) : MortonPosition(cell, bits)] = cell;
    size_t axis = 0;
    while (axis < dimensions && ++cell[axis] == side) cell[axis++] = 0;
    if (axis == dimensions) return cells;
  }
}

TEST(SpaceFillingCurveTest, PositionsAreWithoutGap) {
  for (const size_t dimensions : {1U, 2U, 3U, 4U}) {
    for (const bool hilbert : {false, true}) {
      const auto cells = CellsAlong(dimensions, 3, hilbert);
      const uint64_t count = 1ULL << (3 * dimensions);
      EXPECT_EQ(cells.size(), count);
      EXPECT_EQ(cells.rbegin()->first, count - 1);
    }
  }
}

TEST(SpaceFillingCurveTest, SuccessiveCellsOfHilbertsCurveAreNeighbours) {
  for (const size_t dimensions : {1U, 2U, 3U, 4U}) {
    std::vector<uint32_t> before;
    for (const auto& [position, cell] : CellsAlong(dimensions, 4, true)) {
      int64_t distance = 0;
      for (size_t i = 0; i < before.size(); ++i)
        distance += std::abs(static_cast<int64_t>(cell[i]) - static_cast<int64_t>(before[i]));
      if (!before.empty()) {
        EXPECT_EQ(distance, 1) << dimensions << " dimensions, at " << position;
      }
      before = cell;
    }
  }
}

TEST(SpaceFillingCurveTest, MortonInterleavesBits) {
  EXPECT_EQ(MortonPosition(std::vector<uint32_t>{0b101, 0b011}, 3), 0b100111U);
}

TEST(SpaceFillingCurveTest, PositionsFitIntoTheirInteger) {
  for (size_t dimensions = 1; dimensions <= 63; ++dimensions)
    EXPECT_LE(CurveBits(dimensions) * static_cast<int>(dimensions), 63);
}

}  // namespace
}  // namespace sluice::delta
