#include "delta/commands/restore.h"

#include <algorithm>

#include "delta/columns/column_mapping.h"
#include "delta/columns/identity_column.h"
#include "delta/protocol/deletion_vector.h"
#include "delta/protocol/forgotten_txn.h"
#include "delta/protocol/number_text.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/time_text.h"

namespace sluice::delta {
namespace {

constexpr char kRowTrackingDomain[] = "delta.rowTracking";
constexpr size_t kMissingShown = 10;

int64_t NumberOr(const std::string& text, int64_t otherwise) {
  return LeadingNumber<int64_t>(text).value_or(otherwise);
}

/// The identity columns of `restored` with the numbers that the same columns of `current` have come
/// to.
std::shared_ptr<arrow::Schema> WithHighWaterMarks(const arrow::Schema& restored,
                                                  const arrow::Schema& current) {
  arrow::FieldVector fields;
  for (const auto& field : restored.fields()) {
    const auto now = current.GetFieldByName(field->name());
    const std::string mark = now == nullptr ? "" : ColumnMetadata(*now, kHighWaterMark);
    if (mark.empty() || field->metadata() == nullptr ||
        !field->metadata()->Contains(kIdentityStep)) {
      fields.push_back(field);
      continue;
    }
    const bool up = NumberOr(ColumnMetadata(*field, kIdentityStep), 1) > 0;
    const std::string before = ColumnMetadata(*field, kHighWaterMark);
    const int64_t now_at = NumberOr(mark, 0);
    const int64_t was_at = before.empty() ? now_at : NumberOr(before, now_at);
    fields.push_back(
        WithHighWaterMark(*field, up ? std::max(now_at, was_at) : std::min(now_at, was_at)));
  }
  return arrow::schema(fields, restored.metadata());
}

class RestoreRun {
 public:
  RestoreRun(Table& table, std::shared_ptr<const Snapshot> current,
             std::shared_ptr<const Snapshot> target)
      : table_(table), current_(std::move(current)), target_(std::move(target)) {}

  Result<WriteReport> Run(const RestoreTarget& asked) {
    Transaction transaction = table_.NewTransaction(current_);
    transaction.ReadWholeTable();
    transaction.SetRulesChecked();  // the rows were in the table before
    SLUICE_RETURN_NOT_OK(AddFiles(&transaction));
    RemoveFiles(&transaction);
    SLUICE_RETURN_NOT_OK(SetMetadata(&transaction));
    SetDomains(&transaction);
    SetTxns(&transaction);
    metrics_["numOfFilesAfterRestore"] = target_->num_files();
    metrics_["tableSizeAfterRestore"] = target_->total_bytes();
    transaction.SetOperation(
        "RESTORE",
        {{"version", asked.version.has_value() ? asked.version->ToString() : "null"},
         {"timestamp",
          asked.timestamp_ms.has_value() ? FormatMillis(*asked.timestamp_ms) + "Z" : "null"}});
    for (const auto& [name, value] : metrics_) transaction.SetMetric(name, value);
    SLUICE_ASSIGN_OR_RETURN(const CommitResult committed, transaction.Commit());
    WriteReport report;
    report.version = committed.version;
    report.metrics = metrics_;
    return report;
  }

 private:
  Status AddFiles(Transaction* transaction) {
    std::vector<std::string> missing;
    int64_t files = 0;
    int64_t bytes = 0;
    const auto gone =
        target_->FilesWhere([&](const AddFile& file) { return !current_->HasFile(FileKey(file)); });
    for (const auto& file : gone) {
      SLUICE_ASSIGN_OR_RETURN(const bool there, IsThere(*file));
      if (!there) missing.push_back(file->path);
      ++files;
      bytes += file->size;
      AddFile again = *file;
      again.data_change = true;
      transaction->Add(std::vector<AddFile>{std::move(again)});
    }
    metrics_["numRestoredFiles"] = files;
    metrics_["restoredFilesSize"] = bytes;
    if (missing.empty()) return Status::OK();
    std::string names;
    for (size_t i = 0; i < std::min(missing.size(), kMissingShown); ++i)
      names += (i == 0 ? "" : ", ") + missing[i];
    return MakeError("DELTA_RESTORE_FILES_MISSING",
                     "cannot restore version " + target_->version().ToString() + " of " +
                         table_.path() + ": " + std::to_string(missing.size()) +
                         " of its files are gone, such as " + names,
                     "restore a later version; VACUUM deletes files after the retention");
  }

  Result<bool> IsThere(const AddFile& file) const {
    SLUICE_ASSIGN_OR_RETURN(const bool data, Exists(ResolvePath(table_.path(), file.path)));
    if (!data || !file.deletion_vector.has_value() || file.deletion_vector->storage_type == 'i')
      return data;
    SLUICE_ASSIGN_OR_RETURN(const auto path,
                            DeletionVectorPath(table_.path(), *file.deletion_vector));
    return Exists(path);
  }

  Result<bool> Exists(const std::string& path) const {
    const auto found = table_.storage().Stat(path);
    if (found.ok()) return true;
    if (HasCode(found.status(), "STORAGE_NOT_FOUND")) return false;
    return found.status();
  }

  void RemoveFiles(Transaction* transaction) {
    int64_t files = 0;
    int64_t bytes = 0;
    const auto unwanted =
        current_->FilesWhere([&](const AddFile& file) { return !target_->HasFile(FileKey(file)); });
    for (const auto& file : unwanted) {
      ++files;
      bytes += file->size;
      transaction->Remove(*file);
    }
    metrics_["numRemovedFiles"] = files;
    metrics_["removedFilesSize"] = bytes;
  }

  Status SetMetadata(Transaction* transaction) const {
    Metadata metadata = target_->metadata();
    const auto& now = current_->metadata().configuration;
    if (const auto it = now.find(kMaxColumnId); it != now.end()) {
      std::string& id = metadata.configuration[kMaxColumnId];
      id = std::to_string(std::max(NumberOr(id, 0), NumberOr(it->second, 0)));
    }
    // Since when commits have their own time is a fact about the log.
    for (const char* key :
         {"delta.enableInCommitTimestamps", "delta.inCommitTimestampEnablementVersion",
          "delta.inCommitTimestampEnablementTimestamp"}) {
      const auto it = now.find(key);
      if (it == now.end()) {
        metadata.configuration.erase(key);
      } else {
        metadata.configuration[key] = it->second;
      }
    }
    const auto schema = WithHighWaterMarks(*target_->schema(), *current_->schema());
    if (!schema->Equals(*target_->schema(), /*check_metadata=*/true)) {
      SLUICE_ASSIGN_OR_RETURN(metadata.schema_string, SchemaToJson(*schema));
    }
    if (!(metadata == current_->metadata())) transaction->SetMetadata(std::move(metadata));
    return Status::OK();
  }

  void SetDomains(Transaction* transaction) const {
    for (const auto& [name, domain] : target_->domain_metadata()) {
      const auto now = current_->domain_metadata().find(name);
      if (name == kRowTrackingDomain || domain.removed) continue;
      if (now == current_->domain_metadata().end() ||
          now->second.configuration != domain.configuration || now->second.removed)
        transaction->SetDomainMetadata(domain);
    }
    for (const auto& [name, domain] : current_->domain_metadata()) {
      if (name == kRowTrackingDomain || domain.removed || target_->domain_metadata().contains(name))
        continue;
      transaction->SetDomainMetadata({name, domain.configuration, true});
    }
  }

  void SetTxns(Transaction* transaction) const {
    for (const auto& [app_id, txn] : target_->txns()) {
      if (current_->TxnVersion(app_id) != txn.version) transaction->SetTxn(app_id, txn.version);
    }
    for (const auto& [app_id, txn] : current_->txns()) {
      if (!target_->txns().contains(app_id)) transaction->SetTxn(app_id, kForgottenTxn);
    }
  }

  Table& table_;
  const std::shared_ptr<const Snapshot> current_;
  const std::shared_ptr<const Snapshot> target_;
  std::map<std::string, int64_t> metrics_;
};

}  // namespace

Result<WriteReport> RestoreTable(Table& table, const RestoreTarget& target) {
  if (target.version.has_value() == target.timestamp_ms.has_value()) {
    return MakeError("DELTA_VERSION_NOT_FOUND", "RESTORE takes a version or a timestamp",
                     "give exactly one of them");
  }
  SLUICE_ASSIGN_OR_RETURN(const auto current, table.Update());
  TableVersion version = target.version.value_or(current->version());
  if (target.timestamp_ms.has_value() && *target.timestamp_ms < current->timestamp_ms()) {
    SLUICE_ASSIGN_OR_RETURN(version, table.VersionAt(*target.timestamp_ms));
  }
  SLUICE_ASSIGN_OR_RETURN(auto snapshot, table.SnapshotAt(version));
  return RestoreRun(table, current, std::move(snapshot)).Run(target);
}

}  // namespace sluice::delta
