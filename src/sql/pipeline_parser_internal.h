// Statements at the cursor. Same conventions as expression_parser_internal.h.
#pragma once

#include "sql/pipeline_ast.h"
#include "sql/token_cursor.h"

namespace sluice::sql {

/// Words between CREATE and the kind of thing created.
struct CreatePrefix {
  bool or_refresh = false;
  bool or_replace = false;
  bool is_private = false;
  bool temporary = false;
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

/// IF NOT EXISTS
bool AcceptIfNotExists(TokenCursor& cursor);
/// Fails when a clause was given before.
void CheckOnce(TokenCursor& cursor, bool given, Span span, const char* clause);

}  // namespace sluice::sql
