// History and time travel of a table: which version was committed when.
#include <algorithm>

#include "delta/log/commit_times.h"
#include "delta/log/log_segment.h"
#include "delta/log/table.h"

namespace sluice::delta {
namespace {

/// Commit times from the files' dates, made strictly increasing as the protocol asks.
std::vector<std::pair<TableVersion, int64_t>> FileTimes(
    const std::vector<storage::FileInfo>& commits) {
  std::vector<std::pair<TableVersion, int64_t>> times;
  for (const storage::FileInfo& commit : commits) {
    int64_t time_ms = commit.modified / 1000;
    if (!times.empty()) time_ms = std::max(time_ms, times.back().second + 1);
    times.emplace_back(VersionOf(commit), time_ms);
  }
  return times;
}

/// The in-commit timestamp of a commit; nothing when it has none.
std::optional<int64_t> InCommitTime(const std::vector<Action>& actions) {
  for (const Action& action : actions) {
    if (const auto* info = std::get_if<CommitInfo>(&action)) return info->in_commit_timestamp_ms;
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<VersionInfo>> Table::History(size_t limit) const {
  SLUICE_ASSIGN_OR_RETURN(const LogSegment segment, ListLog(context_.storage, path_, std::nullopt));
  const auto times = FileTimes(segment.commits);
  std::vector<VersionInfo> history;
  for (auto it = times.rbegin(); it != times.rend() && history.size() < limit; ++it) {
    SLUICE_ASSIGN_OR_RETURN(const auto actions, ReadCommit(it->first));
    VersionInfo version{it->first, it->second, {}};
    for (const Action& action : actions) {
      if (const auto* info = std::get_if<CommitInfo>(&action)) version.info = *info;
    }
    if (version.info.in_commit_timestamp_ms.has_value())
      version.timestamp_ms = *version.info.in_commit_timestamp_ms;
    history.push_back(std::move(version));
  }
  return history;
}

Result<std::vector<std::pair<TableVersion, int64_t>>> CommitTimes(const Table& table) {
  SLUICE_ASSIGN_OR_RETURN(const LogSegment segment,
                          ListLog(table.storage(), table.path(), std::nullopt));
  auto times = FileTimes(segment.commits);
  if (table.Current()->properties().enable_in_commit_timestamps) {
    for (auto& [version, time_ms] : times) {
      SLUICE_ASSIGN_OR_RETURN(const auto actions, table.ReadCommit(version));
      time_ms = InCommitTime(actions).value_or(time_ms);
    }
  }
  return times;
}

Result<TableVersion> Table::VersionAt(int64_t timestamp_ms) const {
  SLUICE_ASSIGN_OR_RETURN(const auto times, CommitTimes(*this));
  const auto after =
      std::upper_bound(times.begin(), times.end(), timestamp_ms,
                       [](int64_t wanted, const auto& entry) { return wanted < entry.second; });
  if (after == times.begin() || (after == times.end() && times.back().second < timestamp_ms)) {
    return MakeError(
        "DELTA_TIMESTAMP_OUT_OF_RANGE",
        "no version of " + path_ + " was current at " + std::to_string(timestamp_ms) + " ms",
        "give a time between the oldest and the newest commit");
  }
  return std::prev(after)->first;
}

}  // namespace sluice::delta
