#include <arrow/builder.h>
#include <arrow/util/decimal.h>

#include <cmath>
#include <limits>

#include "operators/aggregates/collection_aggregators.h"
#include "operators/aggregates/quantile_sketch.h"
#include "operators/aggregates/value_access_internal.h"

namespace sluice::operators {
namespace {

/// Appends `value`, one that came out of a column of `type`, to a builder of that type.
Status AppendAs(const arrow::DataType& type, double value, arrow::ArrayBuilder* builder) {
  // A double rounds the greatest 64-bit integers up, out of their range.
  const auto whole = [value] {
    return value >= 0x1p63 ? std::numeric_limits<int64_t>::max()
                           : static_cast<int64_t>(std::llround(value));
  };
  switch (type.id()) {
    case arrow::Type::INT8:
      return static_cast<arrow::Int8Builder*>(builder)->Append(static_cast<int8_t>(whole()));
    case arrow::Type::INT16:
      return static_cast<arrow::Int16Builder*>(builder)->Append(static_cast<int16_t>(whole()));
    case arrow::Type::INT32:
      return static_cast<arrow::Int32Builder*>(builder)->Append(static_cast<int32_t>(whole()));
    case arrow::Type::INT64: return static_cast<arrow::Int64Builder*>(builder)->Append(whole());
    case arrow::Type::UINT8:
      return static_cast<arrow::UInt8Builder*>(builder)->Append(static_cast<uint8_t>(whole()));
    case arrow::Type::UINT16:
      return static_cast<arrow::UInt16Builder*>(builder)->Append(static_cast<uint16_t>(whole()));
    case arrow::Type::UINT32:
      return static_cast<arrow::UInt32Builder*>(builder)->Append(static_cast<uint32_t>(whole()));
    case arrow::Type::UINT64:
      return static_cast<arrow::UInt64Builder*>(builder)->Append(static_cast<uint64_t>(value));
    case arrow::Type::DATE32:
      return static_cast<arrow::Date32Builder*>(builder)->Append(static_cast<int32_t>(whole()));
    case arrow::Type::TIMESTAMP:
      return static_cast<arrow::TimestampBuilder*>(builder)->Append(whole());
    case arrow::Type::FLOAT:
      return static_cast<arrow::FloatBuilder*>(builder)->Append(static_cast<float>(value));
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      SLUICE_ASSIGN_OR_RETURN(const auto exact, arrow::Decimal128::FromReal(
                                                    value, decimal.precision(), decimal.scale()));
      return static_cast<arrow::Decimal128Builder*>(builder)->Append(exact);
    }
    default: return static_cast<arrow::DoubleBuilder*>(builder)->Append(value);
  }
}

class Percentile : public Aggregator {
 public:
  Percentile(const AggregateSpec& spec, std::shared_ptr<arrow::DataType> type)
      : percentages_(spec.percentages),
        is_array_(spec.percentages_is_array),
        accuracy_(spec.accuracy),
        value_type_(std::move(type)),
        result_type_(spec.result_type) {}

  uint32_t tag() const override { return 10; }
  void Resize(size_t groups) override { sketches_.resize(groups); }

  Status Update(const AggregateInput& input) override {
    return VisitAsDoubles(*input.arguments[0], [&](auto value_of) {
      ForSelected(input,
                  [&](int64_t i, uint32_t group) { sketches_[group].Add(value_of(i), accuracy_); });
    });
  }

  Status Merge(const Aggregator& other, std::span<const uint32_t> target_of) override {
    const auto& from = static_cast<const Percentile&>(other).sketches_;
    for (size_t i = 0; i < from.size(); ++i) {
      if (!from[i].empty()) sketches_[target_of[i]].Merge(from[i], accuracy_);
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const AggregatePart> parts,
                                               size_t num_groups, size_t*) const override {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    SLUICE_RETURN_NOT_OK(arrow::MakeBuilder(arrow::default_memory_pool(), result_type_, &builder));
    std::vector<double> values;
    for (size_t group = 0; group < num_groups; ++group) {
      Query(parts, group, &values);
      SLUICE_RETURN_NOT_OK(AppendValues(values, builder.get()));
    }
    return builder->Finish();
  }

  Status SaveGroups(state::StateOutput* out, size_t begin, size_t end) const override {
    for (size_t group = begin; group < end; ++group)
      SLUICE_RETURN_NOT_OK(sketches_[group].Save(out));
    return Status::OK();
  }
  Status LoadGroups(state::StateInput* in, size_t begin, size_t end) override {
    for (size_t group = begin; group < end; ++group)
      SLUICE_RETURN_NOT_OK(sketches_[group].Load(in));
    return Status::OK();
  }
  void Clear() override { sketches_.clear(); }
  int64_t memory_bytes() const override {
    auto bytes = static_cast<int64_t>(sketches_.capacity() * sizeof(QuantileSketch));
    for (const QuantileSketch& sketch : sketches_) bytes += sketch.memory_bytes();
    return bytes;
  }

 private:
  void Query(std::span<const AggregatePart> parts, size_t group,
             std::vector<double>* values) const {
    values->clear();
    std::vector<const QuantileSketch*> sketches;
    for (const AggregatePart& part : parts) {
      if (part.group_of[group] == kNoGroup) continue;
      const QuantileSketch& sketch =
          static_cast<const Percentile&>(*part.column).sketches_[part.group_of[group]];
      if (!sketch.empty()) sketches.push_back(&sketch);
    }
    if (sketches.empty()) return;
    if (sketches.size() == 1) return sketches[0]->Query(percentages_, accuracy_, values);
    QuantileSketch all = *sketches[0];
    for (size_t i = 1; i < sketches.size(); ++i) all.Merge(*sketches[i], accuracy_);
    all.Query(percentages_, accuracy_, values);
  }

  Status AppendValues(const std::vector<double>& values, arrow::ArrayBuilder* builder) const {
    if (values.empty()) return builder->AppendNull();
    if (!is_array_) return AppendAs(*value_type_, values[0], builder);
    auto* lists = static_cast<arrow::ListBuilder*>(builder);
    SLUICE_RETURN_NOT_OK(lists->Append());
    for (const double value : values)
      SLUICE_RETURN_NOT_OK(AppendAs(*value_type_, value, lists->value_builder()));
    return Status::OK();
  }

  const std::vector<double> percentages_;
  const bool is_array_;
  const int64_t accuracy_;
  const std::shared_ptr<arrow::DataType> value_type_;
  const std::shared_ptr<arrow::DataType> result_type_;
  std::vector<QuantileSketch> sketches_;
};

}  // namespace

std::unique_ptr<Aggregator> MakePercentile(const AggregateSpec& spec,
                                           const std::shared_ptr<arrow::DataType>& type) {
  return std::make_unique<Percentile>(spec, type);
}

}  // namespace sluice::operators
