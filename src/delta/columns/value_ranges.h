// A column cut into ranges of about equally many values, by a sample of it: what a space-filling
// curve takes for a coordinate. Nulls come first, NaN last.
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace sluice::delta {

/// A column whose values have an order, seen as integers or as texts that sort by bytes. Keeps the
/// array. One owner.
class OrderedColumn {
 public:
  /// True for types whose values have an order here: all but those with fields, and variants.
  static bool Has(const arrow::DataType& type);
  /// REQUIRES: Has(*array->type()).
  explicit OrderedColumn(std::shared_ptr<arrow::Array> array);

  bool is_text() const { return is_text_; }
  bool IsNull(int64_t row) const { return array_->IsNull(row); }
  /// REQUIRES: !is_text(), !IsNull(row).
  int64_t Number(int64_t row) const;
  /// REQUIRES: is_text(), !IsNull(row). Holds until the next call.
  std::string_view Text(int64_t row) const;

 private:
  std::shared_ptr<arrow::Array> array_;
  bool is_text_ = false;
  mutable std::string scratch_;  // of a decimal
};

/// Not thread-safe while it is filled; afterwards it is.
class ValueRanges {
 public:
  /// `count` ranges at most.
  explicit ValueRanges(uint32_t count) : count_(count) {}

  /// Takes one value into the sample, or puts it in the place of one that is there.
  void Sample(const OrderedColumn& column, int64_t row, size_t slot);
  /// Ends the sample. Call once, before RangeOf.
  void Finish();
  /// Below the count of ranges; 0 for null.
  uint32_t RangeOf(const OrderedColumn& column, int64_t row) const;

 private:
  template <typename T>
  void Cut(std::vector<T>* values) const;

  const uint32_t count_;
  // The sample, later the first value of each range but the lowest. One of them is in use.
  std::vector<int64_t> numbers_;
  std::vector<std::string> texts_;
};

}  // namespace sluice::delta
