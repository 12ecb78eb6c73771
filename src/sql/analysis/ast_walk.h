// Walks over expressions: the children of a node, all nodes of a tree. Subqueries are not entered.
#pragma once

#include <functional>

#include "sql/ast/ast.h"

namespace sluice::sql {

/// Calls `visit` for each direct child expression, in the order of the text; also those in FILTER,
/// OVER and ORDER BY.
void VisitChildren(const Expr& expr, const std::function<void(const Expr&)>& visit);
void VisitChildren(Expr& expr, const std::function<void(Expr&)>& visit);

/// Calls `visit` for `expr` and everything below it, parents first; stops below a node where
/// `visit` returns false.
void VisitTree(const Expr& expr, const std::function<bool(const Expr&)>& visit);

/// The query directly below `expr` (EXISTS, IN, scalar subquery, TABLE(..)), or null.
const Query* SubqueryOf(const Expr& expr);

/// Whether both are the same but for spans and the case of names.
bool SameExpression(const Expr& a, const Expr& b);

}  // namespace sluice::sql
