#include "app/query.h"

#include <arrow/api.h>

#include <algorithm>
#include <map>

#include "sql/ast/parse_error.h"
#include "sql/parser/statement_name.h"
#include "sql/parser/statement_split.h"
#include "sql/parser/substitute.h"
#include "statements/table_rows.h"
#include "statements/table_statements.h"

namespace sluice::app {
namespace {

using RowReader = std::shared_ptr<arrow::RecordBatchReader>;

statements::StatementContext ContextOf(Project& project) {
  statements::Session& session = project.session();
  return {session.spec(), project.storage(), project.tables(), project.runner(),
          SystemClock(),  project.random(),  session};
}

using Settings = std::map<std::string, std::string>;

Result<sql::ParsedFile> ParseWith(const Settings& settings, const std::string& name,
                                  const std::string& text) {
  auto lookup = [&](const std::string& key) -> std::optional<std::string> {
    const auto found = settings.find(key);
    if (found == settings.end()) return std::nullopt;
    return found->second;
  };
  SLUICE_ASSIGN_OR_RETURN(sql::SourceText source, sql::Substitute(name, text, lookup));
  return sql::ParseStatements(std::make_shared<const sql::SourceText>(std::move(source)));
}

/// The statement alone, at its line and column: in front of it are only blanks.
std::string AtItsPlace(const std::string& text, sql::Span span) {
  const size_t line = span.offset == 0 ? std::string::npos : text.rfind('\n', span.offset - 1);
  const size_t begin = line == std::string::npos ? 0 : line + 1;
  std::string padded(static_cast<size_t>(std::count(text.begin(), text.begin() + begin, '\n')),
                     '\n');
  for (size_t i = begin; i < span.offset; ++i) {
    if ((text[i] & 0xC0) != 0x80) padded += ' ';
  }
  return padded + text.substr(span.offset, span.length);
}

}  // namespace

Result<std::vector<sql::ParsedFile>> ParseSql(Project& project, const std::string& name,
                                              const std::string& text) {
  std::vector<sql::ParsedFile> files;
  Settings settings = project.session().spec().configuration;
  if (text.find("${") == std::string::npos) {
    SLUICE_ASSIGN_OR_RETURN(files.emplace_back(), ParseWith(settings, name, text));
    return files;
  }
  for (const sql::Span span : sql::SplitStatements(text)) {
    SLUICE_ASSIGN_OR_RETURN(sql::ParsedFile file,
                            ParseWith(settings, name, AtItsPlace(text, span)));
    for (const sql::Statement& statement : file.statements) {
      const auto* set = statement.As<sql::SetConfiguration>();
      if (set != nullptr && set->value.has_value()) settings[set->key] = *set->value;
    }
    files.push_back(std::move(file));
  }
  return files;
}

Result<RowReader> RunQuery(Project& project, const std::string& text) {
  SLUICE_ASSIGN_OR_RETURN(const sql::ParsedFile file,
                          ParseWith(project.session().spec().configuration, "", text));
  return RunStatement(project, file, file.statements.front());
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
  return sql::ErrorAt(*file.source, statement.span, "NOT_SUPPORTED_YET",
                      "not supported yet: " + sql::StatementName(statement) + " in ad hoc SQL");
}

Result<RowReader> TableHistory(delta::Table& table, int64_t limit) {
  SLUICE_RETURN_NOT_OK(table.Update().status());
  SLUICE_ASSIGN_OR_RETURN(auto versions, table.History(static_cast<size_t>(limit)));
  return statements::HistoryRows(versions);
}

}  // namespace sluice::app
