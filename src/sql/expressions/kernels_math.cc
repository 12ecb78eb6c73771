// Functions of doubles, rounding.
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "sql/expressions/cast.h"
#include "sql/expressions/decimal_math.h"
#include "sql/expressions/kernel.h"
#include "sql/expressions/spark_type.h"

namespace sluice::sql {
namespace {

using arrow::Decimal128;
using arrow::Decimal256;
using arrow::Type;

Status OutOfRange(const BoundExpression& call) {
  return MakeError("ARITHMETIC_OVERFLOW",
                   "[ARITHMETIC_OVERFLOW] overflow in " + ToString(call) + ". SQLSTATE: 22003");
}

// ln and its like are NULL where the logarithm is not defined.
template <typename F>
KernelFactory Logarithm(double above, F function) {
  return Map<double, double>([above, function](double value) -> std::optional<double> {
    if (value <= above) return std::nullopt;
    return function(value);
  });
}

KernelFactory Constant(double value) {
  return [value](const BoundExpression&) -> Result<Kernel> {
    return Kernel([value](const KernelCall&) -> Result<ArrayPtr> {
      return arrow::MakeArrayFromScalar(arrow::DoubleScalar(value), 1);
    });
  };
}

// Spark rounds doubles through BigDecimal(Double.toString): half up (or even) on the decimal digits
// that are printed.
template <typename T>
T RoundReal(T value, int digits, bool half_even) {
  if (!std::isfinite(value)) return value;
  if (value == 0) return T{0};
  const std::string text = std::is_same_v<T, float> ? JavaFloat(static_cast<float>(value))
                                                    : JavaDouble(static_cast<double>(value));
  const size_t e = text.find('E');
  const int exponent = e == std::string::npos ? 0 : std::stoi(text.substr(e + 1));
  std::string mantissa = text.substr(0, e);
  const bool negative = mantissa[0] == '-';
  if (negative) mantissa.erase(0, 1);
  const size_t point = mantissa.find('.');
  const int fraction = static_cast<int>(mantissa.size() - point - 1);
  mantissa.erase(point, 1);
  const int scale = fraction - exponent;  // value = mantissa * 10^-scale
  if (scale <= digits) return value;
  const int drop = scale - digits;
  const auto size = static_cast<int>(mantissa.size());
  std::string kept = drop >= size ? "0" : mantissa.substr(0, static_cast<size_t>(size - drop));
  bool up = false;
  if (drop <= size) {
    const std::string rest = mantissa.substr(static_cast<size_t>(size - drop));
    const bool exact_half = rest[0] == '5' && rest.find_first_not_of('0', 1) == std::string::npos;
    up = half_even && exact_half ? (kept.back() - '0') % 2 == 1 : rest[0] >= '5';
  }
  if (up) {
    int at = static_cast<int>(kept.size()) - 1;
    while (at >= 0 && kept[static_cast<size_t>(at)] == '9') kept[static_cast<size_t>(at--)] = '0';
    if (at < 0)
      kept.insert(0, 1, '1');
    else
      ++kept[static_cast<size_t>(at)];
  }
  const double rounded = std::strtod((kept + "e" + std::to_string(-digits)).c_str(), nullptr);
  if (rounded == 0) return T{0};  // never -0.0
  return static_cast<T>(negative ? -rounded : rounded);
}

Decimal256 RoundToUnit(const Decimal256& value, const Decimal256& unit, bool half_even) {
  auto [quotient, remainder] = *value.Divide(unit);
  Decimal256 twice = remainder;
  twice.Abs();
  twice = twice + twice;
  bool up = twice > unit;
  if (twice == unit) up = !half_even || quotient.Divide(Decimal256(2))->second != Decimal256(0);
  if (up) quotient += value.Sign() < 0 ? Decimal256(-1) : Decimal256(1);
  return quotient;
}

Result<ArrayPtr> RoundDecimals(const KernelCall& call, int digits, bool half_even) {
  const int from = static_cast<const arrow::Decimal128Type&>(*call.args[0].array->type()).scale();
  const auto& type = static_cast<const arrow::Decimal128Type&>(*call.expression.type);
  return MapRows<Decimal128, Decimal128>(
      call,
      [&](const Decimal128& value) -> Result<Decimal128> {
        if (digits >= from) return value;
        const int drop = from - digits;
        const Decimal256 kept =
            drop > 76 ? Decimal256(0) : RoundToUnit(Decimal256(value), PowerOfTen(drop), half_even);
        const auto result = Rescale(kept, digits, type.scale(), type.precision());
        if (!result.has_value()) return OutOfRange(call.expression);
        return *result;
      },
      std::index_sequence<0>());
}

template <typename T>
Result<ArrayPtr> RoundIntegers(const KernelCall& call, int digits, bool half_even) {
  return MapRows<T, T>(
      call,
      [&](T value) -> Result<T> {
        if (digits >= 0) return value;
        if (digits < -20) return T{0};
        const Decimal256 rounded =
            RoundToUnit(Decimal256(static_cast<int64_t>(value)), PowerOfTen(-digits), half_even) *
            PowerOfTen(-digits);
        const auto narrow = Rescale(rounded, 0, 0, 38);
        const auto result = narrow->ToInteger<int64_t>();
        if (!result.ok() || !std::in_range<T>(*result)) return OutOfRange(call.expression);
        return static_cast<T>(*result);
      },
      std::index_sequence<0>());
}

KernelFactory Round(bool half_even) {
  return [half_even](const BoundExpression& expression) -> Result<Kernel> {
    const int digits = static_cast<int>(ConstantInt(expression, 1).value_or(0));
    return Kernel([digits, half_even](const KernelCall& call) -> Result<ArrayPtr> {
      switch (call.expression.type->id()) {
        case Type::DOUBLE:
          return MapRows<double, double>(
              call, [&](double v) { return RoundReal(v, digits, half_even); },
              std::index_sequence<0>());
        case Type::FLOAT:
          return MapRows<float, float>(
              call, [&](float v) { return RoundReal(v, digits, half_even); },
              std::index_sequence<0>());
        case Type::INT8: return RoundIntegers<int8_t>(call, digits, half_even);
        case Type::INT16: return RoundIntegers<int16_t>(call, digits, half_even);
        case Type::INT32: return RoundIntegers<int32_t>(call, digits, half_even);
        case Type::INT64: return RoundIntegers<int64_t>(call, digits, half_even);
        default: return RoundDecimals(call, digits, half_even);
      }
    });
  };
}

// To BIGINT, or to a decimal without fraction.
KernelFactory ToWhole(bool up) {
  return [up](const BoundExpression&) -> Result<Kernel> {
    return Kernel([up](const KernelCall& call) -> Result<ArrayPtr> {
      const arrow::DataType& from = *call.args[0].array->type();
      if (IsDecimal(from)) {
        const int scale = static_cast<const arrow::Decimal128Type&>(from).scale();
        return MapRows<Decimal128, Decimal128>(
            call,
            [&](const Decimal128& value) -> Decimal128 {
              Decimal128 whole(value.ReduceScaleBy(scale, false));
              const bool exact = Decimal128(whole.IncreaseScaleBy(scale)) == value;
              if (!exact && up && value.Sign() > 0) whole += Decimal128(1);
              if (!exact && !up && value.Sign() < 0) whole -= Decimal128(1);
              return whole;
            },
            std::index_sequence<0>());
      }
      auto whole =
          [&](double value) -> int64_t {  // as Java's (long) of a double: saturating, NaN is 0
        value = up ? std::ceil(value) : std::floor(value);
        if (std::isnan(value)) return 0;
        if (value >= 9223372036854775807.0) return INT64_MAX;
        if (value <= -9223372036854775808.0) return INT64_MIN;
        return static_cast<int64_t>(value);
      };
      if (from.id() == Type::FLOAT) {
        return MapRows<int64_t, float>(
            call, [&](float v) { return whole(static_cast<double>(v)); }, std::index_sequence<0>());
      }
      return MapRows<int64_t, double>(call, whole, std::index_sequence<0>());
    });
  };
}

template <typename T>
Result<std::shared_ptr<arrow::ArrayData>> PositiveZerosOf(const arrow::ArrayData& data) {
  const int64_t count = data.offset + data.length;
  SLUICE_ASSIGN_OR_RETURN(auto values, arrow::AllocateBuffer(count * int64_t{sizeof(T)}));
  const T* from = data.GetValues<T>(1, 0);
  std::transform(from, from + count, values->template mutable_data_as<T>(),
                 [](T value) { return value == 0 ? T{0} : value; });
  auto made = std::make_shared<arrow::ArrayData>(data);
  made->buffers[1] = std::move(values);
  return made;
}

// The same array with 0.0 for -0.0, at any depth.
Result<std::shared_ptr<arrow::ArrayData>> PositiveZeros(
    const std::shared_ptr<arrow::ArrayData>& data) {
  if (data->type->id() == Type::FLOAT) return PositiveZerosOf<float>(*data);
  if (data->type->id() == Type::DOUBLE) return PositiveZerosOf<double>(*data);
  auto made = std::make_shared<arrow::ArrayData>(*data);
  for (auto& child : made->child_data) {
    SLUICE_ASSIGN_OR_RETURN(child, PositiveZeros(child));
  }
  return made;
}

}  // namespace

void RegisterMathKernels(KernelMap* kernels) {
  auto& map = *kernels;
  auto one = [&map](const char* name, double (*function)(double)) {
    map[name] = Map<double, double>(function);
  };
  one("exp", std::exp);
  one("expm1", std::expm1);
  one("sqrt", std::sqrt);
  one("cbrt",
      [](double value) { return static_cast<double>(std::cbrt(static_cast<long double>(value))); });
  one("sin", std::sin);
  one("cos", std::cos);
  one("tan", std::tan);
  one("asin", std::asin);
  one("acos", std::acos);
  one("atan", std::atan);
  one("sinh", std::sinh);
  one("cosh", std::cosh);
  one("tanh", std::tanh);
  one("rint", std::nearbyint);
  map["power"] = Map<double, double, double>([](double a, double b) { return std::pow(a, b); });
  map["atan2"] =
      Map<double, double, double>([](double a, double b) { return std::atan2(a + 0.0, b + 0.0); });
  map["hypot"] = Map<double, double, double>([](double a, double b) { return std::hypot(a, b); });
  map["degrees"] =
      Map<double, double>([](double value) { return value * (180.0 / std::numbers::pi); });
  map["radians"] =
      Map<double, double>([](double value) { return value * (std::numbers::pi / 180.0); });
  map["signum"] = Map<double, double>([](double value) {
    return std::isnan(value) || value == 0 ? value : value > 0 ? 1.0 : -1.0;
  });
  map["ln"] = Logarithm(0, [](double value) { return std::log(value); });
  map["log10"] = Logarithm(0, [](double value) { return std::log10(value); });
  map["log2"] = Logarithm(0, [](double value) { return std::log(value) / std::log(2.0); });
  map["log1p"] = Logarithm(-1, [](double value) { return std::log1p(value); });
  map["log"] = [](const BoundExpression& call) -> Result<Kernel> {
    if (call.args.size() == 1)
      return Logarithm(0, [](double value) { return std::log(value); })(call);
    return Map<double, double, double>([](double base, double value) -> std::optional<double> {
      if (base <= 0 || value <= 0) return std::nullopt;
      return std::log(value) / std::log(base);
    })(call);
  };
  map["pi"] = Constant(std::numbers::pi);
  map["e"] = Constant(std::numbers::e);
  map["positive_zero"] = [](const BoundExpression&) -> Result<Kernel> {
    return Kernel([](const KernelCall& call) -> Result<ArrayPtr> {
      ArrayPtr column = call.args[0].array;
      if (call.args[0].constant) {
        SLUICE_ASSIGN_OR_RETURN(auto value, column->GetScalar(0));
        SLUICE_ASSIGN_OR_RETURN(column, arrow::MakeArrayFromScalar(*value, call.rows));
      }
      SLUICE_ASSIGN_OR_RETURN(auto data, PositiveZeros(column->data()));
      return arrow::MakeArray(std::move(data));
    });
  };
  map["round"] = Round(false);
  map["bround"] = Round(true);
  map["ceil"] = ToWhole(true);
  map["floor"] = ToWhole(false);
}

}  // namespace sluice::sql
