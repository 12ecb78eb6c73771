// Positions on curves through the cells of a grid: cells near each other on the curve are near each
// other in the grid, so rows sorted by it lie together in every column that spans the grid.
// Thread-safe (pure functions).
#pragma once

#include <cstdint>
#include <span>

namespace sluice::delta {

/// How many bits of each of `dimensions` coordinates fit into a position.
int CurveBits(size_t dimensions);

/// Z-order (Morton): the bits of the coordinates interleaved, the first coordinate's first.
/// REQUIRES: every coordinate is below 2^bits, bits <= CurveBits(cell.size()).
uint64_t MortonPosition(std::span<const uint32_t> cell, int bits);

/// Hilbert's curve: successive positions are neighbours. REQUIRES: as MortonPosition; `cell` is
/// scratch afterwards.
uint64_t HilbertPosition(std::span<uint32_t> cell, int bits);

}  // namespace sluice::delta
