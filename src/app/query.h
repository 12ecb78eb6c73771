// Ad hoc SQL over the tables of a project: parse, analyze, run. One statement after the other.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "app/project.h"
#include "base/status.h"
#include "sql/parser/pipeline_parser.h"

namespace sluice::app {

/// The statements of `text`. `name` is shown in messages, may be empty.
Result<sql::ParsedFile> ParseSql(const Project& project, const std::string& name,
                                 const std::string& text);

/// Rows of one statement: a query, SHOW TABLES / SCHEMAS, DESCRIBE [HISTORY | DETAIL], EXPLAIN.
/// Others are NOT_SUPPORTED_YET. `project` outlives the reader.
Result<std::shared_ptr<arrow::RecordBatchReader>> RunStatement(Project& project,
                                                               const sql::ParsedFile& file,
                                                               const sql::Statement& statement);

/// The versions of a table, newest first: DESCRIBE HISTORY's columns.
Result<std::shared_ptr<arrow::RecordBatchReader>> TableHistory(delta::Table& table, int64_t limit);

}  // namespace sluice::app
