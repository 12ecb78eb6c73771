// A flow's target table and its satellites: opening, checking, recovering, the positions in a
// commit, upkeep. What the append and the merge sink have in common. Threads as flow/sink.h says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "base/status.h"
#include "delta/files/parquet_writer.h"
#include "delta/log/table.h"
#include "flow/sink.h"
#include "sinks/delta_sink_options.h"
#include "sinks/flow_log.h"
#include "sinks/table_upkeep.h"

namespace sluice::sinks {

/// Files of an epoch that no table refers to yet. Deletes them unless their commit was tried: after
/// that only the log knows whether they are needed.
class StagedFiles : public flow::StagedEpoch {
 public:
  /// `table` and, through it, the storage outlive this.
  StagedFiles(std::shared_ptr<delta::Table> table, flow::EpochRecord record)
      : table_(std::move(table)), record_(std::move(record)) {}
  ~StagedFiles() override;

  const flow::EpochRecord& record() const { return record_; }

  std::vector<delta::AddFile> files;                      // of the target
  std::vector<std::shared_ptr<arrow::RecordBatch>> rows;  // as the table will return them
  std::vector<SatelliteFiles> satellites;
  int64_t num_rows = 0;
  bool commit_tried = false;

 private:
  std::shared_ptr<delta::Table> table_;
  const flow::EpochRecord record_;
};

class FlowTable {
 public:
  FlowTable(DeltaSinkOptions options, delta::TableRegistry& tables, uint64_t seed);

  Result<flow::RecoveredFlow> Recover();
  const DeltaSinkOptions& options() const { return options_; }
  const std::shared_ptr<delta::Table>& table() const { return table_; }

  /// `rows` with the columns of the table (missing ones null), types as it returns them.
  Result<std::shared_ptr<arrow::RecordBatch>> Conform(
      const std::shared_ptr<arrow::RecordBatch>& rows, const delta::Snapshot& snapshot) const;
  /// Writes rows that went through Conform.
  Result<std::vector<delta::AddFile>> WriteFiles(
      delta::Table& table, const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows) const;
  Status StageSatellites(flow::SatelliteRows rows, StagedFiles* staged);

  /// Positions, their requirements and commitInfo of the epoch.
  void FillEpoch(const StagedFiles& staged, delta::Transaction* transaction) const;
  /// FLOW_FOREIGN_ADVANCE for a position that moved.
  Result<delta::CommitResult> Commit(StagedFiles* staged, delta::Transaction* transaction);
  Status CommitSatellites(const StagedFiles& staged);

  Result<std::vector<flow::EpochMark>> History(EpochNumber after) const;
  /// Rewrites positions that would expire. Returns the version, if there was anything to do.
  Result<std::optional<TableVersion>> RefreshPositions();
  TableUpkeep& upkeep() { return upkeep_; }

 private:
  Status OpenTarget();
  Status EnsureDefinition();
  Result<std::optional<delta::Metadata>> ChangedMetadata(const delta::Snapshot& snapshot);
  Result<std::optional<FlowCommit>> LastCommit(const delta::Snapshot& snapshot, EpochNumber epoch,
                                               delta::CommitInfo* info) const;
  Result<std::shared_ptr<delta::Table>> OpenSatellite(const std::string& name,
                                                      const arrow::Schema* schema);
  Status AddToSatellite(const SatelliteFiles& files, EpochNumber epoch);
  Status EmptyOldSatellites();
  Status ForeignAdvance(const Status& cause);

  const DeltaSinkOptions options_;
  delta::TableRegistry& tables_;
  Random random_;
  const std::string token_;
  std::shared_ptr<delta::Table> table_;
  FlowIdentity identity_;
  TableUpkeep upkeep_;
};

}  // namespace sluice::sinks
