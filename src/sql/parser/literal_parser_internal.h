// Constants: numbers with suffixes, typed literals, intervals.
#pragma once

#include <string>
#include <string_view>

#include "sql/ast/literal.h"
#include "sql/parser/token_cursor.h"

namespace sluice::sql {

/// A number token, with the minus that stood directly before it.
Literal ExpectNumber(TokenCursor& cursor, bool negative);

/// Whether DATE '..', TIMESTAMP '..', X'..' and the like start here.
bool AtTypedLiteral(const TokenCursor& cursor);
Literal ExpectTypedLiteral(TokenCursor& cursor);

Literal StringLiteral(std::string text);
Literal NullLiteral();
Literal BooleanLiteral(bool value);

/// Whether INTERVAL starts a literal here and is no name.
bool AtIntervalLiteral(const TokenCursor& cursor);
/// `INTERVAL 10 MINUTES`, `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '1 day 2 hours'`, `INTERVAL 1
/// DAY 2 HOURS`.
IntervalValue ExpectInterval(TokenCursor& cursor);
Literal IntervalLiteral(const IntervalValue& value);

}  // namespace sluice::sql
