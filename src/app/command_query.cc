// The commands that read tables: sql, show, history.
#include <cstdio>

#include "app/commands.h"
#include "app/output_format.h"
#include "app/project.h"
#include "app/query.h"

namespace sluice::app {
namespace {

Result<std::string> StatementText(const SqlOptions& options) {
  if (!options.command.empty()) return options.command;
  return ReadText(options.file.empty() ? "-" : options.file, "check the path given to -f");
}

Status ExecuteSql(const SqlOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(OutputFormat format, ParseOutputFormat(options.project.output));
  if (format == OutputFormat::kParquet && options.output_file.empty()) {
    return MakeError("INVALID_OUTPUT_FORMAT", "Parquet is not written to the terminal",
                     "name a file with -o");
  }
  SLUICE_ASSIGN_OR_RETURN(std::string text, StatementText(options));
  SLUICE_ASSIGN_OR_RETURN(auto project, Project::Open(options.project, true));
  SLUICE_ASSIGN_OR_RETURN(const auto files, ParseSql(*project, options.file, text));
  for (const sql::ParsedFile& file : files) {
    for (const sql::Statement& statement : file.statements) {
      SLUICE_ASSIGN_OR_RETURN(auto rows, RunStatement(*project, file, statement));
      SLUICE_RETURN_NOT_OK(WriteOutput(rows.get(), format, options.output_file));
    }
  }
  return Status::OK();
}

/// "s.t" with each part in back quotes.
std::string QuotedName(const std::string& dotted) {
  std::string quoted = "`";
  for (const char c : dotted) quoted += c == '.' ? "`.`" : c == '`' ? "``" : std::string(1, c);
  return quoted + "`";
}

Status ShowTable(const ProjectOptions& options, const std::string& table, int64_t rows) {
  SLUICE_ASSIGN_OR_RETURN(OutputFormat format, ParseOutputFormat(options.output));
  SLUICE_ASSIGN_OR_RETURN(auto project, Project::Open(options, true));
  const auto opened = project->OpenTable(table);
  const bool may_be_view =
      HasCode(opened.status(), "TABLE_OR_VIEW_NOT_FOUND") && table.find('/') == std::string::npos;
  if (!opened.ok() && !may_be_view) return opened.status();
  const std::string from = opened.ok() ? "delta.`" + (*opened)->path() + "`" : QuotedName(table);
  auto reader = RunQuery(*project, "SELECT * FROM " + from + " LIMIT " + std::to_string(rows));
  if (!opened.ok() && !reader.ok() && HasCode(reader.status(), "TABLE_OR_VIEW_NOT_FOUND"))
    return opened.status();
  SLUICE_RETURN_NOT_OK(reader.status());
  return WriteOutput(reader->get(), format, "");
}

Status ShowHistory(const ProjectOptions& options, const std::string& table, int64_t limit) {
  SLUICE_ASSIGN_OR_RETURN(OutputFormat format, ParseOutputFormat(options.output));
  SLUICE_ASSIGN_OR_RETURN(auto project, Project::Open(options, true));
  SLUICE_ASSIGN_OR_RETURN(auto opened, project->OpenTable(table));
  SLUICE_ASSIGN_OR_RETURN(auto rows, TableHistory(*opened, limit));
  return WriteOutput(rows.get(), format, "");
}

int Finish(const Status& status, const std::string& output) {
  return status.ok() ? kOk : Fail(status, kDefinitionError, output);
}

}  // namespace

int RunSql(const SqlOptions& options) {
  return Finish(ExecuteSql(options), options.project.output);
}

int RunShow(const ProjectOptions& options, const std::string& table, int64_t rows) {
  return Finish(ShowTable(options, table, rows), options.output);
}

int RunHistory(const ProjectOptions& options, const std::string& table, int64_t limit) {
  return Finish(ShowHistory(options, table, limit), options.output);
}

}  // namespace sluice::app
