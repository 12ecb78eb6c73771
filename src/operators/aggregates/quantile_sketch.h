// Approximate quantiles after Greenwald and Khanna (2001), mergeable: the value returned for a
// percentage p of n values has a rank within n / accuracy of p * n. Up to `accuracy` values (at
// least 1000) are kept as they are: exact.
#pragma once

#include <cstdint>
#include <vector>

#include "state/state_io.h"

namespace sluice::operators {

class QuantileSketch {
 public:
  /// `accuracy` is the same for all that are merged.
  void Add(double value, int64_t accuracy);
  void Merge(const QuantileSketch& other, int64_t accuracy);
  /// Values at `percentages`, one each. REQUIRES: not empty.
  void Query(const std::vector<double>& percentages, int64_t accuracy,
             std::vector<double>* values) const;

  bool empty() const { return exact_.empty() && samples_.empty(); }
  int64_t memory_bytes() const {
    return static_cast<int64_t>(exact_.capacity() * sizeof(double) +
                                samples_.capacity() * sizeof(Sample));
  }
  Status Save(state::StateOutput* out) const;
  Status Load(state::StateInput* in);

 private:
  /// Stands for `covered` values up to this one; its rank is uncertain by `slack`.
  struct Sample {
    double value = 0;
    uint32_t covered = 0;
    uint32_t slack = 0;
  };
  void SortExact();
  /// Moves exact values into samples when there are too many.
  void Fold(int64_t accuracy);
  static std::vector<Sample> MergeSamples(const std::vector<Sample>& left,
                                          const std::vector<Sample>& right);
  static std::vector<Sample> AsSamples(const std::vector<double>& sorted);
  void Compress(int64_t accuracy);
  uint64_t NumSampled() const;

  std::vector<double> exact_;  // sorted up to sorted_
  size_t sorted_ = 0;
  std::vector<Sample> samples_;  // sorted; of the values not in exact_
};

}  // namespace sluice::operators
