// Rows by key: finds the rows of one set whose key columns equal those of another row. Equality is
// SQL's: null equals nothing unless a column is null-safe, NaN equals NaN, -0.0 equals 0.0.
// Memory: the keys and 60 bytes a row at most. Thread-safe once made.
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace sluice::delta {

/// Keys of rows as byte strings that are equal when the keys are.
class EncodedKeys {
 public:
  /// `null_safe` as `columns`. DELTA_UNSUPPORTED_TYPE for a type without equality here.
  static Result<EncodedKeys> Make(const arrow::ArrayVector& columns,
                                  const std::vector<bool>& null_safe, int64_t rows);
  int64_t size() const { return static_cast<int64_t>(hashes_.size()); }
  /// False: a null that equals nothing is in the key.
  bool Matches(int64_t row) const { return matches_[static_cast<size_t>(row)]; }
  std::string_view Key(int64_t row) const {
    const auto i = static_cast<size_t>(row);
    if (width_ > 0) return std::string_view(bytes_).substr(i * width_, width_);
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }
  uint64_t Hash(int64_t row) const { return hashes_[static_cast<size_t>(row)]; }

 private:
  std::string bytes_;
  size_t width_ = 0;  // of every key; 0 = they differ: ends_
  std::vector<size_t> ends_;
  std::vector<uint64_t> hashes_;
  std::vector<bool> matches_;
};

class KeyIndex {
 public:
  explicit KeyIndex(EncodedKeys keys);
  /// Appends the rows that have the key of `row` of `keys`, ascending.
  void Find(const EncodedKeys& keys, int64_t row, std::vector<int64_t>* rows) const;
  /// Brings closer what Find looks at first.
  void Prefetch(const EncodedKeys& keys, int64_t row) const {
    if (row < keys.size()) __builtin_prefetch(&slots_[keys.Hash(row) & (slots_.size() - 1)]);
  }
  int64_t num_keys() const { return num_keys_; }  // distinct ones

 private:
  size_t SlotOf(uint64_t hash, std::string_view key) const;

  const EncodedKeys keys_;
  // Open addressing, at most half full: the upper half of the hash, and the first row of the key
  // + 1; 0 = free.
  std::vector<uint64_t> slots_;
  std::vector<uint32_t> next_;  // by row: the next row of the same key + 1; 0 = none
  int64_t num_keys_ = 0;
};

}  // namespace sluice::delta
