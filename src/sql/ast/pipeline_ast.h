// Statements of pipeline files (Spark declarative pipelines, Lakeflow and Sluice's additions) and
// of `sluice sql`. The union of the dialects is accepted; what an option means, or that it is not
// supported, is the planner's to say.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sql/ast/dataset_ast.h"
#include "sql/ast/table_ast.h"

namespace sluice::sql {

/// What follows FLOW AUTO CDC / AUTO CDC INTO t / APPLY CHANGES INTO t.
struct AutoCdc {
  enum class ScdType : uint8_t { kType1, kType2, kBitemporal };
  /// `COLUMNS (a, b)`, `COLUMNS * EXCEPT (a)`.
  struct ColumnList {
    bool all_except = false;
    std::vector<Name> columns;
    Span span;
  };
  Box<Relation> source;
  std::vector<QualifiedName> keys;
  bool ignore_null_updates = false;
  Box<Expr> delete_when;
  Box<Expr> truncate_when;
  Box<Expr> sequence_by;  // always set
  Box<Expr> system_sequence_by;
  std::optional<ColumnList> columns;
  ScdType scd_type = ScdType::kType1;
  std::optional<ColumnList> track_history;
  bool once = false;
  Span span;
};

using FlowBody = std::variant<InsertFlow, AutoCdc>;

struct CreateStreamingTable {
  QualifiedName name;
  bool or_refresh = false;
  bool is_private = false;
  bool if_not_exists = false;
  DatasetOptions options;
  std::optional<FlowBody> flow;  // none: fed by CREATE FLOW only. AS query is an InsertFlow.
};

struct CreateMaterializedView {
  QualifiedName name;
  bool or_refresh = false;
  bool is_private = false;
  bool if_not_exists = false;
  DatasetOptions options;
  Box<Query> query;
};

struct CreateView {
  QualifiedName name;
  bool temporary = false;
  bool global = false;  // GLOBAL TEMPORARY: named global_temp.name
  bool or_replace = false;
  bool if_not_exists = false;
  DatasetOptions options;
  Box<Query> query;
};

struct CreateFlow {
  Name name;  // for a bare APPLY CHANGES / AUTO CDC INTO t: the last part of t
  bool anonymous = false;
  std::optional<std::string> comment;
  QualifiedName target;
  FlowBody body;
};

/// `CREATE SINK name [USING format | FORMAT format] [OPTIONS (..)] [AS query]`.
struct CreateSink {
  QualifiedName name;
  bool if_not_exists = false;
  std::string format;  // "kafka", "delta"; from USING or the option "format"
  std::optional<std::string> comment;
  std::vector<Property> options;
  Box<Query> query;  // none: fed by CREATE FLOW .. INSERT INTO name
};

/// `SET key = value`; without value: show it.
struct SetConfiguration {
  std::string key;
  std::optional<std::string> value;
};

/// `RESET [key]`; without key: every setting of the session.
struct ResetConfiguration {
  std::string key;
};

/// `SET TIME ZONE 'id' | LOCAL | INTERVAL ..`.
struct SetTimeZone {
  std::string zone;  // as written in quotes
  bool local = false;
  std::optional<IntervalValue> offset;
};

/// `USE [SCHEMA | DATABASE] s`, `SET CATALOG c`, `USE CATALOG c`.
struct UseNamespace {
  bool catalog = false;
  QualifiedName name;
};

struct QueryStatement {
  Box<Query> query;
};

struct ShowStatement {
  enum class Kind : uint8_t {
    kTables,
    kSchemas,
    kViews,
    kFunctions,
    kColumns,
    kProperties,
    kPartitions,
    kCatalogs,
    kCreateTable,
  };
  enum class Functions : uint8_t { kAll, kSystem, kUser };
  Kind kind = Kind::kTables;
  std::optional<QualifiedName> in;         // IN schema; the table of kColumns and those behind it
  std::optional<QualifiedName> in_schema;  // kColumns: IN t IN schema
  std::optional<std::string> like;
  std::optional<std::string> key;  // kProperties: (key)
  std::vector<Expr> partition;     // kPartitions: PARTITION (a = 1)
  Functions functions = Functions::kAll;
};

struct DescribeStatement {
  enum class Kind : uint8_t { kTable, kHistory, kDetail, kQuery, kFunction, kSchema };
  Kind kind = Kind::kTable;
  bool extended = false;
  QualifiedName name;                   // a function may be an operator: `+`
  std::optional<QualifiedName> column;  // kTable: DESCRIBE t a.b
  Box<Query> query;                     // kQuery
  std::optional<int64_t> limit;         // kHistory
};

struct ExplainStatement {
  std::string mode;  // "", "EXTENDED", "FORMATTED", "CODEGEN", "COST"
  Box<Query> query;
};

/// Spark's, but of no use to a lakehouse engine: GRANT .., CACHE .., ADD JAR ..; `verb` is its
/// first words. `text` is the statement as written.
struct UnsupportedStatement {
  std::string verb;
  std::string text;
};

struct Statement {
  using Node =
      std::variant<CreateStreamingTable, CreateMaterializedView, CreateView, CreateFlow, CreateSink,
                   SetConfiguration, ResetConfiguration, SetTimeZone, UseNamespace, QueryStatement,
                   ShowStatement, DescribeStatement, ExplainStatement, CreateTable, AlterTable,
                   DropObject, InsertInto, UpdateTable, DeleteFrom, MergeInto, TruncateTable,
                   OptimizeTable, VacuumTable, RestoreTable, ConvertToDelta, ReorgTable,
                   GenerateManifest, RefreshObject, CreateSchema, CommentOn, AnalyzeTable,
                   UnsupportedStatement>;
  Node node;
  Span span;

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&node);
  }
  template <typename T>
  T* As() {
    return std::get_if<T>(&node);
  }
};

}  // namespace sluice::sql
