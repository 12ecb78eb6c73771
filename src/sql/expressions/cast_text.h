// Texts of values: parsing and printing as Spark does. Part of the casts.
#pragma once

#include <string_view>

#include "base/status.h"
#include "sql/expressions/kernel.h"
#include "sql/expressions/type_coercion.h"

namespace sluice::sql {

/// CAST_INVALID_INPUT for `text`.
Status InvalidInput(std::string_view text, const arrow::DataType& to);
/// Without blanks and control characters at both ends, as Spark's casts.
std::string_view TrimAll(std::string_view text);
bool ParseReal(std::string_view text, double* out);
bool ParseReal(std::string_view text, float* out);
bool ParseBoolean(std::string_view text, bool* out);
/// The same buffers under another type of the same layout.
Result<ArrayPtr> WithType(const ArrayPtr& array, const TypePtr& type);

}  // namespace sluice::sql
