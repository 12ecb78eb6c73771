// Aggregators whose accumulator is a few numbers: one vector of plain structs.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "operators/aggregates/aggregator.h"

namespace sluice::operators {

/// `Function` brings: struct Accumulator (plain; all zero = no rows yet), kTag,
///   Status Update(const AggregateInput&, Accumulator* of_group) const
///   Status Merge(Accumulator* into, const Accumulator& from) const
///   class Column: Status Reserve(n), Status Append(const Function&, const Accumulator&),
///   Finish(type)
/// and `result_type`.
template <typename Function>
class PlainAggregator : public Aggregator {
 public:
  using Accumulator = typename Function::Accumulator;
  static_assert(std::is_trivially_copyable_v<Accumulator>);

  explicit PlainAggregator(Function function) : function_(std::move(function)) {}

  uint32_t tag() const override { return Function::kTag; }
  void Resize(size_t groups) override { accumulators_.resize(groups); }
  Status Update(const AggregateInput& input) override {
    return function_.Update(input, accumulators_.data());
  }

  Status Merge(const Aggregator& other, std::span<const uint32_t> target_of) override {
    const auto& from = static_cast<const PlainAggregator&>(other).accumulators_;
    for (size_t i = 0; i < from.size(); ++i) {
      SLUICE_RETURN_NOT_OK(function_.Merge(&accumulators_[target_of[i]], from[i]));
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const AggregatePart> parts,
                                               size_t num_groups,
                                               size_t* failed_group) const override {
    typename Function::Column column;
    SLUICE_RETURN_NOT_OK(column.Reserve(num_groups));
    for (size_t group = 0; group < num_groups; ++group) {
      *failed_group = group;
      Accumulator sum{};
      for (const AggregatePart& part : parts) {
        const uint32_t source = part.group_of[group];
        if (source == kNoGroup) continue;
        const auto& from = static_cast<const PlainAggregator&>(*part.column).accumulators_;
        SLUICE_RETURN_NOT_OK(function_.Merge(&sum, from[source]));
      }
      SLUICE_RETURN_NOT_OK(function_.Append(sum, &column));
    }
    return column.Finish(function_.result_type);
  }

  Status SaveGroups(state::StateOutput* out, size_t begin, size_t end) const override {
    return out->Write(accumulators_.data() + begin, (end - begin) * sizeof(Accumulator));
  }
  Status LoadGroups(state::StateInput* in, size_t begin, size_t end) override {
    return in->Read(accumulators_.data() + begin, (end - begin) * sizeof(Accumulator));
  }
  void Clear() override { accumulators_.clear(); }
  int64_t memory_bytes() const override {
    return static_cast<int64_t>(accumulators_.capacity() * sizeof(Accumulator));
  }

 private:
  const Function function_;
  std::vector<Accumulator> accumulators_;
};

}  // namespace sluice::operators
