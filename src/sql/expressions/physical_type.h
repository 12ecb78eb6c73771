// Values by their physical C++ type: Spark's order of them, and dispatch from an Arrow type. Part
// of the evaluator.
#pragma once

#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <cmath>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace sluice::sql {

// Spark's order: NaN equals itself and is the largest; -0.0 = 0.0.
template <typename T>
int Compare(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    const bool a_nan = std::isnan(a);
    const bool b_nan = std::isnan(b);
    if (a_nan || b_nan) return a_nan == b_nan ? 0 : a_nan ? 1 : -1;
  }
  if constexpr (std::is_same_v<T, std::string_view>) {
    const int order = a.compare(b);
    return order < 0 ? -1 : order > 0 ? 1 : 0;
  } else {
    return a < b ? -1 : b < a ? 1 : 0;
  }
}

// Calls `visit(T{})` with the physical C++ type of `type`; false for nested types.
template <typename Visit>
bool VisitPhysical(const arrow::DataType& type, Visit visit) {
  switch (type.id()) {
    case arrow::Type::BOOL: visit(bool{}); return true;
    case arrow::Type::INT8: visit(int8_t{}); return true;
    case arrow::Type::INT16: visit(int16_t{}); return true;
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::INTERVAL_MONTHS: visit(int32_t{}); return true;
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION: visit(int64_t{}); return true;
    case arrow::Type::FLOAT: visit(float{}); return true;
    case arrow::Type::DOUBLE: visit(double{}); return true;
    case arrow::Type::STRING:
    case arrow::Type::BINARY: visit(std::string_view{}); return true;
    case arrow::Type::DECIMAL128: visit(arrow::Decimal128{}); return true;
    default: return false;
  }
}

}  // namespace sluice::sql
