#include "delta/table.h"

#include <algorithm>

#include "base/log.h"
#include "delta/action_json.h"
#include "delta/checkpoint.h"
#include "delta/log_cleanup.h"
#include "delta/log_segment.h"
#include "delta/schema_json.h"
#include "delta/table_features.h"
#include "delta/table_metadata.h"
#include "delta/version_checksum.h"

namespace sluice::delta {
namespace {

constexpr char kEngineInfo[] = "Sluice/0.1.0";

std::string WithoutTrailingSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string PartitionByJson(const std::vector<std::string>& columns) {
  std::string json = "[";
  for (const std::string& column : columns) {
    if (json.size() > 1) json += ',';
    AppendJsonString(column, &json);
  }
  return json + "]";
}

Result<std::vector<Action>> FirstCommit(const CreateOptions& options, Clock& clock,
                                        const std::function<std::string()>& new_uuid,
                                        const std::string& txn_id) {
  SLUICE_ASSIGN_OR_RETURN(auto schema, TableSchemaOf(*options.schema));
  SLUICE_RETURN_NOT_OK(CheckPartitioning(*schema, options.partition_columns));
  SLUICE_ASSIGN_OR_RETURN(const TableProperties properties,
                          ParseTableProperties(options.properties));
  const int64_t now_ms = clock.NowMicros() / 1000;
  Metadata metadata;
  metadata.id = new_uuid();
  metadata.name = options.name;
  metadata.description = options.description;
  SLUICE_ASSIGN_OR_RETURN(metadata.schema_string, SchemaToJson(*schema));
  metadata.partition_columns = options.partition_columns;
  metadata.created_time_ms = now_ms;
  metadata.configuration = options.properties;
  SLUICE_RETURN_NOT_OK(CompleteMetadata(nullptr, new_uuid, &metadata));
  SLUICE_ASSIGN_OR_RETURN(schema, SchemaFromJson(metadata.schema_string));
  const Protocol protocol = ProtocolFor(*schema, properties, metadata.configuration);
  EraseProtocolProperties(&metadata.configuration);
  SLUICE_RETURN_NOT_OK(CheckWritable(protocol, metadata, *schema, /*rules_checked=*/true));
  CommitInfo info;
  info.timestamp_ms = now_ms;
  if (properties.enable_in_commit_timestamps) info.in_commit_timestamp_ms = now_ms;
  info.operation = "CREATE TABLE";
  info.operation_parameters = {{"partitionBy", PartitionByJson(options.partition_columns)},
                               {"properties", StringMapToJson(options.properties)},
                               {"description", options.description.value_or("")},
                               {"isManaged", "false"}};
  info.isolation_level = "Serializable";
  info.is_blind_append = true;
  info.engine_info = kEngineInfo;
  info.txn_id = txn_id;
  info.extra = options.commit_extra;
  return std::vector<Action>{std::move(info), protocol, std::move(metadata)};
}

}  // namespace

Result<std::shared_ptr<Table>> Table::Create(const TableContext& context, const std::string& path,
                                             const CreateOptions& options, uint64_t seed) {
  SLUICE_ASSIGN_OR_RETURN(const bool exists, Exists(context.storage, path));
  const Status taken =
      MakeError("DELTA_TABLE_EXISTS", "there is a Delta table already at " + path, "open it");
  if (exists) return taken;
  std::shared_ptr<Table> table(new Table(context, WithoutTrailingSlash(path), seed));
  const std::string txn_id = table->NewUuid();
  SLUICE_ASSIGN_OR_RETURN(const auto actions, FirstCommit(
                                                  options, context.clock,
                                                  [&table] { return table->NewUuid(); }, txn_id));
  std::string text;
  for (const Action& action : actions) AppendActionJson(action, &text);
  const std::string first = CommitPath(table->path_, TableVersion(0));
  const Status put = context.storage.PutIfAbsent(first, text);
  if (!put.ok()) {
    const auto found = context.storage.Read(first);  // the reply may have been lost
    if (!found.ok()) return put;
    if (found->find(txn_id) == std::string::npos) return taken;
  }
  SLUICE_ASSIGN_OR_RETURN(auto snapshot, Snapshot::Load(context.storage, table->path_));
  table->Advance(snapshot);
  WriteChecksum(context.storage, *snapshot);
  return table;
}

Result<std::shared_ptr<Table>> Table::Open(const TableContext& context, const std::string& path,
                                           uint64_t seed) {
  std::shared_ptr<Table> table(new Table(context, WithoutTrailingSlash(path), seed));
  SLUICE_ASSIGN_OR_RETURN(auto snapshot, Snapshot::Load(context.storage, table->path_));
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
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, Current()->Update(context_.storage));
  Advance(snapshot);
  return Current();
}

Result<std::shared_ptr<const Snapshot>> Table::SnapshotAt(TableVersion version) const {
  const auto current = Current();
  if (current->version() == version) return current;
  return Snapshot::Load(context_.storage, path_, version);
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
  SLUICE_ASSIGN_OR_RETURN(report.log_files_deleted, CleanUpLog(context_.storage, path_, before_ms));
  return report;
}

Status Table::Checkpoint() {
  const MutexLock lock(maintenance_mutex_);
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, Update());
  return WriteCheckpoint(*snapshot);
}

Status Table::WriteCheckpoint(const Snapshot& snapshot) {
  const int64_t now_ms = context_.clock.NowMicros() / 1000;
  SLUICE_RETURN_NOT_OK(delta::WriteCheckpoint(context_.storage, snapshot, now_ms));
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
