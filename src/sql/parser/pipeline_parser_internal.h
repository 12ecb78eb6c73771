// Statements at the cursor. Same conventions as expression_parser_internal.h.
#pragma once

#include <optional>
#include <vector>

#include "sql/ast/pipeline_ast.h"
#include "sql/parser/token_cursor.h"

namespace sluice::sql {

/// Words between CREATE and the kind of thing created.
struct CreatePrefix {
  bool or_refresh = false;
  bool or_replace = false;
  bool is_private = false;
  bool temporary = false;
  bool global = false;
};

/// The cursor stands behind CREATE [..] STREAMING TABLE / MATERIALIZED VIEW / VIEW.
CreateStreamingTable ParseStreamingTable(TokenCursor& cursor, const CreatePrefix& prefix);
CreateMaterializedView ParseMaterializedView(TokenCursor& cursor, const CreatePrefix& prefix);
CreateView ParseView(TokenCursor& cursor, const CreatePrefix& prefix);

/// '(' columns, constraints ')'.
void ParseColumnList(TokenCursor& cursor, DatasetOptions* options);
/// USING, PARTITIONED BY, COMMENT, TBLPROPERTIES and so on, in any order, each once.
void ParseDatasetClauses(TokenCursor& cursor, DatasetOptions* options);

/// The cursor stands behind CREATE FLOW / CREATE SINK.
CreateFlow ParseFlow(TokenCursor& cursor);
CreateSink ParseSink(TokenCursor& cursor);
/// The cursor stands behind FLOW in CREATE STREAMING TABLE t .. FLOW.
FlowBody ParseInlineFlow(TokenCursor& cursor);
/// AUTO CDC INTO t .., APPLY CHANGES INTO t .. as statements, if one starts here.
std::optional<CreateFlow> ParseBareAutoCdc(TokenCursor& cursor);

/// [BY NAME] [REPLACE ..] query; `begin`: where the INSERT began.
void ParseInsertRows(TokenCursor& cursor, InsertFlow* insert, size_t begin);

/// Statements of table_ast.h at the cursor. Nothing, and the cursor where it was, when none of them
/// starts here.
std::optional<Statement::Node> ParseTableStatement(TokenCursor& cursor);
/// [WITH ..] INSERT, UPDATE, DELETE, MERGE, TRUNCATE; likewise.
std::optional<Statement::Node> ParseRowStatement(TokenCursor& cursor);
/// OPTIMIZE, VACUUM, RESTORE and so on; likewise.
std::optional<Statement::Node> ParseUpkeepStatement(TokenCursor& cursor);
/// SET, RESET, USE, SHOW, DESCRIBE, EXPLAIN; likewise.
std::optional<Statement::Node> ParseSessionStatement(TokenCursor& cursor);
/// ALTER ..; likewise.
std::optional<Statement::Node> ParseAlter(TokenCursor& cursor);

/// TABLE, VIEW, MATERIALIZED VIEW, STREAMING TABLE, SCHEMA or DATABASE, if one of them is here.
std::optional<ObjectKind> AcceptObjectKind(TokenCursor& cursor);
/// A table, or its path as a string, which is delta.`path`.
QualifiedName ExpectTableOrPath(TokenCursor& cursor);
/// '(' column = value, column, .. ')' behind PARTITION.
std::vector<Expr> ParsePartition(TokenCursor& cursor);
/// What stands behind SCHEDULE.
Schedule ParseSchedule(TokenCursor& cursor);
/// Behind TRIGGER ON UPDATE: [AT MOST EVERY interval].
TriggerOnUpdate ParseTrigger(TokenCursor& cursor);
/// What stands behind CLUSTER BY.
void ParseClusterBy(TokenCursor& cursor, DatasetOptions::Clustering* clustering,
                    std::vector<QualifiedName>* columns);
/// f ON (a, b), behind ROW FILTER.
RowFilter ParseRowFilter(TokenCursor& cursor);
/// name type [options]: one column of a list.
ColumnDefinition ParseColumnDefinition(TokenCursor& cursor);
/// type [options] behind the name of a column.
void ParseColumnType(TokenCursor& cursor, ColumnDefinition* column);
/// [CONSTRAINT n] PRIMARY KEY .., FOREIGN KEY .., CHECK ..
KeyConstraint ParseKeyConstraint(TokenCursor& cursor);

/// IF EXISTS
bool AcceptIfExists(TokenCursor& cursor);
/// IF NOT EXISTS
bool AcceptIfNotExists(TokenCursor& cursor);
/// Fails when a clause was given before.
void CheckOnce(TokenCursor& cursor, bool given, Span span, const char* clause);

}  // namespace sluice::sql
