#include "plan/static_table.h"

#include <arrow/table.h>

#include <mutex>

#include "plan/pipeline_analysis.h"
#include "plan/table_scan.h"

namespace sluice::plan {
namespace {

constexpr int64_t kLookInterval = 1'000'000;  // microseconds between looks for commits of others

class StaticQuery {
 public:
  StaticQuery(sql::PlanPtr plan, const ProjectSpec& spec, delta::TableRegistry& tables,
              sql::QueryRunner& runner, Clock& clock)
      : plan_(std::move(plan)),
        names_(ScannedTables(plan_)),
        spec_(spec),
        tables_(tables),
        runner_(runner),
        clock_(clock) {}

  Result<std::shared_ptr<const operators::StaticTable>> Newest() {
    const std::lock_guard<std::mutex> lock(mutex_);
    SLUICE_ASSIGN_OR_RETURN(PinnedVersions versions, Versions());
    if (current_ != nullptr && versions == versions_) return current_;
    SLUICE_ASSIGN_OR_RETURN(
        auto table,
        runner_.RunToTable(plan_, MakeScanOpener(spec_, tables_, versions), clock_.NowMicros()));
    auto made = std::make_shared<operators::StaticTable>();
    made->version = TableVersion(++computed_);
    SLUICE_ASSIGN_OR_RETURN(made->rows, table->CombineChunksToBatch());
    current_ = std::move(made);
    versions_ = std::move(versions);
    return current_;
  }

 private:
  Result<PinnedVersions> Versions() {
    const int64_t now = clock_.SteadyMicros();
    const bool look = current_ == nullptr || now - looked_at_ >= kLookInterval;
    if (look) looked_at_ = now;
    PinnedVersions versions;
    for (const std::string& name : names_) {
      SLUICE_ASSIGN_OR_RETURN(auto table, tables_.Open(ScanPath(spec_, name)));
      auto snapshot = table->Current();
      if (look) {
        SLUICE_ASSIGN_OR_RETURN(snapshot, table->Update());
      }
      versions[name] = snapshot->version().value();
    }
    return versions;
  }

  const sql::PlanPtr plan_;
  const std::vector<std::string> names_;
  const ProjectSpec spec_;
  delta::TableRegistry& tables_;
  sql::QueryRunner& runner_;
  Clock& clock_;
  std::mutex mutex_;
  int64_t looked_at_ = 0;
  int64_t computed_ = 0;
  PinnedVersions versions_;
  std::shared_ptr<const operators::StaticTable> current_;
};

}  // namespace

Result<operators::StaticTableProvider> MakeStaticTable(const sql::PlanPtr& plan,
                                                       const ProjectSpec& spec,
                                                       delta::TableRegistry& tables,
                                                       sql::QueryRunner& runner, Clock& clock) {
  auto query = std::make_shared<StaticQuery>(plan, spec, tables, runner, clock);
  return operators::StaticTableProvider([query] { return query->Newest(); });
}

}  // namespace sluice::plan
