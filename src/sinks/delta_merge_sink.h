// Keeps a materialized view: upserts and deletes by key, one commit an epoch with the source positions in it. Old rows
// are hidden by deletion vectors or, with delta.enableDeletionVectors=false and for small tables, their files are
// rewritten. Where the live row of each key is, is an index in memory, read from the table on Recover.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "delta/table.h"
#include "flow/sink.h"
#include "sinks/delta_sink_options.h"

namespace sluice::sinks {

struct MergeOptions {
  std::vector<std::string> key_columns;  // empty = the view has one row
  /// A table of at most so many rows is rewritten whole by an epoch that changes it: cheaper than many small files.
  int64_t rewrite_whole_rows = 20'000;
};

class FlowTable;
class RowIndex;

/// Rows of an epoch replace the rows with their keys; EpochOutput::deletes removes keys; EpochOutput::replace replaces
/// the whole table. Within an epoch the last row of a key wins.
class DeltaMergeSink : public flow::Sink {
 public:
  /// `tables` outlives the sink. Touches no storage. FLOW_DEFINITION when a key is not a column.
  static Result<std::unique_ptr<DeltaMergeSink>> Make(DeltaSinkOptions options, MergeOptions merge,
                                                      delta::TableRegistry& tables, uint64_t seed);
  ~DeltaMergeSink() override;

  Result<flow::RecoveredFlow> Recover() override;
  Result<std::unique_ptr<flow::StagedEpoch>> Stage(flow::EpochOutput output) override;
  Result<flow::CommittedEpoch> Commit(flow::StagedEpoch* staged) override;
  Status CommitSatellites(flow::StagedEpoch* staged) override;
  Result<std::vector<TableVersion>> Maintain() override;
  Result<std::vector<flow::EpochMark>> History(EpochNumber after) override;

 private:
  DeltaMergeSink(std::unique_ptr<FlowTable> table, MergeOptions merge);

  std::unique_ptr<FlowTable> table_;
  const MergeOptions merge_;
  std::unique_ptr<RowIndex> index_;
};

}  // namespace sluice::sinks
