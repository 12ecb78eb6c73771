// The whole AST of expressions and queries; pipeline statements are in pipeline_ast.h.
#pragma once

#include "sql/ast/ast_expression.h"  // IWYU pragma: export
#include "sql/ast/ast_query.h"       // IWYU pragma: export
