#include "delta/upkeep/table_summary.h"

#include <algorithm>
#include <set>

#include "delta/log/log_segment.h"
#include "delta/log/row_ids.h"
#include "delta/protocol/action_json.h"

namespace sluice::delta {
namespace {

void Count(const std::vector<Action>& actions, LogEntry* entry) {
  for (const Action& action : actions) {
    entry->files_added += std::holds_alternative<AddFile>(action) ? 1 : 0;
    entry->files_removed += std::holds_alternative<RemoveFile>(action) ? 1 : 0;
    entry->change_files += std::holds_alternative<AddCdcFile>(action) ? 1 : 0;
    entry->txns += std::holds_alternative<Txn>(action) ? 1 : 0;
    entry->metadata |= std::holds_alternative<Metadata>(action);
    entry->protocol |= std::holds_alternative<Protocol>(action);
    if (const auto* info = std::get_if<CommitInfo>(&action)) entry->info = *info;
  }
}

std::set<std::string> ChecksumsOf(const std::vector<storage::FileInfo>& files) {
  std::set<std::string> stems;  // paths without "crc"
  for (const storage::FileInfo& file : files) {
    if (file.path.ends_with(".crc")) stems.insert(file.path.substr(0, file.path.size() - 3));
  }
  return stems;
}

}  // namespace

FileSummary SummarizeFiles(const Snapshot& snapshot) {
  FileSummary summary;
  std::set<PartitionValues> partitions;
  int64_t rows = 0;
  bool rows_known = true;
  snapshot.ForEachFile([&](const AddFile& file) {
    summary.bytes_min = summary.files == 0 ? file.size : std::min(summary.bytes_min, file.size);
    summary.bytes_max = std::max(summary.bytes_max, file.size);
    ++summary.files;
    summary.bytes += file.size;
    partitions.insert(file.partition_values);
    if (file.stats.empty()) ++summary.without_statistics;
    const int64_t its_rows = RecordsOf(file);
    rows_known = rows_known && its_rows >= 0;
    rows += its_rows;
    if (!file.deletion_vector.has_value()) return;
    ++summary.deletion_vectors;
    summary.deleted_rows += file.deletion_vector->cardinality;
  });
  if (rows_known) summary.rows = rows - summary.deleted_rows;
  summary.partitions = static_cast<int64_t>(partitions.size());
  snapshot.ForEachTombstone([&](const RemoveFile&) { ++summary.tombstones; });
  return summary;
}

Result<std::vector<LogEntry>> DescribeLog(storage::Storage& storage, const std::string& table_path,
                                          size_t limit) {
  SLUICE_ASSIGN_OR_RETURN(const LogSegment segment, ListLog(storage, table_path, std::nullopt));
  SLUICE_ASSIGN_OR_RETURN(const auto files, storage.List(LogFolder(table_path)));
  const auto checksums = ChecksumsOf(files);
  std::set<TableVersion> checkpoints;
  for (const CheckpointFiles& checkpoint : segment.checkpoints)
    checkpoints.insert(checkpoint.version);
  std::vector<LogEntry> entries;
  for (auto it = segment.commits.rbegin(); it != segment.commits.rend() && entries.size() < limit;
       ++it) {
    SLUICE_ASSIGN_OR_RETURN(const std::string text, storage.Read(it->path));
    SLUICE_ASSIGN_OR_RETURN(const auto actions, ParseCommitJson(text, it->path));
    LogEntry entry;
    entry.version = VersionOf(*it);
    entry.bytes = it->size;
    Count(actions, &entry);
    entry.timestamp_ms = entry.info.in_commit_timestamp_ms.value_or(it->modified / 1000);
    entry.checkpoint = checkpoints.contains(entry.version);
    entry.checksum = checksums.contains(it->path.substr(0, it->path.size() - 4));
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<LogSummary> SummarizeLog(storage::Storage& storage, const std::string& table_path) {
  SLUICE_ASSIGN_OR_RETURN(const LogSegment segment, ListLog(storage, table_path, std::nullopt));
  SLUICE_ASSIGN_OR_RETURN(const auto files, storage.ListRecursive(LogFolder(table_path)));
  LogSummary summary;
  for (const storage::FileInfo& file : files) {
    ++summary.files;
    summary.bytes += file.size;
  }
  summary.commits = static_cast<int64_t>(segment.commits.size());
  if (!segment.commits.empty()) summary.oldest_commit = VersionOf(segment.commits.front());
  summary.checkpoints = static_cast<int64_t>(segment.checkpoints.size());
  if (!segment.checkpoints.empty()) summary.newest_checkpoint = segment.checkpoints[0].version;
  summary.checksums = static_cast<int64_t>(ChecksumsOf(files).size());
  return summary;
}

}  // namespace sluice::delta
