#include "delta/log/transaction.h"

#include <algorithm>

#include "delta/log/conflict.h"
#include "delta/log/first_commit.h"
#include "delta/log/log_segment.h"
#include "delta/log/row_ids.h"
#include "delta/log/table.h"
#include "delta/log/table_metadata.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/table_features.h"

namespace sluice::delta {
namespace {

constexpr int kMaxAttempts = 50;
constexpr int64_t kFirstPauseMicros = 2000;
constexpr int64_t kMaxPauseMicros = 200000;

const CommitInfo* InfoOf(const std::vector<Action>& actions) {
  for (const Action& action : actions) {
    if (const auto* info = std::get_if<CommitInfo>(&action)) return info;
  }
  return nullptr;
}

/// Minima and maxima of a file whose rows are partly hidden bound them, but may not be reached.
std::string WithWideBounds(std::string stats) {
  static constexpr std::string_view kTight = "\"tightBounds\":";
  const size_t at = stats.find(kTight);
  if (at == std::string::npos) {
    if (stats.size() > 2) stats.insert(1, std::string(kTight) + "false,");
    return stats;
  }
  const size_t value = stats.find_first_not_of(' ', at + kTight.size());
  if (value == std::string::npos) return stats;
  if (stats.compare(value, 4, "true") == 0) stats.replace(value, 4, "false");
  return stats;
}

}  // namespace

/// Runs one Commit(): holds the table's commit mutex from the first look to the last.
class CommitLoop {
 public:
  CommitLoop(Transaction& transaction, Table& table)
      : transaction_(transaction), table_(table), mine_(WriteSummary::Of(transaction.actions_)) {}

  Result<CommitResult> Run() {
    const MutexLock lock(table_.commit_mutex_);
    transaction_.commit_info_.txn_id = table_.NewUuid();
    // The commit after the version known here may be gone again (cleaned up): it must not be
    // written a second time.
    if (table_.LookedLongAgo()) SLUICE_RETURN_NOT_OK(table_.Update().status());
    SLUICE_RETURN_NOT_OK(CatchUp());
    for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
      if (attempt > 3) Pause(attempt);
      SLUICE_RETURN_NOT_OK(CheckRequirements());
      SLUICE_ASSIGN_OR_RETURN(const auto actions, Prepare());
      SLUICE_ASSIGN_OR_RETURN(const bool written, Put(actions));
      if (written) return Finish(actions, attempt);
      SLUICE_RETURN_NOT_OK(TakeWinner(base_->version().Next()));
      // Others may have been faster more than once.
      SLUICE_RETURN_NOT_OK(TakeFurtherWinners());
    }
    return MakeError(
        "DELTA_COMMIT_ATTEMPTS",
        "other writers were faster " + std::to_string(kMaxAttempts) + " times: " + table_.path(),
        "try again; fewer writers or larger commits help", Retry::kLater);
  }

 private:
  /// From the snapshot that was read to the newest one this process knows, checking what came
  /// between.
  Status CatchUp() {
    base_ = transaction_.read_snapshot_;
    const auto current = table_.Current();
    if (current->version() <= base_->version()) return Status::OK();
    for (TableVersion version = base_->version().Next(); version <= current->version();
         version = version.Next()) {
      const auto winner = table_.ReadCommit(version);
      if (!winner.ok()) {
        return MakeError("DELTA_COMMIT_CONFLICT",
                         "commit " + version.ToString() +
                             " since the version read is gone: " + winner.status().message(),
                         "read the table again and repeat the operation", Retry::kReplan);
      }
      SLUICE_RETURN_NOT_OK(CheckConflict(transaction_.read_set_, mine_,
                                         *transaction_.read_snapshot_, version, *winner));
    }
    base_ = current;
    return Status::OK();
  }

  Status TakeWinner(TableVersion version) {
    SLUICE_ASSIGN_OR_RETURN(const auto winner, table_.ReadCommit(version));
    SLUICE_ASSIGN_OR_RETURN(base_, base_->Apply(winner));
    table_.Advance(base_);
    return CheckConflict(transaction_.read_set_, mine_, *transaction_.read_snapshot_, version,
                         winner);
  }

  Status TakeFurtherWinners() {
    while (true) {
      const auto next = table_.storage().Stat(CommitPath(table_.path(), base_->version().Next()));
      if (!next.ok())
        return HasCode(next.status(), "STORAGE_NOT_FOUND") ? Status::OK() : next.status();
      SLUICE_RETURN_NOT_OK(TakeWinner(base_->version().Next()));
    }
  }

  Status CheckRequirements() const {
    for (const auto& [app_id, expected] : transaction_.read_set_.txn_versions) {
      const auto found = base_->TxnVersion(app_id);
      if (found == expected) continue;
      const auto text = [](const std::optional<int64_t>& version) {
        return version.has_value() ? std::to_string(*version) : std::string("absent");
      };
      std::string message = "transaction identifier was changed by another writer: " + app_id +
                            " is " + text(found) + ", expected " + text(expected) +
                            ", at version " + base_->version().ToString();
      if (base_->last_commit_info() != nullptr && !base_->last_commit_info()->engine_info.empty()) {
        message += " (last commit by " + base_->last_commit_info()->engine_info + ")";
      }
      return MakeError("DELTA_TXN_CHANGED", std::move(message),
                       "read the table again; is a second process running?", Retry::kReplan);
    }
    return Status::OK();
  }

  /// The actions as they go to version base+1: commitInfo first, checked against the table as it is
  /// then.
  Result<std::vector<Action>> Prepare() {
    std::vector<Action> actions;
    actions.reserve(transaction_.actions_.size() + 2);
    actions.emplace_back(CommitInfo());
    Metadata metadata = base_->metadata();
    Protocol protocol = base_->protocol();
    const int64_t now_ms = table_.clock().NowMicros() / 1000;
    const int64_t commit_ms = std::max(now_ms, base_->timestamp_ms() + 1);
    bool protocol_given = false;
    for (const Action& action : transaction_.actions_) {
      actions.push_back(action);
      if (auto* changed = std::get_if<Metadata>(&actions.back())) {
        MarkEnablement(commit_ms, changed);
        SLUICE_RETURN_NOT_OK(CompleteMetadata(
            &base_->metadata(), [this] { return table_.NewUuid(); }, changed));
        metadata = *changed;
      } else if (const auto* given = std::get_if<Protocol>(&action)) {
        protocol = *given;
        protocol_given = true;
      } else if (auto* txn = std::get_if<Txn>(&actions.back())) {
        if (!txn->last_updated_ms.has_value()) txn->last_updated_ms = now_ms;
      }
    }
    SLUICE_ASSIGN_OR_RETURN(const auto schema, SchemaFromJson(metadata.schema_string));
    const TableProperties properties = UsableTableProperties(metadata.configuration);
    if (mine_.metadata && !protocol_given) {
      const Protocol needed = ProtocolFor(*schema, properties, metadata.configuration, protocol);
      if (!(needed == protocol)) actions.insert(actions.begin() + 1, needed);
      protocol = needed;
      for (Action& action : actions) {
        if (auto* changed = std::get_if<Metadata>(&action))
          EraseProtocolProperties(&changed->configuration);
      }
    }
    SLUICE_RETURN_NOT_OK(CheckAllowed(protocol, metadata, *schema, properties));
    const auto suspended = metadata.configuration.find("delta.rowTrackingSuspended");
    const bool gives_ids = suspended == metadata.configuration.end() || suspended->second != "true";
    if (protocol.HasWriterFeature("rowTracking") && gives_ids)
      SLUICE_RETURN_NOT_OK(AssignRowIds(*base_, &actions));
    actions[0] =
        Info(now_ms, properties.enable_in_commit_timestamps ? std::optional<int64_t>(commit_ms)
                                                            : std::nullopt);
    return actions;
  }

  /// In-commit timestamps that are switched on later say since when they hold.
  void MarkEnablement(int64_t commit_ms, Metadata* after) const {
    if (base_->properties().enable_in_commit_timestamps) return;
    if (!UsableTableProperties(after->configuration).enable_in_commit_timestamps) return;
    after->configuration["delta.inCommitTimestampEnablementVersion"] =
        base_->version().Next().ToString();
    after->configuration["delta.inCommitTimestampEnablementTimestamp"] = std::to_string(commit_ms);
  }

  Status CheckAllowed(const Protocol& protocol, const Metadata& metadata,
                      const arrow::Schema& schema, const TableProperties& properties) const {
    SLUICE_RETURN_NOT_OK(
        WithContext(CheckWritable(protocol, metadata, schema, transaction_.rules_checked_),
                    "table " + table_.path()));
    if (properties.append_only && mine_.removes_data) {
      return MakeError("DELTA_APPEND_ONLY",
                       "table takes appends only (delta.appendOnly): " + table_.path(),
                       "unset delta.appendOnly to change or delete rows");
    }
    const auto feed = metadata.configuration.find("delta.enableChangeDataFeed");
    if (feed != metadata.configuration.end() && feed->second == "true" && mine_.removes_data &&
        mine_.adds_data && !transaction_.rules_checked_) {
      return MakeError("DELTA_UNSUPPORTED_WRITER_FEATURE",
                       "cannot change rows of a table with a change data feed: " + table_.path(),
                       "set delta.enableChangeDataFeed=false");
    }
    for (const Action& action : transaction_.actions_) {
      const auto* add = std::get_if<AddFile>(&action);
      if (add == nullptr || !add->deletion_vector.has_value() ||
          protocol.HasWriterFeature("deletionVectors"))
        continue;
      return MakeError("DELTA_UNSUPPORTED_WRITER_FEATURE",
                       "table does not have deletion vectors on: " + table_.path(),
                       "set delta.enableDeletionVectors=true");
    }
    return Status::OK();
  }

  CommitInfo Info(int64_t now_ms, std::optional<int64_t> in_commit_ms) const {
    CommitInfo info = transaction_.commit_info_;
    info.timestamp_ms = now_ms;
    info.in_commit_timestamp_ms = in_commit_ms;
    info.read_version = base_->version().value();
    info.isolation_level =
        mine_.changes_data || !mine_.removes ? "Serializable" : "SnapshotIsolation";
    info.is_blind_append = IsBlindAppend(transaction_.read_set_, mine_);
    info.engine_info = kEngineInfo;
    if (info.operation.empty()) info.operation = "WRITE";
    return info;
  }

  /// True: version base+1 is ours. False: it is another writer's.
  Result<bool> Put(const std::vector<Action>& actions) {
    std::string text;
    for (const Action& action : actions) AppendActionJson(action, &text);
    const std::string path = CommitPath(table_.path(), base_->version().Next());
    SLUICE_DCHECK(
        ParseCommitJson(text, path).ok() && ParseCommitJson(text, path)->size() == actions.size(),
        "a commit must read back as it was written");
    const Status put = table_.storage().PutIfAbsent(path, text);
    if (put.ok()) return true;
    // Failure does not mean that the commit is not there: a reply may be lost, a retry below us may
    // meet its own file.
    const auto found = table_.storage().Read(path);
    if (!found.ok()) {
      if (HasCode(found.status(), "STORAGE_NOT_FOUND")) return put;
      return MakeError("DELTA_COMMIT_UNKNOWN",
                       "cannot tell whether version " + base_->version().Next().ToString() +
                           " was written: " + put.message() +
                           "; reading it back: " + found.status().message(),
                       "open the table again: it shows whether the commit is there", Retry::kLater);
    }
    SLUICE_ASSIGN_OR_RETURN(const auto stored, ParseCommitJson(*found, path));
    const CommitInfo* info = InfoOf(stored);
    return info != nullptr && info->txn_id == transaction_.commit_info_.txn_id;
  }

  Result<CommitResult> Finish(const std::vector<Action>& actions, int attempt) {
    SLUICE_ASSIGN_OR_RETURN(auto snapshot, base_->Apply(actions));
    table_.Advance(snapshot);
    return CommitResult{snapshot->version(), snapshot, attempt};
  }

  void Pause(int attempt) {
    const int64_t longest = std::min(kMaxPauseMicros, kFirstPauseMicros << std::min(attempt, 12));
    table_.clock().SleepMicros(longest / 2 + table_.RandomBelow(longest / 2));
  }

  Transaction& transaction_;
  Table& table_;
  const WriteSummary mine_;
  std::shared_ptr<const Snapshot> base_;  // the version to commit on top of
};

void Transaction::Add(std::vector<AddFile> files) {
  for (AddFile& file : files) actions_.emplace_back(std::move(file));
}

void Transaction::Remove(const AddFile& file, bool data_change) {
  read_set_.file_paths.insert(file.path);
  actions_.emplace_back(RemoveOf(file, table_.clock().NowMicros() / 1000, data_change));
}

void Transaction::SetDeletionVector(const AddFile& file, DeletionVectorDescriptor deletion_vector) {
  Remove(file);
  AddFile with = file;
  with.deletion_vector = std::move(deletion_vector);
  with.data_change = true;
  with.stats = WithWideBounds(std::move(with.stats));
  actions_.emplace_back(std::move(with));
}

void Transaction::SetTxn(std::string app_id, int64_t version) {
  actions_.emplace_back(Txn{std::move(app_id), version, std::nullopt});
}

void Transaction::SetDomainMetadata(DomainMetadata domain) {
  actions_.emplace_back(std::move(domain));
}
void Transaction::SetMetadata(Metadata metadata) { actions_.emplace_back(std::move(metadata)); }
void Transaction::SetProtocol(Protocol protocol) { actions_.emplace_back(std::move(protocol)); }

void Transaction::RequireTxn(const std::string& app_id, std::optional<int64_t> expected) {
  read_set_.txn_versions[app_id] = expected;
}

void Transaction::SetOperation(std::string operation, StringMap parameters) {
  commit_info_.operation = std::move(operation);
  commit_info_.operation_parameters = std::move(parameters);
}

void Transaction::SetMetric(const std::string& name, int64_t value) {
  commit_info_.operation_metrics[name] = std::to_string(value);
}

Result<CommitResult> Transaction::Commit() { return CommitLoop(*this, table_).Run(); }

}  // namespace sluice::delta
