// Typed access to the values of argument columns, for loops over rows, and columns of fixed-width
// results.
#pragma once

#include <arrow/array.h>
#include <arrow/buffer_builder.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "base/status.h"

namespace sluice::operators {

using Int128 = __int128;

inline Status WrongArgument(const arrow::Array& array) {
  return MakeError("INTERNAL_ERROR",
                   "aggregate got a column of another type: " + array.type()->ToString());
}

/// The decimals of a column; memory from elsewhere may be aligned to 8 bytes only.
class DecimalValues {
 public:
  explicit DecimalValues(const arrow::Array& array)
      : bytes_(static_cast<const arrow::FixedSizeBinaryArray&>(array).raw_values()) {}
  Int128 operator()(int64_t i) const {
    Int128 value;
    std::memcpy(&value, bytes_ + i * 16, 16);
    return value;
  }

 private:
  const uint8_t* bytes_;
};

template <typename ArrayType>
auto ValuesOf(const arrow::Array& array) {
  return
      [values = static_cast<const ArrayType&>(array).raw_values()](int64_t i) { return values[i]; };
}

/// Calls visit(value_of) with a function of the row for integers, dates and timestamps.
template <typename Visit>
Status VisitIntegers(const arrow::Array& array, Visit&& visit) {
  switch (array.type_id()) {
    case arrow::Type::INT8: visit(ValuesOf<arrow::Int8Array>(array)); break;
    case arrow::Type::INT16: visit(ValuesOf<arrow::Int16Array>(array)); break;
    case arrow::Type::INT32: visit(ValuesOf<arrow::Int32Array>(array)); break;
    case arrow::Type::INT64: visit(ValuesOf<arrow::Int64Array>(array)); break;
    case arrow::Type::UINT8: visit(ValuesOf<arrow::UInt8Array>(array)); break;
    case arrow::Type::UINT16: visit(ValuesOf<arrow::UInt16Array>(array)); break;
    case arrow::Type::UINT32: visit(ValuesOf<arrow::UInt32Array>(array)); break;
    case arrow::Type::UINT64: visit(ValuesOf<arrow::UInt64Array>(array)); break;
    case arrow::Type::DATE32: visit(ValuesOf<arrow::Date32Array>(array)); break;
    case arrow::Type::TIMESTAMP: visit(ValuesOf<arrow::TimestampArray>(array)); break;
    default: return WrongArgument(array);
  }
  return Status::OK();
}

/// The same, also for floats, doubles and decimals (in units of their last digit).
template <typename Visit>
Status VisitNumbers(const arrow::Array& array, Visit&& visit) {
  switch (array.type_id()) {
    case arrow::Type::FLOAT: visit(ValuesOf<arrow::FloatArray>(array)); break;
    case arrow::Type::DOUBLE: visit(ValuesOf<arrow::DoubleArray>(array)); break;
    case arrow::Type::DECIMAL128: visit(DecimalValues(array)); break;
    default: return VisitIntegers(array, visit);
  }
  return Status::OK();
}

/// The same as doubles.
template <typename Visit>
Status VisitAsDoubles(const arrow::Array& array, Visit&& visit) {
  double unit = 1;
  if (array.type_id() == arrow::Type::DECIMAL128) {
    unit = std::pow(10.0, static_cast<const arrow::Decimal128Type&>(*array.type()).scale());
  }
  return VisitNumbers(array, [&](auto value_of) {
    visit([value_of, unit](int64_t i) { return static_cast<double>(value_of(i)) / unit; });
  });
}

/// A column of values of fixed width, of any type that holds T.
template <typename T>
class FixedColumn {
 public:
  Status Reserve(size_t rows) {
    SLUICE_RETURN_NOT_OK(values_.Reserve(static_cast<int64_t>(rows * sizeof(T))));
    return valid_.Reserve(static_cast<int64_t>(rows));
  }
  Status Append(T value) {
    SLUICE_RETURN_NOT_OK(values_.Append(&value, sizeof(T)));
    return valid_.Append(true);
  }
  Status AppendNull() {
    const T zero{};
    SLUICE_RETURN_NOT_OK(values_.Append(&zero, sizeof(T)));
    return valid_.Append(false);
  }
  Result<std::shared_ptr<arrow::Array>> Finish(const std::shared_ptr<arrow::DataType>& type) {
    const int64_t rows = valid_.length();
    const int64_t nulls = valid_.false_count();
    SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> valid, valid_.Finish());
    SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> values, values_.Finish());
    if (nulls == 0) valid = nullptr;
    return arrow::MakeArray(
        arrow::ArrayData::Make(type, rows, {std::move(valid), std::move(values)}, nulls));
  }

 private:
  arrow::BufferBuilder values_;
  arrow::TypedBufferBuilder<bool> valid_;
};

}  // namespace sluice::operators
