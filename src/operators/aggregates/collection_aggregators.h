// percentile_approx, collect_list and collect_set: a collection of values per group.
#pragma once

#include <memory>

#include "operators/aggregates/aggregator.h"

namespace sluice::operators {

std::unique_ptr<Aggregator> MakePercentile(const AggregateSpec& spec,
                                           const std::shared_ptr<arrow::DataType>& type);
/// A group of more than `max_collected` values is an error: COLLECT_LIMIT_EXCEEDED.
Result<std::unique_ptr<Aggregator>> MakeCollect(const AggregateSpec& spec,
                                                const std::shared_ptr<arrow::DataType>& type,
                                                int64_t max_collected);

}  // namespace sluice::operators
