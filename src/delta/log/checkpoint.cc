#include "delta/log/checkpoint.h"

#include <algorithm>

#include "delta/log/checkpoint_file_internal.h"
#include "delta/log/live_files_internal.h"
#include "delta/log/log_segment.h"
#include "delta/log/table_state.h"
#include "delta/protocol/action_json.h"

namespace sluice::delta {
namespace {

// A checkpoint above this many actions is written in parts: each part is encoded in memory and put
// in place at once, so that no reader ever meets half a file.
constexpr int64_t kActionsPerPart = 100000;

/// What a checkpoint is made of.
struct Contents {
  std::string table_path;
  TableVersion version{-1};
  std::vector<Action> others;    // all but files
  int64_t max_file_actions = 0;  // not fewer than `visit` visits
  std::function<Status(const FileVisitor&)> visit;
  int64_t tombstones_before_ms = 0;
  bool v2 = false;
};

bool Expired(const Txn& txn, int64_t before_ms) {
  return txn.last_updated_ms.has_value() && *txn.last_updated_ms < before_ms;
}

void FillOthers(const Protocol& protocol, const Metadata& metadata,
                const std::map<std::string, Txn>& txns,
                const std::map<std::string, DomainMetadata>& domains, int64_t now_ms,
                Contents* contents) {
  const TableProperties properties = UsableTableProperties(metadata.configuration);
  const int64_t txns_before =
      properties.txn_retention_ms < 0 ? INT64_MIN : now_ms - properties.txn_retention_ms;
  contents->others = {protocol, metadata};
  for (const auto& [app_id, txn] : txns) {
    if (!Expired(txn, txns_before)) contents->others.emplace_back(txn);
  }
  for (const auto& [name, domain] : domains) contents->others.emplace_back(domain);
  contents->tombstones_before_ms = now_ms - properties.deleted_file_retention_ms;
  const auto policy = metadata.configuration.find("delta.checkpointPolicy");
  contents->v2 = policy != metadata.configuration.end() && policy->second == "v2" &&
                 protocol.HasWriterFeature("v2Checkpoint");
}

/// Writes the files of a checkpoint one after the other.
class CheckpointWriter {
 public:
  CheckpointWriter(storage::Storage& storage, const Contents& contents,
                   const CheckpointOptions& options)
      : storage_(storage),
        contents_(contents),
        options_(options),
        file_(contents.v2 ? CheckpointFile::Content::kFiles : CheckpointFile::Content::kAll) {}

  Status Run() { return contents_.v2 ? WriteV2() : WriteV1(); }

 private:
  Status WriteV1() {
    const int64_t others = static_cast<int64_t>(contents_.others.size());
    parts_ = (others + contents_.max_file_actions + kActionsPerPart - 1) / kActionsPerPart;
    for (const Action& action : contents_.others) {
      SLUICE_RETURN_NOT_OK(CloseFull());
      SLUICE_RETURN_NOT_OK(file_.Add(action));
      ++actions_;
    }
    SLUICE_RETURN_NOT_OK(VisitFiles());
    // What was counted is a bound: parts that are left over are empty.
    while (part_ < parts_) SLUICE_RETURN_NOT_OK(ClosePart());
    return WriteHint();
  }

  Status WriteV2() {
    SLUICE_RETURN_NOT_OK(VisitFiles());
    if (file_.rows() > 0) SLUICE_RETURN_NOT_OK(ClosePart());
    std::string manifest =
        "{\"checkpointMetadata\":{\"version\":" + contents_.version.ToString() + "}}\n";
    for (const Action& action : contents_.others) AppendActionJson(action, &manifest);
    manifest += sidecars_;
    actions_ += static_cast<int64_t>(contents_.others.size());
    bytes_ += static_cast<int64_t>(manifest.size());
    const std::string path = CheckpointPath(contents_.table_path, contents_.version);
    const std::string stem = path.substr(0, path.size() - std::string_view("parquet").size());
    SLUICE_RETURN_NOT_OK(storage_.Put(stem + options_.new_uuid() + ".json", manifest));
    return WriteHint();
  }

  Status VisitFiles() {
    return contents_.visit({[this](const AddFile& file) {
                              ++adds_;
                              return AddOne(file);
                            },
                            [this](const RemoveFile& file) {
                              const int64_t removed = file.deletion_timestamp_ms.value_or(0);
                              return removed < contents_.tombstones_before_ms ? Status::OK()
                                                                              : AddOne(file);
                            },
                            [this](const FileColumns& adds, const std::vector<int64_t>& rows) {
                              adds_ += static_cast<int64_t>(rows.size());
                              return AddRows(adds, rows);
                            }});
  }

  Status AddRows(const FileColumns& adds, const std::vector<int64_t>& rows) {
    if (!file_.TakesRows(*adds.array())) {
      AddFile file;
      for (const int64_t row : rows) {
        adds.Read(row, &file);
        SLUICE_RETURN_NOT_OK(AddOne(file));
      }
      return Status::OK();
    }
    std::vector<int32_t> positions;  // of what goes into the file that is open
    for (auto it = rows.begin(); it != rows.end();) {
      SLUICE_RETURN_NOT_OK(CloseFull());
      const auto room = std::min<int64_t>(kActionsPerPart - file_.rows(), rows.end() - it);
      positions.clear();
      for (const auto end = it + room; it != end; ++it)
        positions.push_back(static_cast<int32_t>(adds.PositionOf(*it)));
      actions_ += room;
      SLUICE_RETURN_NOT_OK(file_.AddRows(adds.array(), positions));
    }
    return Status::OK();
  }

  template <typename File>
  Status AddOne(const File& file) {
    SLUICE_RETURN_NOT_OK(CloseFull());
    ++actions_;
    return file_.Add(file);
  }

  Status CloseFull() { return file_.rows() == kActionsPerPart ? ClosePart() : Status::OK(); }

  Status ClosePart() {
    SLUICE_ASSIGN_OR_RETURN(const auto buffer, file_.Finish());
    ++part_;
    bytes_ += buffer->size();
    if (!contents_.v2) return storage_.Put(PartPath(), std::string_view(*buffer));
    const std::string name = options_.new_uuid() + ".parquet";
    const std::string folder = storage::JoinPath(LogFolder(contents_.table_path), "_sidecars");
    SLUICE_RETURN_NOT_OK(storage_.Put(storage::JoinPath(folder, name), std::string_view(*buffer)));
    sidecars_ += "{\"sidecar\":{\"path\":\"" + name +
                 "\",\"sizeInBytes\":" + std::to_string(buffer->size()) +
                 ",\"modificationTime\":" + std::to_string(options_.now_ms) + "}}\n";
    return Status::OK();
  }

  std::string PartPath() const {
    const std::string whole = CheckpointPath(contents_.table_path, contents_.version);
    if (parts_ <= 1) return whole;
    char name[40];
    std::snprintf(name, sizeof(name), "%010lld.%010lld.parquet", static_cast<long long>(part_),
                  static_cast<long long>(parts_));
    return whole.substr(0, whole.size() - std::string_view("parquet").size()) + name;
  }

  Status WriteHint() {
    std::string hint =
        "{\"version\":" + contents_.version.ToString() + ",\"size\":" + std::to_string(actions_);
    if (parts_ > 1) hint += ",\"parts\":" + std::to_string(parts_);
    hint += ",\"sizeInBytes\":" + std::to_string(bytes_) +
            ",\"numOfAddFiles\":" + std::to_string(adds_) + "}";
    return storage_.Put(LastCheckpointPath(contents_.table_path), hint);
  }

  storage::Storage& storage_;
  const Contents& contents_;
  const CheckpointOptions& options_;
  CheckpointFile file_;
  std::string sidecars_;  // lines of the manifest
  int64_t parts_ = 0;     // of V1, all told
  int64_t part_ = 0;      // written
  int64_t actions_ = 0;
  int64_t adds_ = 0;
  int64_t bytes_ = 0;
};

Status Write(storage::Storage& storage, const Contents& contents,
             const CheckpointOptions& options) {
  return WithContext(CheckpointWriter(storage, contents, options).Run(),
                     "checkpoint of " + contents.table_path);
}

}  // namespace

Status WriteCheckpoint(storage::Storage& storage, const Snapshot& snapshot,
                       const CheckpointOptions& options) {
  Contents contents;
  contents.table_path = snapshot.table_path();
  contents.version = snapshot.version();
  FillOthers(snapshot.protocol(), snapshot.metadata(), snapshot.txns(), snapshot.domain_metadata(),
             options.now_ms, &contents);
  contents.max_file_actions = snapshot.num_files();
  snapshot.ForEachTombstone([&](const RemoveFile& remove) {
    if (remove.deletion_timestamp_ms.value_or(0) >= contents.tombstones_before_ms)
      ++contents.max_file_actions;
  });
  contents.visit = [&snapshot](const FileVisitor& visitor) {
    Status status;
    snapshot.ForEachTombstone([&](const RemoveFile& remove) {
      if (status.ok()) status = visitor.remove(remove);
    });
    SLUICE_RETURN_NOT_OK(status);
    return snapshot.VisitFiles(visitor.add, visitor.add_rows);
  };
  return Write(storage, contents, options);
}

Result<TableVersion> WriteCheckpointFromLog(storage::Storage& storage,
                                            const std::string& table_path,
                                            const CheckpointOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const LogSegment segment, ListLog(storage, table_path, std::nullopt));
  if (!segment.checkpoints.empty() && segment.checkpoints[0].version == segment.version)
    return TableVersion(-1);
  SLUICE_ASSIGN_OR_RETURN(const TableState state,
                          TableState::Load(storage, table_path, segment.version));
  Contents contents;
  contents.table_path = table_path;
  contents.version = segment.version;
  FillOthers(state.protocol, state.metadata, state.txns, state.domains, options.now_ms, &contents);
  SLUICE_ASSIGN_OR_RETURN(contents.max_file_actions,
                          CountFileActions(storage, table_path, segment));
  contents.visit = [&](const FileVisitor& visitor) {
    return VisitLiveFiles(storage, table_path, segment, visitor);
  };
  SLUICE_RETURN_NOT_OK(Write(storage, contents, options));
  return segment.version;
}

}  // namespace sluice::delta
