// Statements about tables: Spark's and Delta's DDL and DML, and the upkeep of Delta tables. A table
// may be named by its path: delta.`/path`. Same rules as ast_expression.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/dataset_ast.h"

namespace sluice::sql {

/// `{SHALLOW | DEEP} CLONE source [VERSION AS OF v]`.
struct CloneSource {
  bool shallow = false;
  QualifiedName table;
  std::optional<TimeTravel> at;
};

/// `CREATE [OR REPLACE] TABLE`, `REPLACE TABLE`; filled by a query, LIKE a table or a clone of one.
struct CreateTable {
  enum class Mode : uint8_t { kCreate, kCreateOrReplace, kReplace };
  Mode mode = Mode::kCreate;
  bool external = false;
  bool temporary = false;
  bool if_not_exists = false;
  QualifiedName name;
  DatasetOptions options;
  std::optional<QualifiedName> like;
  std::optional<CloneSource> clone;
  Box<Query> query;
};

/// What a statement is about.
enum class ObjectKind : uint8_t {
  kTable,
  kView,
  kMaterializedView,
  kStreamingTable,
  kSchema,
  kColumn,
  kFunction,
};

/// One change of ALTER. What `kind` uses is named behind it.
struct AlterAction {
  enum class Kind : uint8_t {
    kRename,             // new_name
    kAddColumns,         // columns; each may stand FIRST or AFTER another
    kDropColumns,        // names, if_exists
    kRenameColumn,       // column, column_name
    kReplaceColumns,     // columns
    kAlterColumn,        // columns[0]: the column (column) with what changes; change
    kSetProperties,      // properties
    kUnsetProperties,    // keys, if_exists
    kAddConstraint,      // constraint
    kDropConstraint,     // column_name, if_exists
    kDropPrimaryKey,     // if_exists
    kSetLocation,        // text
    kCluster,            // clustering, names
    kSetRowFilter,       // row_filter
    kDropRowFilter,      //
    kAddPartitions,      // partitions, if_exists (IF NOT EXISTS)
    kDropPartitions,     // partitions, if_exists
    kRecoverPartitions,  //
    kDropFeature,        // text, truncate_history
    kAddFeature,         // text
    kSetCollation,       // new_name
    kSetOwner,           // text
    kSetTags,            // properties
    kUnsetTags,          // keys
    kSetSchedule,        // schedule or trigger; `add`: ADD, else ALTER
    kDropSchedule,       //
    kSetQuery,           // query: ALTER VIEW v AS query
  };
  /// What ALTER COLUMN changes.
  enum class Change : uint8_t {
    kType,
    kComment,
    kSetNotNull,
    kDropNotNull,
    kPosition,
    kSetDefault,
    kDropDefault,
    kSetMask,
    kDropMask,
    kSetTags,
    kUnsetTags,
    kSyncIdentity,
  };
  /// `FIRST`, `AFTER column`.
  struct Position {
    std::optional<Name> after;
  };
  /// A column with its path (`a.b.c` for a field of a struct) and place.
  struct Column {
    QualifiedName path;
    ColumnDefinition definition;
    std::optional<Position> position;
  };
  Kind kind = Kind::kRename;
  Change change = Change::kType;
  bool if_exists = false;
  bool add = false;
  bool truncate_history = false;
  QualifiedName new_name;
  QualifiedName column;
  Name column_name;
  std::vector<Column> columns;
  std::vector<QualifiedName> names;
  std::vector<Property> properties;
  std::vector<std::string> keys;
  std::vector<std::vector<Expr>> partitions;  // each a list of `column = value`
  std::optional<KeyConstraint> constraint;
  DatasetOptions::Clustering clustering = DatasetOptions::Clustering::kUnset;
  std::optional<RowFilter> row_filter;
  std::optional<Schedule> schedule;
  std::optional<TriggerOnUpdate> trigger;
  std::string text;
  Box<Query> query;
  Span span;
};

struct AlterTable {
  ObjectKind object = ObjectKind::kTable;
  bool if_exists = false;
  QualifiedName name;
  AlterAction action;
};

struct DropObject {
  ObjectKind object = ObjectKind::kTable;
  bool temporary = false;
  bool if_exists = false;
  bool purge = false;    // tables
  bool cascade = false;  // schemas
  QualifiedName name;
};

/// How a query fills a table: what a flow and an INSERT share.
struct InsertFlow {
  Box<Query> query;
  bool once = false;
  bool by_name = false;  // written; inserts are by name always
  bool overwrite = false;
  bool schema_evolution = false;    // WITH SCHEMA EVOLUTION
  std::vector<Name> columns;        // INSERT INTO t (a, b)
  Box<Expr> replace_where;          // REPLACE WHERE p
  std::vector<Name> replace_using;  // REPLACE USING (a, b)
  Box<Expr> replace_on;             // REPLACE ON p
  Box<Expr> sequence_by;            // Lakeflow: REPLACE USING (..) SEQUENCE BY e
  Span span;
};

/// Common tables in front of a statement.
struct WithClause {
  bool recursive = false;
  std::vector<CommonTable> tables;
};

/// `INSERT INTO | OVERWRITE t ..`.
struct InsertInto {
  WithClause with;
  QualifiedName target;
  std::optional<TableAlias> alias;  // for REPLACE ON
  std::vector<Expr> partition;      // PARTITION (a = 1, b)
  bool if_not_exists = false;       // OVERWRITE .. PARTITION (..) IF NOT EXISTS
  InsertFlow rows;
};

/// `column = value`; DEFAULT is a ColumnRef of that name.
struct Assignment {
  QualifiedName column;
  Box<Expr> value;
  Span span;
};

struct UpdateTable {
  WithClause with;
  QualifiedName target;
  std::optional<TableAlias> alias;
  std::vector<Assignment> assignments;
  Box<Expr> where;
};

struct DeleteFrom {
  WithClause with;
  QualifiedName target;
  std::optional<TableAlias> alias;
  Box<Expr> where;
};

/// `WHEN [NOT] MATCHED [BY SOURCE] [AND condition] THEN ..`.
struct MergeClause {
  enum class When : uint8_t { kMatched, kNotMatched, kNotMatchedBySource };
  enum class Action : uint8_t { kUpdate, kUpdateAll, kDelete, kInsert, kInsertAll };
  When when = When::kMatched;
  Action action = Action::kUpdate;
  Box<Expr> condition;
  std::vector<Assignment> assignments;  // kUpdate
  std::vector<Name> columns;            // kInsert
  std::vector<Expr> values;             // kInsert
  Span span;
};

struct MergeInto {
  WithClause with;
  bool schema_evolution = false;
  QualifiedName target;
  std::optional<TableAlias> alias;
  Box<Relation> source;
  Box<Expr> on;
  std::vector<MergeClause> clauses;
};

struct TruncateTable {
  QualifiedName name;
  std::vector<Expr> partition;
};

struct OptimizeTable {
  QualifiedName name;
  bool full = false;
  Box<Expr> where;
  std::vector<QualifiedName> zorder_by;
};

/// `ANALYZE TABLE t [PARTITION (..)] COMPUTE [DELTA] STATISTICS [NOSCAN | FOR COLUMNS a, b | FOR
/// ALL COLUMNS]`.
struct AnalyzeTable {
  QualifiedName name;
  std::vector<Expr> partition;
  bool delta = false;  // those of the files in the log
  bool no_scan = false;
  bool all_columns = false;
  std::vector<Name> columns;
};

struct VacuumTable {
  enum class Mode : uint8_t { kDefault, kFull, kLite };
  QualifiedName name;
  Mode mode = Mode::kDefault;
  Box<Expr> retain_hours;
  bool dry_run = false;
};

struct RestoreTable {
  QualifiedName name;
  TimeTravel to;
};

/// `CONVERT TO DELTA parquet.`/path` [NO STATISTICS] [PARTITIONED BY (a INT)]`.
struct ConvertToDelta {
  QualifiedName name;
  bool no_statistics = false;
  std::vector<ColumnDefinition> partitioned_by;
};

/// `REORG TABLE t [WHERE p] APPLY (PURGE | UPGRADE UNIFORM (..))`.
struct ReorgTable {
  QualifiedName name;
  Box<Expr> where;
  bool purge = true;
  std::vector<Property> uniform;
};

/// `GENERATE symlink_format_manifest FOR TABLE t`.
struct GenerateManifest {
  Name mode;
  QualifiedName name;
};

/// `REFRESH TABLE t`, `REFRESH STREAMING TABLE t [FULL]`, `REFRESH MATERIALIZED VIEW v [FULL]`.
struct RefreshObject {
  ObjectKind object = ObjectKind::kTable;
  QualifiedName name;
  bool full = false;
  bool async = false;
};

struct CreateSchema {
  bool if_not_exists = false;
  QualifiedName name;
  std::optional<std::string> comment;
  std::optional<std::string> location;
  std::vector<Property> properties;
};

/// `COMMENT ON TABLE t IS 'text'`; without text: IS NULL.
struct CommentOn {
  ObjectKind object = ObjectKind::kTable;
  QualifiedName name;
  std::optional<std::string> text;
};

}  // namespace sluice::sql
