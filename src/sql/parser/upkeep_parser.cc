// The upkeep of Delta tables: OPTIMIZE, ANALYZE, VACUUM, RESTORE, CONVERT TO DELTA, REORG,
// GENERATE; and REFRESH, COMMENT ON.
#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/pipeline_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

OptimizeTable Optimize(TokenCursor& cursor) {
  OptimizeTable optimize;
  optimize.name = ExpectTableOrPath(cursor);
  optimize.full = cursor.AcceptWord("FULL");
  if (cursor.AcceptWord("WHERE")) {
    optimize.where = ParseExpr(cursor);
  }
  if (!cursor.AcceptWords({"ZORDER", "BY"})) {
    return optimize;
  }
  const bool parenthesised = cursor.AcceptSymbol("(");
  do {
    optimize.zorder_by.push_back(cursor.ExpectQualifiedName("a column"));
  } while (cursor.AcceptSymbol(","));
  if (parenthesised) {
    cursor.ExpectSymbol(")");
  }
  return optimize;
}

// TABLE has been taken.
AnalyzeTable Analyze(TokenCursor& cursor) {
  AnalyzeTable analyze;
  analyze.name = ExpectTableOrPath(cursor);
  if (cursor.AcceptWord("PARTITION")) {
    analyze.partition = ParsePartition(cursor);
  }
  cursor.ExpectWord("COMPUTE");
  analyze.delta = cursor.AcceptWord("DELTA");
  cursor.ExpectWord("STATISTICS");
  if (cursor.AcceptWord("NOSCAN")) {
    analyze.no_scan = true;
  } else if (cursor.AcceptWords({"FOR", "ALL", "COLUMNS"})) {
    analyze.all_columns = true;
  } else if (cursor.AcceptWords({"FOR", "COLUMNS"})) {
    do {
      analyze.columns.push_back(cursor.ExpectName("a column"));
    } while (cursor.AcceptSymbol(","));
  }
  return analyze;
}

// VACUUM t [FULL | LITE] [RETAIN n HOURS] [DRY RUN], the last two in any order
VacuumTable Vacuum(TokenCursor& cursor) {
  VacuumTable vacuum;
  vacuum.name = ExpectTableOrPath(cursor);
  while (true) {
    if (cursor.AcceptWord("FULL")) {
      vacuum.mode = VacuumTable::Mode::kFull;
    } else if (cursor.AcceptWord("LITE")) {
      vacuum.mode = VacuumTable::Mode::kLite;
    } else if (!vacuum.retain_hours && cursor.AcceptWord("RETAIN")) {
      if (cursor.Peek().kind != TokenKind::kNumber) {
        cursor.FailHere("a number of hours");
      }
      vacuum.retain_hours = ParseValueExpr(cursor);
      if (!cursor.AcceptWord("HOUR")) {
        cursor.ExpectWord("HOURS");
      }
    } else if (!vacuum.dry_run && cursor.AcceptWords({"DRY", "RUN"})) {
      vacuum.dry_run = true;
    } else {
      return vacuum;
    }
  }
}

RestoreTable Restore(TokenCursor& cursor) {
  RestoreTable restore;
  if (cursor.AtWord("TABLE") && (cursor.AtName(1) || cursor.AtString(1))) {
    cursor.AcceptWord("TABLE");
  }
  restore.name = ExpectTableOrPath(cursor);
  cursor.AcceptWord("TO");
  auto to = ParseTimeTravel(cursor);
  if (!to) {
    cursor.FailHere("TO VERSION AS OF or TO TIMESTAMP AS OF");
    return restore;
  }
  restore.to = *std::move(to);
  return restore;
}

ConvertToDelta Convert(TokenCursor& cursor) {
  ConvertToDelta convert;
  convert.name = cursor.ExpectQualifiedName("a table, or parquet.`path`");
  convert.no_statistics = cursor.AcceptWords({"NO", "STATISTICS"});
  if (cursor.AcceptWords({"PARTITIONED", "BY"})) {
    cursor.ExpectSymbol("(");
    do {
      convert.partitioned_by.push_back(ParseColumnDefinition(cursor));
    } while (cursor.AcceptSymbol(","));
    cursor.ExpectSymbol(")");
  }
  return convert;
}

ReorgTable Reorg(TokenCursor& cursor) {
  ReorgTable reorg;
  reorg.name = ExpectTableOrPath(cursor);
  if (cursor.AcceptWord("WHERE")) {
    reorg.where = ParseExpr(cursor);
  }
  cursor.ExpectWord("APPLY");
  cursor.ExpectSymbol("(");
  if (!cursor.AcceptWord("PURGE")) {
    reorg.purge = false;
    cursor.ExpectWords({"UPGRADE", "UNIFORM"});
    reorg.uniform = ParseProperties(cursor);
  }
  cursor.ExpectSymbol(")");
  return reorg;
}

std::optional<RefreshObject> Refresh(TokenCursor& cursor) {
  RefreshObject refresh;
  const size_t begin = cursor.position();
  cursor.ExpectWord("REFRESH");
  const auto kind = AcceptObjectKind(cursor);
  if (!kind || !(cursor.AtName() || cursor.AtString())) {
    cursor.Rewind(begin);
    return std::nullopt;
  }
  refresh.object = *kind;
  refresh.name = ExpectTableName(cursor);
  refresh.full = cursor.AcceptWord("FULL");
  refresh.async = cursor.AcceptWord("ASYNC");
  if (!refresh.async) {
    cursor.AcceptWord("SYNC");
  }
  return refresh;
}

std::optional<CommentOn> Comment(TokenCursor& cursor) {
  CommentOn comment;
  const size_t begin = cursor.position();
  cursor.ExpectWords({"COMMENT", "ON"});
  const bool column = cursor.AcceptWord("COLUMN");
  const auto kind = column ? std::optional(ObjectKind::kColumn) : AcceptObjectKind(cursor);
  if (!kind) {
    cursor.Rewind(begin);
    return std::nullopt;
  }
  comment.object = *kind;
  comment.name = cursor.ExpectQualifiedName("a name");
  cursor.ExpectWord("IS");
  if (!cursor.AcceptWord("NULL")) {
    comment.text = cursor.ExpectString("a comment or NULL");
  }
  return comment;
}

template <typename T>
std::optional<Statement::Node> AsNode(std::optional<T> statement) {
  return statement ? std::optional<Statement::Node>(*std::move(statement)) : std::nullopt;
}

}  // namespace

std::optional<ObjectKind> AcceptObjectKind(TokenCursor& cursor) {
  if (cursor.AcceptWords({"STREAMING", "TABLE"})) {
    return ObjectKind::kStreamingTable;
  }
  if (cursor.AcceptWords({"MATERIALIZED", "VIEW"})) {
    return ObjectKind::kMaterializedView;
  }
  if (cursor.AcceptWord("TABLE")) {
    return ObjectKind::kTable;
  }
  if (cursor.AcceptWord("VIEW")) {
    return ObjectKind::kView;
  }
  if (cursor.AcceptWord("SCHEMA") || cursor.AcceptWord("DATABASE") ||
      cursor.AcceptWord("NAMESPACE")) {
    return ObjectKind::kSchema;
  }
  return std::nullopt;
}

QualifiedName ExpectTableOrPath(TokenCursor& cursor) {
  if (!cursor.AtString()) {
    return ExpectTableName(cursor);
  }
  const Span span = cursor.Peek().span;
  std::string path = cursor.ExpectString("a path");
  return {{Name{"delta", span, false}, Name{std::move(path), span, true}}, span};
}

std::optional<Statement::Node> ParseUpkeepStatement(TokenCursor& cursor) {
  if (cursor.AcceptWord("OPTIMIZE")) {
    return Optimize(cursor);
  }
  if (cursor.AcceptWords({"ANALYZE", "TABLE"})) {
    return Analyze(cursor);
  }
  if (cursor.AcceptWord("VACUUM")) {
    return Vacuum(cursor);
  }
  if (cursor.AcceptWord("RESTORE")) {
    return Restore(cursor);
  }
  if (cursor.AcceptWords({"CONVERT", "TO", "DELTA"})) {
    return Convert(cursor);
  }
  if (cursor.AcceptWords({"REORG", "TABLE"})) {
    return Reorg(cursor);
  }
  if (cursor.AtWord("GENERATE") && cursor.AtName(1)) {
    cursor.AcceptWord("GENERATE");
    GenerateManifest generate;
    generate.mode = cursor.ExpectName("symlink_format_manifest");
    cursor.ExpectWords({"FOR", "TABLE"});
    generate.name = ExpectTableOrPath(cursor);
    return generate;
  }
  if (cursor.AtWord("REFRESH")) {
    return AsNode(Refresh(cursor));
  }
  if (cursor.AtWords({"COMMENT", "ON"})) {
    return AsNode(Comment(cursor));
  }
  return std::nullopt;
}

}  // namespace sluice::sql
