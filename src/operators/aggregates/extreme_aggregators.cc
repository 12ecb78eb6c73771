// min, max, bool_and, bool_or.
#include <arrow/builder.h>

#include <cmath>
#include <optional>
#include <string>

#include "operators/aggregates/number_aggregators.h"
#include "operators/aggregates/plain_aggregator_internal.h"
#include "operators/aggregates/value_access_internal.h"

namespace sluice::operators {
namespace {

/// Spark's order: NaN is greater than any number.
template <typename T>
bool Less(T left, T right) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(left)) return false;
    if (std::isnan(right)) return true;
  }
  return left < right;
}

template <typename T, bool kMax>
struct ExtremeNumber {
  struct Accumulator {
    T value{};
    int64_t rows = 0;
  };
  using Column = FixedColumn<T>;
  static constexpr uint32_t kTag = 5 + 256 * sizeof(T);
  std::shared_ptr<arrow::DataType> result_type;

  void Take(Accumulator* into, T value) const {
    if (into->rows == 0 || (kMax ? Less(into->value, value) : Less(value, into->value)))
      into->value = value;
    ++into->rows;
  }
  Status Update(const AggregateInput& input, Accumulator* of_group) const {
    const arrow::Array& argument = *input.arguments[0];
    if (argument.type_id() != result_type->id()) return WrongArgument(argument);
    if constexpr (std::is_same_v<T, Int128>) {
      const DecimalValues values(argument);
      ForSelected(input, [&](int64_t i, uint32_t group) { Take(&of_group[group], values(i)); });
    } else {
      const T* values = argument.data()->GetValues<T>(1);
      ForSelected(input, [&](int64_t i, uint32_t group) { Take(&of_group[group], values[i]); });
    }
    return Status::OK();
  }
  Status Merge(Accumulator* into, const Accumulator& from) const {
    if (from.rows == 0) return Status::OK();
    Take(into, from.value);
    into->rows += from.rows - 1;
    return Status::OK();
  }
  Status Append(const Accumulator& value, Column* column) const {
    return value.rows == 0 ? column->AppendNull() : column->Append(value.value);
  }
};

class BooleanColumn {
 public:
  Status Reserve(size_t rows) { return builder_.Reserve(static_cast<int64_t>(rows)); }
  Status Append(bool value) { return builder_.Append(value); }
  Status AppendNull() { return builder_.AppendNull(); }
  Result<std::shared_ptr<arrow::Array>> Finish(const std::shared_ptr<arrow::DataType>&) {
    return builder_.Finish();
  }

 private:
  arrow::BooleanBuilder builder_;
};

template <bool kOr>
struct BooleanFold {
  struct Accumulator {
    uint8_t seen_false = 0;
    uint8_t seen_true = 0;
  };
  using Column = BooleanColumn;
  static constexpr uint32_t kTag = 6;
  std::shared_ptr<arrow::DataType> result_type = arrow::boolean();

  Status Update(const AggregateInput& input, Accumulator* of_group) const {
    if (input.arguments[0]->type_id() != arrow::Type::BOOL)
      return WrongArgument(*input.arguments[0]);
    const auto& values = static_cast<const arrow::BooleanArray&>(*input.arguments[0]);
    ForSelected(input, [&](int64_t i, uint32_t group) {
      (values.Value(i) ? of_group[group].seen_true : of_group[group].seen_false) = 1;
    });
    return Status::OK();
  }
  Status Merge(Accumulator* into, const Accumulator& from) const {
    into->seen_false |= from.seen_false;
    into->seen_true |= from.seen_true;
    return Status::OK();
  }
  Status Append(const Accumulator& value, Column* column) const {
    if (value.seen_false + value.seen_true == 0) return column->AppendNull();
    return column->Append(kOr ? value.seen_true != 0 : value.seen_false == 0);
  }
};

/// Strings and binary, compared as bytes.
class ExtremeBytes : public Aggregator {
 public:
  ExtremeBytes(bool max, std::shared_ptr<arrow::DataType> type)
      : max_(max), type_(std::move(type)) {}

  uint32_t tag() const override { return 7; }
  void Resize(size_t groups) override { values_.resize(groups); }

  Status Update(const AggregateInput& input) override {
    const arrow::Type::type id = input.arguments[0]->type_id();
    if (id != arrow::Type::STRING && id != arrow::Type::BINARY)
      return WrongArgument(*input.arguments[0]);
    const auto& values = static_cast<const arrow::BinaryArray&>(*input.arguments[0]);
    ForSelected(input,
                [&](int64_t i, uint32_t group) { Take(values.GetView(i), &values_[group]); });
    return Status::OK();
  }

  Status Merge(const Aggregator& other, std::span<const uint32_t> target_of) override {
    const auto& from = static_cast<const ExtremeBytes&>(other).values_;
    for (size_t i = 0; i < from.size(); ++i) {
      if (from[i]) Take(*from[i], &values_[target_of[i]]);
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const AggregatePart> parts,
                                               size_t num_groups, size_t*) const override {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    SLUICE_RETURN_NOT_OK(arrow::MakeBuilder(arrow::default_memory_pool(), type_, &builder));
    auto* bytes = static_cast<arrow::BinaryBuilder*>(builder.get());
    for (size_t group = 0; group < num_groups; ++group) {
      const std::string* best = nullptr;
      for (const AggregatePart& part : parts) {
        if (part.group_of[group] == kNoGroup) continue;
        const auto& value =
            static_cast<const ExtremeBytes&>(*part.column).values_[part.group_of[group]];
        if (value && (best == nullptr || Better(*value, *best))) best = &*value;
      }
      SLUICE_RETURN_NOT_OK(best == nullptr ? bytes->AppendNull() : bytes->Append(*best));
    }
    return builder->Finish();
  }

  Status SaveGroups(state::StateOutput* out, size_t begin, size_t end) const override {
    for (size_t group = begin; group < end; ++group) {
      const auto& value = values_[group];
      SLUICE_RETURN_NOT_OK(out->Put(static_cast<uint8_t>(value.has_value())));
      if (value) SLUICE_RETURN_NOT_OK(out->PutBytes(*value));
    }
    return Status::OK();
  }

  Status LoadGroups(state::StateInput* in, size_t begin, size_t end) override {
    for (size_t group = begin; group < end; ++group) {
      auto& value = values_[group];
      uint8_t has_value = 0;
      SLUICE_RETURN_NOT_OK(in->Get(&has_value));
      if (has_value == 0) continue;
      SLUICE_RETURN_NOT_OK(in->GetBytes(&value.emplace()));
      bytes_ += static_cast<int64_t>(value->size());
    }
    return Status::OK();
  }

  void Clear() override {
    values_.clear();
    bytes_ = 0;
  }
  int64_t memory_bytes() const override {
    return bytes_ + static_cast<int64_t>(values_.capacity() * sizeof(std::optional<std::string>));
  }

 private:
  bool Better(std::string_view left, std::string_view right) const {
    return max_ ? left > right : left < right;
  }
  void Take(std::string_view value, std::optional<std::string>* into) {
    if (into->has_value() && !Better(value, **into)) return;
    bytes_ += static_cast<int64_t>(value.size()) -
              static_cast<int64_t>(into->has_value() ? (*into)->size() : 0);
    *into = value;
  }

  const bool max_;
  const std::shared_ptr<arrow::DataType> type_;
  std::vector<std::optional<std::string>> values_;
  int64_t bytes_ = 0;
};

template <typename T>
std::unique_ptr<Aggregator> MakeNumber(const AggregateSpec& spec) {
  if (spec.kind == AggregateKind::kMax) {
    return std::make_unique<PlainAggregator<ExtremeNumber<T, true>>>(
        ExtremeNumber<T, true>{spec.result_type});
  }
  return std::make_unique<PlainAggregator<ExtremeNumber<T, false>>>(
      ExtremeNumber<T, false>{spec.result_type});
}

}  // namespace

std::unique_ptr<Aggregator> MakeExtreme(const AggregateSpec& spec,
                                        const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::BOOL:
      if (spec.kind == AggregateKind::kMax || spec.kind == AggregateKind::kBoolOr) {
        return std::make_unique<PlainAggregator<BooleanFold<true>>>(BooleanFold<true>{});
      }
      return std::make_unique<PlainAggregator<BooleanFold<false>>>(BooleanFold<false>{});
    case arrow::Type::INT8: return MakeNumber<int8_t>(spec);
    case arrow::Type::INT16: return MakeNumber<int16_t>(spec);
    case arrow::Type::INT32:
    case arrow::Type::DATE32: return MakeNumber<int32_t>(spec);
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP: return MakeNumber<int64_t>(spec);
    case arrow::Type::UINT8: return MakeNumber<uint8_t>(spec);
    case arrow::Type::UINT16: return MakeNumber<uint16_t>(spec);
    case arrow::Type::UINT32: return MakeNumber<uint32_t>(spec);
    case arrow::Type::UINT64: return MakeNumber<uint64_t>(spec);
    case arrow::Type::FLOAT: return MakeNumber<float>(spec);
    case arrow::Type::DOUBLE: return MakeNumber<double>(spec);
    case arrow::Type::DECIMAL128: return MakeNumber<Int128>(spec);
    default: return std::make_unique<ExtremeBytes>(spec.kind == AggregateKind::kMax, type);
  }
}

}  // namespace sluice::operators
