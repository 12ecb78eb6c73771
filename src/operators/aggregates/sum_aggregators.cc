// count, sum, avg, variance: sums of numbers. Integers and decimals are added exactly in 128 bits,
// doubles with Neumaier's compensation, so that results do not depend on how rows were cut into
// epochs (to 1e-9).
#include <algorithm>
#include <cmath>

#include "operators/aggregates/number_aggregators.h"
#include "operators/aggregates/plain_aggregator_internal.h"
#include "operators/aggregates/value_access_internal.h"

namespace sluice::operators {
namespace {

Status Overflow(const char* what) {
  return MakeError("ARITHMETIC_OVERFLOW", std::string(what) + " does not fit its result type",
                   "cast the argument to a wider type, such as DECIMAL(38, s) or DOUBLE");
}

struct Count {
  struct Accumulator {
    int64_t rows = 0;
  };
  using Column = FixedColumn<int64_t>;
  static constexpr uint32_t kTag = 1;
  std::shared_ptr<arrow::DataType> result_type = arrow::int64();

  Status Update(const AggregateInput& input, Accumulator* of_group) const {
    ForSelected(input, [&](int64_t, uint32_t group) { ++of_group[group].rows; });
    return Status::OK();
  }
  Status Merge(Accumulator* into, const Accumulator& from) const {
    into->rows += from.rows;
    return Status::OK();
  }
  Status Append(const Accumulator& value, Column* column) const {
    return column->Append(value.rows);
  }
};

struct ExactSum {
  int64_t rows = 0;
  int64_t zero = 0;  // fills the place up to the alignment of the sum
  Int128 sum = 0;
};

Int128 PowerOfTen(int digits) {
  Int128 power = 1;
  for (int i = 0; i < digits; ++i) power *= 10;
  return power;
}

/// What the exact functions share: adding.
struct ExactAdding {
  using Accumulator = ExactSum;

  Status Update(const AggregateInput& input, Accumulator* of_group) const {
    bool overflow = false;
    const auto add = [&](auto value_of) {
      ForSelected(input, [&](int64_t i, uint32_t group) {
        Accumulator& accumulator = of_group[group];
        ++accumulator.rows;
        overflow |= __builtin_add_overflow(accumulator.sum, static_cast<Int128>(value_of(i)),
                                           &accumulator.sum);
      });
    };
    const arrow::Array& argument = *input.arguments[0];
    if (argument.type_id() == arrow::Type::DECIMAL128) {
      add(DecimalValues(argument));
    } else {
      SLUICE_RETURN_NOT_OK(VisitIntegers(argument, add));
    }
    return overflow ? Overflow("sum") : Status::OK();
  }
  Status Merge(Accumulator* into, const Accumulator& from) const {
    into->rows += from.rows;
    return __builtin_add_overflow(into->sum, from.sum, &into->sum) ? Overflow("sum") : Status::OK();
  }
};

struct SumOfIntegers : ExactAdding {
  using Column = FixedColumn<int64_t>;
  static constexpr uint32_t kTag = 2;
  std::shared_ptr<arrow::DataType> result_type;

  Status Append(const Accumulator& value, Column* column) const {
    if (value.rows == 0) return column->AppendNull();
    const auto sum = static_cast<int64_t>(value.sum);
    return sum == value.sum ? column->Append(sum) : Overflow("sum");
  }
};

struct AvgOfIntegers : ExactAdding {
  using Column = FixedColumn<double>;
  static constexpr uint32_t kTag = 2;
  std::shared_ptr<arrow::DataType> result_type;

  Status Append(const Accumulator& value, Column* column) const {
    if (value.rows == 0) return column->AppendNull();
    return column->Append(static_cast<double>(value.sum) / static_cast<double>(value.rows));
  }
};

struct SumOfDecimals : ExactAdding {
  using Column = FixedColumn<Int128>;
  static constexpr uint32_t kTag = 2;
  std::shared_ptr<arrow::DataType> result_type;
  Int128 limit = 0;  // 10^precision of the result

  Status Append(const Accumulator& value, Column* column) const {
    if (value.rows == 0) return column->AppendNull();
    if (value.sum >= limit || value.sum <= -limit) return Overflow("sum");
    return column->Append(value.sum);
  }
};

struct AvgOfDecimals : ExactAdding {
  using Column = FixedColumn<Int128>;
  static constexpr uint32_t kTag = 2;
  std::shared_ptr<arrow::DataType> result_type;
  Int128 limit = 0;
  Int128 shift = 1;  // 10^(scale of the result - scale of the argument)

  /// sum * shift / rows, half away from zero, in two steps so that the product stays within 128
  /// bits.
  Status Append(const Accumulator& value, Column* column) const {
    if (value.rows == 0) return column->AppendNull();
    const Int128 rows = value.rows;
    const Int128 rest = value.sum % rows * shift;
    Int128 digits = rest / rows;
    const Int128 left = rest % rows;
    if (2 * (left < 0 ? -left : left) >= rows) digits += left < 0 ? -1 : 1;
    Int128 average = 0;
    if (__builtin_mul_overflow(value.sum / rows, shift, &average) ||
        __builtin_add_overflow(average, digits, &average) || average >= limit ||
        average <= -limit) {
      return Overflow("avg");
    }
    return column->Append(average);
  }
};

struct DoubleSum {
  double sum = 0;
  double lost = 0;  // what rounding took away
  int64_t rows = 0;

  void Add(double value) {
    const double next = sum + value;
    if (std::isfinite(next)) {
      lost += std::abs(sum) >= std::abs(value) ? (sum - next) + value : (value - next) + sum;
    }
    sum = next;
  }
  double Total() const { return std::isfinite(sum) ? sum + lost : sum; }
};

template <bool kAverage>
struct SumOfDoubles {
  using Accumulator = DoubleSum;
  using Column = FixedColumn<double>;
  static constexpr uint32_t kTag = 3;
  std::shared_ptr<arrow::DataType> result_type = arrow::float64();

  Status Update(const AggregateInput& input, Accumulator* of_group) const {
    return VisitAsDoubles(*input.arguments[0], [&](auto value_of) {
      ForSelected(input, [&](int64_t i, uint32_t group) {
        ++of_group[group].rows;
        of_group[group].Add(value_of(i));
      });
    });
  }
  Status Merge(Accumulator* into, const Accumulator& from) const {
    into->rows += from.rows;
    into->Add(from.sum);
    into->lost += from.lost;
    return Status::OK();
  }
  Status Append(const Accumulator& value, Column* column) const {
    if (value.rows == 0) return column->AppendNull();
    return column->Append(kAverage ? value.Total() / static_cast<double>(value.rows)
                                   : value.Total());
  }
};

/// Welford's update and Chan's merge of mean and sum of squared distances.
struct Variance {
  struct Accumulator {
    int64_t rows = 0;
    double mean = 0;
    double squares = 0;
  };
  using Column = FixedColumn<double>;
  static constexpr uint32_t kTag = 4;
  std::shared_ptr<arrow::DataType> result_type = arrow::float64();
  bool sample = true;
  bool root = false;

  Status Update(const AggregateInput& input, Accumulator* of_group) const {
    return VisitAsDoubles(*input.arguments[0], [&](auto value_of) {
      ForSelected(input, [&](int64_t i, uint32_t group) {
        Accumulator& accumulator = of_group[group];
        const double value = value_of(i);
        const double distance = value - accumulator.mean;
        accumulator.mean += distance / static_cast<double>(++accumulator.rows);
        accumulator.squares += distance * (value - accumulator.mean);
      });
    });
  }
  Status Merge(Accumulator* into, const Accumulator& from) const {
    if (from.rows == 0) return Status::OK();
    const auto rows = static_cast<double>(into->rows);
    const auto more = static_cast<double>(from.rows);
    const double distance = from.mean - into->mean;
    into->rows += from.rows;
    into->mean += distance * more / (rows + more);
    into->squares += from.squares + distance * distance * rows * more / (rows + more);
    return Status::OK();
  }
  Status Append(const Accumulator& value, Column* column) const {
    if (value.rows == 0 || (sample && value.rows == 1)) return column->AppendNull();
    const double variance =
        value.squares / static_cast<double>(sample ? value.rows - 1 : value.rows);
    return column->Append(root ? std::sqrt(variance) : variance);
  }
};

template <typename Function>
std::unique_ptr<Aggregator> Make(Function function) {
  return std::make_unique<PlainAggregator<Function>>(std::move(function));
}

}  // namespace

std::unique_ptr<Aggregator> MakeCount() { return Make(Count{}); }

std::unique_ptr<Aggregator> MakeSumOrAvg(const AggregateSpec& spec,
                                         const std::shared_ptr<arrow::DataType>& type) {
  const bool average = spec.kind == AggregateKind::kAvg;
  if (arrow::is_floating(type->id())) {
    return average ? Make(SumOfDoubles<true>{}) : Make(SumOfDoubles<false>{});
  }
  if (arrow::is_integer(type->id())) {
    if (average) return Make(AvgOfIntegers{{}, spec.result_type});
    return Make(SumOfIntegers{{}, spec.result_type});
  }
  const auto& result = static_cast<const arrow::Decimal128Type&>(*spec.result_type);
  const Int128 limit = PowerOfTen(result.precision());
  if (!average) return Make(SumOfDecimals{{}, spec.result_type, limit});
  const int digits = result.scale() - static_cast<const arrow::Decimal128Type&>(*type).scale();
  return Make(AvgOfDecimals{{}, spec.result_type, limit, PowerOfTen(std::max(0, digits))});
}

std::unique_ptr<Aggregator> MakeVariance(const AggregateSpec& spec) {
  const bool sample =
      spec.kind == AggregateKind::kVarianceSample || spec.kind == AggregateKind::kStddevSample;
  const bool root =
      spec.kind == AggregateKind::kStddevSample || spec.kind == AggregateKind::kStddevPopulation;
  return Make(Variance{.sample = sample, .root = root});
}

}  // namespace sluice::operators
