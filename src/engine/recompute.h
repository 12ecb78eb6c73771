// Views that are not kept incrementally: the whole query again when an input changed. A source that
// sees new versions and an operator that computes, so that such a flow runs, commits and recovers
// like any other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "flow/hand_off.h"
#include "flow/operator.h"
#include "flow/source.h"

namespace sluice::engine {

/// A table that a recomputed view reads.
struct RecomputeInput {
  std::string id;
  /// Newest version; -1 when the table does not exist yet. Called on the flow's read thread.
  std::function<Result<int64_t>()> newest_version;
  /// Whether rows changed in the versions (after, upto]; null = always.
  std::function<Result<bool>(int64_t after, int64_t upto)> rows_changed;
  std::shared_ptr<flow::HandOff> hand_off;  // of that table, to be woken by; may be null
};

/// The full result of the query over these versions of its inputs (by id).
using RecomputeFunction = std::function<Result<std::vector<std::shared_ptr<arrow::RecordBatch>>>(
    const flow::EpochContext& epoch, const std::map<std::string, int64_t>& versions)>;

struct RecomputeParts {
  std::unique_ptr<flow::Source> source;     // the only FlowInput
  std::unique_ptr<flow::Operator> compute;  // FlowSpec::operators[0]
};

/// Positions: "<id>/<input id>" = version the view was computed from, plus one. With no inputs (a
/// view of constants) it is computed once. Recomputes at most every `min_interval_micros`.
RecomputeParts MakeRecompute(const std::string& id, std::vector<RecomputeInput> inputs,
                             std::shared_ptr<arrow::Schema> output_schema,
                             RecomputeFunction compute, Clock& clock, int64_t min_interval_micros);

}  // namespace sluice::engine
