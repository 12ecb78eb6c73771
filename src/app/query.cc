#include "app/query.h"

#include <arrow/api.h>

#include <algorithm>
#include <filesystem>

#include "app/row_builder.h"
#include "base/text.h"
#include "sql/ast/parse_error.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"
#include "sql/parser/statement_name.h"
#include "sql/parser/substitute.h"
#include "statements/table_rows.h"
#include "statements/table_statements.h"

namespace sluice::app {
namespace {

using RowReader = std::shared_ptr<arrow::RecordBatchReader>;

statements::StatementContext ContextOf(Project& project) {
  return {project.spec(),   project.storage(), project.tables(),
          project.runner(), SystemClock(),     project.random()};
}

/// Tables of the warehouse: folders schema/table with a Delta log.
Result<std::vector<catalog::TableName>> ListTables(Project& project) {
  namespace fs = std::filesystem;
  std::vector<catalog::TableName> tables;
  std::error_code error;
  for (fs::directory_iterator schema(project.spec().engine.warehouse, error), end;
       !error && schema != end; schema.increment(error)) {
    std::error_code inner;
    for (fs::directory_iterator table(schema->path(), inner);
         !inner && table != fs::directory_iterator(); table.increment(inner)) {
      // A dropped table leaves its folders.
      SLUICE_ASSIGN_OR_RETURN(const bool exists, project.tables().Exists(table->path().string()));
      if (exists) {
        tables.push_back({schema->path().filename().string(), table->path().filename().string()});
      }
    }
  }
  std::sort(tables.begin(), tables.end());
  return tables;
}

Result<RowReader> Show(Project& project, const sql::ShowStatement& show) {
  SLUICE_ASSIGN_OR_RETURN(const auto tables, ListTables(project));
  if (show.kind == sql::ShowStatement::Kind::kTables) {
    RowBuilder rows({"namespace", "tableName", "isTemporary"});
    const std::string schema =
        show.in.has_value() ? LowerAscii(show.in->last()) : LowerAscii(project.spec().database);
    for (const auto& table : tables) {
      if (table.schema == schema) rows.Add({table.schema, table.table, "false"});
    }
    return rows.Finish();
  }
  if (show.kind == sql::ShowStatement::Kind::kSchemas) {
    RowBuilder rows({"namespace"});
    std::string last;
    for (const auto& table : tables) {
      if (table.schema != last) rows.Add({table.schema});
      last = table.schema;
    }
    return rows.Finish();
  }
  return MakeError("NOT_SUPPORTED_YET", "not supported yet: this SHOW statement",
                   "SHOW TABLES and SHOW SCHEMAS are known");
}

Result<RowReader> DescribeSchema(const arrow::Schema& schema) {
  RowBuilder rows({"col_name", "data_type", "comment"});
  for (const auto& field : schema.fields()) {
    std::string comment;
    if (field->HasMetadata()) comment = field->metadata()->Get("comment").ValueOr("");
    rows.Add({field->name(), sql::SparkTypeName(*field->type()), comment});
  }
  return rows.Finish();
}

Result<RowReader> Describe(Project& project, const sql::ParsedFile& file,
                           const sql::DescribeStatement& describe) {
  using Kind = sql::DescribeStatement::Kind;
  if (describe.kind == Kind::kQuery) {
    SLUICE_ASSIGN_OR_RETURN(sql::PlanPtr plan,
                            statements::AnalyzeAdHoc(ContextOf(project), file, *describe.query));
    return DescribeSchema(*plan->schema);
  }
  if (describe.kind != Kind::kTable)
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: this DESCRIBE statement");
  SLUICE_ASSIGN_OR_RETURN(auto table,
                          statements::OpenTable(ContextOf(project), file, describe.name));
  return DescribeSchema(*table->Current()->schema());
}

}  // namespace

Result<sql::ParsedFile> ParseSql(const Project& project, const std::string& name,
                                 const std::string& text) {
  auto lookup = [&](const std::string& key) -> std::optional<std::string> {
    const auto found = project.spec().configuration.find(key);
    if (found == project.spec().configuration.end()) return std::nullopt;
    return found->second;
  };
  SLUICE_ASSIGN_OR_RETURN(sql::SourceText source, sql::Substitute(name, text, lookup));
  return sql::ParseStatements(std::make_shared<const sql::SourceText>(std::move(source)));
}

Result<RowReader> RunStatement(Project& project, const sql::ParsedFile& file,
                               const sql::Statement& statement) {
  const statements::StatementContext context = ContextOf(project);
  if (const auto* query = statement.As<sql::QueryStatement>()) {
    SLUICE_ASSIGN_OR_RETURN(const sql::PlanPtr plan,
                            statements::AnalyzeAdHoc(context, file, *query->query));
    return statements::RunPlan(context, plan);
  }
  SLUICE_ASSIGN_OR_RETURN(auto rows, statements::RunTableStatement(context, file, statement));
  if (rows.has_value()) return *std::move(rows);
  if (const auto* show = statement.As<sql::ShowStatement>()) return Show(project, *show);
  if (const auto* describe = statement.As<sql::DescribeStatement>())
    return Describe(project, file, *describe);
  if (const auto* explain = statement.As<sql::ExplainStatement>()) {
    SLUICE_ASSIGN_OR_RETURN(sql::PlanPtr plan,
                            statements::AnalyzeAdHoc(context, file, *explain->query));
    RowBuilder plans({"plan"});
    plans.Add({sql::ToString(*plan)});
    return plans.Finish();
  }
  return sql::ErrorAt(*file.source, statement.span, "NOT_SUPPORTED_YET",
                      "not supported yet: " + sql::StatementName(statement) + " in ad hoc SQL");
}

Result<RowReader> TableHistory(delta::Table& table, int64_t limit) {
  SLUICE_RETURN_NOT_OK(table.Update().status());
  SLUICE_ASSIGN_OR_RETURN(auto versions, table.History(static_cast<size_t>(limit)));
  return statements::HistoryRows(versions);
}

}  // namespace sluice::app
