// Less usual functions of numbers: inverse hyperbolic ones, bases, buckets, rounding to a place.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "sql/expressions/decimal_math.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;
using arrow::Decimal128;
using arrow::Decimal256;

std::optional<int64_t> Factorial(int32_t n) {
  if (n < 0 || n > 20) return std::nullopt;
  int64_t product = 1;
  for (int64_t i = 2; i <= n; ++i) product *= i;
  return product;
}

std::string InBase(uint64_t value, uint64_t base) {
  if (value == 0) return "0";
  std::string out;
  for (; value > 0; value /= base)
    out.insert(out.begin(), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[value % base]);
  return out;
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

// The digits up to the first that is none, as an unsigned number of 64 bits; a negative target base
// means a signed one.
Result<std::optional<std::string>> Conv(Text text, int32_t from, int32_t to) {
  using Answer = std::optional<std::string>;
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  const int64_t to_base = std::abs(int64_t{to});
  if (from < 2 || from > 36 || to_base < 2 || to_base > 36 || text.empty()) return Answer();
  bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  uint64_t value = 0;
  for (const char c : text) {
    const int digit = DigitOf(c);
    if (digit >= from) break;
    if (__builtin_mul_overflow(value, static_cast<uint64_t>(from), &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(digit), &value)) {
      return MakeError("ARITHMETIC_OVERFLOW",
                       "[ARITHMETIC_OVERFLOW] overflow in function conv(). SQLSTATE: 22003");
    }
  }
  const bool top = value >> 63 != 0;
  if (negative && to > 0) value = top ? UINT64_MAX : uint64_t{0} - value;
  if (to < 0 && value >> 63 != 0) {
    value = uint64_t{0} - value;
    negative = true;
  }
  std::string out = InBase(value, static_cast<uint64_t>(to_base));
  if (negative && to < 0) out.insert(0, "-");
  return Answer(std::move(out));
}

template <typename T>
std::optional<int64_t> WidthBucket(T value, T from, T to, int64_t buckets) {
  if (buckets <= 0 || buckets == INT64_MAX || from == to) return std::nullopt;
  const auto v = static_cast<double>(value);
  const auto a = static_cast<double>(from);
  const auto b = static_cast<double>(to);
  if (std::isnan(v) || !std::isfinite(a) || !std::isfinite(b)) return std::nullopt;
  const double n = static_cast<double>(buckets);
  const double low = std::min(a, b);
  const double high = std::max(a, b);
  if (a < b ? v < low : v > high) return 0;
  if (a < b ? v >= high : v <= low) return buckets + 1;
  const double place = n * (a < b ? v - low : high - v) / (high - low);
  return place < n ? static_cast<int64_t>(place) + 1 : buckets;
}

Result<BoundPtr> BindWidthBucket(FunctionBinder& binder, const std::string& name, Args args,
                                 Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 4, 4, span));
  const auto id = args[0]->type->id();
  const bool interval = id == arrow::Type::DURATION || id == arrow::Type::INTERVAL_MONTHS;
  for (size_t i = 0; i < 3; ++i) {
    TypePtr wanted = interval ? args[0]->type : arrow::float64();
    if (!interval && IsDecimal(*args[i]->type)) args[i] = MakeCast(args[i], wanted);
    SLUICE_ASSIGN_OR_RETURN(args[i], binder.Coerce(args[i], wanted, name, static_cast<int>(i) + 1));
  }
  SLUICE_ASSIGN_OR_RETURN(args[3], binder.Coerce(args[3], arrow::int64(), name, 4));
  return MakeCall(name, std::move(args), arrow::int64(), true, span);
}

Result<Kernel> WidthBucketKernel(const BoundExpression& call) {
  switch (call.args[0]->type->id()) {
    case arrow::Type::DURATION:
      return Map<int64_t, int64_t, int64_t, int64_t, int64_t>(WidthBucket<int64_t>)(call);
    case arrow::Type::INTERVAL_MONTHS:
      return Map<int64_t, int32_t, int32_t, int32_t, int64_t>(WidthBucket<int32_t>)(call);
    default: return Map<int64_t, double, double, double, int64_t>(WidthBucket<double>)(call);
  }
}

Result<BoundPtr> BindBitGet(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 2, span));
  if (!IsIntegral(*args[0]->type)) return binder.WrongType(name, 1, "INTEGRAL", args[0]);
  SLUICE_ASSIGN_OR_RETURN(args[1], binder.Coerce(args[1], arrow::int32(), name, 2));
  const int32_t bits = static_cast<const arrow::FixedWidthType&>(*args[0]->type).bit_width();
  const bool nullable = AnyNullable(args);
  return MakeCall(
      "bit_get", {MakeCast(args[0], arrow::int64()), args[1], MakeLiteral(arrow::MakeScalar(bits))},
      arrow::int8(), nullable, span);
}

Result<int8_t> BitGet(int64_t value, int32_t position, int32_t bits) {
  if (position < 0 || position >= bits) {
    return MakeError("INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE",
                     fmt::format("[INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE] expects an integer "
                                 "value in [0, {}), but got {}. SQLSTATE: 22023",
                                 bits, position));
  }
  return static_cast<int8_t>(static_cast<uint64_t>(value) >> position & 1);
}

// ceil and floor with a scale work on decimals.
BindFunction BindToPlace(const BindFunction* plain) {
  return [plain = *plain](FunctionBinder& binder, const std::string& name, Args args,
                          Span span) -> Result<BoundPtr> {
    if (args.size() != 2) return plain(binder, name, std::move(args), span);
    const BoundPtr& scale = args[1];
    if (!scale->IsLiteral() || !scale->literal->is_valid || !IsIntegral(*scale->type))
      return binder.Error(scale->span, "REQUIRES_CONSTANT_SCALE",
                          "the scale of " + name + " must be a constant integer");
    SLUICE_ASSIGN_OR_RETURN(args[1], binder.Coerce(args[1], arrow::int32(), name, 2));
    const int32_t digits = static_cast<const arrow::Int32Scalar&>(*args[1]->literal).value;
    if (IsFloating(*args[0]->type) || args[0]->type->id() == arrow::Type::STRING)
      args[0] = MakeCast(args[0], arrow::decimal128(30, 15));
    if (IsIntegral(*args[0]->type)) {
      const TypePtr common = CommonType(args[0]->type, arrow::decimal128(1, 0));
      args[0] = MakeCast(args[0], common);
    }
    if (!IsDecimal(*args[0]->type)) return binder.WrongType(name, 1, "DECIMAL", args[0]);
    const auto& from = static_cast<const arrow::Decimal128Type&>(*args[0]->type);
    const int whole = from.precision() - from.scale() + 1;
    const int kept = std::min(from.scale(), std::max(digits, 0));
    const int precision = digits < 0 ? std::max(whole, -std::max(digits, -40) + 1) : whole + kept;
    const bool nullable = args[0]->nullable;
    return MakeCall(name + "_to_place", std::move(args), BoundedDecimal(precision, kept), nullable,
                    span);
  };
}

KernelFactory ToPlace(bool up) {
  return [up](const BoundExpression& expression) -> Result<Kernel> {
    const auto digits = static_cast<int>(ConstantInt(expression, 1).value_or(0));
    const int from = static_cast<const arrow::Decimal128Type&>(*expression.args[0]->type).scale();
    const auto& type = static_cast<const arrow::Decimal128Type&>(*expression.type);
    return Map<Decimal128, Decimal128>([=, precision = type.precision(), scale = type.scale()](
                                           const Decimal128& value) -> Result<Decimal128> {
      if (digits >= from) return value;
      const int drop = std::min(from - digits, 76);
      auto [quotient, rest] = *Decimal256(value).Divide(PowerOfTen(drop));
      if (up && rest > Decimal256(0)) quotient += Decimal256(1);
      if (!up && rest < Decimal256(0)) quotient -= Decimal256(1);
      const auto result = Rescale(quotient, from - drop, scale, precision);
      if (result.has_value()) return *result;
      return MakeError("NUMERIC_VALUE_OUT_OF_RANGE",
                       "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] the rounded value does "
                       "not fit its decimal type. SQLSTATE: 22003");
    })(expression);
  };
}

// Intervals have a sign too.
BindFunction BindSign(const BindFunction* plain) {
  return [plain = *plain](FunctionBinder& binder, const std::string& name, Args args,
                          Span span) -> Result<BoundPtr> {
    const auto id = args.empty() ? arrow::Type::NA : args[0]->type->id();
    if (args.size() != 1 || (id != arrow::Type::DURATION && id != arrow::Type::INTERVAL_MONTHS))
      return plain(binder, name, std::move(args), span);
    const bool nullable = args[0]->nullable;
    return MakeCall("signum_of_interval", std::move(args), arrow::float64(), nullable, span);
  };
}

Result<Kernel> IntervalSign(const BoundExpression& call) {
  auto sign = [](auto value) { return value > 0 ? 1.0 : value < 0 ? -1.0 : 0.0; };
  return call.args[0]->type->id() == arrow::Type::DURATION ? Map<double, int64_t>(sign)(call)
                                                           : Map<double, int32_t>(sign)(call);
}

}  // namespace

void RegisterMathFunctions(FunctionRegistry* registry) {
  auto one = [registry](const char* name, double (*function)(double)) {
    registry->Add({name, "d", 'd'}, Map<double, double>(function));
  };
  one("asinh", [](double x) {
    return std::isinf(x) ? x : std::copysign(std::log(std::abs(x) + std::sqrt(x * x + 1.0)), x);
  });
  one("acosh", [](double x) {
    constexpr double kSquareOverflows = 1e150;
    if (x > kSquareOverflows) return std::log(x) + std::log(2.0);
    return std::log(x + std::sqrt(x * x - 1.0));
  });
  one("atanh", [](double x) { return 0.5 * (std::log1p(x) - std::log1p(-x)); });
  one("sec", [](double x) { return 1.0 / std::cos(x); });
  one("csc", [](double x) { return 1.0 / std::sin(x); });
  one("cot", [](double x) { return 1.0 / std::tan(x); });
  registry->Add({"factorial", "i", 'l', true}, Map<int64_t, int32_t>(Factorial));
  registry->Add({"bin", "l", 's'}, Map<Text, int64_t>([](int64_t value) {
                  return InBase(static_cast<uint64_t>(value), 2);
                }));
  registry->Add({"conv", "sii", 's', true}, Map<Text, Text, int32_t, int32_t>(Conv), true);
  registry->Special("width_bucket", BindWidthBucket);
  registry->Compute("width_bucket", WidthBucketKernel);
  registry->Special("bit_get", BindBitGet);
  registry->Alias("getbit", "bit_get");
  registry->Compute("bit_get", Map<int8_t, int64_t, int32_t, int32_t>(BitGet), true);
  for (const char* name : {"ceil", "floor"}) {
    registry->Special(name, BindToPlace(registry->Find(name)));
    registry->Compute(std::string(name) + "_to_place", ToPlace(name[0] == 'c'), true);
  }
  registry->Special("signum", BindSign(registry->Find("signum")));
  registry->Compute("signum_of_interval", IntervalSign);
}

}  // namespace sluice::sql
