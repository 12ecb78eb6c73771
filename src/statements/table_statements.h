// Runs the statements of `sluice sql` but queries: DDL, DML and maintenance of Delta tables, views,
// schemas, and those of the session. One statement at a time; each is one commit unless it says
// otherwise.
#pragma once

#include <optional>

#include "statements/statement_context.h"

namespace sluice::statements {

/// The rows Spark with Delta returns for the statement (numbers of affected rows, deleted paths,
/// ..., often none at all); nullopt when it is a statement
/// of pipelines. NOT_SUPPORTED_YET names a
/// clause that is parsed but not executed.
Result<std::optional<std::shared_ptr<arrow::RecordBatchReader>>> RunTableStatement(
    const StatementContext& context, const sql::ParsedFile& file, const sql::Statement& statement);

}  // namespace sluice::statements
