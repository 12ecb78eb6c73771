// Names and strings as SQL text. Pure functions, any thread.
#pragma once

#include <string>

#include "sql/ast/name.h"

namespace sluice::sql {

/// `name` in back quotes where it needs them.
std::string QuoteIdentifier(const std::string& name);
/// 'text' with Spark's escapes.
std::string QuoteString(const std::string& text);
/// A name of a tree: quoted where it needs it, but for a keyword that stood without quotes.
std::string PrintName(const Name& name);

}  // namespace sluice::sql
