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

#include "sql/ast.h"

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

/// The part of a flow that fills a target by a query.
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

using FlowBody = std::variant<InsertFlow, AutoCdc>;

enum class ViolationAction : uint8_t { kWarn, kDropRow, kFailUpdate, kQuarantine };

/// `CONSTRAINT name EXPECT (condition) [ON VIOLATION ..]`.
struct Expectation {
  Name name;
  Box<Expr> condition;
  ViolationAction action = ViolationAction::kWarn;
  std::optional<QualifiedName> quarantine_table;
  Span span;
};

/// PRIMARY KEY, FOREIGN KEY, UNIQUE, CHECK on a column or table: informational, kept as written.
struct KeyConstraint {
  enum class Kind : uint8_t { kPrimaryKey, kForeignKey, kUnique, kCheck };
  Kind kind = Kind::kPrimaryKey;
  std::optional<Name> name;
  std::vector<Name> columns;
  std::optional<QualifiedName> references;
  std::vector<Name> referenced_columns;
  Box<Expr> check;
  Span span;
};

struct ColumnDefinition {
  Name name;
  std::optional<TypeName> type;  // none: a view's column list
  bool not_null = false;
  std::optional<std::string> comment;
  Box<Expr> default_value;
  Box<Expr> generated_as;
  bool identity = false;  // GENERATED .. AS IDENTITY
  std::optional<QualifiedName> mask;
  std::vector<Expr> mask_using;
  std::vector<KeyConstraint> constraints;
  Span span;
};

/// `SCHEDULE [REFRESH] EVERY n unit`, `SCHEDULE CRON '..' AT TIME ZONE '..'`.
struct Schedule {
  std::optional<int64_t> every;
  std::string unit;  // "HOUR", "DAY", "WEEK", "MINUTE"
  std::string cron;
  std::string time_zone;
};

struct TriggerOnUpdate {
  std::optional<IntervalValue> at_most_every;
};

struct RowFilter {
  QualifiedName function;
  std::vector<Expr> arguments;
};

/// The column list and the clauses that tables and views share.
struct DatasetOptions {
  std::vector<ColumnDefinition> columns;
  std::vector<Expectation> expectations;
  std::vector<KeyConstraint> constraints;
  std::optional<QualifiedName> using_format;
  std::vector<Expr> partitioned_by;
  enum class Clustering : uint8_t { kUnset, kColumns, kAuto, kNone };
  Clustering clustering = Clustering::kUnset;
  std::vector<QualifiedName> cluster_by;
  std::optional<std::string> comment;
  std::vector<Property> properties;
  std::vector<Property> options;
  std::optional<std::string> location;
  std::optional<QualifiedName> collation;
  std::optional<Schedule> schedule;
  std::optional<TriggerOnUpdate> trigger;
  std::optional<RowFilter> row_filter;
};

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
    kCatalogs
  };
  Kind kind = Kind::kTables;
  std::optional<QualifiedName> in;  // IN schema / FROM table
  std::optional<std::string> like;
};

struct DescribeStatement {
  enum class Kind : uint8_t { kTable, kHistory, kDetail, kQuery, kFunction, kSchema };
  Kind kind = Kind::kTable;
  bool extended = false;
  QualifiedName name;
  Box<Query> query;  // kQuery
};

struct ExplainStatement {
  std::string mode;  // "", "EXTENDED", "FORMATTED", "CODEGEN", "COST"
  Box<Query> query;
};

/// Recognised, not meant for pipeline files: DROP .., REFRESH .., ALTER .., INSERT .., MERGE ..;
/// `verb` is its first words. The planner answers with UNSUPPORTED_STATEMENT.
struct UnsupportedStatement {
  std::string verb;
};

struct Statement {
  using Node =
      std::variant<CreateStreamingTable, CreateMaterializedView, CreateView, CreateFlow, CreateSink,
                   SetConfiguration, UseNamespace, QueryStatement, ShowStatement, DescribeStatement,
                   ExplainStatement, UnsupportedStatement>;
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
