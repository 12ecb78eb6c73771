#include "sql/parser/statement_name.h"

namespace sluice::sql {
namespace {

struct Namer {
  std::string operator()(const CreateStreamingTable&) const { return "CREATE STREAMING TABLE"; }
  std::string operator()(const CreateMaterializedView&) const { return "CREATE MATERIALIZED VIEW"; }
  std::string operator()(const CreateView& view) const {
    return view.temporary ? "CREATE TEMPORARY VIEW" : "CREATE VIEW";
  }
  std::string operator()(const CreateFlow&) const { return "CREATE FLOW"; }
  std::string operator()(const CreateSink&) const { return "CREATE SINK"; }
  std::string operator()(const SetConfiguration&) const { return "SET"; }
  std::string operator()(const ResetConfiguration&) const { return "RESET"; }
  std::string operator()(const SetTimeZone&) const { return "SET TIME ZONE"; }
  std::string operator()(const UseNamespace&) const { return "USE"; }
  std::string operator()(const QueryStatement&) const { return "a query"; }
  std::string operator()(const ShowStatement&) const { return "SHOW"; }
  std::string operator()(const DescribeStatement& describe) const {
    using Kind = DescribeStatement::Kind;
    return describe.kind == Kind::kHistory    ? "DESCRIBE HISTORY"
           : describe.kind == Kind::kDetail   ? "DESCRIBE DETAIL"
           : describe.kind == Kind::kFunction ? "DESCRIBE FUNCTION"
           : describe.kind == Kind::kSchema   ? "DESCRIBE SCHEMA"
                                              : "DESCRIBE";
  }
  std::string operator()(const ExplainStatement&) const { return "EXPLAIN"; }
  std::string operator()(const CreateTable& table) const {
    const std::string verb =
        table.mode == CreateTable::Mode::kReplace ? "REPLACE TABLE" : "CREATE TABLE";
    return table.clone ? verb + " .. CLONE" : table.like ? verb + " .. LIKE" : verb;
  }
  std::string operator()(const AlterTable& alter) const {
    return std::string("ALTER ") + ObjectKindName(alter.object);
  }
  std::string operator()(const DropObject& drop) const {
    return std::string("DROP ") + ObjectKindName(drop.object);
  }
  std::string operator()(const InsertInto& insert) const {
    return insert.rows.overwrite ? "INSERT OVERWRITE" : "INSERT INTO";
  }
  std::string operator()(const UpdateTable&) const { return "UPDATE"; }
  std::string operator()(const DeleteFrom&) const { return "DELETE FROM"; }
  std::string operator()(const MergeInto&) const { return "MERGE INTO"; }
  std::string operator()(const TruncateTable&) const { return "TRUNCATE TABLE"; }
  std::string operator()(const OptimizeTable& optimize) const {
    return optimize.zorder_by.empty() ? "OPTIMIZE" : "OPTIMIZE .. ZORDER BY";
  }
  std::string operator()(const AnalyzeTable&) const { return "ANALYZE TABLE"; }
  std::string operator()(const VacuumTable&) const { return "VACUUM"; }
  std::string operator()(const RestoreTable&) const { return "RESTORE"; }
  std::string operator()(const ConvertToDelta&) const { return "CONVERT TO DELTA"; }
  std::string operator()(const ReorgTable&) const { return "REORG TABLE"; }
  std::string operator()(const GenerateManifest&) const { return "GENERATE"; }
  std::string operator()(const RefreshObject& refresh) const {
    return std::string("REFRESH ") + ObjectKindName(refresh.object);
  }
  std::string operator()(const CreateSchema&) const { return "CREATE SCHEMA"; }
  std::string operator()(const CommentOn&) const { return "COMMENT ON"; }
  std::string operator()(const UnsupportedStatement& statement) const { return statement.verb; }
};

}  // namespace

const char* ObjectKindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kTable: return "TABLE";
    case ObjectKind::kView: return "VIEW";
    case ObjectKind::kMaterializedView: return "MATERIALIZED VIEW";
    case ObjectKind::kStreamingTable: return "STREAMING TABLE";
    case ObjectKind::kSchema: return "SCHEMA";
    case ObjectKind::kColumn: return "COLUMN";
    case ObjectKind::kFunction: return "FUNCTION";
  }
  return "";
}

std::string StatementName(const Statement& statement) {
  return std::visit(Namer{}, statement.node);
}

}  // namespace sluice::sql
