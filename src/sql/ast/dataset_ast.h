// Column lists and clauses that the definitions of tables, views and pipeline datasets share. Same
// rules as ast_expression.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/ast_query.h"

namespace sluice::sql {

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

/// `GENERATED {ALWAYS | BY DEFAULT} AS IDENTITY [(START WITH n INCREMENT BY m)]`.
struct IdentityColumn {
  bool by_default = false;
  std::optional<int64_t> start;
  std::optional<int64_t> step;
};

struct ColumnDefinition {
  Name name;
  std::optional<TypeName> type;  // none: a view's column list
  bool not_null = false;
  std::optional<std::string> comment;
  Box<Expr> default_value;
  Box<Expr> generated_as;
  std::optional<IdentityColumn> identity;
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

}  // namespace sluice::sql
