#include "delta/log/log_segment.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>

namespace sluice::delta {
namespace {

constexpr size_t kVersionDigits = 20;

std::string VersionName(TableVersion version) {
  char text[32];
  std::snprintf(text, sizeof(text), "%020lld", static_cast<long long>(version.value()));
  return text;
}

std::optional<int64_t> Digits(std::string_view text) {
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ||
      value < 0)
    return std::nullopt;
  return value;
}

std::optional<LogFileName> ParseCheckpointRest(std::string_view rest, LogFileName name) {
  if (rest == "parquet") {
    name.kind = LogFileName::Kind::kCheckpoint;
    return name;
  }
  const bool parquet = rest.ends_with(".parquet");
  if (!parquet && !rest.ends_with(".json")) return std::nullopt;
  rest.remove_suffix(parquet ? 8 : 5);
  const size_t dot = rest.find('.');
  if (dot == std::string_view::npos) {
    name.kind = LogFileName::Kind::kCheckpointV2;
    return name;
  }
  const auto part = Digits(rest.substr(0, dot));
  const auto parts = Digits(rest.substr(dot + 1));
  if (!parquet || !part || !parts || *part < 1 || *part > *parts || *parts > 1000000)
    return std::nullopt;
  name.kind = LogFileName::Kind::kCheckpointPart;
  name.part = static_cast<int>(*part);
  name.parts = static_cast<int>(*parts);
  return name;
}

using Parts = std::map<int, std::map<int, std::string>>;  // number of parts -> part -> path

/// Takes complete checkpoints from what was listed of one version.
void TakeComplete(TableVersion version, const std::vector<std::string>& whole, const Parts& parts,
                  std::vector<CheckpointFiles>* checkpoints) {
  for (const std::string& path : whole) checkpoints->push_back(CheckpointFiles{version, {path}});
  for (const auto& [count, found] : parts) {
    if (found.size() != static_cast<size_t>(count)) continue;
    CheckpointFiles files{version, {}};
    for (const auto& [part, path] : found) files.paths.push_back(path);
    checkpoints->push_back(std::move(files));
  }
}

Status CheckReaches(const LogSegment& segment, const std::string& table_path,
                    std::optional<TableVersion> wanted) {
  if (segment.version.value() < 0 && !wanted.has_value()) {
    return MakeError("DELTA_TABLE_NOT_FOUND", "no Delta table at " + table_path, "check the path");
  }
  if (wanted.has_value() && segment.version != *wanted) {
    return MakeError("DELTA_VERSION_NOT_FOUND",
                     "table " + table_path + " has no version " + wanted->ToString() +
                         "; the newest found is " + segment.version.ToString(),
                     "older versions are deleted after delta.logRetentionDuration");
  }
  return Status::OK();
}

}  // namespace

std::string LogFolder(const std::string& table_path) {
  return storage::JoinPath(table_path, "_delta_log");
}
std::string CommitPath(const std::string& table_path, TableVersion version) {
  return storage::JoinPath(LogFolder(table_path), VersionName(version) + ".json");
}
std::string CheckpointPath(const std::string& table_path, TableVersion version) {
  return storage::JoinPath(LogFolder(table_path), VersionName(version) + ".checkpoint.parquet");
}
std::string LastCheckpointPath(const std::string& table_path) {
  return storage::JoinPath(LogFolder(table_path), "_last_checkpoint");
}

std::optional<LogFileName> ParseLogFileName(std::string_view path) {
  const size_t slash = path.find_last_of('/');
  std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (name.size() < kVersionDigits + 2 || name[kVersionDigits] != '.') return std::nullopt;
  const auto version = Digits(name.substr(0, kVersionDigits));
  if (!version) return std::nullopt;
  LogFileName parsed;
  parsed.version = TableVersion(*version);
  const std::string_view rest = name.substr(kVersionDigits + 1);
  if (rest == "json") return parsed;
  constexpr std::string_view kCheckpoint = "checkpoint.";
  if (!rest.starts_with(kCheckpoint)) return std::nullopt;
  return ParseCheckpointRest(rest.substr(kCheckpoint.size()), parsed);
}

TableVersion VersionOf(const storage::FileInfo& commit) {
  const auto name = ParseLogFileName(commit.path);
  return name.has_value() ? name->version : TableVersion(-1);
}

namespace {

/// A listing made while others write may show a commit and not the one before it: what is missing
/// after the newest checkpoint is asked for by name.
Status FillGaps(storage::Storage& storage, const std::string& table_path, LogSegment* segment) {
  TableVersion expected =
      segment->checkpoints.empty() ? TableVersion(0) : segment->checkpoints[0].version.Next();
  for (size_t i = 0; i < segment->commits.size(); ++i) {
    for (const TableVersion listed = VersionOf(segment->commits[i]); expected < listed;
         expected = expected.Next()) {
      const auto found = storage.Stat(CommitPath(table_path, expected));
      // Whoever needs it says that it is not there.
      if (HasCode(found.status(), "STORAGE_NOT_FOUND")) return Status::OK();
      SLUICE_RETURN_NOT_OK(found.status());
      segment->commits.insert(segment->commits.begin() + static_cast<std::ptrdiff_t>(i++), *found);
    }
    if (VersionOf(segment->commits[i]) == expected) expected = expected.Next();
  }
  return Status::OK();
}

}  // namespace

Result<LogSegment> ListLog(storage::Storage& storage, const std::string& table_path,
                           std::optional<TableVersion> version) {
  SLUICE_ASSIGN_OR_RETURN(const auto files, storage.List(LogFolder(table_path)));
  LogSegment segment;
  std::map<TableVersion, std::vector<std::string>> whole;
  std::map<TableVersion, Parts> parts;
  for (const storage::FileInfo& file : files) {
    const auto name = ParseLogFileName(file.path);
    if (!name.has_value() || (version.has_value() && name->version > *version)) continue;
    switch (name->kind) {
      case LogFileName::Kind::kCommit:
        segment.commits.push_back(file);
        segment.version = std::max(segment.version, name->version);
        break;
      case LogFileName::Kind::kCheckpointPart:
        if (file.size > 0) parts[name->version][name->parts][name->part] = file.path;
        break;
      default:
        if (file.size > 0) whole[name->version].push_back(file.path);
    }
  }
  for (const auto& entry : parts) whole[entry.first];
  for (auto it = whole.rbegin(); it != whole.rend(); ++it) {
    TakeComplete(it->first, it->second, parts[it->first], &segment.checkpoints);
  }
  if (!segment.checkpoints.empty())
    segment.version = std::max(segment.version, segment.checkpoints[0].version);
  SLUICE_RETURN_NOT_OK(CheckReaches(segment, table_path, version));
  SLUICE_RETURN_NOT_OK(FillGaps(storage, table_path, &segment));
  return segment;
}

Result<std::vector<storage::FileInfo>> CommitsAfter(const LogSegment& segment, TableVersion base,
                                                    const std::string& table_path) {
  std::vector<storage::FileInfo> commits;
  TableVersion expected = base.Next();
  for (const storage::FileInfo& commit : segment.commits) {
    const TableVersion version = VersionOf(commit);
    if (version <= base) continue;
    if (version != expected) break;
    commits.push_back(commit);
    expected = expected.Next();
  }
  if (expected.value() != segment.version.value() + 1) {
    return MakeError(
        "DELTA_LOG_CORRUPT",
        "log of " + table_path + " lacks commit " + expected.ToString() + " of version " +
            segment.version.ToString(),
        "the commit was deleted and no checkpoint covers it; read a version that is complete");
  }
  return commits;
}

}  // namespace sluice::delta
