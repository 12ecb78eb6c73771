#include "app/demo_latency.h"

#include <arrow/array.h>

#include <algorithm>

#include "delta/files/scan.h"

namespace sluice::app {
namespace {

/// Latency in milliseconds -> rows.
using Histogram = std::map<int64_t, int64_t>;

int64_t Quantile(const Histogram& histogram, int64_t rows, double share) {
  int64_t left = static_cast<int64_t>(static_cast<double>(rows) * share);
  for (const auto& [millis, count] : histogram) {
    left -= count;
    if (left < 0) return millis;
  }
  return histogram.empty() ? 0 : histogram.rbegin()->first;
}

LatencyRow Summary(const std::string& table, const Histogram& histogram) {
  LatencyRow row{table, 0, 0, 0, 0};
  for (const auto& [millis, count] : histogram) row.rows += count;
  row.p50 = Quantile(histogram, row.rows, 0.50);
  row.p95 = Quantile(histogram, row.rows, 0.95);
  row.p99 = Quantile(histogram, row.rows, 0.99);
  return row;
}

/// Adds the rows that `version` added, seen at `visible`; more than one sighting may be counted.
Status AddVersion(delta::Table& table, const std::string& column, int64_t version,
                  const std::vector<std::pair<TimestampMicros, Histogram*>>& sightings) {
  SLUICE_ASSIGN_OR_RETURN(const auto changes,
                          delta::ReadVersionChanges(table, TableVersion(version)));
  delta::DataFileReadOptions options;
  options.columns = {column};
  for (const delta::AddFile& file : changes.added) {
    SLUICE_ASSIGN_OR_RETURN(
        auto reader, delta::DataFileReader::Open(table.storage(), table.Current(), file, options));
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const auto rows, reader->Next());
      if (rows == nullptr) break;
      if (rows->column(0)->type_id() != arrow::Type::TIMESTAMP) return Status::OK();
      const auto& times = static_cast<const arrow::TimestampArray&>(*rows->column(0));
      for (int64_t i = 0; i < times.length(); ++i) {
        if (times.IsNull(i)) continue;
        for (const auto& [visible, histogram] : sightings) {
          ++(*histogram)[std::max<int64_t>(visible - times.Value(i), 0) / 1000];
        }
      }
    }
  }
  return Status::OK();
}

/// A view over a table: the versions of the table that it covers -> when.
struct ViewCommits {
  std::string table;
  std::map<int64_t, TimestampMicros> covered;  // next version to read -> commit
  Histogram histogram;
};

class Measurement {
 public:
  Measurement(Project& project, CommitTimes& commits) : project_(project), commits_(commits) {}

  Result<std::vector<LatencyRow>> Run() {
    std::vector<LatencyRow> rows;
    for (const auto& [name, column] :
         {std::pair{"bronze_events", "timestamp"}, std::pair{"silver_events", "kafka_timestamp"}}) {
      for (const plan::AnalyzedFlow& flow : project_.pipeline().flows) {
        if (flow.definition->target.table == name)
          SLUICE_RETURN_NOT_OK(AddTable(flow, column, &rows));
      }
    }
    return rows;
  }

 private:
  Status AddTable(const plan::AnalyzedFlow& flow, const std::string& column,
                  std::vector<LatencyRow>* rows) {
    const std::string name = flow.definition->target.ToString();
    SLUICE_ASSIGN_OR_RETURN(const auto table, project_.OpenTable(name));
    if (table->Current()->schema()->GetFieldIndex(column) < 0) return Status::OK();
    SLUICE_ASSIGN_OR_RETURN(std::vector<ViewCommits> views, ViewsOver(name));
    Histogram own;
    for (const auto& [version, time] : commits_.Of(flow.definition->name)) {
      std::vector<std::pair<TimestampMicros, Histogram*>> sightings = {{time, &own}};
      for (ViewCommits& view : views) {
        const auto cover = view.covered.upper_bound(version);
        if (cover != view.covered.end()) sightings.emplace_back(cover->second, &view.histogram);
      }
      SLUICE_RETURN_NOT_OK(AddVersion(*table, column, version, sightings));
    }
    rows->push_back(Summary(name, own));
    for (const ViewCommits& view : views) rows->push_back(Summary(view.table, view.histogram));
    return Status::OK();
  }

  Result<std::vector<ViewCommits>> ViewsOver(const std::string& source) {
    std::vector<ViewCommits> views;
    const std::string position = "/" + source + "/version";
    for (const plan::AnalyzedFlow& flow : project_.pipeline().flows) {
      if (flow.execution != plan::Execution::kIncremental) continue;
      ViewCommits view;
      view.table = flow.definition->target.ToString();
      SLUICE_ASSIGN_OR_RETURN(const auto table, project_.OpenTable(view.table));
      for (const auto& [version, time] : commits_.Of(flow.definition->name)) {
        SLUICE_ASSIGN_OR_RETURN(const auto changes,
                                delta::ReadVersionChanges(*table, TableVersion(version)));
        for (const auto& [id, next] : changes.txns) {
          if (id.ends_with(position)) view.covered.emplace(next, time);
        }
      }
      if (!view.covered.empty()) views.push_back(std::move(view));
    }
    return views;
  }

  Project& project_;
  CommitTimes& commits_;
};

}  // namespace

void CommitTimes::OnFlowProgress(const std::string& flow, const engine::EpochProgress& progress) {
  const TimestampMicros now = clock_.NowMicros();
  MutexLock lock(mutex_);
  commits_[flow].emplace(progress.version.value(), now);
}

std::map<int64_t, TimestampMicros> CommitTimes::Of(const std::string& flow) {
  MutexLock lock(mutex_);
  return commits_[flow];
}

Result<std::vector<LatencyRow>> MeasureLatencies(Project& project, CommitTimes& commits) {
  return Measurement(project, commits).Run();
}

}  // namespace sluice::app
