#include "operators/aggregates/hyper_log_log.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace sluice::operators {
namespace {

constexpr size_t kMaxEntries = 48;

double Sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double y = 1;
  double z = x;
  double last = 0;
  do {
    x *= x;
    last = z;
    z += x * y;
    y += y;
  } while (z != last);
  return z;
}

double Tau(double x) {
  if (x == 0.0 || x == 1.0) return 0;
  double y = 1;
  double z = 1 - x;
  double last = 0;
  do {
    x = std::sqrt(x);
    last = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (z != last);
  return z / 3;
}

}  // namespace

int HyperLogLogPrecision(double relative_sd) {
  return std::clamp(static_cast<int>(std::ceil(2.0 * std::log2(1.106 / relative_sd))), 4, 20);
}

void HyperLogLog::Add(uint64_t hash, int precision) {
  const auto index = static_cast<uint32_t>(hash >> (64 - precision));
  const uint64_t rest = hash << precision;
  const int zeros = rest == 0 ? 64 - precision : std::countl_zero(rest);
  Raise(index, static_cast<uint8_t>(zeros + 1), precision);
}

void HyperLogLog::Raise(uint32_t index, uint8_t value, int precision) {
  if (!registers_.empty()) {
    registers_[index] = std::max(registers_[index], value);
    return;
  }
  for (uint32_t& entry : entries_) {
    if (entry >> 8 != index) continue;
    entry = index << 8 | std::max<uint32_t>(entry & 0xFF, value);
    return;
  }
  entries_.push_back(index << 8 | value);
  if (entries_.size() > kMaxEntries) ToRegisters(precision);
}

void HyperLogLog::ToRegisters(int precision) {
  registers_.resize(size_t{1} << precision);
  for (const uint32_t entry : entries_) registers_[entry >> 8] = static_cast<uint8_t>(entry);
  entries_ = {};
}

void HyperLogLog::Merge(const HyperLogLog& other, int precision) {
  for (const uint32_t entry : other.entries_)
    Raise(entry >> 8, static_cast<uint8_t>(entry), precision);
  if (other.registers_.empty()) return;
  if (registers_.empty()) ToRegisters(precision);
  for (size_t i = 0; i < registers_.size(); ++i)
    registers_[i] = std::max(registers_[i], other.registers_[i]);
}

int64_t HyperLogLog::Estimate(int precision) const {
  const int top = 64 - precision;
  const double size = std::ldexp(1.0, precision);
  double counts[66] = {};
  counts[0] = size - static_cast<double>(entries_.size());
  for (const uint32_t entry : entries_) ++counts[entry & 0xFF];
  if (!registers_.empty()) {
    counts[0] = 0;
    for (const uint8_t value : registers_) ++counts[value];
  }
  double z = size * Tau(1 - counts[top + 1] / size);
  for (int k = top; k >= 1; --k) z = 0.5 * (z + counts[k]);
  z += size * Sigma(counts[0] / size);
  return std::llround(size * size / (2 * std::log(2.0)) / z);
}

void HyperLogLog::Restore(std::vector<uint32_t> entries, std::vector<uint8_t> registers) {
  entries_ = std::move(entries);
  registers_ = std::move(registers);
}

}  // namespace sluice::operators
