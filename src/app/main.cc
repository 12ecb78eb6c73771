// The command line of `sluice`.
#include <arrow/compute/initialize.h>

#include <arrow/memory_pool.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "app/commands.h"
#include "base/log.h"

namespace sluice::app {
namespace {

void AddProjectOptions(CLI::App* command, ProjectOptions* options,
                       std::vector<std::string>* settings) {
  command->add_option("--spec", options->spec,
                      "pipeline spec file (default: searched upward from here)");
  command->add_option("--set", *settings, "KEY=VALUE of the configuration, over the spec's")
      ->type_name("KEY=VALUE");
  command->add_option("--output", options->output, "table or json")->capture_default_str();
}

Status ReadSettings(const std::vector<std::string>& settings, ProjectOptions* options) {
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return MakeError("INVALID_SETTING", "not KEY=VALUE: --set " + setting,
                       "write --set key=value");
    }
    options->set[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return Status::OK();
}

/// Names split on commas, as spark-pipelines takes them.
std::vector<std::string> SplitNames(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (const std::string& list : lists) {
    for (size_t begin = 0; begin <= list.size();) {
      size_t end = list.find(',', begin);
      if (end == std::string::npos) end = list.size();
      if (end > begin) names.push_back(list.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return names;
}

/// table info | files | log | fsck PATH.
void AddTableCommands(CLI::App* table, TableOptions* options) {
  table->require_subcommand(1);
  const std::pair<const char*, const char*> actions[] = {
      {"info", "protocol, schema, properties, files and log of a Delta table"},
      {"files", "its data files"},
      {"log", "its commits, newest first"},
      {"fsck", "check log, files and statistics; exit code 2 when there are errors"}};
  for (const auto& [name, help] : actions) {
    CLI::App* action = table->add_subcommand(name, help);
    action->add_option("path", options->path, "the table's folder")->required();
    action->add_option("--output", options->output, "table, json or csv")->capture_default_str();
    const std::string_view which = name;
    if (which == "info" || which == "files")
      action->add_option("--version", options->version, "of which version (default: the newest)");
    if (which == "log")
      action->add_option("-n,--limit", options->limit, "how many")->capture_default_str();
    if (which == "fsck")
      action->add_flag("--quick", options->quick, "sizes and row counts only, no rows");
    action->callback([options, which] { options->action = which; });
  }
}

CLI::App* AddRun(CLI::App* app, RunOptions* options, std::vector<std::string>* settings) {
  CLI::App* run = app->add_subcommand("run", "run the pipeline");
  AddProjectOptions(run, &options->project, settings);
  run->add_option("--refresh", options->refresh, "datasets to update, comma-separated");
  run->add_option("--full-refresh", options->full_refresh, "datasets to reset and recompute");
  run->add_flag("--full-refresh-all", options->full_refresh_all,
                "reset and recompute all datasets");
  run->add_flag("--once", options->once, "process what the sources have now, then end");
  run->add_flag("--continuous", options->continuous, "run until stopped");
  return run;
}

CLI::App* AddSql(CLI::App* app, SqlOptions* options, std::vector<std::string>* settings) {
  CLI::App* sql = app->add_subcommand("sql", "query tables of the catalog and delta.`path`");
  AddProjectOptions(sql, &options->project, settings);
  sql->add_option("-c", options->command, "the statements");
  sql->add_option("-f", options->file, "a file of statements");
  sql->add_option("-o", options->output_file, "write the result to this file");
  return sql;
}

CLI::App* AddDemo(CLI::App* app, DemoOptions* options) {
  CLI::App* demo = app->add_subcommand("demo", "run the example on an embedded broker");
  demo->add_option("--project", options->folder, "the example project's folder");
  demo->add_option("--events", options->events, "how many events")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  demo->add_option("--rate", options->events_per_second, "events per second")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  demo->add_flag("--keep", options->keep, "add to the tables of an earlier demo");
  return demo;
}

CLI::App* AddFormat(CLI::App* app, FormatOptions* options) {
  CLI::App* format = app->add_subcommand("fmt", "lay out SQL files");
  format->add_option("files", options->files,
                     "files; none: those of the project; -: standard input");
  format->add_flag("--check", options->check, "change nothing; say which files would change");
  format->add_option("--spec", options->spec, "the project's spark-pipeline.yml");
  return format;
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Sluice: a real-time lakehouse engine. Spark SQL project files in, governed Delta tables "
      "out.",
      "sluice");
  app.set_version_flag("--version", "sluice 0.1.0");
  app.require_subcommand(1);
  bool verbose = false;
  app.add_flag("-v,--verbose", verbose, "log what happens inside");
  std::vector<std::string> settings;

  std::string name;
  CLI::App* init = app.add_subcommand("init", "make a new pipeline project");
  init->add_option("--name", name, "name of the project and its folder")->required();

  ProjectOptions project;
  CLI::App* dry_run =
      app.add_subcommand("dry-run", "check the project and show its plan without running it");
  AddProjectOptions(dry_run, &project, &settings);
  CLI::App* graph = app.add_subcommand("graph", "print the datasets and flows");
  AddProjectOptions(graph, &project, &settings);
  bool columns = false;
  graph->add_flag("--columns", columns, "with what each column comes from");
  FormatOptions formatted;
  CLI::App* format = AddFormat(&app, &formatted);

  RunOptions run;
  CLI::App* run_command = AddRun(&app, &run, &settings);
  SqlOptions sql;
  CLI::App* sql_command = AddSql(&app, &sql, &settings);

  std::string table;
  int64_t rows = 20;
  CLI::App* show = app.add_subcommand("show", "print the first rows of a table");
  AddProjectOptions(show, &project, &settings);
  show->add_option("table", table, "schema.table or table")->required();
  show->add_option("-n,--rows", rows, "how many")->capture_default_str();
  CLI::App* history = app.add_subcommand("history", "print the versions of a table, newest first");
  AddProjectOptions(history, &project, &settings);
  history->add_option("table", table, "schema.table or table")->required();
  history->add_option("-n,--limit", rows, "how many")->capture_default_str();

  TableOptions inspected;
  CLI::App* table_command = app.add_subcommand("table", "look into a Delta table by its path");
  AddTableCommands(table_command, &inspected);

  DemoOptions demo;
  CLI::App* demo_command = AddDemo(&app, &demo);

  std::string code;
  CLI::App* explain = app.add_subcommand("explain", "explain an error code");
  explain->add_option("code", code, "the code, for example KAFKA_UNREACHABLE")->required();
  std::string shell = "bash";
  CLI::App* completion = app.add_subcommand("completion", "print a shell completion script");
  completion->add_option("shell", shell, "bash or zsh")->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int exit_code = app.exit(error);
    return exit_code == 0 ? kOk : kDefinitionError;
  }
  if (verbose) log::SetLevel(log::Level::kInfo);
  for (ProjectOptions* options : {&project, &run.project, &sql.project}) {
    const Status status = ReadSettings(settings, options);
    if (!status.ok()) return Fail(status, kDefinitionError, options->output);
  }
  run.refresh = SplitNames(run.refresh);
  run.full_refresh = SplitNames(run.full_refresh);

  if (*init) return RunInit(name);
  if (*dry_run) return RunDryRun(project);
  if (*graph) return RunGraph(project, columns);
  if (*format) return RunFormat(formatted);
  if (*run_command) return RunRun(run);
  if (*sql_command) return RunSql(sql);
  if (*show) return RunShow(project, table, rows);
  if (*history) return RunHistory(project, table, rows);
  if (*table_command) return RunTable(inspected);
  if (*demo_command) return RunDemo(demo);
  if (*explain) return RunExplain(code);
  return RunCompletion(shell);
}

}  // namespace
}  // namespace sluice::app

int main(int argc, char** argv) {
  // A file that would grow beyond the limit of this process is an error of its write, not a signal.
  (void)::signal(SIGXFSZ, SIG_IGN);
  // Arrow's default pool gives freed pages back at once: a third of decoding would go to page
  // faults.
  ::setenv("ARROW_DEFAULT_MEMORY_POOL", "jemalloc", 0);
  (void)arrow::jemalloc_set_decay_ms(10'000);
  if (!arrow::compute::Initialize().ok()) {
    std::fprintf(stderr, "cannot initialize the compute kernels\n");
    return 2;
  }
  try {
    return sluice::app::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "INTERNAL_ERROR: unexpected exception: %s\n", error.what());
    return sluice::app::kRunFailed;
  }
}
