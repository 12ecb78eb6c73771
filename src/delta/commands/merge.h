// MERGE: rows of a source change, delete and add rows of a table, in one commit. The source is kept
// in memory with an index by its join keys; the table is streamed past it, and only those files of
// it that may hold a match. Call from any one thread.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/files/write_options.h"
#include "delta/log/table.h"

namespace sluice::delta {

/// One `target = source` of the ON condition. Both sides have the same type.
struct JoinKey {
  RowFunction target;  // over the table's columns
  RowFunction source;  // over the source's columns
  bool null_safe = false;
  /// The column of the table that `target` is; nullopt when it is an expression. Files that cannot
  /// hold a key of the source are not read.
  std::optional<std::string> target_column;
};

/// WHEN [NOT] MATCHED [BY SOURCE] [AND condition] THEN ... The functions see:
///   MATCHED                 the table's columns, then the source's, by position
///   NOT MATCHED             the source's columns
///   NOT MATCHED BY SOURCE   the table's columns
struct MergeClause {
  enum class Kind { kUpdate, kDelete, kInsert };
  Kind kind = Kind::kUpdate;
  RowFunction condition;  // empty = always
  /// Of an update; of an insert: the columns given, others get what RowRules gives them.
  std::vector<Assignment> assignments;
  std::string text;  // of the condition, for the history
};

struct MergeRequest {
  std::shared_ptr<arrow::Schema> source_schema;
  arrow::RecordBatchVector source;
  /// ON: all keys are equal and `condition` (over the table's columns, then the source's; empty =
  /// TRUE) holds. Without keys every pair of rows is tried.
  std::vector<JoinKey> keys;
  RowFunction condition;
  Predicate prunes;  // implied by ON for rows of the table
  std::string text;  // of ON, for the history
  /// Columns of the table that the keys, `condition` and the conditions of clauses read; nullopt =
  /// not known. The others may be null in the rows they are given.
  std::optional<std::vector<std::string>> columns;
  std::vector<MergeClause> matched;
  std::vector<MergeClause> not_matched;
  std::vector<MergeClause> not_matched_by_source;
  /// The table's new columns (schema_evolution.h); null = as they are. "The table's columns" above
  /// are then these.
  std::shared_ptr<arrow::Schema> new_schema;
};

/// The first clause whose condition is TRUE decides on a row. Metrics: numSourceRows,
/// numTargetRowsInserted, ...Updated, ...Deleted, ...Copied, and further ones of Delta's.
/// DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE when it would depend on an order which
/// source row changes a row; what UpdateRows says.
Result<WriteReport> MergeRows(Table& table, const MergeRequest& request,
                              const WriteOptions& options = {});

}  // namespace sluice::delta
