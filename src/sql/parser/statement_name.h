// What a statement is called in messages: "INSERT", "CREATE TABLE", "DESCRIBE HISTORY".
#pragma once

#include <string>

#include "sql/ast/pipeline_ast.h"

namespace sluice::sql {

/// The statement's leading words in capitals, with the object it is about.
std::string StatementName(const Statement& statement);
/// "TABLE", "MATERIALIZED VIEW", ...
const char* ObjectKindName(ObjectKind kind);

}  // namespace sluice::sql
