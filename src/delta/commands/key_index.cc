#include "delta/commands/key_index.h"

#include <arrow/api.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "base/hash128.h"

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

/// Bytes of each of its keys; 0 = they differ.
size_t FixedWidth(const arrow::ArrayVector& columns, const std::vector<bool>& null_safe) {
  size_t width = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (null_safe[i] || columns[i]->null_count() > 0 || columns[i]->type()->byte_width() <= 0)
      return 0;
    width += static_cast<size_t>(columns[i]->type()->byte_width());
  }
  return width;
}

uint64_t HashOf(std::string_view key) {
  uint64_t hash = 0;
  if (key.size() != sizeof(hash)) return HashBytes128(key.data(), key.size()).low;
  std::memcpy(&hash, key.data(), sizeof(hash));
  for (int round = 0; round < 2; ++round) {
    hash ^= hash >> 32;
    hash *= 0x9E3779B97F4A7C15ULL;
  }
  return hash ^ hash >> 32;
}

constexpr uint64_t kRowMask = (1ULL << 32) - 1;
uint64_t TagOf(uint64_t hash) { return hash & ~kRowMask; }

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
  keys.width_ = FixedWidth(columns, null_safe);
  keys.bytes_.reserve(static_cast<size_t>(rows) * keys.width_);
  keys.hashes_.reserve(static_cast<size_t>(rows));
  keys.matches_.assign(static_cast<size_t>(rows), true);
  size_t begin = 0;
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
    keys.hashes_.push_back(HashOf(std::string_view(keys.bytes_).substr(begin)));
    begin = keys.bytes_.size();
    if (keys.width_ == 0) keys.ends_.push_back(begin);
  }
  return keys;
}

KeyIndex::KeyIndex(EncodedKeys keys) : keys_(std::move(keys)) {
  const auto rows = static_cast<size_t>(keys_.size());
  SLUICE_CHECK(rows < kRowMask, "more rows than a batch can have");
  slots_.assign(std::bit_ceil(rows * 2 + 1), 0);
  next_.assign(rows, 0);
  // Backwards, each row before those of its key that are there: chains ascend.
  constexpr int64_t kAhead = 16;
  for (int64_t row = keys_.size() - 1; row >= 0; --row) {
    if (row >= kAhead) Prefetch(keys_, row - kAhead);
    if (!keys_.Matches(row)) continue;
    uint64_t& slot = slots_[SlotOf(keys_.Hash(row), keys_.Key(row))];
    if (slot == 0) ++num_keys_;
    next_[static_cast<size_t>(row)] = static_cast<uint32_t>(slot & kRowMask);
    slot = TagOf(keys_.Hash(row)) | static_cast<uint64_t>(row + 1);
  }
}

size_t KeyIndex::SlotOf(uint64_t hash, std::string_view key) const {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    if (TagOf(slots_[at]) == TagOf(hash) &&
        keys_.Key(static_cast<int64_t>(slots_[at] & kRowMask) - 1) == key)
      break;
  }
  return at;
}

void KeyIndex::Find(const EncodedKeys& keys, int64_t row, std::vector<int64_t>* rows) const {
  uint64_t found = slots_[SlotOf(keys.Hash(row), keys.Key(row))] & kRowMask;
  for (; found != 0; found = next_[found - 1]) rows->push_back(static_cast<int64_t>(found) - 1);
}

}  // namespace sluice::delta
