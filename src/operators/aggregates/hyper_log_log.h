// Distinct counting in a fixed number of bytes: HyperLogLog with Ertl's estimator (2017), which
// needs no correction tables. Few values are kept as a list, so small groups take little memory.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::operators {

/// Precision of Spark's approx_count_distinct for a relative standard deviation: registers are
/// 2^precision.
int HyperLogLogPrecision(double relative_sd);

class HyperLogLog {
 public:
  /// `precision` is the same for all that are merged.
  void Add(uint64_t hash, int precision);
  void Merge(const HyperLogLog& other, int precision);
  int64_t Estimate(int precision) const;
  int64_t memory_bytes() const {
    return static_cast<int64_t>(entries_.capacity() * sizeof(uint32_t) + registers_.capacity());
  }

  // For saving: entries (register << 8 | value) as long as there are no registers.
  const std::vector<uint32_t>& entries() const { return entries_; }
  const std::vector<uint8_t>& registers() const { return registers_; }
  void Restore(std::vector<uint32_t> entries, std::vector<uint8_t> registers);

 private:
  void Raise(uint32_t index, uint8_t value, int precision);
  void ToRegisters(int precision);

  std::vector<uint32_t> entries_;
  std::vector<uint8_t> registers_;
};

}  // namespace sluice::operators
