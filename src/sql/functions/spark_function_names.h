// Names of Spark's functions, for suggestions. Pure functions.
#pragma once

#include <string>

namespace sluice::sql {

/// The function whose name is closest to `name`, if it looks misspelt; else "".
std::string ClosestFunction(const std::string& name);

}  // namespace sluice::sql
