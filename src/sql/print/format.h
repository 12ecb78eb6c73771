// Lays out a file of SQL statements anew: keywords in capitals, clauses on lines of their own,
// lists that do not fit into a line one element a line. Comments, names, literals and `${key}`
// stay as they are written. Formatting what was formatted changes nothing. Pure functions, any
// thread.
#pragma once

#include <string>

#include "base/status.h"

namespace sluice::sql {

/// How long lines may get before they are broken.
constexpr size_t kFormatWidth = 100;

/// `text` is a file as it is on disk, before substitution. Errors: those of the parser; the result
/// parses to the same statements as `text`, or it is an INTERNAL_ERROR.
Result<std::string> FormatSql(const std::string& file_name, const std::string& text);

}  // namespace sluice::sql
