// Where the statements of a text are, found without parsing them: for texts whose `${key}` have to
// be replaced statement by statement. Pure function.
#pragma once

#include <string_view>
#include <vector>

#include "sql/ast/source_text.h"

namespace sluice::sql {

/// What stands between the semicolons outside of strings, quoted names and comments; pieces that
/// hold nothing but blanks and comments are left out.
std::vector<Span> SplitStatements(std::string_view text);

}  // namespace sluice::sql
