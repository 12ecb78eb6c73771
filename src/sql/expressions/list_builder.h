// How kernels over arrays put their results together: lists whose items are picked from others by
// position. Part of the evaluator.
#pragma once

#include <arrow/array.h>
#include <arrow/buffer_builder.h>
#include <arrow/builder.h>

#include <vector>

#include "sql/expressions/kernel.h"

namespace sluice::sql {

/// Items of `values` at `indices` (finished here); a NULL index makes a NULL.
Result<ArrayPtr> TakeAt(const ArrayPtr& values, arrow::UInt32Builder* indices);
/// A map array of entries that are already in order.
Result<ArrayPtr> MapFrom(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                         std::shared_ptr<arrow::Buffer> valid,
                         std::shared_ptr<arrow::Buffer> offsets, const ArrayPtr& keys,
                         const ArrayPtr& values);
/// DUPLICATED_MAP_KEY, NULL_MAP_KEY: keys of one map stand from `first` to `last`.
Status CheckKeys(const arrow::Array& keys, int64_t first, int64_t last);

inline const arrow::ListArray& ListOf(const Value& value) {
  return static_cast<const arrow::ListArray&>(*value.array);
}
inline const arrow::MapArray& MapOf(const Value& value) {
  return static_cast<const arrow::MapArray&>(*value.array);
}

/// Collects rows of lists: items are positions in one array of values.
class ListPicker {
 public:
  Status Item(int64_t position) { return indices_.Append(static_cast<uint32_t>(position)); }
  Status NullItem() { return indices_.AppendNull(); }
  /// Ends a row.
  Status Row(bool present = true);
  /// Items so far, picked and counted.
  int64_t size() const { return indices_.length() + extra_; }
  /// Lists of `type` over `values`.
  Result<ArrayPtr> Finish(const std::shared_ptr<arrow::DataType>& type, const ArrayPtr& values);
  /// Maps of `type`: the entries are at the same positions of `keys` and `values`.
  Result<ArrayPtr> FinishMap(const std::shared_ptr<arrow::DataType>& type, const ArrayPtr& keys,
                             const ArrayPtr& values);
  /// The rows' ends and which are not NULL, for items that were made another way; with Item not
  /// called, `Grow` counts them.
  void Grow(int64_t count) { extra_ += count; }
  Result<ArrayPtr> FinishWith(const std::shared_ptr<arrow::DataType>& type, const ArrayPtr& items);
  Result<ArrayPtr> FinishMapWith(const std::shared_ptr<arrow::DataType>& type, const ArrayPtr& keys,
                                 const ArrayPtr& values);

 private:
  Status Close(std::shared_ptr<arrow::Buffer>* valid, std::shared_ptr<arrow::Buffer>* offsets);

  arrow::UInt32Builder indices_;
  std::vector<int32_t> ends_{0};
  std::vector<bool> present_;
  int64_t extra_ = 0;
};

/// Arrays one after another, and where each begins: positions in the whole for ListPicker.
struct Joined {
  ArrayPtr values;
  std::vector<int64_t> begins;
};
Result<Joined> Join(const arrow::ArrayVector& arrays);

}  // namespace sluice::sql
