// AST -> Spark SQL text. Parsing the text again gives the same tree (spans aside). Pure functions,
// any thread.
#pragma once

#include <string>

#include "sql/ast.h"
#include "sql/column_name.h"  // IWYU pragma: export
#include "sql/pipeline_ast.h"

namespace sluice::sql {

std::string ToSql(const Expr& expr);
std::string ToSql(const Relation& relation);
std::string ToSql(const Query& query);
std::string ToSql(const Statement& statement);

/// `name` in back quotes where it needs them.
std::string QuoteIdentifier(const std::string& name);
/// 'text' with Spark's escapes.
std::string QuoteString(const std::string& text);

}  // namespace sluice::sql
