#include "operators/aggregates/aggregate_spec.h"

#include <algorithm>
#include <map>

#include "state/row_encoder.h"

namespace sluice::operators {
namespace {

constexpr int kMaxPrecision = 38;
using Types = std::vector<std::shared_ptr<arrow::DataType>>;
using TypeResult = Result<std::shared_ptr<arrow::DataType>>;

bool IsNumeric(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         type.id() == arrow::Type::DECIMAL128;
}

bool IsOrdered(const arrow::DataType& type) {
  return IsNumeric(type) || type.id() == arrow::Type::BOOL || type.id() == arrow::Type::DATE32 ||
         type.id() == arrow::Type::TIMESTAMP || type.id() == arrow::Type::STRING ||
         type.id() == arrow::Type::BINARY;
}

std::shared_ptr<arrow::DataType> WiderDecimal(const arrow::DataType& type, int digits, int scale) {
  const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
  return arrow::decimal128(std::min(kMaxPrecision, decimal.precision() + digits),
                           std::min(kMaxPrecision, decimal.scale() + scale));
}

Status Unsupported(const std::string& what) {
  return MakeError("UNSUPPORTED_AGGREGATE", "aggregate cannot be kept incrementally: " + what);
}

std::shared_ptr<arrow::DataType> SumType(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DECIMAL128) return WiderDecimal(type, 10, 0);
  return arrow::is_integer(type.id()) ? arrow::int64() : arrow::float64();
}

std::shared_ptr<arrow::DataType> AvgType(const arrow::DataType& type) {
  return type.id() == arrow::Type::DECIMAL128 ? WiderDecimal(type, 4, 4) : arrow::float64();
}

}  // namespace

std::optional<AggregateKind> AggregateKindOf(std::string_view function, bool has_arguments) {
  if (function == "count") return has_arguments ? AggregateKind::kCount : AggregateKind::kCountAll;
  static const std::map<std::string_view, AggregateKind> kKinds = {
      {"sum", AggregateKind::kSum},
      {"avg", AggregateKind::kAvg},
      {"mean", AggregateKind::kAvg},
      {"min", AggregateKind::kMin},
      {"max", AggregateKind::kMax},
      {"bool_and", AggregateKind::kBoolAnd},
      {"every", AggregateKind::kBoolAnd},
      {"bool_or", AggregateKind::kBoolOr},
      {"any", AggregateKind::kBoolOr},
      {"some", AggregateKind::kBoolOr},
      {"var_samp", AggregateKind::kVarianceSample},
      {"variance", AggregateKind::kVarianceSample},
      {"var_pop", AggregateKind::kVariancePopulation},
      {"stddev_samp", AggregateKind::kStddevSample},
      {"stddev", AggregateKind::kStddevSample},
      {"std", AggregateKind::kStddevSample},
      {"stddev_pop", AggregateKind::kStddevPopulation},
      {"percentile_approx", AggregateKind::kPercentileApprox},
      {"approx_percentile", AggregateKind::kPercentileApprox},
      {"approx_count_distinct", AggregateKind::kApproxCountDistinct},
      {"collect_list", AggregateKind::kCollectList},
      {"array_agg", AggregateKind::kCollectList},
      {"collect_set", AggregateKind::kCollectSet},
      {"first", AggregateKind::kFirst},
      {"first_value", AggregateKind::kFirst},
      {"any_value", AggregateKind::kFirst},
      {"last", AggregateKind::kLast},
      {"last_value", AggregateKind::kLast},
  };
  const auto found = kKinds.find(function);
  if (found == kKinds.end()) return {};
  return found->second;
}

bool IsMergeable(AggregateKind kind) {
  return kind != AggregateKind::kFirst && kind != AggregateKind::kLast;
}

bool IsMergeable(const AggregateSpec& spec, const Types& argument_types, std::string* reason) {
  if (!IsMergeable(spec.kind)) {
    *reason = "it depends on the order of rows";
    return false;
  }
  const bool needs_values = spec.kind == AggregateKind::kSum || spec.kind == AggregateKind::kAvg ||
                            spec.kind >= AggregateKind::kVarianceSample;
  const bool set_of_values = spec.kind == AggregateKind::kCollectList ||
                             spec.kind == AggregateKind::kCollectSet ||
                             spec.kind == AggregateKind::kApproxCountDistinct;
  if (spec.distinct && needs_values && !set_of_values) {
    *reason = "DISTINCT is kept for count and collect_list only";
    return false;
  }
  const auto type = ResultType(spec, argument_types);
  if (type.ok()) return true;
  *reason = type.status().message();
  return false;
}

Result<std::shared_ptr<arrow::DataType>> ResultType(const AggregateSpec& spec,
                                                    const Types& argument_types) {
  if (spec.kind == AggregateKind::kCountAll) return arrow::int64();
  if (argument_types.empty()) return Unsupported(spec.name + " has no argument");
  if (spec.kind == AggregateKind::kCount) {
    for (const auto& type : argument_types) {
      if (spec.distinct && !state::IsKeyType(*type))
        return Unsupported("count(DISTINCT) of " + type->ToString());
    }
    return arrow::int64();
  }
  const auto& type = argument_types[0];
  const TypeResult wrong_type = Unsupported(spec.name + " of " + type->ToString());
  switch (spec.kind) {
    case AggregateKind::kSum: return IsNumeric(*type) ? TypeResult(SumType(*type)) : wrong_type;
    case AggregateKind::kAvg: return IsNumeric(*type) ? TypeResult(AvgType(*type)) : wrong_type;
    case AggregateKind::kMin:
    case AggregateKind::kMax: return IsOrdered(*type) ? TypeResult(type) : wrong_type;
    case AggregateKind::kBoolAnd:
    case AggregateKind::kBoolOr:
      return type->id() == arrow::Type::BOOL ? TypeResult(type) : wrong_type;
    case AggregateKind::kVarianceSample:
    case AggregateKind::kVariancePopulation:
    case AggregateKind::kStddevSample:
    case AggregateKind::kStddevPopulation:
      return IsNumeric(*type) ? TypeResult(arrow::float64()) : wrong_type;
    case AggregateKind::kPercentileApprox: {
      const bool takes = IsNumeric(*type) || type->id() == arrow::Type::DATE32 ||
                         type->id() == arrow::Type::TIMESTAMP;
      if (!takes || spec.percentages.empty() || spec.accuracy < 1) return wrong_type;
      return TypeResult(spec.percentages_is_array ? arrow::list(type) : type);
    }
    case AggregateKind::kApproxCountDistinct:
      return state::IsKeyType(*type) ? TypeResult(arrow::int64()) : wrong_type;
    case AggregateKind::kCollectList:
    case AggregateKind::kCollectSet:
      return state::IsKeyType(*type) ? TypeResult(arrow::list(type)) : wrong_type;
    default: return Unsupported(spec.name + " depends on the order of rows");
  }
}

}  // namespace sluice::operators
