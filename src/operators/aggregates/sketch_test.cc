#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/hash128.h"
#include "base/random.h"
#include "operators/aggregates/hyper_log_log.h"
#include "operators/aggregates/quantile_sketch.h"

namespace sluice::operators {
namespace {

/// Ranks of `value` in `sorted`: the nearest to `rank`.
double RankError(const std::vector<double>& sorted, double value, double rank) {
  const auto low = std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin() + 1;
  const auto high = std::upper_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
  if (rank < static_cast<double>(low)) return static_cast<double>(low) - rank;
  return std::max(0.0, rank - static_cast<double>(high));
}

// Values in parts of random size, merged one after another as epochs are.
void CheckQuantiles(uint64_t seed, size_t count, int64_t accuracy) {
  SCOPED_TRACE("seed " + std::to_string(seed) + " accuracy " + std::to_string(accuracy));
  Random random(seed);
  std::vector<double> values(count);
  for (double& value : values) {
    value = seed % 2 == 0 ? static_cast<double>(random.Below(1000))
                          : static_cast<double>(random.Next() >> 11);
  }
  QuantileSketch all;
  size_t at = 0;
  while (at < count) {
    QuantileSketch part;
    const size_t end = std::min(count, at + 1 + random.Below(random.OneIn(3) ? 60'000 : 300));
    for (; at < end; ++at) part.Add(values[at], accuracy);
    all.Merge(part, accuracy);
  }
  std::sort(values.begin(), values.end());
  std::vector<double> percentages;
  for (int i = 0; i <= 40; ++i) percentages.push_back(i / 40.0);
  std::vector<double> found;
  all.Query(percentages, accuracy, &found);
  const double allowed = std::ceil(static_cast<double>(count) / static_cast<double>(accuracy)) + 1;
  for (size_t i = 0; i < found.size(); ++i) {
    const double rank = std::max(1.0, std::ceil(percentages[i] * static_cast<double>(count)));
    EXPECT_LE(RankError(values, found[i], rank), allowed) << percentages[i];
  }
  EXPECT_LT(all.memory_bytes(), 2'000'000);
}

TEST(QuantileSketch, RankErrorStaysWithinTheAccuracy) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    CheckQuantiles(seed, 300'000, 10'000);
    CheckQuantiles(seed, 100'000, 100);
    CheckQuantiles(seed, 900, 10'000);
  }
}

TEST(QuantileSketch, FewValuesAreExact) {
  QuantileSketch sketch;
  for (const double value : {5.0, 1.0, 4.0, 2.0, 3.0}) sketch.Add(value, 10'000);
  std::vector<double> found;
  sketch.Query({0, 0.2, 0.21, 0.5, 0.95, 1}, 10'000, &found);
  EXPECT_EQ(found, (std::vector<double>{1, 1, 2, 3, 5, 5}));
}

TEST(HyperLogLog, ErrorStaysWithinItsDeviation) {
  for (const double deviation : {0.05, 0.01}) {
    const int precision = HyperLogLogPrecision(deviation);
    for (const uint64_t count : {1ULL, 10ULL, 40ULL, 60ULL, 1000ULL, 100'000ULL}) {
      HyperLogLog left;
      HyperLogLog right;
      for (uint64_t i = 0; i < count; ++i) {
        const uint64_t hash = HashBytes128(&i, sizeof(i)).low;
        if (i % 3 != 0) left.Add(hash, precision);
        if (i % 3 != 1) right.Add(hash, precision);
      }
      left.Merge(right, precision);
      const auto estimate = static_cast<double>(left.Estimate(precision));
      EXPECT_NEAR(estimate, static_cast<double>(count),
                  std::max(1.0, 4 * deviation * static_cast<double>(count)));
    }
  }
}

}  // namespace
}  // namespace sluice::operators
