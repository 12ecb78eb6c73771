// Logical plan -> stream program: what runs on each batch of a growing input. Says what is not
// supported, by name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "plan/stream_program.h"

namespace sluice::plan {

struct StreamPlannerOptions {
  /// The scan whose growth the flow follows. Streaming tables: the node is a stream; views: any
  /// scan of a table that only grows.
  std::function<bool(const sql::LogicalPlan&)> is_followed;
  /// Rules over the columns of the output.
  std::vector<BoundExpectation> expectations;
  /// Materialized view: one aggregate is allowed, joins are not (a change of the other side would
  /// change the past).
  bool view = false;
};

/// `plan` has the target's columns as output. Errors: NOT_SUPPORTED_YET with the name of the
/// construct; EXPECTATION_NOT_ROW_PRESERVING for ON VIOLATION QUARANTINE behind an aggregate or a
/// fan-out join.
Result<StreamProgram> PlanStream(const sql::PlanPtr& plan, const StreamPlannerOptions& options);

}  // namespace sluice::plan
