#include "delta/columns/value_ranges.h"

#include <arrow/util/decimal.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace sluice::delta {
namespace {

/// An integer in the order of IEEE values.
int64_t OrderOf(double value) {
  if (std::isnan(value)) return std::numeric_limits<int64_t>::max();
  if (value == 0) value = 0;  // -0 is 0
  const auto bits = std::bit_cast<int64_t>(value);
  return bits >= 0 ? bits : bits ^ std::numeric_limits<int64_t>::max();
}

template <typename ArrayType>
auto At(const arrow::Array& array, int64_t row) {
  return static_cast<const ArrayType&>(array).Value(row);
}

/// Two's complement as bytes that sort: the highest first, the sign flipped.
void PutSorted(const arrow::Decimal128& value, std::string* bytes) {
  const auto high = static_cast<uint64_t>(value.high_bits()) ^ (1ULL << 63);
  const uint64_t low = value.low_bits();
  bytes->resize(16);
  for (size_t i = 0; i < 8; ++i) {
    (*bytes)[i] = static_cast<char>(high >> (56 - 8 * i));
    (*bytes)[i + 8] = static_cast<char>(low >> (56 - 8 * i));
  }
}

}  // namespace

bool OrderedColumn::Has(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::DECIMAL128: return true;
    default: return false;
  }
}

OrderedColumn::OrderedColumn(std::shared_ptr<arrow::Array> array)
    : array_(std::move(array)),
      is_text_(array_->type_id() == arrow::Type::STRING ||
               array_->type_id() == arrow::Type::BINARY ||
               array_->type_id() == arrow::Type::DECIMAL128) {}

int64_t OrderedColumn::Number(int64_t row) const {
  switch (array_->type_id()) {
    case arrow::Type::BOOL: return At<arrow::BooleanArray>(*array_, row) ? 1 : 0;
    case arrow::Type::INT8: return At<arrow::Int8Array>(*array_, row);
    case arrow::Type::INT16: return At<arrow::Int16Array>(*array_, row);
    case arrow::Type::INT32: return At<arrow::Int32Array>(*array_, row);
    case arrow::Type::DATE32: return At<arrow::Date32Array>(*array_, row);
    case arrow::Type::FLOAT:
      return OrderOf(static_cast<double>(At<arrow::FloatArray>(*array_, row)));
    case arrow::Type::DOUBLE: return OrderOf(At<arrow::DoubleArray>(*array_, row));
    case arrow::Type::TIMESTAMP: return At<arrow::TimestampArray>(*array_, row);
    default: return At<arrow::Int64Array>(*array_, row);
  }
}

std::string_view OrderedColumn::Text(int64_t row) const {
  if (array_->type_id() != arrow::Type::DECIMAL128)
    return static_cast<const arrow::BinaryArray&>(*array_).GetView(row);
  const auto& decimals = static_cast<const arrow::Decimal128Array&>(*array_);
  PutSorted(arrow::Decimal128(decimals.GetValue(row)), &scratch_);
  return scratch_;
}

void ValueRanges::Sample(const OrderedColumn& column, int64_t row, size_t slot) {
  if (column.IsNull(row)) return;
  if (column.is_text()) {
    const std::string_view text = column.Text(row);
    if (slot < texts_.size()) {
      texts_[slot] = text;
    } else {
      texts_.emplace_back(text);
    }
  } else if (slot < numbers_.size()) {
    numbers_[slot] = column.Number(row);
  } else {
    numbers_.push_back(column.Number(row));
  }
}

template <typename T>
void ValueRanges::Cut(std::vector<T>* values) const {
  std::sort(values->begin(), values->end());
  std::vector<T> begins;
  // Range 0 is for nulls and for what lies below the first begin.
  for (uint32_t range = 0; range + 1 < count_ && !values->empty(); ++range) {
    const size_t at = values->size() * range / (count_ - 1);
    if (begins.empty() || begins.back() < (*values)[at]) begins.push_back((*values)[at]);
  }
  *values = std::move(begins);
}

void ValueRanges::Finish() {
  Cut(&numbers_);
  Cut(&texts_);
}

uint32_t ValueRanges::RangeOf(const OrderedColumn& column, int64_t row) const {
  if (column.IsNull(row)) return 0;
  if (column.is_text()) {
    const auto it = std::upper_bound(texts_.begin(), texts_.end(), column.Text(row));
    return static_cast<uint32_t>(it - texts_.begin());
  }
  const auto it = std::upper_bound(numbers_.begin(), numbers_.end(), column.Number(row));
  return static_cast<uint32_t>(it - numbers_.begin());
}

}  // namespace sluice::delta
