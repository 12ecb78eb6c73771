#include "delta/commands/key_index.h"

#include <arrow/api.h>

#include <bit>
#include <cmath>
#include <functional>

namespace sluice::delta {
namespace {

template <typename T>
void AppendBytes(const T& value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename Array>
void AppendFloat(const arrow::Array& array, int64_t row, std::string* out) {
  auto value = static_cast<const Array&>(array).Value(row);
  if (std::isnan(value)) value = std::numeric_limits<decltype(value)>::quiet_NaN();
  AppendBytes(value == 0 ? decltype(value)(0) : value, out);
}

void AppendText(std::string_view text, std::string* out) {
  AppendBytes(static_cast<uint32_t>(text.size()), out);
  out->append(text);
}

bool HasEquality(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
    case arrow::Type::BOOL:
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DECIMAL128: return true;
    default: return false;
  }
}

void AppendValue(const arrow::Array& array, int64_t row, std::string* out) {
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      out->push_back(static_cast<const arrow::BooleanArray&>(array).Value(row) ? 1 : 0);
      return;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return AppendText(static_cast<const arrow::BinaryArray&>(array).GetView(row), out);
    case arrow::Type::FLOAT: return AppendFloat<arrow::FloatArray>(array, row, out);
    case arrow::Type::DOUBLE: return AppendFloat<arrow::DoubleArray>(array, row, out);
    default: {
      const auto width = static_cast<size_t>(array.type()->byte_width());
      const auto* values = array.data()->buffers[1]->data();
      out->append(
          reinterpret_cast<const char*>(values) + static_cast<size_t>(array.offset() + row) * width,
          width);
    }
  }
}

}  // namespace

Result<EncodedKeys> EncodedKeys::Make(const arrow::ArrayVector& columns,
                                      const std::vector<bool>& null_safe, int64_t rows) {
  for (const auto& column : columns) {
    if (!HasEquality(*column->type()))
      return MakeError("DELTA_UNSUPPORTED_TYPE",
                       "cannot join by a column of type " + column->type()->ToString(),
                       "compare fields of the column instead");
  }
  EncodedKeys keys;
  keys.ends_.reserve(static_cast<size_t>(rows));
  keys.matches_.assign(static_cast<size_t>(rows), true);
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const bool null = columns[i]->IsNull(row);
      if (null_safe[i]) keys.bytes_.push_back(null ? 0 : 1);
      if (!null) {
        AppendValue(*columns[i], row, &keys.bytes_);
      } else if (!null_safe[i]) {
        keys.matches_[static_cast<size_t>(row)] = false;
      }
    }
    keys.ends_.push_back(keys.bytes_.size());
  }
  return keys;
}

KeyIndex::KeyIndex(EncodedKeys keys) : keys_(std::move(keys)) {
  const auto rows = static_cast<size_t>(keys_.size());
  first_.assign(std::bit_ceil(rows * 2 + 1), -1);
  next_.assign(rows, -1);
  last_.assign(rows, -1);
  for (size_t row = 0; row < rows; ++row) {
    const auto number = static_cast<int64_t>(row);
    if (!keys_.Matches(number)) continue;
    int64_t& first = first_[SlotOf(keys_.Key(number))];
    if (first < 0) {
      first = number;
      ++num_keys_;
    } else {
      next_[static_cast<size_t>(last_[static_cast<size_t>(first)])] = number;
    }
    last_[static_cast<size_t>(first)] = number;
  }
}

size_t KeyIndex::SlotOf(std::string_view key) const {
  const size_t mask = first_.size() - 1;
  size_t hash = std::hash<std::string_view>()(key);
  hash ^= hash >> 32;
  size_t slot = hash & mask;
  while (first_[slot] >= 0 && keys_.Key(first_[slot]) != key) slot = (slot + 1) & mask;
  return slot;
}

void KeyIndex::Find(std::string_view key, std::vector<int64_t>* rows) const {
  for (int64_t row = first_[SlotOf(key)]; row >= 0; row = next_[static_cast<size_t>(row)])
    rows->push_back(row);
}

}  // namespace sluice::delta
