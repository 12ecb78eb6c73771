// Rows by key: finds the rows of one set whose key columns equal those of another row. Equality is
// SQL's: null equals nothing unless a column is null-safe, NaN equals NaN, -0.0 equals 0.0.
// Memory: the keys and 24 bytes a row. Thread-safe once made.
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
  int64_t size() const { return static_cast<int64_t>(ends_.size()); }
  /// False: a null that equals nothing is in the key.
  bool Matches(int64_t row) const { return matches_[static_cast<size_t>(row)]; }
  std::string_view Key(int64_t row) const {
    const auto i = static_cast<size_t>(row);
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
  std::vector<bool> matches_;
};

class KeyIndex {
 public:
  explicit KeyIndex(EncodedKeys keys);
  /// Appends the rows that have `key`, ascending.
  void Find(std::string_view key, std::vector<int64_t>* rows) const;
  int64_t num_keys() const { return num_keys_; }  // distinct ones

 private:
  size_t SlotOf(std::string_view key) const;

  const EncodedKeys keys_;
  std::vector<int64_t> first_;  // by slot: the first row of a key; -1 = free
  std::vector<int64_t> next_;   // by row: the next row of the same key; -1 = none
  std::vector<int64_t> last_;   // by row that is first: the last one
  int64_t num_keys_ = 0;
};

}  // namespace sluice::delta
