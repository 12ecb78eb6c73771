#include "sinks/delta_append_sink.h"

#include <utility>

#include "sinks/flow_table.h"

namespace sluice::sinks {

DeltaAppendSink::DeltaAppendSink(std::unique_ptr<FlowTable> table) : table_(std::move(table)) {}
DeltaAppendSink::~DeltaAppendSink() = default;

Result<std::unique_ptr<DeltaAppendSink>> DeltaAppendSink::Make(DeltaSinkOptions options,
                                                               delta::TableRegistry& tables,
                                                               uint64_t seed) {
  if (options.schema == nullptr || options.schema->num_fields() == 0) {
    return MakeError("FLOW_DEFINITION", "table has no columns: " + options.table_path);
  }
  return std::unique_ptr<DeltaAppendSink>(
      new DeltaAppendSink(std::make_unique<FlowTable>(std::move(options), tables, seed)));
}

Result<flow::RecoveredFlow> DeltaAppendSink::Recover() { return table_->Recover(); }

Result<std::unique_ptr<flow::StagedEpoch>> DeltaAppendSink::Stage(flow::EpochOutput output) {
  if (!output.deletes.empty()) {
    return MakeError("FLOW_DEFINITION",
                     "a streaming table takes no deletes: " + table_->options().table_path);
  }
  auto staged = std::make_unique<StagedFiles>(table_->table(), std::move(output.record));
  const auto snapshot = table_->table()->Current();
  for (const auto& batch : output.rows) {
    SLUICE_ASSIGN_OR_RETURN(auto rows, table_->Conform(batch, *snapshot));
    staged->num_rows += rows->num_rows();
    staged->rows.push_back(std::move(rows));
  }
  output.rows.clear();
  if (staged->num_rows > 0) {
    SLUICE_ASSIGN_OR_RETURN(staged->files, table_->WriteFiles(*table_->table(), staged->rows));
  }
  SLUICE_RETURN_NOT_OK(table_->StageSatellites(std::move(output.satellites), staged.get()));
  return staged;
}

Result<flow::CommittedEpoch> DeltaAppendSink::Commit(flow::StagedEpoch* staged) {
  auto* files = static_cast<StagedFiles*>(staged);
  delta::Transaction transaction = table_->table()->NewTransaction();
  table_->FillEpoch(*files, &transaction);
  transaction.Add(files->files);
  SLUICE_ASSIGN_OR_RETURN(const delta::CommitResult result, table_->Commit(files, &transaction));
  flow::CommittedEpoch committed;
  committed.version = result.version;
  committed.rows = std::move(files->rows);
  return committed;
}

Status DeltaAppendSink::CommitSatellites(flow::StagedEpoch* staged) {
  return table_->CommitSatellites(*static_cast<StagedFiles*>(staged));
}

Result<std::vector<TableVersion>> DeltaAppendSink::Maintain() {
  std::vector<TableVersion> versions;
  if (table_->table() == nullptr) return versions;
  delta::Table& table = *table_->table();
  SLUICE_ASSIGN_OR_RETURN(const auto refreshed, table_->RefreshPositions());
  if (refreshed.has_value()) versions.push_back(*refreshed);
  SLUICE_ASSIGN_OR_RETURN(const auto compacted, table_->upkeep().Compact(table));
  if (compacted.has_value()) versions.push_back(*compacted);
  SLUICE_RETURN_NOT_OK(table_->upkeep().Checkpoint(table));
  return versions;
}

Result<std::vector<flow::EpochMark>> DeltaAppendSink::History(EpochNumber after) {
  return table_->History(after);
}

}  // namespace sluice::sinks
