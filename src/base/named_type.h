// Integers that must not be swapped are different types.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

namespace sluice {

template <typename Tag>
class NamedInt64 {
 public:
  constexpr NamedInt64() = default;
  constexpr explicit NamedInt64(int64_t value) : value_(value) {}
  constexpr int64_t value() const { return value_; }
  constexpr auto operator<=>(const NamedInt64&) const = default;
  constexpr NamedInt64 Next() const { return NamedInt64(value_ + 1); }
  std::string ToString() const { return std::to_string(value_); }

 private:
  int64_t value_ = 0;
};

/// Position in a source partition: the next record to read.
using Offset = NamedInt64<struct OffsetTag>;
/// Number of an epoch of one flow generation, counted from 0.
using EpochNumber = NamedInt64<struct EpochNumberTag>;
/// Version of a Delta table, counted from 0.
using TableVersion = NamedInt64<struct TableVersionTag>;

/// Microseconds since 1970-01-01 UTC: Spark's and Delta's TIMESTAMP.
using TimestampMicros = int64_t;
inline constexpr TimestampMicros kNoTimestamp = std::numeric_limits<int64_t>::min();

}  // namespace sluice

template <typename Tag>
struct std::hash<sluice::NamedInt64<Tag>> {
  size_t operator()(const sluice::NamedInt64<Tag>& id) const noexcept {
    return std::hash<int64_t>()(id.value());
  }
};
