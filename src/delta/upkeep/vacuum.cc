#include "delta/upkeep/vacuum.h"

#include <algorithm>
#include <set>

#include "delta/log/log_segment.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/deletion_vector.h"
#include "delta/protocol/number_text.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/table_features.h"
#include "delta/upkeep/hidden_names_internal.h"
#include "delta/upkeep/needed_files_internal.h"
#include "storage/delete_files.h"

namespace sluice::delta {
namespace {

constexpr int64_t kHourMs = 3600 * 1000;
constexpr char kLastVersionKey[] = "latestCommitVersionOutsideOfRetentionWindow";
constexpr int kMarkerAttempts = 5;

class VacuumRun {
 public:
  VacuumRun(Table& table, const VacuumOptions& options) : table_(table), options_(options) {}

  Result<VacuumReport> Run() {
    SLUICE_ASSIGN_OR_RETURN(snapshot_, table_.Update());
    SLUICE_RETURN_NOT_OK(WithContext(
        CheckWritable(snapshot_->protocol(), snapshot_->metadata(), *snapshot_->schema(), true),
        "VACUUM of " + table_.path()));
    SLUICE_RETURN_NOT_OK(CheckRetention());
    const int64_t retention_ms = options_.retention_ms.value_or(DefaultRetention());
    before_ms_ = table_.clock().NowMicros() / 1000 - retention_ms;
    NeededFiles needed(table_.path());
    SLUICE_RETURN_NOT_OK(CollectNeeded(&needed));
    const auto last_outside = LastVersionOutside();
    SLUICE_RETURN_NOT_OK(options_.type == VacuumType::kFull ? ChooseFromFolder(needed)
                                                            : ChooseFromLog(needed, last_outside));
    std::sort(report_.files.begin(), report_.files.end());
    if (options_.dry_run) return std::move(report_);
    SLUICE_RETURN_NOT_OK(DeleteChosen());
    SLUICE_RETURN_NOT_OK(RememberVersion(last_outside));
    return std::move(report_);
  }

 private:
  int64_t DefaultRetention() const { return snapshot_->properties().deleted_file_retention_ms; }

  Status CheckRetention() const {
    if (!options_.retention_ms.has_value()) return Status::OK();
    if (*options_.retention_ms < 0) {
      return MakeError("DELTA_VACUUM_RETENTION_TOO_SHORT", "retention for VACUUM is below 0");
    }
    if (!options_.check_retention || *options_.retention_ms >= DefaultRetention())
      return Status::OK();
    const int64_t hours = (DefaultRetention() + kHourMs - 1) / kHourMs;
    return MakeError(
        "DELTA_VACUUM_RETENTION_TOO_SHORT",
        "are you sure you would like to vacuum files with such a low retention period? writers "
        "that are writing to this table now may lose the files they are about to commit: " +
            table_.path(),
        "use a value not less than " + std::to_string(hours) +
            " hours; where nobody else uses the table, the check can be turned off by "
            "spark.databricks.delta.retentionDurationCheck.enabled = false");
  }

  Status CollectNeeded(NeededFiles* needed) const {
    Status status;
    const auto add = [&](const auto& file) {
      if (status.ok()) status = needed->Add(file.path, file.deletion_vector);
    };
    snapshot_->ForEachFile([&](const AddFile& file) { add(file); });
    snapshot_->ForEachTombstone([&](const RemoveFile& remove) {
      if (remove.deletion_timestamp_ms.value_or(0) >= before_ms_) add(remove);
    });
    return status;
  }

  Status ChooseFromFolder(const NeededFiles& needed) {
    SLUICE_ASSIGN_OR_RETURN(const auto files, table_.storage().ListRecursive(table_.path()));
    const HiddenNames hidden(*snapshot_);
    std::string_view folder;  // of the file before
    for (const storage::FileInfo& file : files) {
      const std::string_view relative = std::string_view(file.path).substr(table_.path().size());
      if (hidden.Hides(relative.substr(relative.starts_with('/') ? 1 : 0))) continue;
      const size_t slash = relative.rfind('/');
      const std::string_view its_folder =
          slash == std::string_view::npos ? std::string_view() : relative.substr(0, slash);
      if (its_folder != folder) ++report_.folders;
      folder = its_folder;
      if (file.modified / 1000 >= before_ms_ || needed.Contains(file.path)) continue;
      report_.files.push_back(file.path);
      report_.bytes += file.size;
    }
    return Status::OK();
  }

  /// The newest version that was committed before the retention begins.
  std::optional<TableVersion> LastVersionOutside() const {
    if (snapshot_->timestamp_ms() < before_ms_) return snapshot_->version();
    const auto version = table_.VersionAt(before_ms_ - 1);
    return version.ok() ? std::optional(*version) : std::nullopt;
  }

  std::string InfoPath() const {
    return storage::JoinPath(LogFolder(table_.path()), "_last_vacuum_info");
  }

  /// Up to which version the last VACUUM has looked; nothing when it does not say.
  std::optional<TableVersion> RememberedVersion() const {
    const auto text = table_.storage().Read(InfoPath());
    const auto fields = text.ok() ? StringMapFromJson(*text) : Result<StringMap>(text.status());
    if (!fields.ok() || !fields->contains(kLastVersionKey)) return std::nullopt;
    const auto version = LeadingNumber<int64_t>(fields->at(kLastVersionKey));
    return version.has_value() ? std::optional(TableVersion(*version)) : std::nullopt;
  }

  Status RememberVersion(std::optional<TableVersion> last) const {
    const auto remembered = RememberedVersion();
    if (remembered.has_value() && (!last.has_value() || *last < *remembered)) last = remembered;
    std::string json = "{";
    if (last.has_value()) json += std::string("\"") + kLastVersionKey + "\":" + last->ToString();
    return table_.storage().Put(InfoPath(), json + "}\n");
  }

  Status ChooseFromLog(const NeededFiles& needed, std::optional<TableVersion> last) {
    SLUICE_ASSIGN_OR_RETURN(const LogSegment segment,
                            ListLog(table_.storage(), table_.path(), std::nullopt));
    const TableVersion oldest =
        segment.commits.empty() ? TableVersion(INT64_MAX) : VersionOf(segment.commits.front());
    const TableVersion first = RememberedVersion().value_or(TableVersion(-1)).Next();
    if (first < oldest) {
      return MakeError("DELTA_CANNOT_VACUUM_LITE",
                       "VACUUM LITE cannot find all files to delete: the log of " + table_.path() +
                           " no longer has commit " + first.ToString(),
                       "run VACUUM FULL; later runs can be LITE again");
    }
    std::set<std::string> chosen;
    for (TableVersion version = first; last.has_value() && version <= *last;
         version = version.Next()) {
      SLUICE_ASSIGN_OR_RETURN(const auto actions, table_.ReadCommit(version));
      SLUICE_RETURN_NOT_OK(ChooseFromCommit(actions, needed, &chosen));
    }
    report_.files.assign(chosen.begin(), chosen.end());
    return Status::OK();
  }

  Status ChooseFromCommit(const std::vector<Action>& actions, const NeededFiles& needed,
                          std::set<std::string>* chosen) {
    const auto choose = [&](const std::string& path, int64_t bytes) {
      const bool ours = path.starts_with(table_.path() + "/");
      if (ours && !needed.Contains(path) && chosen->insert(path).second) report_.bytes += bytes;
    };
    for (const Action& action : actions) {
      if (const auto* change = std::get_if<AddCdcFile>(&action)) {
        choose(ResolvePath(table_.path(), change->path), change->size);
      }
      const auto* remove = std::get_if<RemoveFile>(&action);
      if (remove == nullptr || remove->deletion_timestamp_ms.value_or(0) >= before_ms_) continue;
      choose(ResolvePath(table_.path(), remove->path), remove->size.value_or(0));
      const auto& vector = remove->deletion_vector;
      if (!vector.has_value() || vector->storage_type == 'i') continue;
      SLUICE_ASSIGN_OR_RETURN(const auto path, DeletionVectorPath(table_.path(), *vector));
      choose(path, vector->size_in_bytes);
    }
    return Status::OK();
  }

  Status DeleteChosen() {
    StringMap parameters = {{"retentionCheckEnabled", options_.check_retention ? "true" : "false"},
                            {"defaultRetentionMillis", std::to_string(DefaultRetention())}};
    if (options_.retention_ms.has_value())
      parameters["specifiedRetentionMillis"] = std::to_string(*options_.retention_ms);
    SLUICE_RETURN_NOT_OK(Mark("VACUUM START", parameters,
                              {{"numFilesToDelete", static_cast<int64_t>(report_.files.size())},
                               {"sizeOfDataToDelete", report_.bytes}})
                             .status());
    const Status deleted = storage::DeleteFiles(table_.storage(), report_.files, options_.workers,
                                                &report_.files_deleted);
    const auto marked = Mark(
        "VACUUM END", {{"status", deleted.ok() ? "COMPLETED" : "FAILED"}},
        {{"numDeletedFiles", report_.files_deleted}, {"numVacuumedDirectories", report_.folders}});
    SLUICE_RETURN_NOT_OK(deleted);
    SLUICE_ASSIGN_OR_RETURN(report_.version, marked);
    return Status::OK();
  }

  /// A version that says what happens here and changes nothing.
  Result<std::optional<TableVersion>> Mark(const char* operation, const StringMap& parameters,
                                           const std::map<std::string, int64_t>& metrics) {
    if (!options_.log_commits) return std::optional<TableVersion>();
    for (int attempt = 1;; ++attempt) {
      Transaction transaction = table_.NewTransaction();
      transaction.SetRulesChecked();
      transaction.SetOperation(operation, parameters);
      for (const auto& [name, value] : metrics) transaction.SetMetric(name, value);
      const auto committed = transaction.Commit();
      if (committed.ok()) return std::optional(committed->version);
      if (RetryClass(committed.status()) != Retry::kReplan || attempt == kMarkerAttempts)
        return committed.status();
    }
  }

  Table& table_;
  const VacuumOptions& options_;
  std::shared_ptr<const Snapshot> snapshot_;
  int64_t before_ms_ = 0;  // files written and removed before it may go
  VacuumReport report_;
};

}  // namespace

Result<VacuumReport> Vacuum(Table& table, const VacuumOptions& options) {
  return VacuumRun(table, options).Run();
}

}  // namespace sluice::delta
