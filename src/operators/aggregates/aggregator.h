// The accumulators of one aggregate function for all groups of a table: a column of partial results
// that can be updated by rows, merged with others of its kind, saved and loaded. One thread at a
// time.
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "operators/aggregates/aggregate_spec.h"
#include "state/state_io.h"

namespace sluice::operators {

inline constexpr uint32_t kNoGroup = std::numeric_limits<uint32_t>::max();

/// Rows to aggregate.
struct AggregateInput {
  int64_t num_rows = 0;
  const uint32_t* groups = nullptr;  // the group of each row
  const uint8_t* selected =
      nullptr;  // bitmap of the rows that count (filter TRUE, no argument NULL); null = all
  arrow::ArrayVector arguments;

  bool IsSelected(int64_t i) const {
    return selected == nullptr || (selected[i >> 3] >> (i & 7) & 1) != 0;
  }
};

/// Calls visit(row, group) for the rows that count.
template <typename Visit>
void ForSelected(const AggregateInput& input, Visit&& visit) {
  if (input.selected == nullptr) {
    for (int64_t i = 0; i < input.num_rows; ++i) visit(i, input.groups[i]);
  } else {
    for (int64_t i = 0; i < input.num_rows; ++i) {
      if (input.IsSelected(i)) visit(i, input.groups[i]);
    }
  }
}

class Aggregator;

/// Partial results to be put together: output group i is group `group_of[i]` of `column` (kNoGroup
/// = not in it).
struct AggregatePart {
  const Aggregator* column = nullptr;
  const uint32_t* group_of = nullptr;
};

class Aggregator {
 public:
  virtual ~Aggregator() = default;
  /// Names the layout of saved accumulators.
  virtual uint32_t tag() const = 0;
  /// Adds empty groups up to `groups`.
  virtual void Resize(size_t groups) = 0;
  virtual Status Update(const AggregateInput& input) = 0;
  /// Merges group i of `other`, which is of the same kind, into group `target_of[i]`.
  virtual Status Merge(const Aggregator& other, std::span<const uint32_t> target_of) = 0;
  /// The results of `num_groups` groups, each the merge of its `parts` in order; the parts are of
  /// this kind and stay as they are. On an error that is one group's, *failed_group is its number.
  virtual Result<std::shared_ptr<arrow::Array>> Finish(std::span<const AggregatePart> parts,
                                                       size_t num_groups,
                                                       size_t* failed_group) const = 0;
  /// The groups [begin, end).
  virtual Status SaveGroups(state::StateOutput* out, size_t begin, size_t end) const = 0;
  /// Fills the groups [begin, end), which are there and empty.
  virtual Status LoadGroups(state::StateInput* in, size_t begin, size_t end) = 0;
  virtual void Clear() = 0;
  virtual int64_t memory_bytes() const = 0;
};

struct AggregatorOptions {
  int64_t max_collected = 10'000;
};

/// UNSUPPORTED_AGGREGATE when `spec` is not mergeable or does not take the arguments.
/// `spec.result_type` is set.
Result<std::unique_ptr<Aggregator>> MakeAggregator(
    const AggregateSpec& spec, const std::vector<std::shared_ptr<arrow::DataType>>& argument_types,
    const AggregatorOptions& options);

}  // namespace sluice::operators
