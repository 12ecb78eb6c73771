// count(DISTINCT), exact by sets of 128-bit hashes, and approx_count_distinct by HyperLogLog.
#pragma once

#include <memory>

#include "operators/aggregates/aggregator.h"

namespace sluice::operators {

Result<std::unique_ptr<Aggregator>> MakeCountDistinct(
    const std::vector<std::shared_ptr<arrow::DataType>>& argument_types);
Result<std::unique_ptr<Aggregator>> MakeApproxCountDistinct(
    const AggregateSpec& spec, const std::vector<std::shared_ptr<arrow::DataType>>& argument_types);

}  // namespace sluice::operators
