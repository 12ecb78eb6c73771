// The satellites of a flow's target: staged with the epoch, committed after it, redone on recovery.
#include <utility>

#include "base/log.h"
#include "sinks/flow_table.h"

namespace sluice::sinks {

Result<std::shared_ptr<delta::Table>> FlowTable::OpenSatellite(const std::string& name,
                                                               const arrow::Schema* schema) {
  const auto options = options_.satellites.find(name);
  if (options == options_.satellites.end()) {
    return MakeError("FLOW_DEFINITION",
                     "flow " + options_.flow_name + " has no satellite table named " + name);
  }
  SLUICE_ASSIGN_OR_RETURN(const bool exists, tables_.Exists(options->second.path));
  if (exists) return tables_.Open(options->second.path);
  if (schema == nullptr) return nullptr;
  delta::CreateOptions create;
  create.schema = std::make_shared<arrow::Schema>(*schema);
  create.partition_columns = options->second.partition_columns;
  create.properties = options->second.properties;
  create.properties[GenerationProperty(options_.flow_name)] = std::to_string(identity_.generation);
  auto created = tables_.Create(options->second.path, create);
  // Another flow that shares it was faster.
  if (HasCode(created.status(), "DELTA_TABLE_EXISTS")) return tables_.Open(options->second.path);
  return created;
}

Status FlowTable::StageSatellites(flow::SatelliteRows rows, StagedFiles* staged) {
  for (auto& [name, batches] : rows) {
    if (batches.empty()) continue;
    SLUICE_ASSIGN_OR_RETURN(const auto table, OpenSatellite(name, batches.front()->schema().get()));
    SatelliteFiles satellite{name, table->path(), 0, {}};
    const auto snapshot = table->Current();
    std::vector<std::shared_ptr<arrow::RecordBatch>> conformed;
    for (const auto& batch : batches) {
      SLUICE_ASSIGN_OR_RETURN(auto part, Conform(batch, *snapshot));
      satellite.rows += part->num_rows();
      conformed.push_back(std::move(part));
    }
    SLUICE_ASSIGN_OR_RETURN(satellite.files, WriteFiles(*table, conformed));
    staged->satellites.push_back(std::move(satellite));
  }
  return Status::OK();
}

Status FlowTable::CommitSatellites(const StagedFiles& staged) {
  for (const SatelliteFiles& satellite : staged.satellites) {
    SLUICE_RETURN_NOT_OK(AddToSatellite(satellite, staged.record().number));
  }
  return Status::OK();
}

Status FlowTable::AddToSatellite(const SatelliteFiles& files, EpochNumber epoch) {
  // The warehouse may have been moved since the commit was written.
  const auto options = options_.satellites.find(files.name);
  const std::string& path =
      options == options_.satellites.end() ? files.path : options->second.path;
  SLUICE_ASSIGN_OR_RETURN(const bool exists, tables_.Exists(path));
  if (!exists) {
    log::Warn("flow {}: satellite table {} was dropped; {} rows of epoch {} went with it",
              options_.flow_name, path, files.rows, epoch.value());
    return Status::OK();
  }
  SLUICE_ASSIGN_OR_RETURN(const auto table, tables_.Open(path));
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto snapshot, table->Update());
    const auto stands = snapshot->TxnVersion(identity_.EpochId());
    if (stands.has_value() && *stands >= epoch.value()) return Status::OK();
    delta::Transaction transaction = table->NewTransaction(snapshot);
    transaction.RequireTxn(identity_.EpochId(), stands);
    transaction.SetTxn(identity_.EpochId(), epoch.value());
    transaction.Add(files.files);
    transaction.SetOperation(
        "STREAMING UPDATE",
        {{"outputMode", "Append"}, {"queryId", identity_.uuid}, {"epochId", epoch.ToString()}});
    transaction.SetMetric("numOutputRows", files.rows);
    const Status status = transaction.Commit().status();
    if (!HasCode(status, "DELTA_TXN_CHANGED")) return WithContext(status, "table " + path);
  }
}

Status FlowTable::EmptyOldSatellites() {
  if (identity_.generation == 0) return Status::OK();
  const std::string property = GenerationProperty(options_.flow_name);
  const std::string generation = std::to_string(identity_.generation);
  for (const auto& [name, options] : options_.satellites) {
    SLUICE_ASSIGN_OR_RETURN(const auto table, OpenSatellite(name, nullptr));
    if (table == nullptr) continue;
    SLUICE_ASSIGN_OR_RETURN(const auto snapshot, table->Update());
    delta::Metadata metadata = snapshot->metadata();
    if (metadata.configuration[property] == generation) continue;
    metadata.configuration[property] = generation;
    delta::Transaction transaction = table->NewTransaction(snapshot);
    transaction.ReadWholeTable();
    snapshot->ForEachFile([&](const delta::AddFile& file) { transaction.Remove(file); });
    transaction.SetMetadata(std::move(metadata));
    transaction.SetOperation("FULL REFRESH", {{"flow", options_.flow_name}});
    SLUICE_RETURN_NOT_OK(transaction.Commit().status());
  }
  return Status::OK();
}

}  // namespace sluice::sinks
