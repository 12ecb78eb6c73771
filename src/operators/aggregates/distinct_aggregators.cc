#include "operators/aggregates/distinct_aggregators.h"

#include "operators/aggregates/hash_set.h"
#include "operators/aggregates/hyper_log_log.h"
#include "operators/aggregates/value_access_internal.h"
#include "state/row_encoder.h"

namespace sluice::operators {
namespace {

class CountDistinct : public Aggregator {
 public:
  explicit CountDistinct(state::RowEncoder encoder) : encoder_(std::move(encoder)) {}

  uint32_t tag() const override { return 8; }
  void Resize(size_t groups) override { sets_.resize(groups); }

  Status Update(const AggregateInput& input) override {
    SLUICE_RETURN_NOT_OK(encoder_.HashAll(input.arguments, input.num_rows, &hashes_));
    ForSelected(input,
                [&](int64_t i, uint32_t group) { Insert(group, hashes_[static_cast<size_t>(i)]); });
    return Status::OK();
  }

  Status Merge(const Aggregator& other, std::span<const uint32_t> target_of) override {
    const auto& from = static_cast<const CountDistinct&>(other).sets_;
    for (size_t i = 0; i < from.size(); ++i) {
      from[i].ForEach([&](const Hash128& hash) { Insert(target_of[i], hash); });
    }
    return Status::OK();
  }

  /// Counts the values of each part that no earlier part has: the first, which is the largest, is
  /// not walked.
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const AggregatePart> parts,
                                               size_t num_groups, size_t*) const override {
    FixedColumn<int64_t> column;
    SLUICE_RETURN_NOT_OK(column.Reserve(num_groups));
    std::vector<const HashSet*> earlier;
    for (size_t group = 0; group < num_groups; ++group) {
      earlier.clear();
      int64_t count = 0;
      for (const AggregatePart& part : parts) {
        if (part.group_of[group] == kNoGroup) continue;
        const HashSet& set =
            static_cast<const CountDistinct&>(*part.column).sets_[part.group_of[group]];
        if (earlier.empty()) {
          count = set.size();
        } else {
          set.ForEach([&](const Hash128& hash) {
            for (const HashSet* seen : earlier) {
              if (seen->Contains(hash)) return;
            }
            ++count;
          });
        }
        earlier.push_back(&set);
      }
      SLUICE_RETURN_NOT_OK(column.Append(count));
    }
    return column.Finish(arrow::int64());
  }

  Status SaveGroups(state::StateOutput* out, size_t begin, size_t end) const override {
    for (size_t group = begin; group < end; ++group) {
      const HashSet& set = sets_[group];
      SLUICE_RETURN_NOT_OK(out->Put(set.size()));
      Status status;
      set.ForEach([&](const Hash128& hash) {
        if (status.ok()) status = out->Put(hash);
      });
      SLUICE_RETURN_NOT_OK(status);
    }
    return Status::OK();
  }

  Status LoadGroups(state::StateInput* in, size_t begin, size_t end) override {
    for (auto group = static_cast<uint32_t>(begin); group < end; ++group) {
      uint32_t size = 0;
      SLUICE_RETURN_NOT_OK(in->Get(&size));
      for (uint32_t i = 0; i < size; ++i) {
        Hash128 hash;
        SLUICE_RETURN_NOT_OK(in->Get(&hash));
        Insert(group, hash);
      }
    }
    return Status::OK();
  }

  void Clear() override {
    sets_.clear();
    bytes_ = 0;
  }
  int64_t memory_bytes() const override {
    return bytes_ + static_cast<int64_t>(sets_.capacity() * sizeof(HashSet));
  }

 private:
  void Insert(uint32_t group, const Hash128& hash) {
    HashSet& set = sets_[group];
    const int64_t before = set.memory_bytes();
    set.Insert(hash);
    bytes_ += set.memory_bytes() - before;
  }

  state::RowEncoder encoder_;
  std::vector<HashSet> sets_;
  int64_t bytes_ = 0;
  std::vector<Hash128> hashes_;  // scratch
};

class ApproxCountDistinct : public Aggregator {
 public:
  ApproxCountDistinct(state::RowEncoder encoder, int precision)
      : encoder_(std::move(encoder)), precision_(precision) {}

  uint32_t tag() const override { return 9 + 256 * static_cast<uint32_t>(precision_); }
  void Resize(size_t groups) override { sketches_.resize(groups); }

  Status Update(const AggregateInput& input) override {
    SLUICE_RETURN_NOT_OK(encoder_.HashAll(input.arguments, input.num_rows, &hashes_));
    ForSelected(input, [&](int64_t i, uint32_t group) {
      sketches_[group].Add(hashes_[static_cast<size_t>(i)].low, precision_);
    });
    return Status::OK();
  }

  Status Merge(const Aggregator& other, std::span<const uint32_t> target_of) override {
    const auto& from = static_cast<const ApproxCountDistinct&>(other).sketches_;
    for (size_t i = 0; i < from.size(); ++i) sketches_[target_of[i]].Merge(from[i], precision_);
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const AggregatePart> parts,
                                               size_t num_groups, size_t*) const override {
    FixedColumn<int64_t> column;
    SLUICE_RETURN_NOT_OK(column.Reserve(num_groups));
    for (size_t group = 0; group < num_groups; ++group) {
      HyperLogLog sum;
      for (const AggregatePart& part : parts) {
        if (part.group_of[group] == kNoGroup) continue;
        sum.Merge(
            static_cast<const ApproxCountDistinct&>(*part.column).sketches_[part.group_of[group]],
            precision_);
      }
      SLUICE_RETURN_NOT_OK(column.Append(sum.Estimate(precision_)));
    }
    return column.Finish(arrow::int64());
  }

  Status SaveGroups(state::StateOutput* out, size_t begin, size_t end) const override {
    for (size_t group = begin; group < end; ++group) {
      const HyperLogLog& sketch = sketches_[group];
      SLUICE_RETURN_NOT_OK(out->Put(static_cast<uint8_t>(!sketch.registers().empty())));
      if (!sketch.registers().empty()) {
        SLUICE_RETURN_NOT_OK(out->Write(sketch.registers().data(), sketch.registers().size()));
      } else {
        SLUICE_RETURN_NOT_OK(out->Put(static_cast<uint8_t>(sketch.entries().size())));
        SLUICE_RETURN_NOT_OK(
            out->Write(sketch.entries().data(), sketch.entries().size() * sizeof(uint32_t)));
      }
    }
    return Status::OK();
  }

  Status LoadGroups(state::StateInput* in, size_t begin, size_t end) override {
    for (size_t group = begin; group < end; ++group) {
      uint8_t has_registers = 0;
      uint8_t num_entries = 0;
      std::vector<uint32_t> entries;
      std::vector<uint8_t> registers;
      SLUICE_RETURN_NOT_OK(in->Get(&has_registers));
      if (has_registers != 0) {
        registers.resize(size_t{1} << precision_);
        SLUICE_RETURN_NOT_OK(in->Read(registers.data(), registers.size()));
      } else {
        SLUICE_RETURN_NOT_OK(in->Get(&num_entries));
        entries.resize(num_entries);
        SLUICE_RETURN_NOT_OK(in->Read(entries.data(), entries.size() * sizeof(uint32_t)));
      }
      sketches_[group].Restore(std::move(entries), std::move(registers));
    }
    return Status::OK();
  }

  void Clear() override { sketches_.clear(); }
  int64_t memory_bytes() const override {
    auto bytes = static_cast<int64_t>(sketches_.capacity() * sizeof(HyperLogLog));
    for (const HyperLogLog& sketch : sketches_) bytes += sketch.memory_bytes();
    return bytes;
  }

 private:
  state::RowEncoder encoder_;
  const int precision_;
  std::vector<HyperLogLog> sketches_;
  std::vector<Hash128> hashes_;  // scratch
};

}  // namespace

Result<std::unique_ptr<Aggregator>> MakeCountDistinct(
    const std::vector<std::shared_ptr<arrow::DataType>>& argument_types) {
  SLUICE_ASSIGN_OR_RETURN(auto encoder, state::RowEncoder::Make(argument_types));
  return std::unique_ptr<Aggregator>(std::make_unique<CountDistinct>(std::move(encoder)));
}

Result<std::unique_ptr<Aggregator>> MakeApproxCountDistinct(
    const AggregateSpec& spec,
    const std::vector<std::shared_ptr<arrow::DataType>>& argument_types) {
  SLUICE_ASSIGN_OR_RETURN(auto encoder, state::RowEncoder::Make(argument_types));
  return std::unique_ptr<Aggregator>(std::make_unique<ApproxCountDistinct>(
      std::move(encoder), HyperLogLogPrecision(spec.relative_sd)));
}

}  // namespace sluice::operators
