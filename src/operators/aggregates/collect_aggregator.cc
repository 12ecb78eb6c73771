#include <arrow/array/array_nested.h>

#include <cstring>
#include <string>

#include "operators/aggregates/collection_aggregators.h"
#include "operators/aggregates/hash_set.h"
#include "operators/aggregates/value_access_internal.h"
#include "state/row_encoder.h"

namespace sluice::operators {
namespace {

/// Values as encoded rows of one column, each behind its length.
struct Collected {
  std::string bytes;
  uint32_t count = 0;
  HashSet seen;  // collect_set only
};

template <typename Visit>
void ForEachValue(const Collected& collected, Visit&& visit) {
  const std::string_view bytes = collected.bytes;
  for (size_t at = 0; at < bytes.size();) {
    uint32_t size = 0;
    std::memcpy(&size, bytes.data() + at, sizeof(size));
    at += sizeof(size);
    visit(bytes.substr(at, size));
    at += size;
  }
}

class Collect : public Aggregator {
 public:
  Collect(state::RowEncoder encoder, bool distinct, int64_t max_collected,
          std::shared_ptr<arrow::DataType> result_type)
      : encoder_(std::move(encoder)),
        distinct_(distinct),
        max_collected_(max_collected),
        result_type_(std::move(result_type)) {}

  uint32_t tag() const override { return distinct_ ? 12 : 11; }
  void Resize(size_t groups) override { groups_.resize(groups); }

  Status Update(const AggregateInput& input) override {
    SLUICE_RETURN_NOT_OK(encoder_.Encode(input.arguments, 0, input.num_rows));
    ForSelected(input, [&](int64_t i, uint32_t group) { Add(encoder_.Row(i), group); });
    return Status::OK();
  }

  Status Merge(const Aggregator& other, std::span<const uint32_t> target_of) override {
    const auto& from = static_cast<const Collect&>(other).groups_;
    for (size_t i = 0; i < from.size(); ++i) {
      ForEachValue(from[i], [&](std::string_view value) { Add(value, target_of[i]); });
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const AggregatePart> parts,
                                               size_t num_groups,
                                               size_t* failed_group) const override {
    std::vector<std::string_view> values;
    arrow::TypedBufferBuilder<int32_t> offsets;
    SLUICE_RETURN_NOT_OK(offsets.Append(0));
    for (size_t group = 0; group < num_groups; ++group) {
      *failed_group = group;
      const size_t before = values.size();
      HashSet seen;
      for (const AggregatePart& part : parts) {
        if (part.group_of[group] == kNoGroup) continue;
        ForEachValue(static_cast<const Collect&>(*part.column).groups_[part.group_of[group]],
                     [&](std::string_view value) {
                       if (!distinct_ || seen.Insert(HashBytes128(value.data(), value.size())))
                         values.push_back(value);
                     });
      }
      if (static_cast<int64_t>(values.size() - before) > max_collected_) {
        return MakeError(
            "COLLECT_LIMIT_EXCEEDED",
            "a group collects more values than allowed: limit " + std::to_string(max_collected_),
            "raise pipelines.state.maxCollected or group by more columns");
      }
      SLUICE_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(values.size())));
    }
    SLUICE_ASSIGN_OR_RETURN(const arrow::ArrayVector columns, encoder_.Decode(values));
    SLUICE_ASSIGN_OR_RETURN(auto offset_buffer, offsets.Finish());
    return std::make_shared<arrow::ListArray>(result_type_, static_cast<int64_t>(num_groups),
                                              offset_buffer, columns[0]);
  }

  Status SaveGroups(state::StateOutput* out, size_t begin, size_t end) const override {
    for (size_t group = begin; group < end; ++group) {
      SLUICE_RETURN_NOT_OK(out->Put(groups_[group].count));
      Status status;
      ForEachValue(groups_[group], [&](std::string_view value) {
        if (status.ok()) status = out->PutBytes(value);
      });
      SLUICE_RETURN_NOT_OK(status);
    }
    return Status::OK();
  }

  Status LoadGroups(state::StateInput* in, size_t begin, size_t end) override {
    std::string value;
    for (auto group = static_cast<uint32_t>(begin); group < end; ++group) {
      uint32_t count = 0;
      SLUICE_RETURN_NOT_OK(in->Get(&count));
      for (uint32_t i = 0; i < count; ++i) {
        SLUICE_RETURN_NOT_OK(in->GetBytes(&value));
        Add(value, group);
      }
    }
    return Status::OK();
  }

  void Clear() override {
    groups_.clear();
    bytes_ = 0;
  }
  int64_t memory_bytes() const override {
    return bytes_ + static_cast<int64_t>(groups_.capacity() * sizeof(Collected));
  }

 private:
  void Add(std::string_view value, uint32_t group) {
    Collected& collected = groups_[group];
    if (distinct_ && !collected.seen.Insert(HashBytes128(value.data(), value.size()))) return;
    const auto size = static_cast<uint32_t>(value.size());
    collected.bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
    collected.bytes.append(value);
    ++collected.count;
    bytes_ += size + (distinct_ ? 40 : 8);
  }

  state::RowEncoder encoder_;
  const bool distinct_;
  const int64_t max_collected_;
  const std::shared_ptr<arrow::DataType> result_type_;
  std::vector<Collected> groups_;
  int64_t bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<Aggregator>> MakeCollect(const AggregateSpec& spec,
                                                const std::shared_ptr<arrow::DataType>& type,
                                                int64_t max_collected) {
  SLUICE_ASSIGN_OR_RETURN(auto encoder, state::RowEncoder::Make({type}));
  const bool distinct = spec.distinct || spec.kind == AggregateKind::kCollectSet;
  return std::unique_ptr<Aggregator>(
      std::make_unique<Collect>(std::move(encoder), distinct, max_collected, spec.result_type));
}

}  // namespace sluice::operators
