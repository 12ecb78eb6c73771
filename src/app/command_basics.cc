// The commands that need no project: init, explain, completion; and how errors are printed.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/commands.h"
#include "app/error_pages.h"
#include "sql/ast/parse_error.h"

namespace sluice::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCommands =
    "init dry-run run sql show history table graph fmt demo explain completion";

Status WriteFile(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out)
    return MakeError("STORAGE_IO", "cannot write file: " + path.string(),
                     "check permissions and free space");
  return Status::OK();
}

Status InitProject(const std::string& name) {
  const fs::path root = fs::absolute(name);
  if (fs::exists(root)) {
    return MakeError("PROJECT_EXISTS", "folder exists already: " + root.string(),
                     "choose another --name");
  }
  SLUICE_RETURN_NOT_OK(WriteFile(root / "spark-pipeline.yml", "name: " + root.filename().string() +
                                                                  R"(
storage: file://)" + (root / "pipeline-storage").string() + R"(
database: )" + "default" + R"(
libraries:
  - glob:
      include: transformations/**
)"));
  SLUICE_RETURN_NOT_OK(
      WriteFile(root / "sluice.yml", R"(# Settings of Sluice; Spark does not read this file.
warehouse: warehouse
continuous: false
)"));
  return WriteFile(
      root / "transformations" / "example.sql",
      R"(-- A view of ten rows, and an aggregate over it. Run: sluice run, then: sluice show example_totals
CREATE MATERIALIZED VIEW example_rows
AS SELECT id, id % 3 AS bucket FROM VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9) AS t(id);

CREATE MATERIALIZED VIEW example_totals
AS SELECT bucket, count(*) AS rows, sum(id) AS total FROM example_rows GROUP BY bucket;
)");
}

}  // namespace

Result<std::string> ReadText(const std::string& path, const std::string& hint) {
  std::stringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream in(path, std::ios::binary);
  text << in.rdbuf();
  if (!in) return MakeError("PIPELINE_FILE_UNREADABLE", "cannot read file: " + path, hint);
  return text.str();
}

std::string ErrorText(const Status& status) {
  const std::string code = "[" + ErrorCode(status) + "]";
  return status.message().starts_with(code) ? status.message() : code + " " + status.message();
}

std::string ErrorJson(const Status& status) {
  nlohmann::json error = {{"type", "error"}, {"code", ErrorCode(status)}};
  if (const sql::ErrorPlace* place = sql::PlaceOf(status)) {
    error["sqlState"] = place->sql_state;
    error["file"] = place->file;
    error["line"] = place->begin.line;
    error["column"] = place->begin.column;
    error["endLine"] = place->end.line;
    error["endColumn"] = place->end.column;
    error["message"] = place->message;
  } else {
    error["message"] = status.message();
  }
  const std::string hint = ErrorHint(status);
  if (!hint.empty()) error["suggestion"] = hint;
  return error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

int Fail(const Status& status, int exit_code, const std::string& output) {
  const std::string code = ErrorCode(status);
  const std::string hint = ErrorHint(status);
  if (output == "json") {
    std::fprintf(stderr, "%s\n", ErrorJson(status).c_str());
    return exit_code;
  }
  std::fprintf(stderr, "%s\n", ErrorText(status).c_str());
  if (!hint.empty()) std::fprintf(stderr, "hint: %s\n", hint.c_str());
  if (ErrorPage(code).has_value()) std::fprintf(stderr, "more: sluice explain %s\n", code.c_str());
  return exit_code;
}

int RunInit(const std::string& name) {
  const Status status = InitProject(name);
  if (!status.ok()) return Fail(status, kDefinitionError);
  std::printf("Made project %s. Next: cd %s && sluice run\n", name.c_str(), name.c_str());
  return kOk;
}

int RunExplain(const std::string& code) {
  const auto page = ErrorPage(code);
  if (!page.has_value()) {
    return Fail(MakeError("UNKNOWN_ERROR_CODE", "no such error code: " + code,
                          "codes are printed in brackets: [CODE] message"),
                kDefinitionError);
  }
  std::fwrite(page->data(), 1, page->size(), stdout);
  return kOk;
}

int RunCompletion(const std::string& shell) {
  if (shell == "bash") {
    std::printf(
        "_sluice() { COMPREPLY=($(compgen -W \"%s\" -- \"${COMP_WORDS[COMP_CWORD]}\")); }\n"
        "complete -o default -F _sluice sluice\n",
        kCommands);
    return kOk;
  }
  if (shell == "zsh") {
    std::printf("#compdef sluice\n_arguments '1:command:(%s)' '*:file:_files'\n", kCommands);
    return kOk;
  }
  return Fail(
      MakeError("UNKNOWN_SHELL", "no completion for shell: " + shell, "bash and zsh are known"),
      kDefinitionError);
}

}  // namespace sluice::app
