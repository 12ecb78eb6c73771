// The whole AST of expressions and queries; pipeline statements are in pipeline_ast.h.
#pragma once

#include "sql/ast_expression.h"  // IWYU pragma: export
#include "sql/ast_query.h"       // IWYU pragma: export
