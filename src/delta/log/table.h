// A Delta table: opens and creates it, hands out snapshots and transactions, and is its one
// committer in this process: all commits of a table pass through one Table object (get it from a
// TableRegistry). Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/status.h"
#include "delta/log/snapshot.h"
#include "delta/log/transaction.h"
#include "storage/storage.h"

namespace sluice::delta {

/// What every table needs; all outlive it.
struct TableContext {
  storage::Storage& storage;
  Clock& clock;
  Workers* workers = nullptr;  // that decode checkpoints; null = the caller's thread alone
};

struct CreateOptions {
  std::shared_ptr<arrow::Schema>
      schema;  // as the table shall return it; relatives of its types are replaced
  std::vector<std::string> partition_columns;
  StringMap properties;  // `delta.*` and free keys -> metadata configuration
  std::optional<std::string> name;
  std::optional<std::string> description;
  StringMap commit_extra;  // further keys of commitInfo -> JSON text
  /// Puts more into the first commit, such as rows: called with the table as it will be, before it
  /// exists. Null = the table is empty.
  std::function<Status(class Table& table, const std::shared_ptr<const Snapshot>& empty,
                       CommitInfo* info, std::vector<Action>* actions)>
      fill;
};

struct VersionInfo {
  TableVersion version{-1};
  int64_t timestamp_ms = 0;
  CommitInfo info;
};

struct MaintenanceReport {
  std::optional<TableVersion> checkpoint;  // written now
  int64_t log_files_deleted = 0;
};

class Table {
 public:
  /// Protocol (1,2) unless the properties ask for more. DELTA_TABLE_EXISTS when there is a log
  /// already.
  static Result<std::shared_ptr<Table>> Create(const TableContext& context, const std::string& path,
                                               const CreateOptions& options, uint64_t seed);
  /// DELTA_TABLE_NOT_FOUND and what Snapshot::Load says. `seed` feeds the names of files and
  /// commits.
  static Result<std::shared_ptr<Table>> Open(const TableContext& context, const std::string& path,
                                             uint64_t seed);
  static Result<bool> Exists(storage::Storage& storage, const std::string& path);

  const std::string& path() const { return path_; }
  storage::Storage& storage() const { return context_.storage; }
  Clock& clock() const { return context_.clock; }

  /// The newest snapshot known in this process; no storage access.
  std::shared_ptr<const Snapshot> Current() const;
  /// Looks for commits of others.
  Result<std::shared_ptr<const Snapshot>> Update();
  Result<std::shared_ptr<const Snapshot>> SnapshotAt(TableVersion version) const;
  /// The last version committed at or before `timestamp_ms`. DELTA_TIMESTAMP_OUT_OF_RANGE.
  Result<TableVersion> VersionAt(int64_t timestamp_ms) const;
  /// Newest first, at most `limit`; only versions whose commit is still in the log.
  Result<std::vector<VersionInfo>> History(size_t limit) const;
  /// The actions of one commit. DELTA_VERSION_NOT_FOUND when cleaned up or not there yet.
  Result<std::vector<Action>> ReadCommit(TableVersion version) const;

  /// On Current(), or on `snapshot`. The table outlives it.
  Transaction NewTransaction() { return NewTransaction(Current()); }
  Transaction NewTransaction(std::shared_ptr<const Snapshot> snapshot);

  /// Checkpoint every delta.checkpointInterval commits, then log cleanup. Cheap when nothing is
  /// due.
  Result<MaintenanceReport> Maintain();
  /// Writes a checkpoint of the newest version now.
  Status Checkpoint();

  /// A new name for a data file or commit.
  std::string NewUuid();

 private:
  friend class CommitLoop;
  Table(const TableContext& context, std::string path, uint64_t seed)
      : context_(context), path_(std::move(path)), random_(seed) {}
  void Advance(const std::shared_ptr<const Snapshot>& snapshot);
  /// True when the log was not looked at for so long that others may have cleaned it up.
  bool LookedLongAgo() const;
  Status WriteCheckpoint(const Snapshot& snapshot);
  int64_t RandomBelow(int64_t bound);

  TableContext context_;
  std::string path_;
  Mutex maintenance_mutex_;  // held for a checkpoint and cleanup; taken before the others
  Mutex commit_mutex_;       // held for a whole commit; taken before mutex_
  mutable Mutex mutex_;      // guards what follows, never held during storage calls
  std::shared_ptr<const Snapshot> current_ GUARDED_BY(mutex_);
  Random random_ GUARDED_BY(mutex_);
  int64_t looked_micros_ GUARDED_BY(mutex_) = 0;  // steady time of the last look at the log
};

/// The tables of one process by path, so that each has one committer. Thread-safe. Owns nothing
/// global: the application makes one and passes it on.
class TableRegistry {
 public:
  TableRegistry(storage::Storage& storage, Clock& clock, uint64_t seed, Workers* workers = nullptr)
      : context_{storage, clock, workers}, random_(seed) {}

  Result<std::shared_ptr<Table>> Open(const std::string& path);
  Result<std::shared_ptr<Table>> Create(const std::string& path, const CreateOptions& options);
  Result<bool> Exists(const std::string& path) const;
  /// Forgets a table whose folder was deleted.
  void Forget(const std::string& path);

 private:
  TableContext context_;
  Mutex mutex_;
  Random random_ GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<Table>> tables_ GUARDED_BY(mutex_);
};

}  // namespace sluice::delta
