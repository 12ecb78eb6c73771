#include "delta/log/snapshot.h"

#include <algorithm>

#include "base/log.h"
#include "delta/log/checkpoint_files.h"
#include "delta/log/checkpoint_reader.h"
#include "delta/log/log_segment.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/commit_json.h"
#include "delta/protocol/forgotten_txn.h"
#include "delta/protocol/number_text.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/table_features.h"

namespace sluice::delta {

/// Replays actions onto a copy of a snapshot, oldest first, and hands the result out once.
class Snapshot::Replay {
 public:
  explicit Replay(const std::string& table_path) : next_(new Snapshot()) {
    next_->table_path_ = table_path;
    txns_ = std::make_shared<std::map<std::string, Txn>>();
    domains_ = std::make_shared<std::map<std::string, DomainMetadata>>();
  }
  explicit Replay(const Snapshot& base) : next_(new Snapshot(base)) {}

  /// Takes the files of a checkpoint. REQUIRES: no file was taken.
  void Begin(HeldCheckpoint held) {
    next_->files_.Begin(std::move(held.adds));
    next_->tombstones_.Begin(std::move(held.removes));
    next_->files_.ForEachHeld([this](const FileColumns& columns, int64_t row) {
      next_->total_bytes_ += columns.SizeAt(row);
    });
  }
  /// Takes the actions of one commit.
  Status ApplyText(std::string_view text, const std::string& path) {
    next_->last_commit_info_ = nullptr;
    return VisitCommitJson(text, path, CommitContent::kAll,
                           [this](Action&& action) { TakeOne(std::move(action)); });
  }
  void ApplyAll(const std::vector<Action>& actions) {
    next_->last_commit_info_ = nullptr;
    for (const Action& action : actions) {
      std::visit([this](const auto& typed) { Apply(typed); }, action);
    }
  }
  void ApplyOne(const Action& action) {
    std::visit([this](const auto& typed) { Apply(typed); }, action);
  }

  void TakeOne(Action&& action) {
    if (auto* add = std::get_if<AddFile>(&action)) {
      Put(std::make_shared<const AddFile>(std::move(*add)));
    } else if (auto* remove = std::get_if<RemoveFile>(&action)) {
      Put(std::make_shared<const RemoveFile>(std::move(*remove)));
    } else {
      ApplyOne(action);
    }
  }

  void SetCheckpointVersion(TableVersion version) { next_->checkpoint_version_ = version; }

  Result<std::shared_ptr<const Snapshot>> Finish(TableVersion version) {
    next_->version_ = version;
    if (next_->protocol_ == nullptr || next_->metadata_ == nullptr) {
      return MakeError("DELTA_LOG_CORRUPT",
                       "log has no " + std::string(next_->protocol_ ? "metaData" : "protocol") +
                           " action: " + next_->table_path_);
    }
    if (protocol_changed_) {
      SLUICE_RETURN_NOT_OK(
          WithContext(CheckReadable(*next_->protocol_), "table " + next_->table_path_));
    }
    if (metadata_changed_) {
      SLUICE_ASSIGN_OR_RETURN(next_->schema_, SchemaFromJson(next_->metadata_->schema_string));
      next_->properties_ = std::make_shared<const TableProperties>(
          UsableTableProperties(next_->metadata_->configuration));
    }
    if (txns_ != nullptr) next_->txns_ = std::move(txns_);
    if (domains_ != nullptr) next_->domains_ = std::move(domains_);
    return std::shared_ptr<const Snapshot>(std::move(next_));
  }

 private:
  void Apply(const Protocol& protocol) {
    next_->protocol_ = std::make_shared<const Protocol>(protocol);
    protocol_changed_ = true;
  }
  void Apply(const Metadata& metadata) {
    next_->metadata_ = std::make_shared<const Metadata>(metadata);
    metadata_changed_ = true;
  }
  void Apply(const AddFile& add) { Put(std::make_shared<const AddFile>(add)); }
  void Apply(const RemoveFile& remove) { Put(std::make_shared<const RemoveFile>(remove)); }
  void Put(std::shared_ptr<const AddFile> add) {
    const std::string key = FileKey(*add);
    if (next_->tombstones_.size() > 0) next_->tombstones_.Erase(key);
    next_->total_bytes_ += add->size;
    const auto replaced = next_->files_.Put(key, std::move(add));
    if (replaced != nullptr) next_->total_bytes_ -= replaced->size;
  }
  void Put(std::shared_ptr<const RemoveFile> remove) {
    const std::string key = FileKey(*remove);
    if (const auto removed = next_->files_.Erase(key)) next_->total_bytes_ -= removed->size;
    next_->tombstones_.Put(key, std::move(remove));
  }
  void Apply(const Txn& txn) {
    if (txns_ == nullptr) txns_ = std::make_shared<std::map<std::string, Txn>>(*next_->txns_);
    if (txn.version == kForgottenTxn) {
      txns_->erase(txn.app_id);
    } else {
      (*txns_)[txn.app_id] = txn;
    }
  }
  void Apply(const DomainMetadata& domain) {
    if (domains_ == nullptr)
      domains_ = std::make_shared<std::map<std::string, DomainMetadata>>(*next_->domains_);
    if (domain.removed) {
      domains_->erase(domain.domain);
    } else {
      (*domains_)[domain.domain] = domain;
    }
  }
  void Apply(const CommitInfo& info) {
    next_->last_commit_info_ = std::make_shared<const CommitInfo>(info);
  }
  void Apply(const AddCdcFile&) {}
  void Apply(const Sidecar&) {}

  std::unique_ptr<Snapshot> next_;
  std::shared_ptr<std::map<std::string, Txn>> txns_;                // copied on the first change
  std::shared_ptr<std::map<std::string, DomainMetadata>> domains_;  // the same
  bool protocol_changed_ = false;
  bool metadata_changed_ = false;
};

namespace {

Result<std::vector<Action>> ReadCommitFile(storage::Storage& storage, const std::string& path) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, storage.Read(path));
  return ParseCommitJson(text, path);
}

/// The version the hint file names; -1 when there is none to trust.
TableVersion HintedVersion(storage::Storage& storage, const std::string& table_path) {
  const auto text = storage.Read(LastCheckpointPath(table_path));
  if (!text.ok()) return TableVersion(-1);
  const auto fields = StringMapFromJson(*text);
  if (!fields.ok() || !fields->contains("version")) return TableVersion(-1);
  return TableVersion(LeadingNumber<int64_t>(fields->at("version")).value_or(-1));
}

}  // namespace

Status Snapshot::TakeCheckpoint(storage::Storage& storage, const std::string& table_path,
                                const CheckpointFiles& files, Workers* workers, Replay* replay) {
  std::vector<Action> actions;
  SLUICE_ASSIGN_OR_RETURN(const auto paths,
                          ReadCheckpoint(storage, table_path, files, [&](Action action) {
                            actions.push_back(std::move(action));
                          }));
  SLUICE_ASSIGN_OR_RETURN(auto held, HoldCheckpointFiles(storage, paths, workers));
  replay->Begin(std::move(held));
  for (Action& action : actions) replay->TakeOne(std::move(action));
  return Status::OK();
}

Result<std::shared_ptr<const Snapshot>> Snapshot::Load(storage::Storage& storage,
                                                       const std::string& table_path,
                                                       std::optional<TableVersion> version,
                                                       Workers* workers) {
  SLUICE_ASSIGN_OR_RETURN(const LogSegment segment, ListLog(storage, table_path, version));
  std::unique_ptr<Replay> replay;
  TableVersion base(-1);
  for (const CheckpointFiles& files : segment.checkpoints) {
    auto attempt = std::make_unique<Replay>(table_path);
    const Status status = TakeCheckpoint(storage, table_path, files, workers, attempt.get());
    if (status.ok()) {
      replay = std::move(attempt);
      base = files.version;
      break;
    }
    if (!IsBrokenCheckpoint(status)) return status;
    log::Warn("checkpoint {} of {} cannot be used: {}", files.version.value(), table_path,
              status.message());
  }
  if (replay == nullptr) replay = std::make_unique<Replay>(table_path);
  replay->SetCheckpointVersion(base);
  SLUICE_ASSIGN_OR_RETURN(const auto commits, CommitsAfter(segment, base, table_path));
  for (const storage::FileInfo& commit : commits) {
    SLUICE_ASSIGN_OR_RETURN(const std::string text, storage.Read(commit.path));
    SLUICE_RETURN_NOT_OK(replay->ApplyText(text, commit.path));
  }
  if (commits.empty()) {
    // The checkpoint has no commitInfo; the commit it stands for may still be there.
    const auto actions = ReadCommitFile(storage, CommitPath(table_path, segment.version));
    for (const Action& action : actions.ok() ? *actions : std::vector<Action>()) {
      if (std::holds_alternative<CommitInfo>(action)) replay->ApplyOne(action);
    }
  }
  return replay->Finish(segment.version);
}

Result<std::shared_ptr<const Snapshot>> Snapshot::OfNewTable(const std::string& table_path,
                                                             const std::vector<Action>& actions) {
  Replay replay(table_path);
  replay.ApplyAll(actions);
  return replay.Finish(TableVersion(-1));
}

Result<std::shared_ptr<const Snapshot>> Snapshot::Update(storage::Storage& storage,
                                                         Workers* workers) const {
  std::unique_ptr<Replay> replay;
  TableVersion newest = version_;
  while (true) {
    auto actions = ReadCommitFile(storage, CommitPath(table_path_, newest.Next()));
    if (!actions.ok()) {
      if (!HasCode(actions.status(), "STORAGE_NOT_FOUND")) return actions.status();
      break;
    }
    if (replay == nullptr) replay = std::make_unique<Replay>(*this);
    replay->ApplyAll(*actions);
    newest = newest.Next();
  }
  // The next commit is missing: there is none yet, or it was cleaned up below a checkpoint while
  // nobody looked here.
  if (HintedVersion(storage, table_path_) > newest)
    return Load(storage, table_path_, std::nullopt, workers);
  if (replay == nullptr) return std::shared_ptr<const Snapshot>(new Snapshot(*this));
  return replay->Finish(newest);
}

Result<std::shared_ptr<const Snapshot>> Snapshot::Apply(const std::vector<Action>& actions) const {
  Replay replay(*this);
  replay.ApplyAll(actions);
  return replay.Finish(version_.Next());
}

std::vector<std::shared_ptr<const AddFile>> Snapshot::Files() const {
  return FilesWhere([](const AddFile&) { return true; });
}

std::vector<std::shared_ptr<const AddFile>> Snapshot::FilesWhere(
    const std::function<bool(const AddFile&)>& keep) const {
  auto files = files_.Where(keep);
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) {
    if (a->path != b->path) return a->path < b->path;
    return FileKey(*a) < FileKey(*b);
  });
  return files;
}

void Snapshot::ForEachFile(const std::function<void(const AddFile&)>& visit) const {
  files_.ForEach(visit);
}

Status Snapshot::VisitFiles(
    const std::function<Status(const AddFile&)>& file,
    const std::function<Status(const FileColumns&, const std::vector<int64_t>&)>& rows) const {
  SLUICE_RETURN_NOT_OK(files_.VisitHeld(rows));
  Status status;
  files_.changed().ForEach([&](const std::shared_ptr<const AddFile>& changed) {
    if (status.ok()) status = file(*changed);
  });
  return status;
}

void Snapshot::ForEachTombstone(const std::function<void(const RemoveFile&)>& visit) const {
  tombstones_.ForEach(visit);
}

std::optional<int64_t> Snapshot::TxnVersion(const std::string& app_id) const {
  const auto it = txns_->find(app_id);
  if (it == txns_->end()) return std::nullopt;
  return it->second.version;
}

int64_t Snapshot::timestamp_ms() const {
  if (last_commit_info_ == nullptr) return 0;
  if (last_commit_info_->in_commit_timestamp_ms.has_value())
    return *last_commit_info_->in_commit_timestamp_ms;
  return last_commit_info_->timestamp_ms.value_or(0);
}

std::shared_ptr<const Snapshot> Snapshot::WithCheckpoint(TableVersion version,
                                                         int64_t tombstones_before_ms) const {
  std::unique_ptr<Snapshot> next(new Snapshot(*this));
  next->checkpoint_version_ = version;
  next->tombstones_.Keep([&](const RemoveFile& remove) {
    return remove.deletion_timestamp_ms.value_or(0) >= tombstones_before_ms;
  });
  return next;
}

}  // namespace sluice::delta
