// ALTER TABLE: columns, properties, constraints of a table, each a commit of new metadata under
// Delta's name of the operation. Columns are named by path: struct fields by name (without regard
// to case), what lists and maps hold by "element", "key", "value". A protocol is raised only by
// what a call asks for. Call from any one thread.
#pragma once

#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/columns/expression.h"
#include "delta/log/table.h"

namespace sluice::delta {

using ColumnPath = std::vector<std::string>;

struct ColumnPosition {
  bool first = false;
  std::string after;  // a sibling, when not first
};

struct NewColumn {
  ColumnPath parent;  // empty = the table
  /// With metadata keys such as "comment" (JSON text). Files there are show it as null.
  std::shared_ptr<arrow::Field> field;
  std::optional<ColumnPosition> position;  // nullopt = last
};

/// FIELD_ALREADY_EXISTS; DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP for a column that is NOT NULL,
/// WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED for one with a default:
/// rows there are would have neither.
Result<CommitResult> AddColumns(Table& table, const std::vector<NewColumn>& columns);

/// These two need column mapping (DELTA_UNSUPPORTED_RENAME_COLUMN, DELTA_UNSUPPORTED_DROP_COLUMN):
/// only metadata changes. DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE,
/// DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE when one names the column.
Result<CommitResult> RenameColumn(Table& table, const ColumnPath& path, const std::string& name);
Result<CommitResult> DropColumns(Table& table, const std::vector<ColumnPath>& paths);

/// What is not given stays.
struct ColumnChange {
  ColumnPath path;
  std::shared_ptr<arrow::DataType> type;  // a wider one, with delta.enableTypeWidening
  bool drop_not_null = false;
  bool set_not_null = false;  // a column of the table: its rows are read first
  std::optional<std::string> comment;
  std::optional<std::string> default_value;  // an expression; empty = none from now on
  std::optional<ColumnPosition> position;
};
/// DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP says what cannot be changed;
/// DELTA_NEW_NOT_NULL_VIOLATION when there are rows without a value.
Result<CommitResult> ChangeColumn(Table& table, const ColumnChange& change);

/// REPLACE COLUMNS: the columns of the table are these, in this order. A column there was stays
/// with its type and metadata (comments are replaced); with column mapping one may be left out, and
/// is dropped. Struct fields likewise. DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP,
/// DELTA_DUPLICATE_COLUMNS_FOUND, and what DropColumns says.
Result<CommitResult> ReplaceColumns(Table& table, const arrow::FieldVector& columns);

/// SYNC IDENTITY: the next value of an identity column lies beyond all there are. Reads the column.
/// DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN.
Result<CommitResult> SyncIdentity(Table& table, const ColumnPath& path);

/// Features come with the properties that need them, or by delta.feature.<name>=supported. The key
/// "comment" is the table's description (empty = none). Row tracking that is switched on gives ids
/// to the rows there are, in a commit of its own before. DELTA_INVALID_PROPERTY,
/// DELTA_UNKNOWN_CONFIGURATION.
Result<CommitResult> SetProperties(Table& table, const StringMap& properties);
/// One that is not set is nothing to unset. DELTA_INVALID_PROPERTY for one that stays.
Result<CommitResult> UnsetProperties(Table& table, const std::vector<std::string>& keys,
                                     bool if_exists);

/// Reads the table: DELTA_NEW_CHECK_CONSTRAINT_VIOLATION when rows of it break the constraint.
/// DELTA_CONSTRAINT_ALREADY_EXISTS.
Result<CommitResult> AddConstraint(Table& table, const std::string& name, const std::string& text,
                                   ExpressionCompiler& expressions);
/// DELTA_CONSTRAINT_DOES_NOT_EXIST unless `if_exists`; then nothing is committed and nullopt comes
/// back.
Result<std::optional<CommitResult>> DropConstraint(Table& table, const std::string& name,
                                                   bool if_exists);

}  // namespace sluice::delta
