// Type names inside of SQL text.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "sql/ast/literal.h"
#include "sql/ast/name.h"
#include "sql/parser/token_cursor.h"

namespace sluice::sql {

/// The type at the cursor, with the text as written.
TypeName ExpectTypeName(TokenCursor& cursor);

/// YEAR, MONTH, .. SECOND, also in the plural. Fails the cursor on another word.
IntervalField ExpectIntervalField(TokenCursor& cursor);

}  // namespace sluice::sql
