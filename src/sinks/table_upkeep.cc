#include "sinks/table_upkeep.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "delta/upkeep/compaction.h"

namespace sluice::sinks {
namespace {

constexpr int64_t kDeadFilesMicros = 60'000'000;
// Second tier: what the first one made is joined into files of the table's target size, four at
// once: often enough that few files wait for it, and each byte is rewritten once by each tier.
constexpr double kLargeRatio = 0.5;
constexpr int kLargeFiles = 4;

std::string PartitionKey(const delta::PartitionValues& values) {
  std::string key;
  for (const auto& [column, value] : values) {
    key += value.has_value() ? "v" + std::to_string(value->size()) + *value : "n";
  }
  return key;
}

/// What waits for compaction in the partition with most of it.
struct Waiting {
  int64_t small_files = 0;
  int64_t bytes = 0;  // of small files and others below the second tier's limit
};

Waiting CountWaiting(const delta::Snapshot& snapshot, int64_t small, int64_t large) {
  std::map<std::string, Waiting> partitions;
  Waiting most;
  snapshot.ForEachFile([&](const delta::AddFile& file) {
    if (file.size >= std::max(small, large)) return;
    Waiting& waiting = partitions[PartitionKey(file.partition_values)];
    if (file.size < small) most.small_files = std::max(most.small_files, ++waiting.small_files);
    if (file.size < large) most.bytes = std::max(most.bytes, waiting.bytes += file.size);
  });
  return most;
}

}  // namespace

Status TableUpkeep::Checkpoint(delta::Table& table) {
  const auto snapshot = table.Current();
  const int64_t commits =
      snapshot->version().value() - std::max<int64_t>(snapshot->checkpoint_version().value(), 0);
  if (commits < snapshot->properties().checkpoint_interval) return Status::OK();
  const bool set_by_user = snapshot->metadata().configuration.contains("delta.checkpointInterval");
  const int64_t now = table.clock().SteadyMicros();
  const bool time = last_checkpoint_micros_ == 0 ||
                    now - last_checkpoint_micros_ >= options_.checkpoint_min_micros;
  if (!set_by_user && !time && commits < options_.checkpoint_max_commits) return Status::OK();
  last_checkpoint_micros_ = std::max<int64_t>(now, 1);
  return table.Maintain().status();
}

Result<std::optional<TableVersion>> TableUpkeep::Compact(delta::Table& table) {
  const auto snapshot = table.Current();
  const int64_t version = snapshot->version().value();
  // Counting visits every file: not at each call.
  if (compacted_at_ < 0)
    compacted_at_ = std::max<int64_t>(version - options_.max_small_files / 2, 0);
  if (version - compacted_at_ < options_.max_small_files / 2) return std::nullopt;
  compacted_at_ = version;
  delta::CompactionOptions compaction;
  const int64_t target = snapshot->properties().target_file_size;
  const int64_t small = std::min(options_.small_file_bytes, target);
  const auto large = static_cast<int64_t>(static_cast<double>(target) * kLargeRatio);
  const Waiting waiting = CountWaiting(*snapshot, small, large);
  if (waiting.bytes >= kLargeFiles * target) {
    compaction.small_file_ratio = kLargeRatio;
    compaction.min_files = kLargeFiles;
  } else if (waiting.small_files > options_.max_small_files) {
    compaction.target_file_bytes = small;
    compaction.small_file_ratio = 1.0;
  } else {
    return std::nullopt;
  }
  auto report = delta::Compact(table, compaction);
  if (!report.ok()) {
    // Somebody else rewrote a file meanwhile: there is a next time.
    if (HasCode(report.status(), "DELTA_COMMIT_CONFLICT")) return std::nullopt;
    return report.status();
  }
  return report->version;
}

Status TableUpkeep::DeleteDeadFiles(delta::Table& table) {
  const int64_t now = table.clock().SteadyMicros();
  if (last_dead_files_micros_ != 0 && now - last_dead_files_micros_ < kDeadFilesMicros)
    return Status::OK();
  last_dead_files_micros_ = std::max<int64_t>(now, 1);
  const auto snapshot = table.Current();
  const int64_t before_ms =
      table.clock().NowMicros() / 1000 - snapshot->properties().deleted_file_retention_ms;
  std::set<std::string> dead;
  snapshot->ForEachTombstone([&](const delta::RemoveFile& file) {
    const int64_t deleted_ms = file.deletion_timestamp_ms.value_or(0);
    if (deleted_ms < dead_files_before_ms_ || deleted_ms >= before_ms) return;
    // A path with an escape or of another folder is left to VACUUM.
    if (file.path.find('%') == std::string::npos && file.path.find(':') == std::string::npos)
      dead.insert(file.path);
  });
  // The same file may live on with another deletion vector.
  snapshot->ForEachFile([&](const delta::AddFile& file) { dead.erase(file.path); });
  for (const std::string& path : dead) {
    SLUICE_RETURN_NOT_OK(table.storage().Delete(table.path() + "/" + path));
  }
  dead_files_before_ms_ = before_ms;
  return Status::OK();
}

}  // namespace sluice::sinks
