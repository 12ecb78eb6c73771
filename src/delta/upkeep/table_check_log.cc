// fsck: the log of a table.
#include <algorithm>
#include <map>
#include <set>

#include "delta/log/log_segment.h"
#include "delta/log/version_checksum.h"
#include "delta/protocol/action_json.h"
#include "delta/upkeep/table_check_internal.h"

namespace sluice::delta {
namespace {

class LogCheck {
 public:
  LogCheck(storage::Storage& storage, const std::string& table_path, NeededFiles* needed,
           Findings* findings, TableCheckReport* report)
      : storage_(storage),
        table_(table_path),
        needed_(needed),
        findings_(findings),
        report_(report) {}

  Result<std::shared_ptr<const Snapshot>> Run() {
    SLUICE_ASSIGN_OR_RETURN(segment_, ListLog(storage_, table_, std::nullopt));
    SLUICE_RETURN_NOT_OK(CheckNames());
    CheckGaps();
    CheckHint();
    const auto newest = Snapshot::Load(storage_, table_);
    if (!newest.ok()) {
      findings_->Error("open", LogFolder(table_), newest.status().ToString());
      return std::shared_ptr<const Snapshot>();
    }
    const std::shared_ptr<const Snapshot> replayed = Replay();
    if (replayed != nullptr) CompareStates(**newest, *replayed, "checkpoint", LogFolder(table_));
    Need(**newest);
    return *newest;
  }

 private:
  /// Parts of checkpoints that are not whole, and files of size zero.
  Status CheckNames() {
    SLUICE_ASSIGN_OR_RETURN(const auto files, storage_.List(LogFolder(table_)));
    std::map<std::pair<TableVersion, int>, std::set<int>> parts;
    for (const storage::FileInfo& file : files) {
      const auto name = ParseLogFileName(file.path);
      if (file.path.ends_with(".crc")) checksums_.insert(file.path);
      if (!name.has_value()) continue;
      if (name->kind != LogFileName::Kind::kCommit && file.size == 0) {
        findings_->Add(FindingLevel::kWarning, "checkpoint", file.path,
                       "it is empty; readers step over it");
      } else if (name->kind == LogFileName::Kind::kCheckpointPart) {
        parts[{name->version, name->parts}].insert(name->part);
      }
    }
    for (const auto& [key, found] : parts) {
      if (found.size() == static_cast<size_t>(key.second)) continue;
      findings_->Add(FindingLevel::kWarning, "checkpoint", CheckpointPath(table_, key.first),
                     "only " + std::to_string(found.size()) + " of its " +
                         std::to_string(key.second) + " parts are there; readers step over it");
    }
    return Status::OK();
  }

  /// Commits that are missing between those that are there.
  void CheckGaps() {
    const TableVersion covered =
        segment_.checkpoints.empty() ? TableVersion(-1) : segment_.checkpoints[0].version;
    TableVersion expected =
        segment_.commits.empty() ? TableVersion(0) : VersionOf(segment_.commits[0]);
    for (const storage::FileInfo& commit : segment_.commits) {
      const TableVersion version = VersionOf(commit);
      if (version != expected) {
        const std::string what = "commits " + expected.ToString() + " to " +
                                 std::to_string(version.value() - 1) + " are missing";
        if (version.value() - 1 > covered.value()) {
          findings_->Error("log-gap", CommitPath(table_, expected), what);
        } else {
          findings_->Add(FindingLevel::kWarning, "log-gap", CommitPath(table_, expected),
                         what + "; versions up to the next checkpoint cannot be read");
        }
        replay_from_ = version;
      }
      expected = version.Next();
    }
    if (segment_.commits.empty()) {
      findings_->Add(FindingLevel::kWarning, "log-gap", LogFolder(table_),
                     "there is no commit, only a checkpoint; some readers refuse that");
    }
  }

  void CheckHint() {
    const std::string path = LastCheckpointPath(table_);
    const auto text = storage_.Read(path);
    if (!text.ok()) {
      if (!segment_.checkpoints.empty()) {
        findings_->Add(FindingLevel::kWarning, "last-checkpoint", path,
                       "it is missing; readers have to list the log");
      }
      return;
    }
    const auto fields = StringMapFromJson(*text);
    int64_t version = -1;
    if (fields.ok() && fields->contains("version"))
      version = std::strtoll(fields->at("version").c_str(), nullptr, 10);
    const auto bad = [&](const std::string& what) {
      findings_->Add(FindingLevel::kWarning, "last-checkpoint", path, what);
    };
    if (version < 0) return bad("it is damaged: " + text->substr(0, 100));
    const bool there =
        std::any_of(segment_.checkpoints.begin(), segment_.checkpoints.end(),
                    [&](const CheckpointFiles& files) { return files.version.value() == version; });
    if (!there)
      return bad("it names checkpoint " + std::to_string(version) + ", which is not there");
    if (version < segment_.checkpoints[0].version.value()) {
      bad("it names checkpoint " + std::to_string(version) + ", the newest is " +
          segment_.checkpoints[0].version.ToString());
    }
  }

  /// Every version that can be read, from the oldest on, each made of the one before and its
  /// commit. Null when that does not reach the newest.
  std::shared_ptr<const Snapshot> Replay() {
    auto snapshot = OldestSnapshot();
    if (snapshot == nullptr) return nullptr;
    Need(*snapshot);
    CheckVersion(*snapshot);
    while (snapshot->version() < segment_.version) {
      const TableVersion version = snapshot->version().Next();
      const std::string path = CommitPath(table_, version);
      const auto text = storage_.Read(path);
      const auto actions =
          text.ok() ? ParseCommitJson(*text, path) : Result<std::vector<Action>>(text.status());
      if (!actions.ok()) {
        findings_->Error("commit", path, actions.status().message());
        return nullptr;
      }
      NeedCommit(*actions);
      const auto next = snapshot->Apply(*actions);
      if (!next.ok()) {
        findings_->Add(FindingLevel::kWarning, "commit", path, next.status().message());
        return nullptr;
      }
      snapshot = *next;
      CheckVersion(*snapshot);
    }
    return snapshot;
  }

  std::shared_ptr<const Snapshot> OldestSnapshot() {
    if (segment_.commits.empty()) return nullptr;
    const TableVersion first = std::max(replay_from_, VersionOf(segment_.commits[0]));
    std::optional<TableVersion> start;
    if (first.value() == 0) start = first;
    for (const CheckpointFiles& files : segment_.checkpoints) {
      if (start.has_value() && start->value() == 0) break;
      if (files.version.value() >= first.value() - 1) start = files.version;
    }
    if (!start.has_value()) return nullptr;
    const auto snapshot = Snapshot::Load(storage_, table_, *start);
    if (snapshot.ok()) return *snapshot;
    findings_->Add(FindingLevel::kWarning, "open", LogFolder(table_),
                   "version " + start->ToString() + ": " + snapshot.status().message());
    return nullptr;
  }

  /// One replayed version against its checksum and, if it is the newest, its checkpoint.
  void CheckVersion(const Snapshot& snapshot) {
    ++report_->versions_checked;
    const std::string path = ChecksumPath(table_, snapshot.version());
    if (checksums_.contains(path)) CheckChecksum(snapshot, path);
    if (segment_.checkpoints.empty() || segment_.checkpoints[0].version != snapshot.version())
      return;
    const std::string& checkpoint = segment_.checkpoints[0].paths[0];
    const auto loaded = Snapshot::Load(storage_, table_, snapshot.version());
    if (!loaded.ok()) {
      findings_->Add(FindingLevel::kWarning, "checkpoint", checkpoint, loaded.status().message());
    } else if ((*loaded)->checkpoint_version() != snapshot.version()) {
      findings_->Add(FindingLevel::kWarning, "checkpoint", checkpoint,
                     "it cannot be read; readers step over it");
    } else {
      CompareStates(**loaded, snapshot, "checkpoint", checkpoint);
    }
  }

  void CheckChecksum(const Snapshot& snapshot, const std::string& path) {
    const auto text = storage_.Read(path);
    const auto sums =
        text.ok() ? VersionChecksum::Parse(*text, path) : Result<VersionChecksum>(text.status());
    if (!sums.ok()) {
      findings_->Add(FindingLevel::kWarning, "checksum", path, sums.status().message());
      return;
    }
    for (const std::string& difference : sums->Differences(snapshot))
      findings_->Error("checksum", path, difference);
  }

  void CompareStates(const Snapshot& loaded, const Snapshot& replayed, const char* check,
                     const std::string& path) {
    int64_t missing = 0;
    std::string example;
    replayed.ForEachFile([&](const AddFile& file) {
      if (loaded.HasFile(FileKey(file))) return;
      if (missing++ == 0) example = file.path;
    });
    if (missing > 0) {
      findings_->Error(check, path,
                       "it lacks " + std::to_string(missing) +
                           " files that the commits added, such as " + example);
    }
    if (loaded.num_files() - replayed.num_files() + missing > 0) {
      findings_->Error(check, path,
                       "it has " +
                           std::to_string(loaded.num_files() - replayed.num_files() + missing) +
                           " files that the commits do not have");
    }
  }

  void Need(const Snapshot& snapshot) {
    snapshot.ForEachFile([this](const AddFile& file) { NeedFile(file); });
    snapshot.ForEachTombstone([this](const RemoveFile& remove) { NeedFile(remove); });
  }

  void NeedCommit(const std::vector<Action>& actions) {
    for (const Action& action : actions) {
      if (const auto* add = std::get_if<AddFile>(&action)) NeedFile(*add);
      if (const auto* change = std::get_if<AddCdcFile>(&action))
        (void)needed_->Add(change->path, std::nullopt);
    }
  }

  template <typename File>
  void NeedFile(const File& file) {
    const Status status = needed_->Add(file.path, file.deletion_vector);
    if (!status.ok()) findings_->Error("deletion-vector", file.path, status.message());
  }

  storage::Storage& storage_;
  const std::string& table_;
  NeededFiles* needed_;
  Findings* findings_;
  TableCheckReport* report_;
  LogSegment segment_;
  TableVersion replay_from_{0};  // the first commit after the last gap
  std::set<std::string> checksums_;
};

}  // namespace

Result<std::shared_ptr<const Snapshot>> CheckLog(storage::Storage& storage,
                                                 const std::string& table_path, NeededFiles* needed,
                                                 Findings* findings, TableCheckReport* report) {
  return LogCheck(storage, table_path, needed, findings, report).Run();
}

}  // namespace sluice::delta
