#include "delta/log/table_state.h"

#include "base/log.h"
#include "delta/log/checkpoint_reader.h"
#include "delta/log/log_segment.h"
#include "delta/log/version_checksum.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/commit_json.h"
#include "delta/protocol/forgotten_txn.h"
#include "delta/protocol/table_features.h"

namespace sluice::delta {
namespace {

class StateReplay {
 public:
  void Apply(Action action) {
    if (auto* protocol = std::get_if<Protocol>(&action)) {
      state_.protocol = std::move(*protocol);
      has_protocol_ = true;
    } else if (auto* metadata = std::get_if<Metadata>(&action)) {
      state_.metadata = std::move(*metadata);
      has_metadata_ = true;
    } else if (auto* txn = std::get_if<Txn>(&action)) {
      if (txn->version == kForgottenTxn) {
        state_.txns.erase(txn->app_id);
      } else {
        state_.txns[txn->app_id] = std::move(*txn);
      }
    } else if (auto* domain = std::get_if<DomainMetadata>(&action)) {
      if (domain->removed) {
        state_.domains.erase(domain->domain);
      } else {
        state_.domains[domain->domain] = std::move(*domain);
      }
    }
  }

  Result<TableState> Finish(const std::string& table_path, TableVersion version) {
    if (!has_protocol_ || !has_metadata_) {
      return MakeError("DELTA_LOG_CORRUPT",
                       "log has no " + std::string(has_protocol_ ? "metaData" : "protocol") +
                           " action: " + table_path);
    }
    SLUICE_RETURN_NOT_OK(WithContext(CheckReadable(state_.protocol), "table " + table_path));
    state_.version = version;
    return std::move(state_);
  }

 private:
  TableState state_;
  bool has_protocol_ = false;
  bool has_metadata_ = false;
};

/// The state as the checksum of `version` has it; nothing when it is not there or not complete.
std::optional<TableState> FromChecksum(storage::Storage& storage, const std::string& table_path,
                                       TableVersion version) {
  const std::string path = ChecksumPath(table_path, version);
  const auto text = storage.Read(path);
  if (!text.ok()) return std::nullopt;
  auto sums = VersionChecksum::Parse(*text, path);
  if (!sums.ok() || !sums->protocol || !sums->metadata || !sums->txns || !sums->domains)
    return std::nullopt;
  StateReplay replay;
  replay.Apply(std::move(*sums->protocol));
  replay.Apply(std::move(*sums->metadata));
  for (Txn& txn : *sums->txns) replay.Apply(std::move(txn));
  for (DomainMetadata& domain : *sums->domains) replay.Apply(std::move(domain));
  auto state = replay.Finish(table_path, version);
  if (!state.ok()) return std::nullopt;
  state->num_files = sums->num_files;
  state->table_bytes = sums->table_bytes;
  return state.MoveValueUnsafe();
}

/// Everything but files of the newest checkpoint that can be read; its version, -1 for none.
Result<TableVersion> ReadNewestCheckpoint(storage::Storage& storage, const std::string& table_path,
                                          const LogSegment& segment, StateReplay* replay) {
  for (const CheckpointFiles& files : segment.checkpoints) {
    StateReplay attempt;
    const Status status = ReadCheckpoint(storage, table_path, files, [&](Action action) {
                            attempt.Apply(std::move(action));
                          }).status();
    if (status.ok()) {
      *replay = std::move(attempt);
      return files.version;
    }
    if (!IsBrokenCheckpoint(status)) return status;
    log::Warn("checkpoint {} of {} cannot be used: {}", files.version.value(), table_path,
              status.message());
  }
  return TableVersion(-1);
}

}  // namespace

std::optional<int64_t> TableState::TxnVersion(const std::string& app_id) const {
  const auto it = txns.find(app_id);
  return it == txns.end() ? std::nullopt : std::optional<int64_t>(it->second.version);
}

Result<TableState> TableState::Load(storage::Storage& storage, const std::string& table_path,
                                    std::optional<TableVersion> version) {
  SLUICE_ASSIGN_OR_RETURN(const LogSegment segment, ListLog(storage, table_path, version));
  if (auto state = FromChecksum(storage, table_path, segment.version)) return std::move(*state);
  StateReplay replay;
  SLUICE_ASSIGN_OR_RETURN(const TableVersion base,
                          ReadNewestCheckpoint(storage, table_path, segment, &replay));
  SLUICE_ASSIGN_OR_RETURN(const auto commits, CommitsAfter(segment, base, table_path));
  for (const storage::FileInfo& commit : commits) {
    SLUICE_ASSIGN_OR_RETURN(const std::string text, storage.Read(commit.path));
    SLUICE_RETURN_NOT_OK(
        VisitCommitJson(text, commit.path, CommitContent::kWithoutFiles,
                        [&](Action&& action) { replay.Apply(std::move(action)); }));
  }
  return replay.Finish(table_path, segment.version);
}

}  // namespace sluice::delta
