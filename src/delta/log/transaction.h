// One commit in the making: actions to write plus what was read to decide on them.
// Commit() puts version N+1 if absent; when others were first it reads their commits, checks the
// protocol's conflict rules, rebases and tries again, with a bound. Not thread-safe: one owner.
// Made by Table::NewTransaction.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/columns/predicate.h"
#include "delta/log/snapshot.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

class Table;

/// What the decision of a transaction rests on; compared with the commits that came in between.
struct ReadSet {
  bool whole_table = false;
  std::vector<Predicate> predicates;                           // of the files read, when not whole
  std::set<std::string> file_paths;                            // files read by name (compaction)
  std::map<std::string, std::optional<int64_t>> txn_versions;  // appId -> version it was found at
  std::set<std::string> domains;
};

struct CommitResult {
  TableVersion version{-1};
  std::shared_ptr<const Snapshot> snapshot;  // of exactly that version
  int attempts = 1;
};

class Transaction {
 public:
  const std::shared_ptr<const Snapshot>& read_snapshot() const { return read_snapshot_; }

  // What to write.
  void Add(AddFile file) { actions_.emplace_back(std::move(file)); }
  void Add(std::vector<AddFile> files);
  /// Removes a live file of the read snapshot (it then counts as read).
  void Remove(const AddFile& file, bool data_change = true);
  /// Puts a deletion vector on a live file: a remove and an add of it (needs
  /// delta.enableDeletionVectors).
  void SetDeletionVector(const AddFile& file, DeletionVectorDescriptor deletion_vector);
  void AddChanges(AddCdcFile file) { actions_.emplace_back(std::move(file)); }
  void SetTxn(std::string app_id, int64_t version);
  void SetDomainMetadata(DomainMetadata domain);
  void SetMetadata(Metadata metadata);
  void SetProtocol(Protocol protocol);

  // What was read.
  /// The commit happens only if `app_id` stands at `expected` (nullopt = absent) at every attempt;
  /// else DELTA_TXN_CHANGED (Retry::kReplan) and nothing is written.
  void RequireTxn(const std::string& app_id, std::optional<int64_t> expected);
  /// The commit fails when somebody else removes this file meanwhile.
  void ReadFile(const AddFile& file) { read_set_.file_paths.insert(file.path); }
  void ReadWholeTable() { read_set_.whole_table = true; }
  void ReadWhere(Predicate predicate) { read_set_.predicates.push_back(std::move(predicate)); }

  /// Says that the rows added satisfy the expressions of the table (row_rules.h), and that change
  /// files are part of this where the table asks for them.
  void SetRulesChecked() { rules_checked_ = true; }

  // commitInfo.
  void SetOperation(std::string operation, StringMap parameters = {});
  void SetMetric(const std::string& name, int64_t value);
  /// A further top-level key of commitInfo: `json` is JSON text.
  void SetExtra(const std::string& key, std::string json) {
    commit_info_.extra[key] = std::move(json);
  }
  void SetUserMetadata(std::string text) { commit_info_.user_metadata = std::move(text); }

  /// DELTA_TXN_CHANGED, DELTA_COMMIT_CONFLICT (Retry::kReplan), DELTA_COMMIT_ATTEMPTS
  /// (Retry::kLater), DELTA_UNSUPPORTED_WRITER_FEATURE, DELTA_APPEND_ONLY, DELTA_COMMIT_UNKNOWN
  /// (Retry::kLater: the storage did not say whether the commit is there and could not be asked).
  /// Call once.
  Result<CommitResult> Commit();

 private:
  friend class Table;       // makes it
  friend class CommitLoop;  // transaction.cc
  Transaction(Table& table, std::shared_ptr<const Snapshot> snapshot)
      : table_(table), read_snapshot_(std::move(snapshot)) {}

  Table& table_;  // outlives this
  std::shared_ptr<const Snapshot> read_snapshot_;
  std::vector<Action> actions_;
  ReadSet read_set_;
  CommitInfo commit_info_;
  bool rules_checked_ = false;
};

}  // namespace sluice::delta
