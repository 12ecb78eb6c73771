// Aggregate functions by name: which there are, and which of them are computed from the list of a
// group's values rather than by DuckDB. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sluice::sql {

/// The canonical name of the aggregate function `name` (lower case); empty when there is none.
std::string CanonicalAggregate(const std::string& name);

/// For a function whose result is computed by the kernel "agg_<function>" from the list of its
/// values: which of `arguments` arguments are values (the others are constants, given to the kernel
/// after the list). Several values of a row make a struct. Empty for all other functions.
std::vector<bool> ListedArguments(const std::string& function, size_t arguments);

/// Whether rows are left out whose argument `index` is NULL.
bool SkipsNull(const std::string& function, size_t index);

}  // namespace sluice::sql
