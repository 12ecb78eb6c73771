// sequence(start, stop[, step]) of integers, dates and times.
#include <fmt/format.h>

#include "base/calendar.h"
#include "sql/expressions/list_builder.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;

constexpr int64_t kMaxLength = 2147483632;  // as Spark's arrays

Status IllegalBoundaries() {
  return MakeError("INVALID_PARAMETER_VALUE.SEQUENCE_BOUNDARIES",
                   "illegal sequence boundaries: the step does not lead from start to stop");
}

Status CheckLength(int64_t length) {
  if (length <= kMaxLength) return Status::OK();
  return MakeError("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER",
                   fmt::format("[COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER] cannot create an array "
                               "of {} elements in `sequence`. SQLSTATE: 54000",
                               length));
}

template <typename T>
Status Integers(T start, T stop, T step,
                arrow::NumericBuilder<typename arrow::CTypeTraits<T>::ArrowType>* out) {
  const auto first = static_cast<__int128>(start);
  const auto last = static_cast<__int128>(stop);
  const auto by = static_cast<__int128>(step);
  if ((by == 0 && first != last) || (by > 0 && first > last) || (by < 0 && first < last))
    return IllegalBoundaries();
  const __int128 length = by == 0 ? 1 : (last - first) / by + 1;
  SLUICE_RETURN_NOT_OK(CheckLength(static_cast<int64_t>(std::min<__int128>(length, INT64_MAX))));
  SLUICE_RETURN_NOT_OK(out->Reserve(static_cast<int64_t>(length)));
  for (__int128 i = 0; i < length; ++i) out->UnsafeAppend(static_cast<T>(first + i * by));
  return Status::OK();
}

template <typename T>
Result<ArrayPtr> IntegerSequence(const KernelCall& call) {
  const Reader<T> starts(call.args[0]);
  const Reader<T> stops(call.args[1]);
  std::optional<Reader<T>> steps;
  if (call.args.size() == 3) steps.emplace(call.args[2]);
  arrow::NumericBuilder<typename arrow::CTypeTraits<T>::ArrowType> items;
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present =
        !starts.IsNull(row) && !stops.IsNull(row) && !(steps && steps->IsNull(row));
    const int64_t before = items.length();
    if (present) {
      const T start = starts.Get(row);
      const T stop = stops.Get(row);
      const T step = steps ? steps->Get(row) : static_cast<T>(start <= stop ? 1 : -1);
      SLUICE_RETURN_NOT_OK(Integers(start, stop, step, &items));
    }
    picker.Grow(items.length() - before);
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  SLUICE_ASSIGN_OR_RETURN(auto values, items.Finish());
  return picker.FinishWith(call.expression.type, values);
}

// Microseconds of start + i steps; months first, as Spark adds an interval.
Result<int64_t> TimeAt(int64_t start, int64_t months, int64_t micros, int64_t i) {
  int64_t time = start;
  bool bad = __builtin_mul_overflow(months, i, &months) ||
             __builtin_mul_overflow(micros, i, &micros) || months > 12'000'000 ||
             months < -12'000'000;
  if (!bad && months != 0) {
    const int64_t days = AddMonths(FloorDiv(start, kMicrosPerDay), months);
    bad = __builtin_mul_overflow(days, kMicrosPerDay, &time) ||
          __builtin_add_overflow(time, FloorMod(start, kMicrosPerDay), &time);
  }
  if (bad || __builtin_add_overflow(time, micros, &time))
    return MakeError("DATETIME_OVERFLOW",
                     "[DATETIME_OVERFLOW] datetime operation overflow. SQLSTATE: 22008");
  return time;
}

// Times in microseconds; dates are scaled to them and back.
Status Times(int64_t start, int64_t stop, int64_t months, int64_t micros, int64_t unit,
             std::vector<int64_t>* out) {
  const bool forward = months > 0 || (months == 0 && micros > 0);
  if ((months == 0 && micros == 0 && start != stop) || (forward && start > stop) ||
      (!forward && (months != 0 || micros != 0) && start < stop))
    return IllegalBoundaries();
  if (months == 0 && micros == 0) {
    out->push_back(start / unit);
    return Status::OK();
  }
  for (int64_t i = 0;; ++i) {
    SLUICE_ASSIGN_OR_RETURN(const int64_t time, TimeAt(start, months, micros, i));
    if (forward ? time > stop : time < stop) return Status::OK();
    out->push_back(FloorDiv(time, unit));
    SLUICE_RETURN_NOT_OK(CheckLength(static_cast<int64_t>(out->size())));
  }
}

Result<ArrayPtr> TimeSequence(const KernelCall& call) {
  const bool dates = call.args[0].array->type_id() == arrow::Type::DATE32;
  const bool by_months = call.args[2].array->type_id() == arrow::Type::INTERVAL_MONTHS;
  auto micros_at = [&](size_t arg, int64_t row) -> int64_t {
    const int64_t at = call.args[arg].At(row);
    const auto& data = *call.args[arg].array->data();
    return dates ? data.GetValues<int32_t>(1)[at] * kMicrosPerDay : data.GetValues<int64_t>(1)[at];
  };
  std::vector<int64_t> items;
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    bool present = true;
    for (const Value& arg : call.args) present &= !arg.IsNull(row);
    const size_t before = items.size();
    if (present) {
      const int64_t at = call.args[2].At(row);
      const auto& step = *call.args[2].array->data();
      const int64_t months = by_months ? step.GetValues<int32_t>(1)[at] : 0;
      const int64_t micros = by_months ? 0 : step.GetValues<int64_t>(1)[at];
      if (dates && micros % kMicrosPerDay != 0) return IllegalBoundaries();
      SLUICE_RETURN_NOT_OK(Times(micros_at(0, row), micros_at(1, row), months, micros,
                                 dates ? kMicrosPerDay : 1, &items));
    }
    picker.Grow(static_cast<int64_t>(items.size() - before));
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  const auto& element = call.expression.type->field(0)->type();
  ArrayPtr values;
  if (dates) {
    Writer<int32_t> writer(element);
    SLUICE_RETURN_NOT_OK(writer.Reserve(static_cast<int64_t>(items.size())));
    for (const int64_t item : items) SLUICE_RETURN_NOT_OK(writer.Set(item));
    SLUICE_ASSIGN_OR_RETURN(values, writer.Finish());
  } else {
    Writer<int64_t> writer(element);
    SLUICE_RETURN_NOT_OK(writer.Reserve(static_cast<int64_t>(items.size())));
    for (const int64_t item : items) SLUICE_RETURN_NOT_OK(writer.Set(item));
    SLUICE_ASSIGN_OR_RETURN(values, writer.Finish());
  }
  return picker.FinishWith(call.expression.type, values);
}

Result<BoundPtr> BindSequence(FunctionBinder& binder, const std::string& name, Args args,
                              Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 3, span));
  const bool integers = IsIntegral(*args[0]->type) && IsIntegral(*args[1]->type);
  if (integers) {
    SLUICE_RETURN_NOT_OK(binder.Unify(name, &args, 0, span));
    if (!IsIntegral(*args[0]->type)) return binder.WrongType(name, 3, "INTEGRAL", args.back());
    TypePtr type = SparkArray(args[0]->type);
    const bool nullable = AnyNullable(args);
    return MakeCall(name, std::move(args), std::move(type), nullable, span);
  }
  auto is_time = [](const BoundPtr& arg) {
    return arg->type->id() == arrow::Type::DATE32 || arg->type->id() == arrow::Type::TIMESTAMP;
  };
  if (!is_time(args[0]) || !is_time(args[1]))
    return binder.Error(span, "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES",
                        "sequence uses the wrong parameter type: start and stop must be integers, "
                        "dates or timestamps");
  std::vector<BoundPtr> bounds = {args[0], args[1]};
  SLUICE_RETURN_NOT_OK(binder.Unify(name, &bounds, 0, span));
  BoundPtr step;
  if (args.size() == 3) {
    step = args[2];
    if (step->type->id() != arrow::Type::DURATION &&
        step->type->id() != arrow::Type::INTERVAL_MONTHS)
      return binder.Error(span, "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES",
                          "the step of a sequence of dates or times must be an interval");
  } else {
    if (!bounds[0]->IsLiteral() || !bounds[1]->IsLiteral())
      return binder.Unsupported(span, "sequence of dates without a step");
    SLUICE_ASSIGN_OR_RETURN(auto down, binder.BindComparison(">", bounds[0], bounds[1], span));
    auto day = [](int64_t days) {
      return MakeLiteral(
          std::make_shared<arrow::DurationScalar>(days * kMicrosPerDay, arrow::TimeUnit::MICRO));
    };
    SLUICE_ASSIGN_OR_RETURN(step, binder.BindCase({down, day(-1), day(1)}, span));
  }
  TypePtr type = SparkArray(bounds[0]->type);
  const bool nullable = bounds[0]->nullable || bounds[1]->nullable || step->nullable;
  return MakeCall("time_sequence", {bounds[0], bounds[1], step}, std::move(type), nullable, span);
}

Result<Kernel> SequenceKernel(const BoundExpression& call) {
  switch (call.args[0]->type->id()) {
    case arrow::Type::INT8: return Kernel(IntegerSequence<int8_t>);
    case arrow::Type::INT16: return Kernel(IntegerSequence<int16_t>);
    case arrow::Type::INT32: return Kernel(IntegerSequence<int32_t>);
    default: return Kernel(IntegerSequence<int64_t>);
  }
}

// range(start, end, step): without the end, maybe empty.
Result<ArrayPtr> RangeList(const KernelCall& call) {
  const Reader<int64_t> starts(call.args[0]);
  const Reader<int64_t> ends(call.args[1]);
  const Reader<int64_t> steps(call.args[2]);
  constexpr __int128 kMost = 100'000'000;
  arrow::Int64Builder items;
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const __int128 start = starts.Get(row);
    const __int128 end = ends.Get(row);
    const __int128 step = steps.Get(row);
    if (step == 0) return IllegalBoundaries();
    const __int128 span = step > 0 ? end - start : start - end;
    const __int128 width = step > 0 ? step : -step;
    const __int128 length = span <= 0 ? 0 : (span + width - 1) / width;
    if (length > kMost)
      return MakeError("NOT_SUPPORTED_YET", "not supported yet: range of more than 100000000 rows");
    for (__int128 i = 0; i < length; ++i)
      SLUICE_RETURN_NOT_OK(items.Append(static_cast<int64_t>(start + i * step)));
    picker.Grow(static_cast<int64_t>(length));
    SLUICE_RETURN_NOT_OK(picker.Row());
  }
  SLUICE_ASSIGN_OR_RETURN(auto values, items.Finish());
  return picker.FinishWith(call.expression.type, values);
}

}  // namespace

void RegisterSequenceFunctions(FunctionRegistry* registry) {
  registry->Special("sequence", BindSequence);
  registry->Compute("sequence", SequenceKernel, true);
  registry->Compute("range_list", Plain(RangeList), true);
  registry->Compute("time_sequence", Plain(TimeSequence), true);
}

}  // namespace sluice::sql
