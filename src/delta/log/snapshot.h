// A table at one version: protocol, metadata, live files, transaction identifiers. Immutable and
// cheap to share between threads; Update makes the next one by reading only the commits since.
#pragma once

#include <arrow/type.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/named_type.h"
#include "base/status.h"
#include "base/workers.h"
#include "delta/log/snapshot_files.h"
#include "delta/protocol/action.h"
#include "delta/protocol/table_properties.h"
#include "storage/storage.h"

namespace sluice::delta {

struct CheckpointFiles;

class Snapshot {
 public:
  /// Newest version, or `version`. DELTA_TABLE_NOT_FOUND, DELTA_VERSION_NOT_FOUND,
  /// DELTA_LOG_CORRUPT, DELTA_UNSUPPORTED_READER_FEATURE. A bad or stale `_last_checkpoint` is not
  /// an error. `workers` decode a checkpoint in parallel (null = the caller's thread alone).
  static Result<std::shared_ptr<const Snapshot>> Load(
      storage::Storage& storage, const std::string& table_path,
      std::optional<TableVersion> version = std::nullopt, Workers* workers = nullptr);
  /// Version -1 of a table whose first commit will be `actions`: without rows.
  static Result<std::shared_ptr<const Snapshot>> OfNewTable(const std::string& table_path,
                                                            const std::vector<Action>& actions);
  /// The newest version: an equal snapshot when nothing is new.
  Result<std::shared_ptr<const Snapshot>> Update(storage::Storage& storage,
                                                 Workers* workers = nullptr) const;
  /// The snapshot after commit version()+1 with these actions.
  Result<std::shared_ptr<const Snapshot>> Apply(const std::vector<Action>& actions) const;

  const std::string& table_path() const { return table_path_; }
  TableVersion version() const { return version_; }
  const Protocol& protocol() const { return *protocol_; }
  const Metadata& metadata() const { return *metadata_; }
  const TableProperties& properties() const { return *properties_; }
  /// Columns as the table returns them, partition columns at their place.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  const std::vector<std::string>& partition_columns() const { return metadata_->partition_columns; }

  // Files of a checkpoint are kept as its columns and become objects on the way to whoever asks:
  // ask for those that are wanted, and keep no more of them than that.

  /// Live files sorted by (path, deletion vector): the same order for everyone who reads this
  /// version.
  std::vector<std::shared_ptr<const AddFile>> Files() const;
  /// Those that `keep` says yes to, sorted in the same way.
  std::vector<std::shared_ptr<const AddFile>> FilesWhere(
      const std::function<bool(const AddFile&)>& keep) const;
  /// Visits all, in no order; the reference is good during the call only.
  void ForEachFile(const std::function<void(const AddFile&)>& visit) const;
  /// Visits all, those that are columns as such: `rows` of `columns` (ascending).
  Status VisitFiles(const std::function<Status(const AddFile&)>& file,
                    const std::function<Status(const FileColumns& columns,
                                               const std::vector<int64_t>& rows)>& rows) const;
  /// The live file with this FileKey; null when there is none.
  std::shared_ptr<const AddFile> FindFile(const std::string& key) const { return files_.Find(key); }
  bool HasFile(const std::string& key) const { return files_.Contains(key); }
  int64_t num_files() const { return files_.size(); }
  int64_t total_bytes() const { return total_bytes_; }
  /// Removed files that VACUUM has to keep yet; the reference is good during the call only.
  void ForEachTombstone(const std::function<void(const RemoveFile&)>& visit) const;

  const std::map<std::string, Txn>& txns() const { return *txns_; }
  std::optional<int64_t> TxnVersion(const std::string& app_id) const;
  const std::map<std::string, DomainMetadata>& domain_metadata() const { return *domains_; }
  /// Of this version; null when it has none (or the version was read from a checkpoint alone).
  const std::shared_ptr<const CommitInfo>& last_commit_info() const { return last_commit_info_; }
  /// In-commit timestamp, else commitInfo.timestamp of this version; 0 when unknown.
  int64_t timestamp_ms() const;
  /// Version of the newest checkpoint known; -1 when there is none.
  TableVersion checkpoint_version() const { return checkpoint_version_; }
  /// Says that a checkpoint was written at `version`; forgets files that were removed before
  /// `tombstones_before_ms`.
  std::shared_ptr<const Snapshot> WithCheckpoint(TableVersion version,
                                                 int64_t tombstones_before_ms) const;

 private:
  class Replay;  // builds one: snapshot.cc
  static Status TakeCheckpoint(storage::Storage& storage, const std::string& table_path,
                               const CheckpointFiles& files, Workers* workers, Replay* replay);
  Snapshot() = default;

  std::string table_path_;
  TableVersion version_{-1};
  TableVersion checkpoint_version_{-1};
  std::shared_ptr<const Protocol> protocol_;
  std::shared_ptr<const Metadata> metadata_;
  std::shared_ptr<const TableProperties> properties_;
  std::shared_ptr<arrow::Schema> schema_;
  SnapshotFiles<AddFile> files_;
  SnapshotFiles<RemoveFile> tombstones_;
  int64_t total_bytes_ = 0;
  std::shared_ptr<const std::map<std::string, Txn>> txns_;
  std::shared_ptr<const std::map<std::string, DomainMetadata>> domains_;
  std::shared_ptr<const CommitInfo> last_commit_info_;
};

}  // namespace sluice::delta
