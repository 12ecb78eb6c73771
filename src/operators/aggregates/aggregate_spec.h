// What an aggregate function computes, as plain data: the planner fills it, AggregateOperator
// builds accumulators of it.
#pragma once

#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace sluice::operators {

enum class AggregateKind {
  kCountAll,  // count(*)
  kCount,     // count(x), count(x, y): rows where no argument is NULL
  kSum,
  kAvg,
  kMin,
  kMax,
  kBoolAnd,
  kBoolOr,
  kVarianceSample,
  kVariancePopulation,
  kStddevSample,
  kStddevPopulation,
  kPercentileApprox,
  kApproxCountDistinct,
  kCollectList,
  kCollectSet,
  kFirst,  // not mergeable
  kLast,   // not mergeable
};

struct AggregateSpec {
  AggregateKind kind = AggregateKind::kCountAll;
  std::string name;            // output column
  std::vector<int> arguments;  // input columns; one, except count (any number)
  bool distinct = false;       // count and collect_list; a no-op for min, max, bool_*, collect_set
  int filter = -1;             // BOOLEAN column of FILTER (WHERE ...), -1 = none
  std::shared_ptr<arrow::DataType> result_type;  // see ResultType
  // Parameters.
  std::vector<double> percentages;    // kPercentileApprox
  bool percentages_is_array = false;  // the result is a list
  int64_t accuracy = 10'000;          // kPercentileApprox: rank error at most 1 / accuracy
  double relative_sd = 0.05;          // kApproxCountDistinct
};

/// The kind of a Spark function in lower case ("count" with no argument is "count(*)"); nothing
/// when unknown.
std::optional<AggregateKind> AggregateKindOf(std::string_view function, bool has_arguments);

/// True when partial results of two sets of rows can be merged into the result of both. `reason`
/// says why not.
bool IsMergeable(AggregateKind kind);
bool IsMergeable(const AggregateSpec& spec,
                 const std::vector<std::shared_ptr<arrow::DataType>>& argument_types,
                 std::string* reason);

/// Spark's result type; UNSUPPORTED_AGGREGATE when the function does not take the argument.
Result<std::shared_ptr<arrow::DataType>> ResultType(
    const AggregateSpec& spec, const std::vector<std::shared_ptr<arrow::DataType>>& argument_types);

}  // namespace sluice::operators
