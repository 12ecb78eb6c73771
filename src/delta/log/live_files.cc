#include <algorithm>
#include <unordered_set>

#include "base/hash128.h"
#include "delta/log/checkpoint_files.h"
#include "delta/log/checkpoint_reader.h"
#include "delta/log/live_files_internal.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/commit_json.h"

namespace sluice::delta {
namespace {

using SeenFiles = std::unordered_set<Hash128, HashOfHash>;

Hash128 HashOf(std::string_view key) { return HashBytes128(key.data(), key.size()); }

/// Passes on the first action about each file.
class NewestFirst {
 public:
  explicit NewestFirst(const FileVisitor& visitor) : visitor_(visitor) {}

  void FromCommit(const Action& action) {
    if (const auto* add = std::get_if<AddFile>(&action)) {
      if (status_.ok() && seen_.insert(HashOf(FileKey(*add))).second) status_ = visitor_.add(*add);
    } else if (const auto* remove = std::get_if<RemoveFile>(&action)) {
      if (status_.ok() && seen_.insert(HashOf(FileKey(*remove))).second)
        status_ = visitor_.remove(*remove);
    }
  }
  /// A checkpoint names each file once: nothing is remembered.
  void FromCheckpoint(const Action& action) {
    if (const auto* add = std::get_if<AddFile>(&action)) Visit(*add);
    if (const auto* remove = std::get_if<RemoveFile>(&action)) Visit(*remove);
  }
  void AddsFromCheckpoint(const FileColumns& columns) {
    std::vector<int64_t> rows;
    std::string scratch;
    for (int64_t row = 0; row < columns.size(); ++row) {
      if (seen_.empty() || !seen_.contains(HashOf(columns.KeyAt(row, &scratch))))
        rows.push_back(row);
    }
    if (status_.ok() && !rows.empty()) status_ = visitor_.add_rows(columns, rows);
  }
  void RemovesFromCheckpoint(const FileColumns& columns) {
    RemoveFile file;
    for (int64_t row = 0; row < columns.size() && status_.ok(); ++row) {
      columns.Read(row, &file);
      Visit(file);
    }
  }
  const Status& status() const { return status_; }

 private:
  void Visit(const AddFile& add) {
    if (status_.ok() && IsNew(add)) status_ = visitor_.add(add);
  }
  void Visit(const RemoveFile& remove) {
    if (status_.ok() && IsNew(remove)) status_ = visitor_.remove(remove);
  }
  template <typename File>
  bool IsNew(const File& file) const {
    return seen_.empty() || !seen_.contains(HashOf(FileKey(file)));
  }

  const FileVisitor& visitor_;
  SeenFiles seen_;
  Status status_;
};

TableVersion BaseOf(const LogSegment& segment) {
  return segment.checkpoints.empty() ? TableVersion(-1) : segment.checkpoints[0].version;
}

}  // namespace

Status VisitLiveFiles(storage::Storage& storage, const std::string& table_path,
                      const LogSegment& segment, const FileVisitor& visitor) {
  NewestFirst files(visitor);
  SLUICE_ASSIGN_OR_RETURN(const auto commits, CommitsAfter(segment, BaseOf(segment), table_path));
  for (auto it = commits.rbegin(); it != commits.rend(); ++it) {
    SLUICE_ASSIGN_OR_RETURN(const std::string text, storage.Read(it->path));
    SLUICE_RETURN_NOT_OK(VisitCommitJson(text, it->path, CommitContent::kAll,
                                         [&](Action&& action) { files.FromCommit(action); }));
    SLUICE_RETURN_NOT_OK(files.status());
  }
  if (segment.checkpoints.empty()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(
      const auto paths,
      ReadCheckpoint(storage, table_path, segment.checkpoints[0],
                     [&](const Action& action) { files.FromCheckpoint(action); }));
  SLUICE_RETURN_NOT_OK(files.status());
  return VisitCheckpointFiles(storage, paths, [&](const CheckpointRows& rows) {
    if (rows.removes != nullptr) files.RemovesFromCheckpoint(FileColumns(rows.removes));
    if (rows.adds != nullptr) files.AddsFromCheckpoint(FileColumns(rows.adds));
    return files.status();
  });
}

Result<int64_t> CountFileActions(storage::Storage& storage, const std::string& table_path,
                                 const LogSegment& segment) {
  int64_t count = 0;
  if (!segment.checkpoints.empty()) {
    SLUICE_ASSIGN_OR_RETURN(count,
                            CountCheckpointRows(storage, table_path, segment.checkpoints[0]));
  }
  for (const storage::FileInfo& commit : segment.commits) {
    if (VersionOf(commit) <= BaseOf(segment)) continue;
    SLUICE_ASSIGN_OR_RETURN(const std::string text, storage.Read(commit.path));
    count += std::count(text.begin(), text.end(), '\n') + 1;
  }
  return count;
}

}  // namespace sluice::delta
