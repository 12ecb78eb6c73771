// Rows into a table: append, overwrite as a whole, by condition or by partition, with the schema
// held or followed. One commit. Call from any one thread.
#pragma once

#include <arrow/record_batch.h>

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/files/write_options.h"
#include "delta/log/table.h"

namespace sluice::delta {

enum class WriteMode {
  kAppend,
  kOverwrite,          // all rows there were go
  kReplaceWhere,       // rows for which `replace_where` holds go; it must hold for the new ones
  kDynamicPartitions,  // partitions that get rows lose those they had
};

struct WriteRequest {
  WriteMode mode = WriteMode::kAppend;
  /// Columns by name, without regard to case; one that is missing gets what RowRules gives it. Read
  /// to its end. Outlives the call.
  arrow::RecordBatchReader* rows = nullptr;
  bool reads_table = false;  // the rows were computed from the table's: others' commits conflict
  RowCondition replace_where;
  bool rows_anywhere = false;  // kReplaceWhere: the condition need not hold for the new rows
  /// The table gets the columns and fields that only the rows have (and wider types, where it
  /// widens types).
  bool merge_schema = false;
  /// kOverwrite: the table gets the columns of the rows, and these partition columns.
  bool overwrite_schema = false;
  std::vector<std::string> partition_columns;  // with overwrite_schema
  std::optional<StringMap> properties;         // with overwrite_schema: the table's from now on
  std::optional<std::string> description;      // the same
  /// With overwrite_schema: the columns the table is clustered by from now on, none = it is not
  /// clustered; nullopt = as before.
  std::optional<std::vector<std::vector<std::string>>> cluster_by;
  std::string operation = "WRITE";  // in the history
  StringMap operation_parameters;   // further ones
};

/// No rows in append mode commit nothing. Metrics: numFiles, numOutputRows, numOutputBytes,
/// numRemovedFiles, numRemovedBytes, and of replaceWhere numDeletedRows, numCopiedRows.
/// DELTA_SCHEMA_MISMATCH, DELTA_FAILED_TO_MERGE_FIELDS, DELTA_REPLACE_WHERE_MISMATCH,
/// DELTA_APPEND_ONLY, DELTA_COMMIT_CONFLICT, and what RowRules::Apply says.
Result<WriteReport> WriteRows(Table& table, const WriteRequest& request,
                              const WriteOptions& options = {});

/// A new table with rows, all in its first commit ("CREATE TABLE AS SELECT"): it appears with all
/// of them or not at all, after what `create.fill` adds. Without `create.schema` it gets the
/// columns of `rows`. Metrics as of WriteRows. DELTA_TABLE_EXISTS, and what Table::Create and
/// RowRules::Apply say.
Result<WriteReport> CreateTableAs(TableRegistry& tables, const std::string& path,
                                  CreateOptions create, arrow::RecordBatchReader* rows,
                                  const WriteOptions& options);

}  // namespace sluice::delta
