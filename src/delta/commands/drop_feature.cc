#include "delta/commands/drop_feature.h"

#include <algorithm>
#include <set>

#include "delta/commands/remove_traces_internal.h"
#include "delta/files/write_options.h"
#include "delta/log/log_cleanup.h"
#include "delta/log/log_segment.h"
#include "delta/protocol/deletion_vector.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/table_features.h"
#include "delta/upkeep/clustering.h"
#include "delta/upkeep/compaction.h"

namespace sluice::delta {
namespace {

constexpr char kProtection[] = "checkpointProtection";
constexpr char kProtectedBefore[] = "delta.requireCheckpointProtectionBeforeVersion";
constexpr char kHistoryRetention[] = "delta.dropFeatureTruncateHistory.retentionDuration";
constexpr char kConstraints[] = "delta.constraints.";
// As many checkpoints without a trace of the feature as readers may have to step over.
constexpr int kBarrierCheckpoints = 3;

bool IsRemovable(const std::string& feature) {
  static const std::set<std::string> kRemovable = {
      "deletionVectors",   "v2Checkpoint",        "vacuumProtocolCheck",
      "inCommitTimestamp", "checkConstraints",    "materializePartitionColumns",
      "clustering",        "allowColumnDefaults", "rowTracking",
      "columnMapping",     "typeWidening",        kProtection};
  return kRemovable.contains(feature);
}

/// Whether versions before the drop can only be read by those who know the feature.
bool NeedsHistory(const std::string& feature) {
  return feature == "deletionVectors" || feature == "v2Checkpoint" ||
         feature == "vacuumProtocolCheck" || feature == "columnMapping" ||
         feature == "typeWidening";
}

class FeatureDrop {
 public:
  FeatureDrop(Table& table, const std::string& feature, const DropFeatureOptions& options)
      : table_(table), feature_(feature), options_(options) {}

  Result<CommitResult> Run() {
    SLUICE_ASSIGN_OR_RETURN(snapshot_, table_.Update());
    SLUICE_RETURN_NOT_OK(CheckWritable(snapshot_->protocol(), snapshot_->metadata(),
                                       *snapshot_->schema(), /*rules_checked=*/true));
    SLUICE_RETURN_NOT_OK(CheckDroppable());
    SLUICE_RETURN_NOT_OK(RemoveTraces());
    if (NeedsHistory(feature_) || feature_ == kProtection) {
      const bool truncates = options_.truncate_history || feature_ == kProtection;
      SLUICE_RETURN_NOT_OK(truncates ? TruncateHistory() : WriteBarrier());
    }
    return Drop();
  }

 private:
  Status CheckDroppable() const {
    const Protocol& protocol = snapshot_->protocol();
    if (WithoutFeature(protocol, feature_) == protocol) {
      return MakeError("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT",
                       "table does not have the feature " + feature_ + ": " + table_.path(),
                       "`sluice table info` lists the features there are");
    }
    if (!IsRemovable(feature_)) {
      return MakeError("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE",
                       "feature cannot be dropped: " + feature_,
                       "copy the rows to a new table to be rid of it");
    }
    const auto& configuration = snapshot_->metadata().configuration;
    const auto constraint = configuration.lower_bound(kConstraints);
    if (feature_ == "checkConstraints" && constraint != configuration.end() &&
        constraint->first.starts_with(kConstraints)) {
      return MakeError("DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE",
                       "table has CHECK constraints: " + table_.path(),
                       "drop them first, with ALTER TABLE ... DROP CONSTRAINT");
    }
    if (feature_ == "allowColumnDefaults") {
      for (const auto& field : snapshot_->schema()->fields()) {
        if (ColumnMetadata(*field, "CURRENT_DEFAULT").empty()) continue;
        return MakeError("DELTA_FEATURE_DROP_DEPENDENT_FEATURE",
                         "column has a default, which needs " + feature_ + ": " + field->name(),
                         "drop the default first, with ALTER COLUMN ... DROP DEFAULT");
      }
    }
    return Status::OK();
  }

  Status RemoveTraces() {
    if (feature_ == "deletionVectors") return RemoveVectors();
    if (feature_ == "v2Checkpoint") {
      SLUICE_RETURN_NOT_OK(Unset("delta.checkpointPolicy", "v2"));
      return table_.Checkpoint();
    }
    if (feature_ == "rowTracking") return Take(RemoveRowIds(table_, snapshot_));
    if (feature_ == "columnMapping") return Take(RemoveColumnMapping(table_, snapshot_));
    if (feature_ == "typeWidening") {
      SLUICE_RETURN_NOT_OK(Unset("delta.enableTypeWidening", "true"));
      return Take(RemoveTypeChanges(table_, snapshot_));
    }
    return Status::OK();
  }

  Status Take(const Result<CommitResult>& committed) {
    SLUICE_RETURN_NOT_OK(committed.status());
    snapshot_ = committed->snapshot;
    return Status::OK();
  }

  /// Takes a property that switches the feature on away, in a commit of its own.
  Status Unset(const std::string& key, const std::string& value) {
    Metadata metadata = snapshot_->metadata();
    const auto it = metadata.configuration.find(key);
    if (it == metadata.configuration.end() || it->second != value) return Status::OK();
    metadata.configuration.erase(it);
    Transaction transaction = table_.NewTransaction(snapshot_);
    transaction.SetRulesChecked();
    transaction.SetMetadata(std::move(metadata));
    transaction.SetOperation("UNSET TBLPROPERTIES",
                             {{"properties", "[\"" + key + "\"]"}, {"ifExists", "true"}});
    return Commit(&transaction);
  }

  Status RemoveVectors() {
    SLUICE_RETURN_NOT_OK(Unset("delta.enableDeletionVectors", "true"));
    CompactionOptions purge;
    purge.kind = CompactionKind::kPurge;
    purge.workers = options_.workers;
    SLUICE_RETURN_NOT_OK(Compact(table_, purge).status());
    SLUICE_ASSIGN_OR_RETURN(snapshot_, table_.Update());
    return KeepVectorFiles();
  }

  /// VACUUM of those who do not know vectors keeps the files of those that older versions need: a
  /// tombstone names each.
  Status KeepVectorFiles() {
    std::set<std::string> paths;
    std::set<std::string> named;  // by an earlier call
    Status status;
    snapshot_->ForEachTombstone([&](const RemoveFile& remove) {
      const auto& vector = remove.deletion_vector;
      if (!vector.has_value()) named.insert(remove.path);
      if (!vector.has_value() || vector->storage_type != 'u' || !status.ok()) return;
      const auto path = DeletionVectorPath(table_.path(), *vector);
      if (!path.ok()) {
        status = path.status();
      } else if (path->starts_with(table_.path() + "/")) {
        paths.insert(EncodePath(path->substr(table_.path().size() + 1)));
      }
    });
    SLUICE_RETURN_NOT_OK(status);
    std::erase_if(paths, [&](const std::string& path) { return named.contains(path); });
    if (paths.empty()) return Status::OK();
    Transaction transaction = table_.NewTransaction(snapshot_);
    transaction.SetRulesChecked();
    for (const std::string& path : paths) {
      AddFile file;
      file.path = path;
      transaction.Remove(file, /*data_change=*/false);
    }
    transaction.SetOperation("Deletion Vector Tombstones");
    return Commit(&transaction);
  }

  Status WriteBarrier() {
    for (int i = 0; i < kBarrierCheckpoints; ++i) {
      Transaction transaction = table_.NewTransaction(snapshot_);
      transaction.SetRulesChecked();
      transaction.SetOperation("Empty Commit");
      SLUICE_RETURN_NOT_OK(Commit(&transaction));
      SLUICE_RETURN_NOT_OK(table_.Checkpoint());
    }
    return Status::OK();
  }

  /// Deletes the history that may need the feature, as far as it is old enough.
  Status TruncateHistory() {
    SLUICE_RETURN_NOT_OK(table_.Checkpoint());
    SLUICE_ASSIGN_OR_RETURN(snapshot_, table_.Update());
    const auto& configuration = snapshot_->metadata().configuration;
    const auto set = configuration.find(kHistoryRetention);
    SLUICE_ASSIGN_OR_RETURN(const int64_t retention_ms,
                            ParseInterval(set == configuration.end() ? "24 hours" : set->second));
    const int64_t before_ms = table_.clock().NowMicros() / 1000 - retention_ms;
    SLUICE_RETURN_NOT_OK(
        CleanUpLog(table_.storage(), table_.path(), before_ms, ProtectedBefore(configuration))
            .status());
    SLUICE_ASSIGN_OR_RETURN(const bool needed, HistoryNeedsFeature());
    if (!needed) return Status::OK();
    return MakeError("DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD",
                     "the newest version of " + table_.path() + " no longer needs the feature " +
                         feature_ + ", older ones do",
                     "run the statement again when they are older than " +
                         std::to_string(retention_ms / 3600000) + " hours (" + kHistoryRetention +
                         "), or without TRUNCATE HISTORY",
                     Retry::kLater);
  }

  Result<bool> HistoryNeedsFeature() const {
    SLUICE_ASSIGN_OR_RETURN(const LogSegment segment,
                            ListLog(table_.storage(), table_.path(), std::nullopt));
    if (feature_ == kProtection) {
      return !segment.commits.empty() && VersionOf(segment.commits.front()).value() <
                                             ProtectedBefore(snapshot_->metadata().configuration);
    }
    if (feature_ == "v2Checkpoint") {
      return std::any_of(segment.checkpoints.begin(), segment.checkpoints.end(),
                         [](const CheckpointFiles& files) {
                           const auto name = ParseLogFileName(files.paths[0]);
                           return name->kind == LogFileName::Kind::kCheckpointV2;
                         });
    }
    for (const storage::FileInfo& commit : segment.commits) {
      SLUICE_ASSIGN_OR_RETURN(const auto actions, table_.ReadCommit(VersionOf(commit)));
      for (const Action& action : actions) {
        const auto* add = std::get_if<AddFile>(&action);
        const bool hides = add != nullptr && add->deletion_vector.has_value();
        if (feature_ == "deletionVectors" && hides) return true;
        const auto* metadata = std::get_if<Metadata>(&action);
        if (metadata != nullptr && Uses(*metadata)) return true;
      }
    }
    return false;
  }

  /// Whether columns of `metadata` are read as the feature says.
  bool Uses(const Metadata& metadata) const {
    if (feature_ == "typeWidening")
      return metadata.schema_string.find("\"delta.typeChanges\"") != std::string::npos;
    const auto mode = metadata.configuration.find("delta.columnMapping.mode");
    return feature_ == "columnMapping" && mode != metadata.configuration.end() &&
           mode->second != "none";
  }

  Result<CommitResult> Drop() {
    Transaction transaction = table_.NewTransaction(snapshot_);
    transaction.SetRulesChecked();
    transaction.ReadWholeTable();  // nobody uses the feature again on the way
    Protocol protocol = WithoutFeature(snapshot_->protocol(), feature_);
    Metadata metadata = snapshot_->metadata();
    if (NeedsHistory(feature_) && !options_.truncate_history) {
      protocol =
          ProtocolFor(*snapshot_->schema(), TableProperties(),
                      {{std::string("delta.feature.") + kProtection, "supported"}}, protocol);
      metadata.configuration[kProtectedBefore] = snapshot_->version().Next().ToString();
    }
    if (feature_ == kProtection) metadata.configuration.erase(kProtectedBefore);
    if (feature_ == "inCommitTimestamp") {
      std::erase_if(metadata.configuration, [](const auto& entry) {
        return entry.first == "delta.enableInCommitTimestamps" ||
               entry.first.starts_with("delta.inCommitTimestampEnablement");
      });
    }
    if (feature_ == "rowTracking") {
      std::erase_if(metadata.configuration, [](const auto& entry) {
        return entry.first == "delta.enableRowTracking" ||
               entry.first == "delta.rowTrackingSuspended" ||
               entry.first.starts_with("delta.rowTracking.");
      });
      const auto& domains = snapshot_->domain_metadata();
      if (const auto it = domains.find("delta.rowTracking"); it != domains.end()) {
        DomainMetadata domain = it->second;
        domain.removed = true;
        transaction.SetDomainMetadata(std::move(domain));
      }
    }
    if (feature_ == "clustering" && snapshot_->domain_metadata().contains(kClusteringDomain)) {
      DomainMetadata domain = snapshot_->domain_metadata().at(kClusteringDomain);
      domain.removed = true;
      transaction.SetDomainMetadata(std::move(domain));
    }
    if (!(metadata == snapshot_->metadata())) transaction.SetMetadata(std::move(metadata));
    transaction.SetProtocol(std::move(protocol));
    transaction.SetOperation("DROP FEATURE",
                             {{"featureName", feature_},
                              {"truncateHistory", options_.truncate_history ? "true" : "false"}});
    return transaction.Commit();
  }

  Status Commit(Transaction* transaction) {
    SLUICE_ASSIGN_OR_RETURN(const auto committed, transaction->Commit());
    snapshot_ = committed.snapshot;
    return Status::OK();
  }

  Table& table_;
  const std::string feature_;
  const DropFeatureOptions& options_;
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace

Result<CommitResult> DropFeature(Table& table, const std::string& feature,
                                 const DropFeatureOptions& options) {
  return FeatureDrop(table, SpelledFeature(feature), options).Run();
}

}  // namespace sluice::delta
