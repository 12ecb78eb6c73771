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
#include "delta/protocol/action.h"
#include "delta/protocol/file_set.h"
#include "delta/protocol/table_properties.h"
#include "storage/storage.h"

namespace sluice::delta {

class Snapshot {
 public:
  /// Newest version, or `version`. DELTA_TABLE_NOT_FOUND, DELTA_VERSION_NOT_FOUND,
  /// DELTA_LOG_CORRUPT, DELTA_UNSUPPORTED_READER_FEATURE. A bad or stale `_last_checkpoint` is not
  /// an error.
  static Result<std::shared_ptr<const Snapshot>> Load(
      storage::Storage& storage, const std::string& table_path,
      std::optional<TableVersion> version = std::nullopt);
  /// Version -1 of a table whose first commit will be `actions`: without rows.
  static Result<std::shared_ptr<const Snapshot>> OfNewTable(const std::string& table_path,
                                                            const std::vector<Action>& actions);
  /// The newest version: an equal snapshot when nothing is new.
  Result<std::shared_ptr<const Snapshot>> Update(storage::Storage& storage) const;
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

  /// Live files sorted by (path, deletion vector): the same order for everyone who reads this
  /// version.
  std::vector<std::shared_ptr<const AddFile>> Files() const;
  void ForEachFile(const std::function<void(const std::shared_ptr<const AddFile>&)>& visit) const;
  /// The live file with this FileKey; null when there is none.
  std::shared_ptr<const AddFile> FindFile(const std::string& key) const { return files_.Find(key); }
  int64_t num_files() const { return files_.size(); }
  int64_t total_bytes() const { return total_bytes_; }
  /// Removed files that VACUUM has to keep yet.
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
  Snapshot() = default;

  std::string table_path_;
  TableVersion version_{-1};
  TableVersion checkpoint_version_{-1};
  std::shared_ptr<const Protocol> protocol_;
  std::shared_ptr<const Metadata> metadata_;
  std::shared_ptr<const TableProperties> properties_;
  std::shared_ptr<arrow::Schema> schema_;
  FileSet<AddFile> files_;
  FileSet<RemoveFile> tombstones_;
  int64_t total_bytes_ = 0;
  std::shared_ptr<const std::map<std::string, Txn>> txns_;
  std::shared_ptr<const std::map<std::string, DomainMetadata>> domains_;
  std::shared_ptr<const CommitInfo> last_commit_info_;
};

}  // namespace sluice::delta
