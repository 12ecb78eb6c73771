// The physical plan of a flow that follows a growing input: a list of steps over "slots". A slot is
// a column that exists from the step that makes it on; expressions of the program name slots where
// bound expressions name columns. Which slots a batch really carries between two steps follows from
// what later steps need (see flow_builder.h), so a column that is only passed on is never copied or
// decoded early, and computed columns are computed on surviving rows only.
#pragma once

#include <arrow/type.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "quality/expectation.h"
#include "sql/analysis/logical_plan.h"
#include "sql/execution/generate_rows.h"

namespace sluice::plan {

enum class StepKind {
  kDecode,
  kCompute,
  kFilter,
  kExpect,
  kWatermark,
  kDedup,
  kStaticJoin,
  kAggregate,
  kGenerate
};

/// One rule, its condition over slots.
struct BoundExpectation {
  quality::Expectation expectation;
  sql::BoundPtr condition;
};

struct DedupOrder {
  int slot = -1;
  bool ascending = true;
  bool nulls_first = true;
};

struct StreamStep {
  StepKind kind = StepKind::kCompute;
  std::vector<int> makes;  // slots that exist after the step (kCompute: one per expression;
                           // kStaticJoin: static columns)
  std::vector<sql::BoundPtr> expressions;  // kCompute; kFilter: conjuncts; kGenerate: the array
  sql::GenerateShape generate;             // kGenerate

  // kDecode: from_json over the slot `input`. `fields[i]` of the struct goes to slot makes[i].
  int input = -1;
  sql::BoundPtr decode_call;
  std::vector<int> fields;
  bool whole_struct = false;  // then makes has the one slot of the struct

  std::vector<BoundExpectation> expectations;  // kExpect

  int event_time = -1;       // kWatermark, kDedup: slot or -1
  int64_t delay_micros = 0;  // kWatermark

  std::vector<int> keys;          // kDedup, kStaticJoin (stream side), kAggregate
  std::vector<DedupOrder> order;  // kDedup

  sql::JoinKind join = sql::JoinKind::kInner;  // kStaticJoin
  sql::PlanPtr static_plan;                    // its columns are the new slots
  std::vector<int> static_keys;                // positions in static_plan
  std::vector<bool> null_safe;
  sql::BoundPtr residual;  // over slots, may be null

  std::vector<sql::AggregateCall> calls;         // kAggregate, arguments over slots
  std::vector<std::vector<int>> call_arguments;  // per call: slots of its non-constant arguments
  std::vector<int> call_filters;                 // per call: slot or -1
};

struct StreamProgram {
  sql::PlanPtr source;            // ScanNode or TableFunctionNode that is followed
  std::vector<int> source_slots;  // slot of each source column
  std::vector<std::shared_ptr<arrow::Field>> slots;
  std::vector<StreamStep> steps;
  std::vector<sql::BoundPtr> output;  // over slots, one per column of the target
  std::shared_ptr<arrow::Schema> output_schema;
  std::vector<int> merge_keys;  // kAggregate: positions in the output of the group keys
  bool has_aggregate = false;

  /// Slots that a step reads.
  static std::vector<int> Needs(const StreamStep& step);
  /// True when rows of single sources can be told apart up to `step` (no fan-out before it).
  bool preserves_rows() const;
  /// True when a rule, a watermark or a failure may have to show the source row.
  bool shows_source_rows() const;
};

}  // namespace sluice::plan
