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

/// The statements of `text`, `${key}` replaced by the settings of the session and those that SET
/// statements in front of it make. `name` is shown in messages, may be empty. Usually one file;
/// otherwise one for each statement.
Result<std::vector<sql::ParsedFile>> ParseSql(Project& project, const std::string& name,
                                              const std::string& text);
/// Exactly one query.
Result<std::shared_ptr<arrow::RecordBatchReader>> RunQuery(Project& project,
                                                           const std::string& text);

/// Rows of one statement: a query, or one of statements/. Those of pipelines are NOT_SUPPORTED_YET.
/// `project` outlives the reader.
Result<std::shared_ptr<arrow::RecordBatchReader>> RunStatement(Project& project,
                                                               const sql::ParsedFile& file,
                                                               const sql::Statement& statement);

/// The versions of a table, newest first: DESCRIBE HISTORY's columns.
Result<std::shared_ptr<arrow::RecordBatchReader>> TableHistory(delta::Table& table, int64_t limit);

}  // namespace sluice::app
