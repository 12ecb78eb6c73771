// + - * / of intervals, and differences of times. Overflow and division by zero are errors of their
// own; fractions are rounded half up, as in Spark.
#include <fmt/format.h>

#include <cmath>

#include "sql/expressions/decimal_math.h"
#include "sql/expressions/kernel.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/function_registry_internal.h"
#include "sql/functions/interval_binder.h"
#include "sql/parser/data_type_name.h"

namespace sluice::sql {
namespace {

using arrow::Decimal128;
using arrow::Decimal256;
using arrow::Type;

Status IntervalOverflow() {
  return MakeError("INTERVAL_ARITHMETIC_OVERFLOW",
                   "[INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION] an interval overflows. "
                   "SQLSTATE: 22015",
                   "use the try_ form of the operator to get NULL instead");
}

Status IntervalDividedByZero() {
  return MakeError("INTERVAL_DIVIDED_BY_ZERO",
                   "[INTERVAL_DIVIDED_BY_ZERO] an interval is divided by zero. SQLSTATE: 22012",
                   "use try_divide to get NULL instead");
}

enum class Outcome { kOk, kOverflow, kByZero };

template <typename T>
Outcome RoundHalfUp(double value, T* out) {
  const double rounded = std::round(value);
  // The limits of T as doubles: the upper one is 2^31 or 2^63, which is past it.
  const double limit = std::ldexp(1.0, static_cast<int>(sizeof(T)) * 8 - 1);
  if (std::isnan(value) || rounded < -limit || rounded >= limit) return Outcome::kOverflow;
  *out = static_cast<T>(rounded);
  return Outcome::kOk;
}

template <typename T>
Outcome FromDecimal(const std::optional<Decimal128>& value, T* out) {
  if (!value.has_value() || !value->ToInteger(out).ok()) return Outcome::kOverflow;
  return Outcome::kOk;
}

template <typename T>
struct Times {
  static Outcome Apply(T interval, int64_t by, int, T* out) {
    return __builtin_mul_overflow(interval, by, out) ? Outcome::kOverflow : Outcome::kOk;
  }
  static Outcome Apply(T interval, double by, int, T* out) {
    return RoundHalfUp(static_cast<double>(interval) * by, out);
  }
  static Outcome Apply(T interval, const Decimal128& by, int scale, T* out) {
    const Decimal256 product = Decimal256(Decimal128(interval)) * Decimal256(by);
    return FromDecimal(Rescale(product, scale, 0, 38), out);
  }
};

// The quotient rounded half away from zero.
std::optional<Decimal128> DivideRounded(const Decimal256& numerator, const Decimal256& divisor) {
  auto [quotient, rest] = *numerator.Divide(divisor);
  if (Decimal256::Abs(rest) * Decimal256(2) >= Decimal256::Abs(divisor))
    quotient += Decimal256(numerator.Sign() == divisor.Sign() ? 1 : -1);
  return Rescale(quotient, 0, 0, 38);
}

template <typename T>
struct Over {
  static Outcome Apply(T interval, int64_t by, int, T* out) {
    return Apply(interval, Decimal128(by), 0, out);
  }
  static Outcome Apply(T interval, double by, int, T* out) {
    if (by == 0) return Outcome::kByZero;
    return RoundHalfUp(static_cast<double>(interval) / by, out);
  }
  static Outcome Apply(T interval, const Decimal128& by, int scale, T* out) {
    if (by == Decimal128(0)) return Outcome::kByZero;
    return FromDecimal(
        DivideRounded(Decimal256(Decimal128(interval)) * PowerOfTen(scale), Decimal256(by)), out);
  }
};

template <typename T>
struct Plus {
  static Outcome Apply(T a, T b, int, T* out) {
    return __builtin_add_overflow(a, b, out) ? Outcome::kOverflow : Outcome::kOk;
  }
};
template <typename T>
struct Minus {
  static Outcome Apply(T a, T b, int, T* out) {
    return __builtin_sub_overflow(a, b, out) ? Outcome::kOverflow : Outcome::kOk;
  }
};

template <typename Op, typename T, typename By>
Result<ArrayPtr> Rows(const KernelCall& call) {
  const bool tried = call.expression.try_mode;
  int scale = 0;
  if (const auto& type = *call.args[1].array->type(); IsDecimal(type))
    scale = static_cast<const arrow::Decimal128Type&>(type).scale();
  return MapRows<T, T, By>(
      call,
      [&](T interval, const By& by) -> Result<std::optional<T>> {
        T out{};
        const Outcome outcome = Op::Apply(interval, by, scale, &out);
        if (outcome == Outcome::kOk) return out;
        if (tried) return std::optional<T>();
        return outcome == Outcome::kByZero ? IntervalDividedByZero() : IntervalOverflow();
      },
      std::index_sequence<0, 1>());
}

template <template <typename> typename Op>
Result<ArrayPtr> Scaled(const KernelCall& call) {
  auto run = [&]<typename T>(T) -> Result<ArrayPtr> {
    switch (call.args[1].array->type_id()) {
      case Type::INT64: return Rows<Op<T>, T, int64_t>(call);
      case Type::DOUBLE: return Rows<Op<T>, T, double>(call);
      default: return Rows<Op<T>, T, Decimal128>(call);
    }
  };
  return call.expression.type->id() == Type::DURATION ? run(int64_t{}) : run(int32_t{});
}

template <template <typename> typename Op>
Result<ArrayPtr> Together(const KernelCall& call) {
  return call.expression.type->id() == Type::DURATION ? Rows<Op<int64_t>, int64_t, int64_t>(call)
                                                      : Rows<Op<int32_t>, int32_t, int32_t>(call);
}

Result<ArrayPtr> Sign(const KernelCall& call) {
  const bool absolute = call.expression.name == "interval_abs";
  auto run = [&]<typename T>(T) {
    return MapRows<T, T>(
        call,
        [&](T value) -> Result<T> {
          T out = value;
          if ((!absolute || value < 0) && __builtin_sub_overflow(T{0}, value, &out))
            return IntervalOverflow();
          return out;
        },
        std::index_sequence<0>());
  };
  return call.expression.type->id() == Type::DURATION ? run(int64_t{}) : run(int32_t{});
}

BoundPtr MakeTried(BoundPtr call, bool tried) {
  if (!tried) return call;
  auto made = std::make_shared<BoundExpression>(*call);
  made->try_mode = true;
  made->nullable = true;
  return made;
}

}  // namespace

bool IsInterval(const arrow::DataType& type) {
  return type.id() == Type::DURATION || type.id() == Type::INTERVAL_MONTHS;
}

bool HasFewerFields(const BoundExpression& interval) {
  if (!IsInterval(*interval.type)) return false;
  if (interval.kind == BoundKind::kLiteral) return !interval.name.empty();
  if (interval.kind != BoundKind::kCall) return false;
  for (const BoundPtr& arg : interval.args) {
    if (HasFewerFields(*arg)) return true;
  }
  return false;
}

Result<BoundPtr> BindIntervalArithmetic(FunctionBinder& binder, const std::string& op,
                                        BoundPtr left, BoundPtr right, bool tried, Span span) {
  if (op == "*" && !IsInterval(*left->type)) std::swap(left, right);
  auto mismatch = [&]() {
    return binder.Error(span, "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
                        fmt::format("cannot resolve \"({} {} {})\": the left and right operands "
                                    "have the types \"{}\" and \"{}\"",
                                    ToString(*left), op, ToString(*right),
                                    SparkTypeSql(*left->type), SparkTypeSql(*right->type)));
  };
  if (!IsInterval(*left->type)) return mismatch();
  const TypePtr type = left->type;
  const bool nullable = left->nullable || right->nullable;
  if (op == "+" || op == "-") {
    if (right->type->id() == Type::NA) right = MakeCast(right, type);
    if (!right->type->Equals(*type)) return mismatch();
    return MakeTried(MakeCall(op == "+" ? "interval_add" : "interval_subtract", {left, right}, type,
                              nullable, span),
                     tried);
  }
  if (right->type->id() == Type::STRING || right->type->id() == Type::NA)
    right = MakeCast(right, arrow::float64());
  if ((op != "*" && op != "/") || !IsNumeric(*right->type)) return mismatch();
  if (IsIntegral(*right->type)) right = MakeCast(right, arrow::int64());
  if (right->type->id() == Type::FLOAT) right = MakeCast(right, arrow::float64());
  return MakeTried(MakeCall(op == "*" ? "interval_multiply" : "interval_divide", {left, right},
                            type, nullable, span),
                   tried);
}

Result<BoundPtr> BindIntervalSign(const std::string& name, BoundPtr interval, Span span) {
  const TypePtr type = interval->type;
  const bool nullable = interval->nullable;
  if (interval->IsLiteral() && interval->literal->is_valid && name == "negative") {
    auto negated = std::make_shared<BoundExpression>(*interval);
    if (type->id() == Type::DURATION) {
      const int64_t value = static_cast<const arrow::DurationScalar&>(*interval->literal).value;
      if (value != INT64_MIN) {
        negated->literal = std::make_shared<arrow::DurationScalar>(-value, type);
        return BoundPtr(negated);
      }
    } else {
      const int32_t value =
          static_cast<const arrow::MonthIntervalScalar&>(*interval->literal).value;
      if (value != INT32_MIN) {
        negated->literal = std::make_shared<arrow::MonthIntervalScalar>(-value);
        return BoundPtr(negated);
      }
    }
  }
  return MakeCall("interval_" + name, {std::move(interval)}, type, nullable, span);
}

void RegisterIntervalFunctions(FunctionRegistry* registry) {
  registry->Compute("interval_add", Plain(Together<Plus>), true);
  registry->Compute("interval_subtract", Plain(Together<Minus>), true);
  registry->Compute("interval_multiply", Plain(Scaled<Times>), true);
  registry->Compute("interval_divide", Plain(Scaled<Over>), true);
  registry->Compute("interval_negative", Plain(Sign), true);
  registry->Compute("interval_abs", Plain(Sign), true);
  registry->Compute("time_difference",
                    Map<int64_t, int64_t, int64_t>([](int64_t a, int64_t b) -> Result<int64_t> {
                      int64_t out = 0;
                      if (__builtin_sub_overflow(a, b, &out)) return IntervalOverflow();
                      return out;
                    }),
                    true);
}

}  // namespace sluice::sql
