#include "sinks/flow_table.h"

#include <arrow/api.h>
#include <arrow/compute/cast.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/log.h"
#include "delta/protocol/schema_json.h"

namespace sluice::sinks {
namespace {

// Conflicting changes of a definition (two flows starting on one table) are tried again so often.
constexpr int kDefinitionAttempts = 8;

bool SameName(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

int FindColumn(const arrow::Schema& schema, const std::string& name) {
  const int exact = schema.GetFieldIndex(name);
  if (exact >= 0) return exact;
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (SameName(schema.field(i)->name(), name)) return i;
  }
  return -1;
}

Status Mismatch(const DeltaSinkOptions& options, const std::string& what) {
  return MakeError("FLOW_SCHEMA_MISMATCH",
                   fmt::format("flow {} does not fit the table at {}: {}", options.flow_name,
                               options.table_path, what),
                   "change the query, or run with --full-refresh to make the table anew");
}

void SetEpochOperation(const flow::EpochRecord& record, const FlowIdentity& identity,
                       delta::Transaction* transaction) {
  transaction->SetOperation("STREAMING UPDATE", {{"outputMode", "Append"},
                                                 {"queryId", identity.uuid},
                                                 {"epochId", record.number.ToString()}});
}

EpochNumber FirstEpoch(const flow::EpochRecord& record) {
  return record.merged.empty() ? record.number : record.merged.front().number;
}

}  // namespace

StagedFiles::~StagedFiles() {
  if (commit_tried) return;
  // Best effort: what stays is an orphan for VACUUM.
  const auto drop = [&](const std::string& folder, const std::vector<delta::AddFile>& adds) {
    for (const delta::AddFile& add : adds) {
      (void)table_->storage().Delete(folder + "/" + add.path).ok();
    }
  };
  drop(table_->path(), files);
  for (const SatelliteFiles& satellite : satellites) drop(satellite.path, satellite.files);
}

FlowTable::FlowTable(DeltaSinkOptions options, delta::TableRegistry& tables, uint64_t seed)
    : options_(std::move(options)),
      tables_(tables),
      random_(seed),
      token_(random_.Uuid()),
      upkeep_(options_.upkeep) {}

Status FlowTable::OpenTarget() {
  SLUICE_ASSIGN_OR_RETURN(const bool exists, tables_.Exists(options_.table_path));
  if (!exists) {
    delta::CreateOptions create;
    create.schema = options_.schema;
    create.partition_columns = options_.partition_columns;
    create.properties = options_.properties;
    create.properties[UuidProperty(options_.flow_name)] = random_.Uuid();
    create.name = options_.table_name;
    create.description = options_.comment;
    auto created = tables_.Create(options_.table_path, create);
    if (created.ok()) {
      table_ = *created;
      return Status::OK();
    }
    if (!HasCode(created.status(), "DELTA_TABLE_EXISTS")) return created.status();
  }
  SLUICE_ASSIGN_OR_RETURN(table_, tables_.Open(options_.table_path));
  return table_->Update().status();
}

Result<std::optional<delta::Metadata>> FlowTable::ChangedMetadata(const delta::Snapshot& snapshot) {
  delta::Metadata metadata = snapshot.metadata();
  if (options_.partition_columns != metadata.partition_columns) {
    return Mismatch(options_, "it is partitioned by other columns");
  }
  SLUICE_ASSIGN_OR_RETURN(const auto wanted, delta::TableSchemaOf(*options_.schema));
  std::vector<std::shared_ptr<arrow::Field>> fields = snapshot.schema()->fields();
  const size_t before = fields.size();
  for (const auto& field : wanted->fields()) {
    const int at = FindColumn(*snapshot.schema(), field->name());
    if (at < 0) {
      if (!options_.add_columns)
        return Mismatch(options_, "the table has no column " + field->name());
      fields.push_back(field->WithNullable(true));
    } else if (!snapshot.schema()->field(at)->type()->Equals(field->type())) {
      return Mismatch(
          options_,
          fmt::format("column {} is {} in the table and {} in the query", field->name(),
                      snapshot.schema()->field(at)->type()->ToString(), field->type()->ToString()));
    }
  }
  if (fields.size() > before) {
    SLUICE_ASSIGN_OR_RETURN(metadata.schema_string, delta::SchemaToJson(arrow::Schema(fields)));
  }
  for (const auto& [key, value] : options_.properties) metadata.configuration[key] = value;
  metadata.configuration.try_emplace(UuidProperty(options_.flow_name), random_.Uuid());
  if (metadata == snapshot.metadata()) return std::nullopt;
  return metadata;
}

Status FlowTable::EnsureDefinition() {
  for (int attempt = 0;; ++attempt) {
    const auto snapshot = table_->Current();
    SLUICE_ASSIGN_OR_RETURN(auto changed, ChangedMetadata(*snapshot));
    if (!changed.has_value()) return Status::OK();
    delta::Transaction transaction = table_->NewTransaction(snapshot);
    transaction.SetMetadata(std::move(*changed));
    transaction.SetOperation("CHANGE DEFINITION", {{"flow", options_.flow_name}});
    const Status status = transaction.Commit().status();
    if (status.ok()) return status;
    if (!HasCode(status, "DELTA_COMMIT_CONFLICT") || attempt == kDefinitionAttempts) return status;
    SLUICE_RETURN_NOT_OK(table_->Update().status());
  }
}

Result<flow::RecoveredFlow> FlowTable::Recover() {
  SLUICE_RETURN_NOT_OK(OpenTarget());
  SLUICE_RETURN_NOT_OK(EnsureDefinition());
  const auto snapshot = table_->Current();
  const auto identity = IdentityIn(snapshot->metadata(), options_.flow_name);
  SLUICE_CHECK(identity.has_value(), "the definition of the target names the flow");
  identity_ = *identity;
  flow::RecoveredFlow flow = ReadFlow(*snapshot, identity_);
  SLUICE_RETURN_NOT_OK(EmptyOldSatellites());
  if (!flow.last_epoch.has_value()) return flow;
  delta::CommitInfo info;
  SLUICE_ASSIGN_OR_RETURN(const auto last, LastCommit(*snapshot, *flow.last_epoch, &info));
  if (!last.has_value()) {
    log::Warn(
        "flow {}: the log no longer has the commit of epoch {}; its satellite tables are taken as "
        "they are",
        options_.flow_name, flow.last_epoch->value());
    return flow;
  }
  flow.committed_here = last->token == token_;
  flow.committed_by = fmt::format("process {} on {} at {} ms", last->pid,
                                  last->host.empty() ? "an unnamed host" : last->host,
                                  info.timestamp_ms.value_or(0));
  for (const SatelliteFiles& satellite : last->satellites) {
    SLUICE_RETURN_NOT_OK(AddToSatellite(satellite, last->epoch));
  }
  return flow;
}

Result<std::optional<FlowCommit>> FlowTable::LastCommit(const delta::Snapshot& snapshot,
                                                        EpochNumber epoch,
                                                        delta::CommitInfo* info) const {
  for (int64_t version = snapshot.version().value(); version >= 0; --version) {
    auto actions = table_->ReadCommit(TableVersion(version));
    if (!actions.ok()) {
      if (HasCode(actions.status(), "DELTA_VERSION_NOT_FOUND")) return std::nullopt;
      return actions.status();
    }
    for (const delta::Action& action : *actions) {
      const auto* found = std::get_if<delta::CommitInfo>(&action);
      if (found == nullptr) continue;
      auto commit = FlowCommitIn(*found, identity_);
      if (!commit.has_value() || commit->epoch != epoch) continue;
      *info = *found;
      return commit;
    }
  }
  return std::nullopt;
}

Result<std::shared_ptr<arrow::RecordBatch>> FlowTable::Conform(
    const std::shared_ptr<arrow::RecordBatch>& rows, const delta::Snapshot& snapshot) const {
  const arrow::Schema& schema = *snapshot.schema();
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const auto& field : schema.fields()) {
    const int at = FindColumn(*rows->schema(), field->name());
    std::shared_ptr<arrow::Array> column;
    if (at < 0) {
      SLUICE_ASSIGN_OR_RETURN(column, arrow::MakeArrayOfNull(field->type(), rows->num_rows()));
    } else {
      column = rows->column(at);
    }
    columns.push_back(std::move(column));
  }
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (int i = 0; i < schema.num_fields(); ++i) {
    fields.push_back(schema.field(i)->WithType(columns[static_cast<size_t>(i)]->type()));
  }
  return delta::AsTableReturns(
      arrow::RecordBatch::Make(arrow::schema(fields), rows->num_rows(), std::move(columns)),
      snapshot);
}

Result<std::vector<delta::AddFile>> FlowTable::WriteFiles(
    delta::Table& table, const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows) const {
  delta::DataFileOptions files;
  files.workers = options_.workers;
  SLUICE_ASSIGN_OR_RETURN(auto writer, delta::DataFileWriter::Make(table, table.Current(), files));
  for (const auto& batch : rows) SLUICE_RETURN_NOT_OK(writer->Write(batch));
  return writer->Finish();
}

void FlowTable::FillEpoch(const StagedFiles& staged, delta::Transaction* transaction) const {
  const flow::EpochRecord& record = staged.record();
  const auto& txns = transaction->read_snapshot()->txns();
  const int64_t retention_ms = transaction->read_snapshot()->properties().txn_retention_ms;
  const int64_t idle_before_ms = table_->clock().NowMicros() / 1000 - retention_ms / 3;
  const auto set = [&](const std::string& id, int64_t value) {
    const auto found = txns.find(id);
    const bool same = found != txns.end() && found->second.version == value;
    const bool idle =
        same && retention_ms > 0 && found->second.last_updated_ms.value_or(0) < idle_before_ms;
    if (!same || idle) transaction->SetTxn(id, value);
  };
  const int64_t first = FirstEpoch(record).value();
  transaction->RequireTxn(identity_.EpochId(),
                          first == 0 ? std::nullopt : std::optional<int64_t>(first - 1));
  for (const auto& [key, position] : record.from)
    transaction->RequireTxn(identity_.PositionId(key), position);
  for (const auto& [key, position] : record.to) {
    if (!record.from.contains(key))
      transaction->RequireTxn(identity_.PositionId(key), std::nullopt);
    set(identity_.PositionId(key), position);
  }
  for (const auto& [key, hash] : record.fingerprints) set(identity_.FingerprintId(key), hash);
  if (record.replay_epoch >= EpochNumber(0)) {
    for (const auto& [key, position] : record.replay_from) set(identity_.ReplayId(key), position);
    set(identity_.ReplayEpochId(), record.replay_epoch.value());
  }
  if (record.watermark != kNoTimestamp) set(identity_.WatermarkId(), record.watermark);
  transaction->SetTxn(identity_.EpochId(), record.number.value());
  SetEpochOperation(record, identity_, transaction);
  transaction->SetMetric("numOutputRows", staged.num_rows);
  FlowCommit commit{identity_.flow_name, identity_.uuid, identity_.generation,
                    record.number,       record.clock,   record.watermark,
                    options_.host,       options_.pid,   token_,
                    staged.satellites,   record.merged};
  transaction->SetExtra(kCommitInfoKey, FlowCommitToJson(commit));
}

Result<delta::CommitResult> FlowTable::Commit(StagedFiles* staged,
                                              delta::Transaction* transaction) {
  staged->commit_tried = true;
  auto result = transaction->Commit();
  if (result.ok()) return result;
  if (HasCode(result.status(), "DELTA_TXN_CHANGED")) return ForeignAdvance(result.status());
  return WithContext(result.status(), "table " + options_.table_path);
}

Status FlowTable::ForeignAdvance(const Status& cause) {
  std::string by;
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, table_->Update());
  const auto identity = IdentityIn(snapshot->metadata(), options_.flow_name);
  if (identity.has_value() && identity->generation == identity_.generation) {
    const flow::RecoveredFlow flow = ReadFlow(*snapshot, identity_);
    delta::CommitInfo info;
    if (flow.last_epoch.has_value()) {
      SLUICE_ASSIGN_OR_RETURN(const auto last, LastCommit(*snapshot, *flow.last_epoch, &info));
      if (last.has_value()) {
        by = fmt::format(
            "; epoch {} was committed by process {} on {} at {} ms", last->epoch.value(), last->pid,
            last->host.empty() ? "an unnamed host" : last->host, info.timestamp_ms.value_or(0));
      }
    }
  }
  return MakeError(
      "FLOW_FOREIGN_ADVANCE",
      fmt::format("positions of flow {} in {} were moved by somebody else{} ({})",
                  options_.flow_name, options_.table_path, by, cause.message()),
      "one process runs a pipeline at a time: stop the other one, then start this one again");
}

Result<std::vector<flow::EpochMark>> FlowTable::History(EpochNumber after) const {
  const auto snapshot = table_->Current();
  std::vector<flow::EpochMark> marks;  // newest first
  const auto last = snapshot->TxnVersion(identity_.EpochId());
  if (!last.has_value()) return marks;
  EpochNumber wanted(*last);
  for (int64_t version = snapshot->version().value(); version >= 0 && wanted > after; --version) {
    auto actions = table_->ReadCommit(TableVersion(version));
    if (!actions.ok()) {
      if (HasCode(actions.status(), "DELTA_VERSION_NOT_FOUND")) break;
      return actions.status();
    }
    std::optional<FlowCommit> commit;
    flow::EpochMark mark;
    const std::string prefix = identity_.Prefix() + "/";
    for (const delta::Action& action : *actions) {
      if (const auto* info = std::get_if<delta::CommitInfo>(&action))
        commit = FlowCommitIn(*info, identity_);
      const auto* txn = std::get_if<delta::Txn>(&action);
      if (txn == nullptr || !txn->app_id.starts_with(prefix)) continue;
      std::string key = txn->app_id.substr(prefix.size());
      if (key.find('#') == std::string::npos) mark.to.emplace(std::move(key), txn->version);
    }
    // Epochs of a branch that RESTORE abandoned have other numbers than the one wanted next.
    if (!commit.has_value() || commit->epoch != wanted) continue;
    mark.number = commit->epoch;
    mark.clock = commit->clock;
    mark.watermark = commit->watermark;
    marks.push_back(std::move(mark));
    std::move(commit->merged.rbegin(), commit->merged.rend(), std::back_inserter(marks));
    wanted = EpochNumber(marks.back().number.value() - 1);
  }
  std::reverse(marks.begin(), marks.end());
  std::erase_if(marks, [&](const flow::EpochMark& mark) { return mark.number <= after; });
  return marks;
}

Result<std::optional<TableVersion>> FlowTable::RefreshPositions() {
  const auto snapshot = table_->Current();
  const int64_t retention_ms = snapshot->properties().txn_retention_ms;
  if (retention_ms <= 0) return std::nullopt;
  const int64_t before_ms = table_->clock().NowMicros() / 1000 - retention_ms / 3;
  delta::Transaction transaction = table_->NewTransaction(snapshot);
  bool due = false;
  const std::string prefix = identity_.Prefix() + "/";
  const auto& txns = snapshot->txns();
  for (auto it = txns.lower_bound(prefix); it != txns.end() && it->first.starts_with(prefix);
       ++it) {
    due = due || it->second.last_updated_ms.value_or(0) < before_ms;
    transaction.RequireTxn(it->first, it->second.version);
    transaction.SetTxn(it->first, it->second.version);
  }
  if (!due) return std::nullopt;
  transaction.SetOperation("REFRESH POSITIONS", {{"flow", options_.flow_name}});
  const auto committed = transaction.Commit();
  // An epoch was committed meanwhile: it does the same.
  if (HasCode(committed.status(), "DELTA_TXN_CHANGED")) return std::nullopt;
  SLUICE_RETURN_NOT_OK(committed.status());
  return committed->version;
}

}  // namespace sluice::sinks
