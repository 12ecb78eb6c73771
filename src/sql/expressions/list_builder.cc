#include "sql/expressions/list_builder.h"

#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include <unordered_set>

#include "sql/expressions/cast.h"
#include "sql/expressions/value_key.h"

namespace sluice::sql {

Result<ArrayPtr> TakeAt(const ArrayPtr& values, arrow::UInt32Builder* indices) {
  SLUICE_ASSIGN_OR_RETURN(auto taken, indices->Finish());
  return arrow::compute::Take(*values, *taken, arrow::compute::TakeOptions::NoBoundsCheck());
}

Result<ArrayPtr> MapFrom(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                         std::shared_ptr<arrow::Buffer> valid,
                         std::shared_ptr<arrow::Buffer> offsets, const ArrayPtr& keys,
                         const ArrayPtr& values) {
  auto entries = arrow::ArrayData::Make(type->field(0)->type(), keys->length(), {nullptr},
                                        {keys->data(), values->data()});
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, rows, {std::move(valid), std::move(offsets)}, {entries}));
}

Status CheckKeys(const arrow::Array& keys, int64_t first, int64_t last) {
  std::unordered_set<std::string> seen;
  std::string key;
  for (int64_t i = first; i < last; ++i) {
    if (keys.IsNull(i))
      return MakeError("NULL_MAP_KEY",
                       "[NULL_MAP_KEY] cannot use null as map key. SQLSTATE: 2200E");
    key.clear();
    AppendKey(keys, i, &key);
    if (seen.insert(key).second) continue;
    std::string text;
    AppendText(keys, i, &text);
    return MakeError(
        "DUPLICATED_MAP_KEY",
        fmt::format("[DUPLICATED_MAP_KEY] duplicate map key {} was found. SQLSTATE: 23505", text));
  }
  return Status::OK();
}

Status ListPicker::Row(bool present) {
  const int64_t end = size();
  if (end > INT32_MAX) {
    return MakeError("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION",
                     "[COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION] a batch of arrays has more than "
                     "2147483647 elements. SQLSTATE: 54000");
  }
  ends_.push_back(static_cast<int32_t>(end));
  present_.push_back(present);
  return Status::OK();
}

Status ListPicker::Close(std::shared_ptr<arrow::Buffer>* valid,
                         std::shared_ptr<arrow::Buffer>* offsets) {
  arrow::TypedBufferBuilder<bool> bits;
  SLUICE_RETURN_NOT_OK(bits.Reserve(static_cast<int64_t>(present_.size())));
  for (const bool present : present_) bits.UnsafeAppend(present);
  SLUICE_ASSIGN_OR_RETURN(*valid, bits.Finish());
  arrow::TypedBufferBuilder<int32_t> ends;
  SLUICE_RETURN_NOT_OK(ends.Append(ends_.data(), static_cast<int64_t>(ends_.size())));
  SLUICE_ASSIGN_OR_RETURN(*offsets, ends.Finish());
  return Status::OK();
}

Result<ArrayPtr> ListPicker::FinishWith(const std::shared_ptr<arrow::DataType>& type,
                                        const ArrayPtr& items) {
  std::shared_ptr<arrow::Buffer> valid;
  std::shared_ptr<arrow::Buffer> offsets;
  SLUICE_RETURN_NOT_OK(Close(&valid, &offsets));
  return arrow::MakeArray(arrow::ArrayData::Make(type, static_cast<int64_t>(present_.size()),
                                                 {valid, offsets}, {items->data()}));
}

Result<ArrayPtr> ListPicker::Finish(const std::shared_ptr<arrow::DataType>& type,
                                    const ArrayPtr& values) {
  SLUICE_ASSIGN_OR_RETURN(auto items, TakeAt(values, &indices_));
  return FinishWith(type, items);
}

Result<ArrayPtr> ListPicker::FinishMapWith(const std::shared_ptr<arrow::DataType>& type,
                                           const ArrayPtr& keys, const ArrayPtr& values) {
  std::shared_ptr<arrow::Buffer> valid;
  std::shared_ptr<arrow::Buffer> offsets;
  SLUICE_RETURN_NOT_OK(Close(&valid, &offsets));
  return MapFrom(type, static_cast<int64_t>(present_.size()), valid, offsets, keys, values);
}

Result<ArrayPtr> ListPicker::FinishMap(const std::shared_ptr<arrow::DataType>& type,
                                       const ArrayPtr& keys, const ArrayPtr& values) {
  SLUICE_ASSIGN_OR_RETURN(auto positions, indices_.Finish());
  const auto options = arrow::compute::TakeOptions::NoBoundsCheck();
  SLUICE_ASSIGN_OR_RETURN(auto key_items, arrow::compute::Take(*keys, *positions, options));
  SLUICE_ASSIGN_OR_RETURN(auto value_items, arrow::compute::Take(*values, *positions, options));
  return FinishMapWith(type, key_items, value_items);
}

Result<Joined> Join(const arrow::ArrayVector& arrays) {
  Joined joined;
  int64_t total = 0;
  for (const ArrayPtr& array : arrays) {
    joined.begins.push_back(total);
    total += array->length();
  }
  if (arrays.size() == 1) {
    joined.values = arrays[0];
    return joined;
  }
  SLUICE_ASSIGN_OR_RETURN(joined.values, arrow::Concatenate(arrays));
  return joined;
}

}  // namespace sluice::sql
