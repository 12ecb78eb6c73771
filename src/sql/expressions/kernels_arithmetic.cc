// + - * / % div pmod and their try_ forms, negative, abs, bits: ANSI errors for overflow and
// division by zero.
#include <bit>
#include <cmath>

#include "sql/expressions/decimal_math.h"
#include "sql/expressions/kernel.h"
#include "sql/expressions/spark_type.h"

namespace sluice::sql {
namespace {

using arrow::Decimal128;
using arrow::Decimal256;
using arrow::Type;

Status RemainderByZero() {
  return MakeError("REMAINDER_BY_ZERO", "[REMAINDER_BY_ZERO] remainder by zero. SQLSTATE: 22012",
                   "use try_mod to get NULL instead");
}

Status DivideByZero() {
  return MakeError("DIVIDE_BY_ZERO", "[DIVIDE_BY_ZERO] division by zero. SQLSTATE: 22012",
                   "use try_divide to get NULL instead");
}

Status Overflow(const BoundExpression& call) {
  const bool small = call.type->id() == Type::INT8 || call.type->id() == Type::INT16;
  if (small && call.args.size() == 2)
    return MakeError(
        "BINARY_ARITHMETIC_OVERFLOW",
        "[BINARY_ARITHMETIC_OVERFLOW] overflow in " + ToString(call) + ". SQLSTATE: 22003",
        "use the try_ form of the operator, or a wider type");
  return MakeError("ARITHMETIC_OVERFLOW",
                   "[ARITHMETIC_OVERFLOW] overflow in " + ToString(call) + ". SQLSTATE: 22003",
                   "use the try_ form of the operator, or a wider type");
}

Status DecimalOverflow(const BoundExpression& call) {
  return MakeError("NUMERIC_VALUE_OUT_OF_RANGE",
                   "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] the result of " + ToString(call) +
                       " does not fit its decimal type. SQLSTATE: 22003");
}

Status ByZero(const BoundExpression& call) {
  return call.name == "%" || call.name == "pmod" ? RemainderByZero() : DivideByZero();
}

enum class Outcome { kOk, kOverflow, kDivideByZero };

struct Add {
  template <typename T>
  static Outcome Apply(T a, T b, T* out) {
    if constexpr (std::is_floating_point_v<T>)
      return *out = a + b, Outcome::kOk;
    else
      return __builtin_add_overflow(a, b, out) ? Outcome::kOverflow : Outcome::kOk;
  }
};
struct Subtract {
  template <typename T>
  static Outcome Apply(T a, T b, T* out) {
    if constexpr (std::is_floating_point_v<T>)
      return *out = a - b, Outcome::kOk;
    else
      return __builtin_sub_overflow(a, b, out) ? Outcome::kOverflow : Outcome::kOk;
  }
};
struct Multiply {
  template <typename T>
  static Outcome Apply(T a, T b, T* out) {
    if constexpr (std::is_floating_point_v<T>)
      return *out = a * b, Outcome::kOk;
    else
      return __builtin_mul_overflow(a, b, out) ? Outcome::kOverflow : Outcome::kOk;
  }
};
struct Divide {
  template <typename T>
  static Outcome Apply(T a, T b, T* out) {
    if (b == T{0}) return Outcome::kDivideByZero;
    if constexpr (std::is_integral_v<T>) {
      if (b == T{-1})
        return __builtin_sub_overflow(T{0}, a, out) ? Outcome::kOverflow : Outcome::kOk;
    }
    *out = static_cast<T>(a / b);
    return Outcome::kOk;
  }
};
struct Remainder {
  template <typename T>
  static Outcome Apply(T a, T b, T* out) {
    if (b == T{0}) return Outcome::kDivideByZero;
    if constexpr (std::is_floating_point_v<T>) {
      *out = std::fmod(a, b);
    } else {
      *out = b == T{-1} ? T{0} : static_cast<T>(a % b);
    }
    return Outcome::kOk;
  }
};
struct PositiveRemainder {
  template <typename T>
  static Outcome Apply(T a, T b, T* out) {
    const Outcome outcome = Remainder::Apply(a, b, out);
    if (outcome == Outcome::kOk && *out < T{0}) {
      if constexpr (std::is_floating_point_v<T>)
        *out = std::fmod(*out + b, b);
      else
        *out = static_cast<T>((static_cast<int64_t>(*out) + b) % b);
    }
    return outcome;
  }
};

template <typename Op, typename T>
Result<ArrayPtr> Numbers(const KernelCall& call, bool tried) {
  const Reader<T> left(call.args[0]);
  const Reader<T> right(call.args[1]);
  Writer<T> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    if (left.IsNull(row) || right.IsNull(row)) {
      SLUICE_RETURN_NOT_OK(writer.Null());
      continue;
    }
    T out{};
    const Outcome outcome = Op::template Apply<T>(left.Get(row), right.Get(row), &out);
    if (outcome == Outcome::kOk) [[likely]] {
      SLUICE_RETURN_NOT_OK(writer.Set(out));
    } else if (tried) {
      SLUICE_RETURN_NOT_OK(writer.Null());
    } else {
      if (outcome == Outcome::kOverflow) return Overflow(call.expression);
      return ByZero(call.expression);
    }
  }
  return writer.Finish();
}

// `op` on unscaled values of a common scale where it needs one. Returns the result and its scale.
std::optional<Decimal128> DecimalOp(char op, const Decimal128& a, int a_scale, const Decimal128& b,
                                    int b_scale, int scale, int precision, bool* by_zero) {
  const Decimal256 left(a);
  const Decimal256 right(b);
  if (op == '*') return Rescale(left * right, a_scale + b_scale, scale, precision);
  if (op == '/' || op == '%' || op == 'p') {
    *by_zero = b == Decimal128(0);
    if (*by_zero) return std::nullopt;
  }
  if (op == '/') {
    // One digit more than asked for would round twice: the remainder decides.
    const int shift = scale - a_scale + b_scale;
    Decimal256 numerator = left;
    Decimal256 denominator = right;
    if (shift >= 0) {
      if (!numerator.FitsInPrecision(76 - shift)) return std::nullopt;
      numerator = numerator * PowerOfTen(shift);
    } else {
      denominator = denominator * PowerOfTen(-shift);
    }
    auto [quotient, remainder] = *numerator.Divide(denominator);
    Decimal256 rest = remainder;
    rest.Abs();
    Decimal256 divisor = denominator;
    divisor.Abs();
    if (rest + rest >= divisor)
      quotient += numerator.Sign() * denominator.Sign() < 0 ? Decimal256(-1) : Decimal256(1);
    return Rescale(quotient, scale, scale, precision);
  }
  const int common = std::max(a_scale, b_scale);
  const Decimal256 x = left * PowerOfTen(common - a_scale);
  const Decimal256 y = right * PowerOfTen(common - b_scale);
  if (op == '+') return Rescale(x + y, common, scale, precision);
  if (op == '-') {
    Decimal256 negated = y;
    negated.Negate();
    return Rescale(x + negated, common, scale, precision);
  }
  auto [quotient, remainder] = *x.Divide(y);
  if (op == 'p' && remainder < Decimal256(0))
    remainder = Decimal256(remainder + y).Divide(y)->second;
  return Rescale(remainder, common, scale, precision);
}

Result<ArrayPtr> Decimals(const KernelCall& call, char op, bool tried) {
  auto scale_of = [](const arrow::DataType& type) {
    return static_cast<const arrow::Decimal128Type&>(type).scale();
  };
  const auto& type = static_cast<const arrow::Decimal128Type&>(*call.expression.type);
  const int left_scale = scale_of(*call.args[0].array->type());
  const int right_scale = scale_of(*call.args[1].array->type());
  const Reader<Decimal128> left(call.args[0]);
  const Reader<Decimal128> right(call.args[1]);
  Writer<Decimal128> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    if (left.IsNull(row) || right.IsNull(row)) {
      SLUICE_RETURN_NOT_OK(writer.Null());
      continue;
    }
    bool by_zero = false;
    const auto result = DecimalOp(op, left.Get(row), left_scale, right.Get(row), right_scale,
                                  type.scale(), type.precision(), &by_zero);
    if (!result.has_value() && !tried)
      return by_zero ? ByZero(call.expression) : DecimalOverflow(call.expression);
    SLUICE_RETURN_NOT_OK(writer.Set(result));
  }
  return writer.Finish();
}

template <typename Op>
KernelFactory Arithmetic(char op, bool tried = false) {
  return [op, tried](const BoundExpression&) -> Result<Kernel> {
    return Kernel([op, tried](const KernelCall& call) -> Result<ArrayPtr> {
      switch (call.expression.type->id()) {
        case Type::INT8: return Numbers<Op, int8_t>(call, tried);
        case Type::INT16: return Numbers<Op, int16_t>(call, tried);
        case Type::INT32: return Numbers<Op, int32_t>(call, tried);
        case Type::INT64: return Numbers<Op, int64_t>(call, tried);
        case Type::FLOAT: return Numbers<Op, float>(call, tried);
        case Type::DOUBLE: return Numbers<Op, double>(call, tried);
        default: return Decimals(call, op, tried);
      }
    });
  };
}

template <typename T>
Result<ArrayPtr> SignRows(const KernelCall& call, bool absolute) {
  return MapRows<T, T>(
      call,
      [&](T value) -> Result<T> {
        if constexpr (std::is_same_v<T, Decimal128>) {
          return absolute ? Decimal128::Abs(value) : Decimal128(-value);
        } else if constexpr (std::is_floating_point_v<T>) {
          return absolute ? std::fabs(value) : -value;
        } else {
          if (absolute && value >= 0) return value;
          T out{};
          if (__builtin_sub_overflow(T{0}, value, &out)) return Overflow(call.expression);
          return out;
        }
      },
      std::index_sequence<0>());
}

KernelFactory Sign(bool absolute) {
  return [absolute](const BoundExpression&) -> Result<Kernel> {
    return Kernel([absolute](const KernelCall& call) -> Result<ArrayPtr> {
      switch (call.expression.type->id()) {
        case Type::INT8: return SignRows<int8_t>(call, absolute);
        case Type::INT16: return SignRows<int16_t>(call, absolute);
        case Type::INT32: return SignRows<int32_t>(call, absolute);
        case Type::INT64: return SignRows<int64_t>(call, absolute);
        case Type::FLOAT: return SignRows<float>(call, absolute);
        case Type::DOUBLE: return SignRows<double>(call, absolute);
        default: return SignRows<Decimal128>(call, absolute);
      }
    });
  };
}

// A function of one or two integers that cannot fail.
template <typename Function>
KernelFactory Bits(Function function) {
  return [function](const BoundExpression&) -> Result<Kernel> {
    return Kernel([function](const KernelCall& call) -> Result<ArrayPtr> {
      auto run = [&]<typename T>(T) -> Result<ArrayPtr> {
        if (call.args.size() == 1) {
          return MapRows<T, T>(
              call, [&](T a) { return static_cast<T>(function(a, T{0})); },
              std::index_sequence<0>());
        }
        return MapRows<T, T, T>(
            call, [&](T a, T b) { return static_cast<T>(function(a, b)); },
            std::index_sequence<0, 1>());
      };
      switch (call.expression.type->id()) {
        case Type::INT8: return run(int8_t{});
        case Type::INT16: return run(int16_t{});
        case Type::INT32: return run(int32_t{});
        default: return run(int64_t{});
      }
    });
  };
}

template <typename Function>
KernelFactory Shift(Function function) {
  return [function](const BoundExpression&) -> Result<Kernel> {
    return Kernel([function](const KernelCall& call) -> Result<ArrayPtr> {
      if (call.expression.type->id() == Type::INT32) {
        return MapRows<int32_t, int32_t, int32_t>(
            call, [&](int32_t a, int32_t b) { return static_cast<int32_t>(function(a, b & 31)); },
            std::index_sequence<0, 1>());
      }
      return MapRows<int64_t, int64_t, int32_t>(
          call, [&](int64_t a, int32_t b) { return static_cast<int64_t>(function(a, b & 63)); },
          std::index_sequence<0, 1>());
    });
  };
}

}  // namespace

void RegisterArithmeticKernels(KernelMap* kernels) {
  auto& map = *kernels;
  map["+"] = Arithmetic<Add>('+');
  map["-"] = Arithmetic<Subtract>('-');
  map["*"] = Arithmetic<Multiply>('*');
  map["/"] = Arithmetic<Divide>('/');
  map["div"] = Arithmetic<Divide>('d');
  map["%"] = Arithmetic<Remainder>('%');
  map["pmod"] = Arithmetic<PositiveRemainder>('p');
  map["try_+"] = Arithmetic<Add>('+', true);
  map["try_-"] = Arithmetic<Subtract>('-', true);
  map["try_*"] = Arithmetic<Multiply>('*', true);
  map["try_/"] = Arithmetic<Divide>('/', true);
  map["try_%"] = Arithmetic<Remainder>('%', true);
  map["negative"] = Sign(false);
  map["abs"] = Sign(true);
  map["&"] = Bits([](auto a, auto b) { return a & b; });
  map["|"] = Bits([](auto a, auto b) { return a | b; });
  map["^"] = Bits([](auto a, auto b) { return a ^ b; });
  map["~"] = Bits([](auto a, auto) { return ~a; });
  map["shiftleft"] =
      Shift([](auto a, int by) { return static_cast<std::make_unsigned_t<decltype(a)>>(a) << by; });
  map["shiftright"] = Shift([](auto a, int by) { return a >> by; });
  map["shiftrightunsigned"] =
      Shift([](auto a, int by) { return static_cast<std::make_unsigned_t<decltype(a)>>(a) >> by; });
  map["bit_count"] = Map<int32_t, int64_t>(
      [](int64_t value) { return std::popcount(static_cast<uint64_t>(value)); });
}

}  // namespace sluice::sql
