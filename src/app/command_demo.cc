// `sluice demo`: the example project on an embedded broker, fed with a bounded number of events.
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "app/commands.h"
#include "app/demo_latency.h"
#include "app/demo_ledger.h"
#include "app/pipeline_run.h"
#include "plan/demo_feed.h"

namespace sluice::app {
namespace {

namespace fs = std::filesystem;

/// examples/events below the working directory or one of the folders above the binary.
Result<std::string> FindExample() {
  std::error_code error;
  std::vector<fs::path> roots = {fs::current_path()};
  for (fs::path folder = fs::read_symlink("/proc/self/exe", error); folder.has_relative_path();
       folder = folder.parent_path()) {
    roots.push_back(folder);
  }
  for (const fs::path& root : roots) {
    const fs::path spec = root / "examples" / "events" / "spark-pipeline.yml";
    if (fs::exists(spec)) return spec.string();
  }
  return MakeError("PIPELINE_SPEC_FILE_NOT_FOUND",
                   "examples/events was not found beside the binary or the working directory",
                   "name the project with --project");
}

/// Names of the quarantine tables of the project that exist.
std::vector<catalog::TableName> QuarantineTables(Project& project) {
  std::vector<catalog::TableName> tables;
  for (const auto& dataset : project.pipeline().datasets) {
    catalog::TableName name = dataset.definition->name;
    name.table += "_quarantine";
    if (project.tables()
            .Exists(catalog::TablePath(project.spec().engine.warehouse, name))
            .ValueOr(false))
      tables.push_back(name);
  }
  return tables;
}

Status PrintTables(Project& project) {
  std::printf("\nTables in %s\n", project.spec().engine.warehouse.c_str());
  std::vector<catalog::TableName> names;
  for (const auto& dataset : project.pipeline().datasets) names.push_back(dataset.definition->name);
  for (const auto& name : QuarantineTables(project)) names.push_back(name);
  for (const auto& name : names) {
    SLUICE_ASSIGN_OR_RETURN(
        int64_t rows, CountRows(project, "SELECT count(*) FROM " + name.schema + "." + name.table));
    std::printf("  %-36s %12lld rows\n", name.ToString().c_str(), static_cast<long long>(rows));
  }
  return Status::OK();
}

class Demo {
 public:
  explicit Demo(const DemoOptions& options) : options_(options) {}

  Status Run() {
    SLUICE_ASSIGN_OR_RETURN(project_, OpenProject());
    if (!options_.keep) SLUICE_RETURN_NOT_OK(RemoveOldTables());
    plan::DemoFeedOptions feed_options;
    feed_options.events = options_.events;
    feed_options.events_per_second = options_.events_per_second;
    feed_options.bronze_path =
        project_->spec().engine.warehouse + "/" + project_->spec().database + "/bronze_events";
    feed_options.topic = "demo_" + std::to_string(SystemClock().NowMicros());
    SLUICE_ASSIGN_OR_RETURN(feed_,
                            plan::DemoFeed::Start(feed_options, project_->tables(), SystemClock()));
    std::printf("Embedded broker at %s, topic %s: %lld events at %lld/s.\n",
                feed_->bootstrap_servers().c_str(), feed_options.topic.c_str(),
                static_cast<long long>(options_.events),
                static_cast<long long>(options_.events_per_second));
    project_->SetConfiguration("brokers", feed_->bootstrap_servers());
    project_->SetConfiguration("topic", feed_options.topic);
    SLUICE_RETURN_NOT_OK(project_->Analyze());
    SLUICE_ASSIGN_OR_RETURN(const DemoCounts before, CountDemo(*project_));
    feed_->Begin();
    PipelineRunOptions run;
    run.mode = engine::RunMode::kContinuous;
    run.view = ::isatty(STDOUT_FILENO) == 1 ? ViewMode::kTable : ViewMode::kLines;
    run.listener = &commits_;
    run.should_stop = [this](const std::vector<engine::FlowStatus>& flows) {
      return AllConsumed(flows);
    };
    SLUICE_ASSIGN_OR_RETURN(PipelineRunResult result, RunPipeline(*project_, run));
    SLUICE_RETURN_NOT_OK(result.error);
    SLUICE_RETURN_NOT_OK(feed_->error());
    PrintProduced(result.seconds);
    SLUICE_RETURN_NOT_OK(PrintTables(*project_));
    SLUICE_RETURN_NOT_OK(PrintLatencies());
    SLUICE_RETURN_NOT_OK(PrintLedger(before));
    PrintNextSteps();
    return Status::OK();
  }

 private:
  Result<std::unique_ptr<Project>> OpenProject() {
    ProjectOptions project;
    project.spec = options_.folder;
    if (project.spec.empty()) {
      SLUICE_ASSIGN_OR_RETURN(project.spec, FindExample());
    }
    return Project::Open(project);
  }

  Status RemoveOldTables() {
    std::error_code error;
    fs::remove_all(project_->spec().engine.warehouse + "/" + project_->spec().database, error);
    if (!error) fs::remove_all(project_->spec().storage + "/state", error);
    if (error)
      return MakeError("STORAGE_IO",
                       "cannot remove the tables of an earlier demo: " + error.message());
    return Status::OK();
  }

  /// Everything produced is in bronze, and nothing has moved in any flow for three looks.
  bool AllConsumed(const std::vector<engine::FlowStatus>& flows) {
    if (!feed_->finished()) return false;
    int64_t rows = 0;
    int64_t bronze = 0;
    for (const engine::FlowStatus& flow : flows) {
      if (flow.state == engine::FlowState::kFailed) return true;
      rows += flow.input_rows;
      if (flow.target.ends_with(".bronze_events")) bronze = flow.input_rows;
    }
    still_ = rows == last_rows_ && bronze >= feed_->produced() ? still_ + 1 : 0;
    last_rows_ = rows;
    return still_ >= 3 || (!feed_->error().ok());
  }

  void PrintProduced(double seconds) const {
    std::printf("\nProduced %lld events in %.1f s:", static_cast<long long>(feed_->produced()),
                seconds);
    for (const auto& [name, count] : feed_->counts())
      std::printf(" %s %lld", name.c_str(), static_cast<long long>(count));
    std::printf("\n");
  }

  Status PrintLatencies() {
    SLUICE_ASSIGN_OR_RETURN(const auto rows, MeasureLatencies(*project_, commits_));
    std::printf("\nFrom the record's Kafka timestamp to the commit that shows it, milliseconds\n");
    std::printf("  %-36s %8s %8s %8s\n", "", "p50", "p95", "p99");
    for (const LatencyRow& row : rows) {
      std::printf("  %-36s %8lld %8lld %8lld\n", row.table.c_str(), static_cast<long long>(row.p50),
                  static_cast<long long>(row.p95), static_cast<long long>(row.p99));
    }
    return Status::OK();
  }

  Status PrintLedger(const DemoCounts& before) {
    SLUICE_ASSIGN_OR_RETURN(const DemoCounts after, CountDemo(*project_));
    std::string broken;
    std::printf("\nLedger: produced, found\n");
    for (const LedgerLine& line : CompareLedger(feed_->counts(), before, after)) {
      std::printf("  %-56s %10lld %10lld  %s\n", line.what.c_str(),
                  static_cast<long long>(line.produced), static_cast<long long>(line.found),
                  line.holds() ? "equal" : "DIFFERENT");
      if (!line.holds() && broken.empty()) broken = line.what;
    }
    if (broken.empty()) return Status::OK();
    return MakeError("DEMO_LEDGER_DIFFERS", "the tables do not hold what was produced: " + broken,
                     "with the example as it is this is a fault of ours; with other rules or other "
                     "tables the ledger does not apply",
                     Retry::kLater);
  }

  void PrintNextSteps() const {
    const std::string spec = project_->spec().root + "/spark-pipeline.yml";
    std::printf(
        "\nTry next:\n  sluice sql --spec %s -c \"SELECT event_type, region, sum(event_count) AS "
        "events, "
        "sum(total_revenue) AS revenue FROM gold_hourly_metrics GROUP BY ALL ORDER BY revenue DESC "
        "LIMIT 10\"\n",
        spec.c_str());
  }

  const DemoOptions& options_;
  std::unique_ptr<Project> project_;
  std::unique_ptr<plan::DemoFeed> feed_;
  CommitTimes commits_{SystemClock()};
  int64_t last_rows_ = -1;
  int still_ = 0;
};

}  // namespace

int RunDemo(const DemoOptions& options) {
  const Status status = Demo(options).Run();
  return status.ok() ? kOk : Fail(status, ExitCodeOf(status));
}

}  // namespace sluice::app
