// An opened project: its files read and checked, its tables at hand. What every command that takes
// --spec begins with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "base/workers.h"
#include "delta/log/table.h"
#include "plan/pipeline_analysis.h"
#include "plan/pipeline_builder.h"
#include "plan/pipeline_graph.h"
#include "plan/project_spec.h"
#include "sql/execution/query_runner.h"
#include "statements/session.h"
#include "storage/local_storage.h"

namespace sluice::app {

class Project {
 public:
  /// Reads the spec only: enough for `sql`, `show` and `history`. Without a spec file the working
  /// directory is the project when `spec_optional` is set (paths can be queried anywhere).
  static Result<std::unique_ptr<Project>> Open(const ProjectOptions& options,
                                               bool spec_optional = false);
  /// As --set does. Before Analyze.
  void SetConfiguration(const std::string& key, const std::string& value) {
    spec_.configuration[key] = value;
  }
  /// Reads and checks the SQL files as well.
  Status Analyze();
  /// Likewise, and goes on behind errors: all of them, in the order of the files.
  std::vector<Status> Check();

  const plan::ProjectSpec& spec() const { return spec_; }
  const plan::PipelineGraph& graph() const { return graph_; }
  const plan::AnalyzedPipeline& pipeline() const { return pipeline_; }
  storage::Storage& storage() { return storage_; }
  delta::TableRegistry& tables() { return *tables_; }
  sql::QueryRunner& runner() { return *runner_; }
  Random& random() { return random_; }
  /// As many threads as there are cores, with the one that calls them.
  Workers& workers() { return workers_; }
  /// Of ad hoc SQL; begins when it is first asked for.
  statements::Session& session();
  plan::BuildEnvironment environment();

  /// "t", "s.t" or "c.s.t" -> the table's qualified name.
  Result<catalog::TableName> Qualify(const std::string& name) const;
  /// The Delta table of a name or a path ("/data/t"). TABLE_OR_VIEW_NOT_FOUND.
  Result<std::shared_ptr<delta::Table>> OpenTable(const std::string& name);

 private:
  Project();

  Random random_;
  storage::LocalStorage storage_;
  plan::ProjectSpec spec_;
  plan::PipelineGraph graph_;
  plan::AnalyzedPipeline pipeline_;
  Workers workers_;
  std::unique_ptr<delta::TableRegistry> tables_;
  std::unique_ptr<sql::QueryRunner> runner_;
  std::unique_ptr<statements::Session> session_;
};

}  // namespace sluice::app
