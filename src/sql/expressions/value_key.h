// Values of any type, also nested ones: Spark's order of two of them, and a text of bytes that two
// values share exactly when they are equal (NULL equals NULL, NaN itself, -0.0 is 0.0): what sets
// of values are kept in. Part of the evaluator.
#pragma once

#include <arrow/array.h>

#include <string>

#include "base/status.h"

namespace sluice::sql {

/// Below, equal or above zero. NULL before all others. Both arrays have one type, which holds no
/// map. REQUIRES: IsOrderable.
int CompareValues(const arrow::Array& left, int64_t left_row, const arrow::Array& right,
                  int64_t right_row);
/// True when values of the type have an order: no maps in it.
bool IsOrderable(const arrow::DataType& type);
/// Appends bytes that stand, compared one by one, in the order of the values (CompareValues).
void AppendSortKey(const arrow::Array& array, int64_t row, std::string* key);
/// Appends the key of the value.
void AppendKey(const arrow::Array& array, int64_t row, std::string* key);

}  // namespace sluice::sql
