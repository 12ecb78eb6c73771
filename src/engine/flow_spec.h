// What the planner hands to the engine: one flow as concrete parts behind the contracts of
// src/flow. A plain value that is moved into a FlowRunner.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/hand_off.h"
#include "flow/operator.h"
#include "flow/sink.h"
#include "flow/source.h"

namespace sluice::engine {

/// How lost state of a flow's operators comes back.
enum class StateRebuild {
  kNone,        // the flow keeps no state
  kFromReplay,  // bounded by the watermark: replayed from "#from" (dedup, streaming windows)
  kFromStart,   // accumulated (views): replayed from the beginning of its sources
};

/// One stream that a flow reads.
struct FlowInput {
  std::unique_ptr<flow::Source> source;
  /// Applied to the rows of this input only, before `FlowSpec::operators`; stateless ones run
  /// batch-parallel.
  std::vector<std::unique_ptr<flow::Operator>> operators;
  /// Delay of the input's watermark; nullopt = no watermark. Event time is what the operators of
  /// the input (or, with one input, any operator of the flow) report by MaxEventTime.
  std::optional<int64_t> watermark_delay_micros;
  /// Flows of the same pipeline that write what this input reads. Under --once the input's end is
  /// pinned when they are done; empty = when the run starts. A flow all of whose inputs' upstream
  /// flows have ended completes in every mode.
  std::vector<std::string> upstream_flows;
  /// Nothing comes after the first rows (a view over constants): the flow completes in every mode.
  bool finite = false;
  /// Like maxOffsetsPerTrigger; 0 = no limit beyond the epoch's.
  int64_t max_rows_per_epoch = 0;
};

struct FlowLimits {
  int64_t trigger_interval_micros =
      1'000'000;  // pipelines.trigger.interval; flows over tables follow their upstream at once
  int64_t max_epoch_rows = 400'000;
  int64_t max_epoch_bytes = 96LL << 20;
  int64_t max_future_micros = 3'600'000'000;  // pipelines.watermark.maxFuture
  int64_t empty_commit_interval_micros =
      1'000'000;  // epochs without output are gathered for so long
  int64_t state_save_interval_micros = 30'000'000;
  int max_retries = 0;       // of retryable errors in a row; 0 = for ever (never under --once)
  int max_retries_once = 5;  // the same under --once
};

struct FlowSpec {
  std::string name;    // "silver.silver_events", or the name of the CREATE FLOW
  std::string target;  // table name
  /// Changes whenever the operators' state would mean something else (the query's text, say): older
  /// saved state is then not used.
  std::string definition;
  std::vector<FlowInput> inputs;
  std::vector<std::unique_ptr<flow::Operator>> operators;
  std::unique_ptr<flow::Sink> sink;
  /// Of the target, shared with the table sources that read it; may be null.
  std::shared_ptr<flow::HandOff> hand_off;
  StateRebuild state_rebuild = StateRebuild::kNone;
  FlowLimits limits;
};

}  // namespace sluice::engine
