// What the evaluator's functions are written with: values (arrays or constants), typed readers and
// writers, and Map, which turns a function on one row into one on columns. Part of the evaluator.
#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/util/decimal.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/named_type.h"
#include "base/status.h"
#include "sql/expressions/bound_expression.h"

namespace sluice::sql {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// A column of the rows at hand. A constant has one row that stands for all.
struct Value {
  ArrayPtr array;
  bool constant = false;

  int64_t At(int64_t row) const { return constant ? 0 : row; }
  bool IsNull(int64_t row) const { return array->IsNull(At(row)); }
};

struct KernelCall {
  const BoundExpression& expression;
  const std::vector<Value>& args;
  int64_t rows;
  TimestampMicros clock;
};

using Kernel = std::function<Result<ArrayPtr>(const KernelCall&)>;
/// Prepares the kernel of one call: constant patterns are compiled here.
using KernelFactory = std::function<Result<Kernel>(const BoundExpression&)>;
using KernelMap = std::map<std::string, KernelFactory, std::less<>>;

void RegisterArithmeticKernels(KernelMap* kernels);
void RegisterComparisonKernels(KernelMap* kernels);
void RegisterMathKernels(KernelMap* kernels);
void RegisterStringKernels(KernelMap* kernels);
void RegisterTextKernels(KernelMap* kernels);
void RegisterRegexKernels(KernelMap* kernels);
void RegisterTimeKernels(KernelMap* kernels);
void RegisterNestedKernels(KernelMap* kernels);
const KernelMap& Kernels();
/// reverse() of strings.
Result<ArrayPtr> ReverseText(const KernelCall& call);

/// Reads values of C++ type T (physical: a timestamp is int64_t, a string or binary is
/// string_view).
template <typename T>
class Reader {
 public:
  explicit Reader(const Value& value)
      : array_(*value.array), constant_(value.constant), has_nulls_(value.array->null_count() > 0) {
    if constexpr (!std::is_same_v<T, bool> && !std::is_same_v<T, std::string_view> &&
                  !std::is_same_v<T, arrow::Decimal128>) {
      values_ = value.array->data()->template GetValues<T>(1);
    }
  }
  bool IsNull(int64_t row) const { return has_nulls_ && array_.IsNull(constant_ ? 0 : row); }
  T Get(int64_t row) const {
    const int64_t at = constant_ ? 0 : row;
    if constexpr (std::is_same_v<T, bool>) {
      return static_cast<const arrow::BooleanArray&>(array_).Value(at);
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      return static_cast<const arrow::BinaryArray&>(array_).GetView(at);
    } else if constexpr (std::is_same_v<T, arrow::Decimal128>) {
      return arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(array_).GetValue(at));
    } else {
      return values_[at];
    }
  }

 private:
  const arrow::Array& array_;
  const bool constant_;
  const bool has_nulls_;
  const T* values_ = nullptr;
};

/// Writes values one after another; Finish gives an array of `type`, whose physical type is T.
template <typename T>
class Writer {
 public:
  using Builder = std::conditional_t<
      std::is_same_v<T, bool>, arrow::BooleanBuilder,
      std::conditional_t<std::is_same_v<T, std::string_view>, arrow::BinaryBuilder,
                         arrow::NumericBuilder<typename arrow::CTypeTraits<std::conditional_t<
                             std::is_same_v<T, bool> || std::is_same_v<T, std::string_view>, int8_t,
                             T>>::ArrowType>>>;
  explicit Writer(std::shared_ptr<arrow::DataType> type) : type_(std::move(type)) {}
  Status Reserve(int64_t rows) { return builder_.Reserve(rows); }
  Status Null() { return builder_.AppendNull(); }
  template <typename V>
  Status Set(const V& value) {
    if constexpr (std::is_same_v<T, std::string_view>) {
      return builder_.Append(std::string_view(value));
    } else {
      builder_.UnsafeAppend(static_cast<T>(value));
      return Status::OK();
    }
  }
  template <typename V>
  Status Set(const std::optional<V>& value) {
    return value.has_value() ? Set(*value) : Null();
  }
  template <typename V>
  Status Set(const Result<V>& value) {
    if (!value.ok()) [[unlikely]]
      return value.status();
    return Set(value.ValueUnsafe());
  }
  Result<ArrayPtr> Finish() {
    SLUICE_ASSIGN_OR_RETURN(auto array, builder_.Finish());
    if (array->type()->Equals(*type_)) return array;
    auto data = array->data()->Copy();
    data->type = type_;
    return arrow::MakeArray(std::move(data));
  }

 private:
  std::shared_ptr<arrow::DataType> type_;
  Builder builder_;
};

template <>
class Writer<arrow::Decimal128> {
 public:
  explicit Writer(std::shared_ptr<arrow::DataType> type) : builder_(std::move(type)) {}
  Status Reserve(int64_t rows) { return builder_.Reserve(rows); }
  Status Null() { return builder_.AppendNull(); }
  Status Set(const arrow::Decimal128& value) { return builder_.Append(value); }
  Status Set(const std::optional<arrow::Decimal128>& value) {
    return value ? builder_.Append(*value) : Null();
  }
  Status Set(const Result<arrow::Decimal128>& value) {
    return value.ok() ? builder_.Append(*value) : value.status();
  }
  Status Set(const Result<std::optional<arrow::Decimal128>>& value) {
    return value.ok() ? Set(*value) : value.status();
  }
  Result<ArrayPtr> Finish() { return builder_.Finish(); }

 private:
  arrow::Decimal128Builder builder_;
};

/// Runs `function(In...)` on each row; a NULL argument makes NULL. The function returns a value, an
/// optional (none is NULL) or a Result (an error ends the evaluation).
template <typename Out, typename... In, typename F, size_t... I>
Result<ArrayPtr> MapRows(const KernelCall& call, const F& function, std::index_sequence<I...>) {
  const std::tuple<Reader<In>...> readers{Reader<In>(call.args[I])...};
  Writer<Out> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    if ((false || ... || std::get<I>(readers).IsNull(row))) {
      SLUICE_RETURN_NOT_OK(writer.Null());
      continue;
    }
    SLUICE_RETURN_NOT_OK(writer.Set(function(std::get<I>(readers).Get(row)...)));
  }
  return writer.Finish();
}

template <typename Out, typename... In, typename F>
KernelFactory Map(F function) {
  return [function](const BoundExpression&) -> Result<Kernel> {
    return Kernel([function](const KernelCall& call) {
      return MapRows<Out, In...>(call, function, std::index_sequence_for<In...>());
    });
  };
}

/// A kernel that needs nothing prepared.
inline KernelFactory Plain(Result<ArrayPtr> (*kernel)(const KernelCall&)) {
  return [kernel](const BoundExpression&) -> Result<Kernel> { return Kernel(kernel); };
}

/// Argument `index` of a call as text, where it is a constant.
std::optional<std::string> ConstantText(const BoundExpression& call, size_t index);
std::optional<int64_t> ConstantInt(const BoundExpression& call, size_t index);

}  // namespace sluice::sql
