#include "delta/log/table.h"

#include <algorithm>

#include "base/log.h"
#include "delta/log/checkpoint.h"
#include "delta/log/first_commit.h"
#include "delta/log/log_cleanup.h"
#include "delta/log/log_segment.h"
#include "delta/log/table_metadata.h"
#include "delta/log/version_checksum.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/table_features.h"

namespace sluice::delta {
namespace {

std::string WithoutTrailingSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

/// The first commit of a table that `options` describe.
struct FirstCommit {
  TableProperties properties;
  CommitInfo info;
  std::vector<Action> actions;  // protocol, metadata
};

CommitInfo CreationInfo(const CreateOptions& options, std::string txn_id) {
  CommitInfo info;
  StringMap shown = options.properties;
  EraseProtocolProperties(&shown);  // the protocol says it
  info.operation = "CREATE TABLE";
  info.operation_parameters = {{"partitionBy", NamesJson(options.partition_columns)},
                               {"clusterBy", "[]"},
                               {"properties", StringMapToJson(shown)},
                               {"description", options.description.value_or("")},
                               {"isManaged", "false"}};
  info.is_blind_append = true;
  info.txn_id = std::move(txn_id);
  info.extra = options.commit_extra;
  return info;
}

Result<FirstCommit> DescribeTable(const CreateOptions& options, Clock& clock,
                                  const std::function<std::string()>& new_uuid) {
  FirstCommit commit;
  SLUICE_ASSIGN_OR_RETURN(auto schema, TableSchemaOf(*options.schema));
  SLUICE_RETURN_NOT_OK(CheckPartitioning(*schema, options.partition_columns));
  SLUICE_ASSIGN_OR_RETURN(commit.properties, ParseTableProperties(options.properties));
  Metadata metadata;
  metadata.id = new_uuid();
  metadata.name = options.name;
  metadata.description = options.description;
  SLUICE_ASSIGN_OR_RETURN(metadata.schema_string, SchemaToJson(*schema));
  metadata.partition_columns = options.partition_columns;
  metadata.created_time_ms = clock.NowMicros() / 1000;
  metadata.configuration = options.properties;
  SLUICE_RETURN_NOT_OK(CompleteMetadata(nullptr, new_uuid, &metadata));
  SLUICE_ASSIGN_OR_RETURN(schema, SchemaFromJson(metadata.schema_string));
  const Protocol protocol = ProtocolFor(*schema, commit.properties, metadata.configuration);
  EraseProtocolProperties(&metadata.configuration);
  SLUICE_RETURN_NOT_OK(CheckWritable(protocol, metadata, *schema, /*rules_checked=*/true));
  commit.info = CreationInfo(options, new_uuid());
  commit.actions = {protocol, std::move(metadata)};
  return commit;
}

}  // namespace

Result<std::shared_ptr<Table>> Table::Create(const TableContext& context, const std::string& path,
                                             const CreateOptions& options, uint64_t seed) {
  SLUICE_RETURN_NOT_OK(CheckAbsent(context, path));
  std::shared_ptr<Table> table(new Table(context, WithoutTrailingSlash(path), seed));
  SLUICE_ASSIGN_OR_RETURN(
      auto commit, DescribeTable(options, context.clock, [&table] { return table->NewUuid(); }));
  if (options.fill != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(const auto empty, Snapshot::OfNewTable(table->path_, commit.actions));
    SLUICE_RETURN_NOT_OK(options.fill(*table, empty, &commit.info, &commit.actions));
  }
  SLUICE_RETURN_NOT_OK(PutFirstCommit(context, table->path_, commit.properties,
                                      std::move(commit.info), commit.actions));
  SLUICE_ASSIGN_OR_RETURN(
      auto snapshot, Snapshot::Load(context.storage, table->path_, std::nullopt, context.workers));
  table->Advance(snapshot);
  WriteChecksum(context.storage, *snapshot);
  return table;
}

Result<std::shared_ptr<Table>> Table::Open(const TableContext& context, const std::string& path,
                                           uint64_t seed) {
  std::shared_ptr<Table> table(new Table(context, WithoutTrailingSlash(path), seed));
  SLUICE_ASSIGN_OR_RETURN(
      auto snapshot, Snapshot::Load(context.storage, table->path_, std::nullopt, context.workers));
  table->Advance(snapshot);
  return table;
}

Result<bool> Table::Exists(storage::Storage& storage, const std::string& path) {
  const auto first = storage.Stat(CommitPath(path, TableVersion(0)));
  if (first.ok()) return true;
  SLUICE_ASSIGN_OR_RETURN(const auto files, storage.List(LogFolder(path)));
  return std::any_of(files.begin(), files.end(), [](const storage::FileInfo& file) {
    return ParseLogFileName(file.path).has_value();
  });
}

std::shared_ptr<const Snapshot> Table::Current() const {
  const MutexLock lock(mutex_);
  return current_;
}

void Table::Advance(const std::shared_ptr<const Snapshot>& snapshot) {
  const MutexLock lock(mutex_);
  if (current_ == nullptr || snapshot->version() > current_->version()) current_ = snapshot;
  looked_micros_ = context_.clock.SteadyMicros();
}

bool Table::LookedLongAgo() const {
  constexpr int64_t kLongMicros = 60'000'000;
  const MutexLock lock(mutex_);
  return context_.clock.SteadyMicros() - looked_micros_ > kLongMicros;
}

Result<std::shared_ptr<const Snapshot>> Table::Update() {
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot,
                          Current()->Update(context_.storage, context_.workers));
  Advance(snapshot);
  return Current();
}

Result<std::shared_ptr<const Snapshot>> Table::SnapshotAt(TableVersion version) const {
  const auto current = Current();
  if (current->version() == version) return current;
  return Snapshot::Load(context_.storage, path_, version, context_.workers);
}

Result<std::vector<Action>> Table::ReadCommit(TableVersion version) const {
  const std::string path = CommitPath(path_, version);
  auto text = context_.storage.Read(path);
  if (!text.ok()) {
    if (!HasCode(text.status(), "STORAGE_NOT_FOUND")) return text.status();
    return MakeError("DELTA_VERSION_NOT_FOUND",
                     "log of " + path_ + " has no commit " + version.ToString(),
                     "older commits are deleted after delta.logRetentionDuration");
  }
  return ParseCommitJson(*text, path);
}

Transaction Table::NewTransaction(std::shared_ptr<const Snapshot> snapshot) {
  return Transaction(*this, std::move(snapshot));
}

Result<MaintenanceReport> Table::Maintain() {
  const MutexLock lock(maintenance_mutex_);
  MaintenanceReport report;
  const auto snapshot = Current();
  const TableProperties& properties = snapshot->properties();
  const int64_t last = std::max<int64_t>(snapshot->checkpoint_version().value(), 0);
  if (snapshot->version().value() - last < properties.checkpoint_interval) return report;
  SLUICE_RETURN_NOT_OK(WriteCheckpoint(*snapshot));
  report.checkpoint = snapshot->version();
  if (!properties.enable_expired_log_cleanup) return report;
  const int64_t before_ms = context_.clock.NowMicros() / 1000 - properties.log_retention_ms;
  SLUICE_ASSIGN_OR_RETURN(report.log_files_deleted,
                          CleanUpLog(context_.storage, path_, before_ms,
                                     ProtectedBefore(snapshot->metadata().configuration)));
  return report;
}

Status Table::Checkpoint() {
  const MutexLock lock(maintenance_mutex_);
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, Update());
  return WriteCheckpoint(*snapshot);
}

Status Table::WriteCheckpoint(const Snapshot& snapshot) {
  const int64_t now_ms = context_.clock.NowMicros() / 1000;
  SLUICE_RETURN_NOT_OK(delta::WriteCheckpoint(
      context_.storage, snapshot, CheckpointOptions{now_ms, [this] { return NewUuid(); }}));
  // With checkpoints and not with every commit, whose latency is an epoch's.
  WriteChecksum(context_.storage, snapshot);
  const int64_t tombstones_before = now_ms - snapshot.properties().deleted_file_retention_ms;
  const MutexLock lock(mutex_);
  current_ = current_->WithCheckpoint(snapshot.version(), tombstones_before);
  return Status::OK();
}

std::string Table::NewUuid() {
  const MutexLock lock(mutex_);
  return random_.Uuid();
}

int64_t Table::RandomBelow(int64_t bound) {
  const MutexLock lock(mutex_);
  return static_cast<int64_t>(random_.Below(static_cast<uint64_t>(std::max<int64_t>(bound, 1))));
}

}  // namespace sluice::delta
