#include "operators/aggregates/aggregator.h"

#include "operators/aggregates/collection_aggregators.h"
#include "operators/aggregates/distinct_aggregators.h"
#include "operators/aggregates/number_aggregators.h"

namespace sluice::operators {

Result<std::unique_ptr<Aggregator>> MakeAggregator(
    const AggregateSpec& spec, const std::vector<std::shared_ptr<arrow::DataType>>& argument_types,
    const AggregatorOptions& options) {
  std::string reason;
  if (!IsMergeable(spec, argument_types, &reason)) {
    return MakeError("UNSUPPORTED_AGGREGATE",
                     "aggregate cannot be kept incrementally: " + spec.name + ": " + reason);
  }
  SLUICE_ASSIGN_OR_RETURN(const auto type, ResultType(spec, argument_types));
  if (type->id() != spec.result_type->id()) {
    return MakeError("INTERNAL_ERROR", "aggregate's type is not what it makes: " + spec.name +
                                           ": " + spec.result_type->ToString() + ", makes " +
                                           type->ToString());
  }
  switch (spec.kind) {
    case AggregateKind::kCountAll: return MakeCount();
    case AggregateKind::kCount:
      return spec.distinct ? MakeCountDistinct(argument_types) : MakeCount();
    case AggregateKind::kSum:
    case AggregateKind::kAvg: return MakeSumOrAvg(spec, argument_types[0]);
    case AggregateKind::kMin:
    case AggregateKind::kMax:
    case AggregateKind::kBoolAnd:
    case AggregateKind::kBoolOr: return MakeExtreme(spec, argument_types[0]);
    case AggregateKind::kVarianceSample:
    case AggregateKind::kVariancePopulation:
    case AggregateKind::kStddevSample:
    case AggregateKind::kStddevPopulation: return MakeVariance(spec);
    case AggregateKind::kPercentileApprox: return MakePercentile(spec, argument_types[0]);
    case AggregateKind::kApproxCountDistinct: return MakeApproxCountDistinct(spec, argument_types);
    case AggregateKind::kCollectList:
    case AggregateKind::kCollectSet:
      return MakeCollect(spec, argument_types[0], options.max_collected);
    default: break;
  }
  return MakeError("UNSUPPORTED_AGGREGATE", "aggregate cannot be kept incrementally: " + spec.name);
}

}  // namespace sluice::operators
