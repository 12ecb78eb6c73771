// Options given to a function as map('key', 'value', ..). Pure function.
#pragma once

#include <map>
#include <string>

#include "base/status.h"
#include "sql/expressions/bound_expression.h"

namespace sluice::sql {

/// Keys as written. NOT_SUPPORTED_YET when it is not a map of constant strings.
Result<std::map<std::string, std::string>> ConstantOptions(const BoundExpression& options);

}  // namespace sluice::sql
