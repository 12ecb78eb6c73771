// The commands of `sluice`. Each takes its parsed options and returns the process's exit code:
// 0 ok, 1 definition or query error, 2 run failed, 3 expectation failed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace sluice::app {

enum ExitCode : int { kOk = 0, kDefinitionError = 1, kRunFailed = 2, kExpectationFailed = 3 };

/// Shared by the commands that open a project.
struct ProjectOptions {
  std::string spec;                        // empty: searched upward from the working directory
  std::map<std::string, std::string> set;  // --set k=v
  std::string output = "table";            // table | json
};

struct RunOptions {
  ProjectOptions project;
  std::vector<std::string> refresh;
  std::vector<std::string> full_refresh;
  bool full_refresh_all = false;
  bool once = false;
  bool continuous = false;
};

struct SqlOptions {
  ProjectOptions project;
  std::string command;  // -c
  std::string file;     // -f
  std::string output_file;
};

struct FormatOptions {
  std::vector<std::string> files;  // empty: those of the project; "-": standard input
  bool check = false;
  std::string spec;
};

struct DemoOptions {
  std::string
      folder;  // project folder; empty: the example beside the binary or the working directory
  int64_t events = 200'000;
  int64_t events_per_second = 20'000;
  bool keep = false;  // keep the tables of an earlier demo
};

struct TableOptions {
  std::string action;  // info | files | log | fsck
  std::string path;
  std::string output = "table";
  int64_t version = -1;  // info, files: of which version; -1 = the newest
  int64_t limit = 20;    // log: how many commits
  bool quick = false;    // fsck: reads no rows
};

int RunInit(const std::string& name);
int RunDryRun(const ProjectOptions& options);
int RunRun(const RunOptions& options);
int RunSql(const SqlOptions& options);
int RunShow(const ProjectOptions& options, const std::string& table, int64_t rows);
int RunHistory(const ProjectOptions& options, const std::string& table, int64_t limit);
int RunTable(const TableOptions& options);
/// `columns`: with what each column comes from.
int RunGraph(const ProjectOptions& options, bool columns);
int RunFormat(const FormatOptions& options);
int RunDemo(const DemoOptions& options);
int RunExplain(const std::string& code);
int RunCompletion(const std::string& shell);

/// The text of the file `path`, of standard input for "-". PIPELINE_FILE_UNREADABLE with `hint`.
Result<std::string> ReadText(const std::string& path, const std::string& hint);
/// "[CODE] message"; a message that begins with its code, as those of SQL do, keeps it once.
std::string ErrorText(const Status& status);
/// The error as an object for editors: code, SQLSTATE, place, message, suggestion.
std::string ErrorJson(const Status& status);
/// Prints an error as people and tools read it (text, or one JSON object) and returns `exit_code`.
int Fail(const Status& status, int exit_code, const std::string& output = "table");

}  // namespace sluice::app
