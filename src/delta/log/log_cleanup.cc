#include "delta/log/log_cleanup.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "delta/log/checkpoint_reader.h"
#include "delta/log/log_segment.h"

namespace sluice::delta {
namespace {

constexpr size_t kVersionDigits = 20;

/// The version any file of the log folder is named by (checksums and compacted logs, too).
std::optional<int64_t> LeadingVersion(const std::string& path) {
  const std::string name = path.substr(path.find_last_of('/') + 1);
  if (name.size() <= kVersionDigits) return std::nullopt;
  int64_t version = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + kVersionDigits, version);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + kVersionDigits) return std::nullopt;
  return version;
}

/// Deletes sidecars that no checkpoint left refers to.
Result<int64_t> CleanUpSidecars(storage::Storage& storage, const std::string& table_path,
                                int64_t before_ms) {
  SLUICE_ASSIGN_OR_RETURN(const auto files,
                          storage.List(storage::JoinPath(LogFolder(table_path), "_sidecars")));
  if (files.empty()) return 0;
  SLUICE_ASSIGN_OR_RETURN(const LogSegment segment, ListLog(storage, table_path, std::nullopt));
  std::set<std::string> used;
  for (const CheckpointFiles& checkpoint : segment.checkpoints) {
    const auto sidecars = ReadSidecars(storage, table_path, checkpoint);
    if (!sidecars.ok()) return 0;  // what a checkpoint that cannot be read refers to is not known
    used.insert(sidecars->begin(), sidecars->end());
  }
  int64_t deleted = 0;
  for (const storage::FileInfo& file : files) {
    if (file.modified / 1000 >= before_ms || used.contains(file.path)) continue;
    SLUICE_RETURN_NOT_OK(storage.Delete(file.path));
    ++deleted;
  }
  return deleted;
}

}  // namespace

Result<int64_t> CleanUpLog(storage::Storage& storage, const std::string& table_path,
                           int64_t before_ms, int64_t protected_before) {
  SLUICE_ASSIGN_OR_RETURN(const LogSegment segment, ListLog(storage, table_path, std::nullopt));
  // Commits below this version are all expired.
  int64_t expired_below = segment.version.value() + 1;
  for (const storage::FileInfo& commit : segment.commits) {
    if (commit.modified / 1000 < before_ms) continue;
    expired_below = VersionOf(commit).value();
    break;
  }
  std::optional<int64_t> keep_from;
  for (const CheckpointFiles& checkpoint : segment.checkpoints) {  // newest first
    if (checkpoint.version.value() <= expired_below) {
      keep_from = checkpoint.version.value();
      break;
    }
  }
  if (!keep_from.has_value() || *keep_from < protected_before) return 0;
  SLUICE_ASSIGN_OR_RETURN(const auto files, storage.List(LogFolder(table_path)));
  int64_t deleted = 0;
  for (const storage::FileInfo& file :
       files) {  // ascending: a crash leaves a log whose newer part is whole
    const auto version = LeadingVersion(file.path);
    if (!version.has_value() || *version >= *keep_from || file.modified / 1000 >= before_ms)
      continue;
    SLUICE_RETURN_NOT_OK(storage.Delete(file.path));
    ++deleted;
  }
  SLUICE_ASSIGN_OR_RETURN(const int64_t sidecars, CleanUpSidecars(storage, table_path, before_ms));
  return deleted + sidecars;
}

int64_t ProtectedBefore(const StringMap& configuration) {
  const auto it = configuration.find("delta.requireCheckpointProtectionBeforeVersion");
  int64_t version = 0;
  if (it != configuration.end())
    (void)std::from_chars(it->second.data(), it->second.data() + it->second.size(), version);
  return version;
}

}  // namespace sluice::delta
