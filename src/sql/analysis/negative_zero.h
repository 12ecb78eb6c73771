// -0.0 and 0.0 are one value wherever values are told apart: keys of groups, rows of DISTINCT and
// of set operations.
#pragma once

#include "sql/expressions/bound_expression.h"

namespace sluice::sql {

/// `key` with 0.0 for -0.0, also within arrays and structs. `key` itself when its type holds no
/// floating point number.
BoundPtr WithoutNegativeZero(const BoundPtr& key);

}  // namespace sluice::sql
