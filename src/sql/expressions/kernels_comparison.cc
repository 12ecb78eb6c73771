// = <=> < <= > >= not isnull isnotnull in greatest least isnan nanvl.
#include <cmath>

#include "sql/expressions/kernel.h"
#include "sql/expressions/physical_type.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/value_key.h"

namespace sluice::sql {
namespace {

Status NestedUnsupported(const BoundExpression& call) {
  return MakeError("NOT_SUPPORTED_YET", "not supported yet: " + call.name + " of nested values");
}

// Arrays and structs by their elements; a NULL within equals a NULL.
int CompareNested(const Value& left, const Value& right, int64_t row) {
  return CompareValues(*left.array, left.At(row), *right.array, right.At(row));
}

template <typename Test>
Result<ArrayPtr> CompareNestedRows(const KernelCall& call, Test test) {
  arrow::BooleanBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    if (call.args[0].IsNull(row) || call.args[1].IsNull(row)) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(test(CompareNested(call.args[0], call.args[1], row)));
    }
  }
  return builder.Finish();
}

template <typename T, typename Test>
Result<ArrayPtr> CompareRows(const KernelCall& call, Test test) {
  const Reader<T> left(call.args[0]);
  const Reader<T> right(call.args[1]);
  arrow::BooleanBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    if (left.IsNull(row) || right.IsNull(row)) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(test(Compare(left.Get(row), right.Get(row))));
    }
  }
  return builder.Finish();
}

template <typename Test>
KernelFactory Comparison(Test test) {
  return [test](const BoundExpression& call) -> Result<Kernel> {
    if (!IsOrderable(*call.args[0]->type)) return NestedUnsupported(call);
    if (call.args[0]->type->num_fields() > 0)
      return Kernel([test](const KernelCall& now) { return CompareNestedRows(now, test); });
    return Kernel([test](const KernelCall& now) -> Result<ArrayPtr> {
      Result<ArrayPtr> result = arrow::MakeArrayOfNull(arrow::boolean(), now.rows);
      VisitPhysical(*now.args[0].array->type(),
                    [&]<typename T>(T) { result = CompareRows<T>(now, test); });
      return result;
    });
  };
}

Result<ArrayPtr> NullSafeEqual(const KernelCall& call) {
  arrow::BooleanBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(call.rows));
  const bool known = VisitPhysical(*call.args[0].array->type(), [&]<typename T>(T) {
    const Reader<T> left(call.args[0]);
    const Reader<T> right(call.args[1]);
    for (int64_t row = 0; row < call.rows; ++row) {
      const bool left_null = left.IsNull(row);
      const bool right_null = right.IsNull(row);
      builder.UnsafeAppend(left_null || right_null ? left_null == right_null
                                                   : Compare(left.Get(row), right.Get(row)) == 0);
    }
  });
  for (int64_t row = 0; !known && row < call.rows; ++row)  // nested ones, or void
    builder.UnsafeAppend(CompareNested(call.args[0], call.args[1], row) == 0);
  return builder.Finish();
}

Result<ArrayPtr> IsNull(const KernelCall& call) {
  const bool negated = call.expression.name == "isnotnull";
  arrow::BooleanBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row)
    builder.UnsafeAppend(call.args[0].IsNull(row) != negated);
  return builder.Finish();
}

/// The value of a scalar subquery and how many rows it has.
Result<ArrayPtr> ScalarSubqueryValue(const KernelCall& call) {
  const Reader<int64_t> counts(call.args[1]);
  for (int64_t row = 0; row < call.rows; ++row) {
    if (!counts.IsNull(row) && counts.Get(row) > 1) {
      return MakeError("SCALAR_SUBQUERY_TOO_MANY_ROWS",
                       "[SCALAR_SUBQUERY_TOO_MANY_ROWS] more than one row returned by a subquery "
                       "used as an expression. SQLSTATE: 21000",
                       "add an aggregate, or LIMIT 1");
    }
  }
  return call.args[0].array;
}

template <typename T>
Result<ArrayPtr> InRows(const KernelCall& call) {
  const Reader<T> operand(call.args[0]);
  std::vector<Reader<T>> values;
  for (size_t i = 1; i < call.args.size(); ++i) values.emplace_back(call.args[i]);
  arrow::BooleanBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    bool found = false;
    bool unknown = operand.IsNull(row);
    for (size_t i = 0; !unknown && !found && i < values.size(); ++i) {
      found = !values[i].IsNull(row) && Compare(operand.Get(row), values[i].Get(row)) == 0;
    }
    for (size_t i = 0; !found && !unknown && i < values.size(); ++i)
      unknown = values[i].IsNull(row);
    if (found) {
      builder.UnsafeAppend(true);
    } else if (unknown) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(false);
    }
  }
  return builder.Finish();
}

Result<ArrayPtr> InNestedRows(const KernelCall& call) {
  arrow::BooleanBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    bool found = false;
    bool unknown = call.args[0].IsNull(row);
    for (size_t i = 1; !unknown && !found && i < call.args.size(); ++i)
      found = !call.args[i].IsNull(row) && CompareNested(call.args[0], call.args[i], row) == 0;
    for (size_t i = 1; !found && !unknown && i < call.args.size(); ++i)
      unknown = call.args[i].IsNull(row);
    if (unknown && !found) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(found);
    }
  }
  return builder.Finish();
}

Result<ArrayPtr> In(const KernelCall& call) {
  if (call.args[0].array->type()->num_fields() > 0) return InNestedRows(call);
  Result<ArrayPtr> result = arrow::MakeArrayOfNull(arrow::boolean(), call.rows);
  VisitPhysical(*call.args[0].array->type(), [&]<typename T>(T) { result = InRows<T>(call); });
  return result;
}

template <typename T>
Result<ArrayPtr> ExtremeRows(const KernelCall& call) {
  const int wanted = call.expression.name == "greatest" ? 1 : -1;
  std::vector<Reader<T>> values;
  for (const Value& arg : call.args) values.emplace_back(arg);
  Writer<T> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    std::optional<T> best;
    for (const auto& value : values) {
      if (value.IsNull(row)) continue;
      const T candidate = value.Get(row);
      if (!best.has_value() || Compare(candidate, *best) == wanted) best = candidate;
    }
    if (best.has_value()) {
      SLUICE_RETURN_NOT_OK(writer.Set(*best));
    } else {
      SLUICE_RETURN_NOT_OK(writer.Null());
    }
  }
  return writer.Finish();
}

Result<ArrayPtr> Extreme(const KernelCall& call) {
  Result<ArrayPtr> result = arrow::MakeArrayOfNull(call.expression.type, call.rows);
  VisitPhysical(*call.expression.type, [&]<typename T>(T) { result = ExtremeRows<T>(call); });
  return result;
}

Result<ArrayPtr> IsNan(const KernelCall& call) {
  const Reader<double> reader(call.args[0]);
  arrow::BooleanBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row)
    builder.UnsafeAppend(!reader.IsNull(row) && std::isnan(reader.Get(row)));
  return builder.Finish();
}

Result<ArrayPtr> NanValue(const KernelCall& call) {
  const Reader<double> first(call.args[0]);
  const Reader<double> second(call.args[1]);
  Writer<double> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    const Reader<double>& chosen =
        !first.IsNull(row) && std::isnan(first.Get(row)) ? second : first;
    SLUICE_RETURN_NOT_OK(chosen.IsNull(row) ? writer.Null() : writer.Set(chosen.Get(row)));
  }
  return writer.Finish();
}

}  // namespace

void RegisterComparisonKernels(KernelMap* kernels) {
  auto& map = *kernels;
  map["="] = Comparison([](int order) { return order == 0; });
  map["<"] = Comparison([](int order) { return order < 0; });
  map["<="] = Comparison([](int order) { return order <= 0; });
  map[">"] = Comparison([](int order) { return order > 0; });
  map[">="] = Comparison([](int order) { return order >= 0; });
  map["<=>"] = [](const BoundExpression& call) -> Result<Kernel> {
    if (!IsOrderable(*call.args[0]->type)) return NestedUnsupported(call);
    return Kernel(NullSafeEqual);
  };
  map["not"] = Map<bool, bool>([](bool value) { return !value; });
  map["isnull"] = Plain(IsNull);
  map["isnotnull"] = Plain(IsNull);
  map["scalar_subquery"] = Plain(ScalarSubqueryValue);
  map["in"] = Plain(In);
  map["greatest"] = Plain(Extreme);
  map["least"] = Plain(Extreme);
  map["isnan"] = Plain(IsNan);
  map["nanvl"] = Plain(NanValue);
}

}  // namespace sluice::sql
