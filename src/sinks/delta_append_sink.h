// Appends the rows of a flow to its Delta table, each epoch in one commit that carries the source
// positions (docs/internals/commit.md, steps 4 to 6). The table is made on first use. Threads as
// flow/sink.h says.
#pragma once

#include <memory>

#include "delta/log/table.h"
#include "flow/sink.h"
#include "sinks/delta_sink_options.h"

namespace sluice::sinks {

class FlowTable;

class DeltaAppendSink : public flow::Sink {
 public:
  /// `tables` outlives the sink. Touches no storage.
  static Result<std::unique_ptr<DeltaAppendSink>> Make(DeltaSinkOptions options,
                                                       delta::TableRegistry& tables, uint64_t seed);
  ~DeltaAppendSink() override;

  Result<flow::RecoveredFlow> Recover() override;
  Result<std::unique_ptr<flow::StagedEpoch>> Stage(flow::EpochOutput output) override;
  Result<flow::CommittedEpoch> Commit(flow::StagedEpoch* staged) override;
  Status CommitSatellites(flow::StagedEpoch* staged) override;
  Result<std::vector<TableVersion>> Maintain() override;
  Result<std::vector<flow::EpochMark>> History(EpochNumber after) override;

 private:
  explicit DeltaAppendSink(std::unique_ptr<FlowTable> table);
  std::unique_ptr<FlowTable> table_;
};

}  // namespace sluice::sinks
