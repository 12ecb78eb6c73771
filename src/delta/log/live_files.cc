#include <algorithm>
#include <unordered_set>

#include "base/hash128.h"
#include "delta/log/checkpoint_reader.h"
#include "delta/log/live_files_internal.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/commit_json.h"

namespace sluice::delta {
namespace {

struct HashOfHash {
  size_t operator()(const Hash128& hash) const { return static_cast<size_t>(hash.low); }
};
using SeenFiles = std::unordered_set<Hash128, HashOfHash>;

Hash128 HashOf(const std::string& key) { return HashBytes128(key.data(), key.size()); }

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
    if (const auto* add = std::get_if<AddFile>(&action)) {
      if (status_.ok() && IsNew(*add)) status_ = visitor_.add(*add);
    } else if (const auto* remove = std::get_if<RemoveFile>(&action)) {
      if (status_.ok() && IsNew(*remove)) status_ = visitor_.remove(*remove);
    }
  }
  const Status& status() const { return status_; }

 private:
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
  SLUICE_RETURN_NOT_OK(ReadCheckpoint(storage, table_path, segment.checkpoints[0],
                                      [&](const Action& action) { files.FromCheckpoint(action); }));
  return files.status();
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
