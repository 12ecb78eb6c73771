// The names Spark gives to expressions without an alias. Pure functions, any thread.
#pragma once

#include <functional>
#include <string>

#include "sql/ast/ast.h"

namespace sluice::sql {

/// How a column inside of a larger expression is shown. Spark leaves the table out and keeps the
/// fields: of `t.a.b` it shows `a.b`. Who has resolved the column can say so; the default shows
/// the last part.
using ColumnDisplay = std::function<std::string(const ColumnRef&)>;

/// "count(1)", "(a + b)", "upper(x)"; of a column, or a cast of one, its last part.
std::string ColumnName(const Expr& expr, const ColumnDisplay& display = nullptr);

}  // namespace sluice::sql
