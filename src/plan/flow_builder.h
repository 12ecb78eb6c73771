// Stream program -> operators. Between two steps a batch carries the slots that later steps need,
// in the order of their numbers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "flow/operator.h"
#include "operators/static_join_operator.h"
#include "operators/watermark_operator.h"
#include "plan/stream_program.h"

namespace sluice::plan {

struct FlowBuilderOptions {
  std::string flow_name;
  operators::LatePolicy late_policy = operators::LatePolicy::kQuarantine;
  std::string late_table;  // satellite of late rows
  int64_t state_limit_bytes = 1LL << 30;
  int64_t max_collected = 10'000;
  std::string spill_folder;  // of keys and groups above the state limit
  /// Rows of a static side, computed anew when its inputs changed.
  std::function<Result<operators::StaticTableProvider>(const sql::PlanPtr& plan)> make_static_table;
};

struct BuiltFlow {
  std::vector<int> source_columns;  // columns of the source that are read, ascending
  std::vector<std::unique_ptr<flow::Operator>> operators;
  bool has_memory = false;     // a dedup or an aggregate
  bool bounded_memory = true;  // what the watermark bounds, rebuilt by replay; false: accumulated
  std::optional<int64_t> watermark_delay_micros;
};

Result<BuiltFlow> BuildFlow(const StreamProgram& program, const FlowBuilderOptions& options);

}  // namespace sluice::plan
