// Expressions at the cursor. An error is in the cursor; what is returned then means nothing.
#pragma once

#include <vector>

#include "sql/ast/ast.h"
#include "sql/parser/token_cursor.h"

namespace sluice::sql {

/// Any expression, boolean ones included.
Expr ParseExpr(TokenCursor& cursor);
/// One or more, separated by commas.
std::vector<Expr> ParseExprList(TokenCursor& cursor);
/// '(' expression, .. ')'; at least one.
std::vector<Expr> ParseExprTuple(TokenCursor& cursor);
/// What may stand beside an arithmetic or comparison operator: no AND, OR, NOT, LIKE, IN and so on.
Expr ParseValueExpr(TokenCursor& cursor);
/// A literal, name, call, CASE, parentheses, with what follows directly: [..], .field, ::type,
/// :path.
Expr ParsePrimary(TokenCursor& cursor);

/// A call whose name was taken; the cursor stands at '('. `begin`: position of the name.
Expr ParseCall(TokenCursor& cursor, QualifiedName name, size_t begin);
/// Calls with a syntax of their own: CAST, EXTRACT, TRIM, ... Nothing if none starts here.
std::optional<Expr> ParseSpecialCall(TokenCursor& cursor);

/// '(' arguments ')' of a table-valued function.
std::vector<Argument> ParseTableFunctionArguments(TokenCursor& cursor);
/// expression [AS] alias, *, t.*, expression AS (a, b).
SelectItem ParseSelectItem(TokenCursor& cursor);
std::vector<SelectItem> ParseSelectItems(TokenCursor& cursor);
std::vector<OrderItem> ParseOrderItems(TokenCursor& cursor);
/// `w` or `(..)` after OVER, `(..)` after WINDOW w AS.
WindowSpec ParseWindowSpec(TokenCursor& cursor);
/// a, b, c
std::vector<Name> ParseNames(TokenCursor& cursor, std::string_view what);
/// '(' a, b ')'
std::vector<Name> ParseNameTuple(TokenCursor& cursor, std::string_view what);

/// Whether the word at the cursor may be an alias without AS: no keyword that can follow an
/// expression.
bool AtImplicitAlias(const TokenCursor& cursor);

/// A node with the span since `begin`.
Expr MakeExpr(const TokenCursor& cursor, size_t begin, Expr::Node node);

}  // namespace sluice::sql
