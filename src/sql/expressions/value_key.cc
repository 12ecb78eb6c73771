#include "sql/expressions/value_key.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "sql/expressions/kernel.h"
#include "sql/expressions/physical_type.h"

namespace sluice::sql {
namespace {

using arrow::Type;

template <typename T>
T ValueAt(const arrow::Array& array, int64_t row) {
  if constexpr (std::is_same_v<T, bool>) {
    return static_cast<const arrow::BooleanArray&>(array).Value(row);
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    return static_cast<const arrow::BinaryArray&>(array).GetView(row);
  } else if constexpr (std::is_same_v<T, arrow::Decimal128>) {
    return arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(array).GetValue(row));
  } else {
    return array.data()->template GetValues<T>(1)[row];
  }
}

int CompareLists(const arrow::ListArray& left, int64_t left_row, const arrow::ListArray& right,
                 int64_t right_row) {
  const int64_t left_size = left.value_length(left_row);
  const int64_t right_size = right.value_length(right_row);
  for (int64_t i = 0; i < std::min(left_size, right_size); ++i) {
    const int order = CompareValues(*left.values(), left.value_offset(left_row) + i,
                                    *right.values(), right.value_offset(right_row) + i);
    if (order != 0) return order;
  }
  return left_size < right_size ? -1 : left_size > right_size ? 1 : 0;
}

template <typename T>
void AppendBytes(const T& value, std::string* key) {
  key->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Most significant byte first.
void AppendOrdered(uint64_t bits, size_t bytes, std::string* key) {
  for (size_t i = bytes; i-- > 0;) key->push_back(static_cast<char>(bits >> (8 * i) & 0xFF));
}

// A zero byte is followed by 0xFF, the end by none: so that a longer text is behind its beginning.
void AppendOrdered(std::string_view text, std::string* key) {
  for (const char c : text) {
    key->push_back(c);
    if (c == '\0') key->push_back('\xFF');
  }
  key->append(2, '\0');
}

template <typename T>
void AppendOrdered(const T& value, std::string* key) {
  if constexpr (std::is_same_v<T, arrow::Decimal128>) {
    AppendOrdered(static_cast<uint64_t>(value.high_bits()) ^ uint64_t{1} << 63, 8, key);
    AppendOrdered(value.low_bits(), 8, key);
  } else if constexpr (std::is_floating_point_v<T>) {
    const double wide = std::isnan(value) ? std::numeric_limits<double>::quiet_NaN()
                        : value == T{0}   ? 0.0
                                          : static_cast<double>(value);
    uint64_t bits = 0;
    std::memcpy(&bits, &wide, sizeof(bits));
    if (std::isnan(wide)) bits &= ~(uint64_t{1} << 63);
    AppendOrdered(bits >> 63 != 0 ? ~bits : bits | uint64_t{1} << 63, 8, key);
  } else if constexpr (std::is_same_v<T, bool>) {
    key->push_back(value ? '\1' : '\0');
  } else {
    AppendOrdered(static_cast<uint64_t>(static_cast<int64_t>(value)) ^ uint64_t{1} << 63, 8, key);
  }
}

}  // namespace

void AppendSortKey(const arrow::Array& array, int64_t row, std::string* key) {
  if (array.IsNull(row)) {
    key->push_back('\0');
    return;
  }
  key->push_back('\1');
  const bool plain = VisitPhysical(
      *array.type(), [&]<typename T>(T) { AppendOrdered(ValueAt<T>(array, row), key); });
  if (plain) return;
  if (array.type_id() == Type::LIST) {
    const auto& list = static_cast<const arrow::ListArray&>(array);
    for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
      key->push_back('\1');
      AppendSortKey(*list.values(), i, key);
    }
    key->push_back('\0');
    return;
  }
  if (array.type_id() != Type::STRUCT) return;  // void: only NULLs
  const auto& record = static_cast<const arrow::StructArray&>(array);
  for (int i = 0; i < record.num_fields(); ++i) AppendSortKey(*record.field(i), row, key);
}

bool IsOrderable(const arrow::DataType& type) {
  if (type.id() == Type::MAP || type.id() == Type::EXTENSION) return false;
  return std::all_of(type.fields().begin(), type.fields().end(),
                     [](const auto& field) { return IsOrderable(*field->type()); });
}

int CompareValues(const arrow::Array& left, int64_t left_row, const arrow::Array& right,
                  int64_t right_row) {
  const bool left_null = left.IsNull(left_row);
  const bool right_null = right.IsNull(right_row);
  if (left_null || right_null) return left_null == right_null ? 0 : left_null ? -1 : 1;
  int order = 0;
  const bool plain = VisitPhysical(*left.type(), [&]<typename T>(T) {
    order = Compare(ValueAt<T>(left, left_row), ValueAt<T>(right, right_row));
  });
  if (plain) return order;
  if (left.type_id() == Type::LIST) {
    return CompareLists(static_cast<const arrow::ListArray&>(left), left_row,
                        static_cast<const arrow::ListArray&>(right), right_row);
  }
  const auto& a = static_cast<const arrow::StructArray&>(left);
  const auto& b = static_cast<const arrow::StructArray&>(right);
  for (int i = 0; i < a.num_fields() && order == 0; ++i)
    order = CompareValues(*a.field(i), left_row, *b.field(i), right_row);
  return order;
}

void AppendKey(const arrow::Array& array, int64_t row, std::string* key) {
  if (array.IsNull(row)) {
    key->push_back('\0');
    return;
  }
  key->push_back('\1');
  const bool plain = VisitPhysical(*array.type(), [&]<typename T>(T) {
    T value = ValueAt<T>(array, row);
    if constexpr (std::is_same_v<T, std::string_view>) {
      AppendBytes(static_cast<uint64_t>(value.size()), key);
      key->append(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(value)) value = std::numeric_limits<T>::quiet_NaN();
      if (value == T{0}) value = T{0};
      AppendBytes(value, key);
    } else {
      AppendBytes(value, key);
    }
  });
  if (plain) return;
  if (array.type_id() == Type::LIST || array.type_id() == Type::MAP) {
    const auto& list = static_cast<const arrow::ListArray&>(array);
    AppendBytes(static_cast<uint64_t>(list.value_length(row)), key);
    for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i)
      AppendKey(*list.values(), i, key);
    return;
  }
  if (array.type_id() != Type::STRUCT) return;  // void: only NULLs
  const auto& record = static_cast<const arrow::StructArray&>(array);
  for (int i = 0; i < record.num_fields(); ++i) AppendKey(*record.field(i), row, key);
}

}  // namespace sluice::sql
