// AST -> Spark SQL text. Parsing the text again gives the same tree (spans aside). Pure functions,
// any thread.
#pragma once

#include <string>

#include "sql/ast/ast.h"
#include "sql/ast/pipeline_ast.h"
#include "sql/print/column_name.h"  // IWYU pragma: export

namespace sluice::sql {

std::string ToSql(const Expr& expr);
std::string ToSql(const Relation& relation);
std::string ToSql(const Query& query);
std::string ToSql(const Statement& statement);

}  // namespace sluice::sql
