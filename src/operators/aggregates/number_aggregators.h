// count, sum, avg, min, max, bool_and, bool_or, variance and standard deviation.
#pragma once

#include <memory>

#include "operators/aggregates/aggregator.h"

namespace sluice::operators {

std::unique_ptr<Aggregator> MakeCount();
/// sum and avg. `type` is the argument's.
std::unique_ptr<Aggregator> MakeSumOrAvg(const AggregateSpec& spec,
                                         const std::shared_ptr<arrow::DataType>& type);
/// min, max, bool_and, bool_or.
std::unique_ptr<Aggregator> MakeExtreme(const AggregateSpec& spec,
                                        const std::shared_ptr<arrow::DataType>& type);
/// var_samp, var_pop, stddev_samp, stddev_pop.
std::unique_ptr<Aggregator> MakeVariance(const AggregateSpec& spec);

}  // namespace sluice::operators
