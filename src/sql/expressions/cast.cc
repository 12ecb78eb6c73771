#include "sql/expressions/cast.h"

#include <arrow/builder.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/calendar.h"
#include "sql/expressions/cast_text.h"
#include "sql/expressions/decimal_math.h"
#include "sql/expressions/kernel.h"
#include "sql/expressions/spark_type.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"
#include "sql/parser/datetime_text.h"

namespace sluice::sql {
namespace {

using arrow::Decimal128;
using arrow::Type;

Status Overflow(const std::string& value, const arrow::DataType& from, const arrow::DataType& to) {
  return MakeError("CAST_OVERFLOW",
                   fmt::format("[CAST_OVERFLOW] the value {} of the type \"{}\" cannot be cast to "
                               "\"{}\" due to an overflow",
                               value, SparkTypeSql(from), SparkTypeSql(to)),
                   "use try_cast to get NULL instead");
}

Status OutOfRange(const std::string& value, const arrow::DataType& to) {
  const auto& decimal = static_cast<const arrow::Decimal128Type&>(to);
  return MakeError("NUMERIC_VALUE_OUT_OF_RANGE",
                   fmt::format("[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] the {} cannot be "
                               "represented as Decimal({}, {})",
                               value, decimal.precision(), decimal.scale()),
                   "use try_cast to get NULL instead");
}

int ScaleOf(const arrow::DataType& type) {
  return static_cast<const arrow::Decimal128Type&>(type).scale();
}
int PrecisionOf(const arrow::DataType& type) {
  return static_cast<const arrow::Decimal128Type&>(type).precision();
}

// One value at a time: `convert(in, &out)` returns false when the value does not convert; `fail`
// makes the error.
template <typename In, typename Out, typename Convert, typename Fail>
Result<ArrayPtr> Each(const ArrayPtr& array, const TypePtr& type, bool try_mode, Convert convert,
                      Fail fail) {
  const Reader<In> reader(Value{array, false});
  Writer<Out> writer(type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(array->length()));
  for (int64_t row = 0; row < array->length(); ++row) {
    if (reader.IsNull(row)) {
      SLUICE_RETURN_NOT_OK(writer.Null());
      continue;
    }
    Out out{};
    if (convert(reader.Get(row), &out)) [[likely]] {
      SLUICE_RETURN_NOT_OK(writer.Set(out));
    } else {
      if (!try_mode) return fail(reader.Get(row));
      SLUICE_RETURN_NOT_OK(writer.Null());
    }
  }
  return writer.Finish();
}

template <typename Out, typename Convert>
Result<ArrayPtr> FromText(const ArrayPtr& array, const TypePtr& type, bool try_mode,
                          Convert convert) {
  return Each<std::string_view, Out>(array, type, try_mode, convert, [&](std::string_view text) {
    return InvalidInput(text, *type);
  });
}

template <typename Out>
Result<ArrayPtr> TextToInteger(const ArrayPtr& array, const TypePtr& type, bool try_mode) {
  return FromText<Out>(array, type, try_mode, [](std::string_view text, Out* out) {
    text = TrimAll(text);
    if (!text.empty() && text[0] == '+') {
      text.remove_prefix(1);
      if (!text.empty() && text[0] == '-') return false;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
  });
}

Result<ArrayPtr> TextToDecimal(const ArrayPtr& array, const TypePtr& type, bool try_mode) {
  bool malformed = false;
  return Each<std::string_view, Decimal128>(
      array, type, try_mode,
      [&, precision = PrecisionOf(*type), scale = ScaleOf(*type)](std::string_view text,
                                                                  Decimal128* out) {
        const auto parsed = ParseDecimal(TrimAll(text), precision, scale, &malformed);
        if (parsed.has_value()) *out = *parsed;
        return parsed.has_value();
      },
      [&](std::string_view text) {
        return malformed ? InvalidInput(text, *type) : OutOfRange(std::string(text), *type);
      });
}

Result<ArrayPtr> FromString(const ArrayPtr& array, const TypePtr& type, bool try_mode) {
  switch (type->id()) {
    case Type::INT8: return TextToInteger<int8_t>(array, type, try_mode);
    case Type::INT16: return TextToInteger<int16_t>(array, type, try_mode);
    case Type::INT32: return TextToInteger<int32_t>(array, type, try_mode);
    case Type::INT64: return TextToInteger<int64_t>(array, type, try_mode);
    case Type::FLOAT:
      return FromText<float>(array, type, try_mode, [](std::string_view text, float* out) {
        return ParseReal(text, out);
      });
    case Type::DOUBLE:
      return FromText<double>(array, type, try_mode, [](std::string_view text, double* out) {
        return ParseReal(text, out);
      });
    case Type::DECIMAL128: return TextToDecimal(array, type, try_mode);
    case Type::BOOL: return FromText<bool>(array, type, try_mode, ParseBoolean);
    case Type::DATE32:
      return FromText<int32_t>(array, type, try_mode, [](std::string_view text, int32_t* out) {
        const auto days = ParseDateText(TrimAll(text));
        if (days.has_value()) *out = static_cast<int32_t>(*days);
        return days.has_value();
      });
    case Type::TIMESTAMP:
      return FromText<int64_t>(array, type, try_mode, [&](std::string_view text, int64_t* out) {
        const auto parsed = ParseTimestampText(TrimAll(text));
        if (parsed.has_value())
          *out = IsTimestampNtz(*type) ? parsed->local_microseconds : parsed->microseconds;
        return parsed.has_value();
      });
    default:
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: CAST of STRING to " + SparkTypeSql(*type));
  }
}

Result<ArrayPtr> ToText(const ArrayPtr& array) {
  arrow::StringBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(array->length()));
  std::string text;
  for (int64_t row = 0; row < array->length(); ++row) {
    if (array->IsNull(row)) {
      SLUICE_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    text.clear();
    AppendText(*array, row, &text);
    SLUICE_RETURN_NOT_OK(builder.Append(text));
  }
  return builder.Finish();
}

template <typename In, typename Out>
bool ConvertNumber(In in, Out* out) {
  if constexpr (std::is_floating_point_v<In> && std::is_integral_v<Out>) {
    // Both limits are exact in double: -2^n and 2^n.
    constexpr double kLimit = static_cast<double>(std::numeric_limits<Out>::max() / 2 + 1) * 2.0;
    const double value = static_cast<double>(in);
    if (!(std::floor(value) < kLimit && std::ceil(value) >= -kLimit)) return false;
    *out = static_cast<Out>(value);
  } else if constexpr (std::is_integral_v<In> && std::is_integral_v<Out>) {
    if (!std::in_range<Out>(in)) return false;
    *out = static_cast<Out>(in);
  } else {
    *out = static_cast<Out>(in);
  }
  return true;
}

template <typename In>
std::string NumberText(In in) {
  if constexpr (std::is_same_v<In, double>) {
    return JavaDouble(in);
  } else if constexpr (std::is_same_v<In, float>) {
    return JavaFloat(in);
  } else {
    return std::to_string(in);
  }
}

template <typename In>
Result<ArrayPtr> NumberToDecimal(const ArrayPtr& array, const TypePtr& type, bool try_mode) {
  return Each<In, Decimal128>(
      array, type, try_mode,
      [precision = PrecisionOf(*type), scale = ScaleOf(*type)](In in, Decimal128* out) {
        std::optional<Decimal128> converted;
        if constexpr (std::is_floating_point_v<In>) {
          bool malformed = false;
          if (std::isfinite(in))
            converted = ParseDecimal(NumberText(in), precision, scale, &malformed);
        } else {
          converted = Rescale(arrow::Decimal256(static_cast<int64_t>(in)), 0, scale, precision);
        }
        if (converted.has_value()) *out = *converted;
        return converted.has_value();
      },
      [&](In in) { return OutOfRange(NumberText(in), *type); });
}

template <typename In>
Result<ArrayPtr> NumberToTimestamp(const ArrayPtr& array, const TypePtr& type, bool try_mode) {
  return Each<In, int64_t>(
      array, type, try_mode,
      [](In in, int64_t* out) {
        if constexpr (std::is_floating_point_v<In>) {
          return std::isfinite(in) && ConvertNumber(static_cast<double>(in) * 1e6, out);
        } else {
          // Seconds beyond the limits are the limits, as in Spark.
          const auto seconds = static_cast<int64_t>(in);
          if (__builtin_mul_overflow(seconds, kMicrosPerSecond, out))
            *out = seconds < 0 ? INT64_MIN : INT64_MAX;
          return true;
        }
      },
      [&](In in) { return Overflow(NumberText(in), *array->type(), *type); });
}

template <typename In>
Result<ArrayPtr> FromNumber(const ArrayPtr& array, const TypePtr& type, bool try_mode) {
  auto to = [&]<typename Out>(Out) {
    return Each<In, Out>(
        array, type, try_mode, [](In in, Out* out) { return ConvertNumber(in, out); },
        [&](In in) { return Overflow(NumberText(in), *array->type(), *type); });
  };
  switch (type->id()) {
    case Type::INT8: return to(int8_t{});
    case Type::INT16: return to(int16_t{});
    case Type::INT32: return to(int32_t{});
    case Type::INT64: return to(int64_t{});
    case Type::FLOAT: return to(float{});
    case Type::DOUBLE: return to(double{});
    case Type::DECIMAL128: return NumberToDecimal<In>(array, type, try_mode);
    case Type::TIMESTAMP: return NumberToTimestamp<In>(array, type, try_mode);
    case Type::BOOL:
      return Each<In, bool>(
          array, type, try_mode, [](In in, bool* out) { return *out = in != In{0}, true; },
          [](In) { return Status::OK(); });
    default:
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: this CAST to " + SparkTypeSql(*type));
  }
}

Result<ArrayPtr> FromBoolean(const ArrayPtr& array, const TypePtr& type) {
  SLUICE_ASSIGN_OR_RETURN(
      auto numbers,
      (Each<bool, int8_t>(
          array, arrow::int8(), false, [](bool in, int8_t* out) { return *out = in ? 1 : 0, true; },
          [](bool) { return Status::OK(); })));
  return CastArray(numbers, type, false);
}

Result<ArrayPtr> FromDecimal(const ArrayPtr& array, const TypePtr& type, bool try_mode) {
  const int scale = ScaleOf(*array->type());
  auto overflow = [&](const Decimal128& in) {
    return IsDecimal(*type) ? OutOfRange(FormatDecimal(in, scale), *type)
                            : Overflow(FormatDecimal(in, scale) + "BD", *array->type(), *type);
  };
  auto integer = [&]<typename Out>(Out) {
    return Each<Decimal128, Out>(
        array, type, try_mode,
        [scale](const Decimal128& in, Out* out) {
          const Decimal128 whole = scale == 0 ? in : Decimal128(in.ReduceScaleBy(scale, false));
          const auto result = whole.ToInteger<int64_t>();
          return result.ok() && ConvertNumber(*result, out);
        },
        overflow);
  };
  switch (type->id()) {
    case Type::INT8: return integer(int8_t{});
    case Type::INT16: return integer(int16_t{});
    case Type::INT32: return integer(int32_t{});
    case Type::INT64: return integer(int64_t{});
    case Type::FLOAT:
      return Each<Decimal128, float>(
          array, type, try_mode,
          [scale](const Decimal128& in, float* out) {
            return *out = static_cast<float>(DecimalToDouble(in, scale)), true;
          },
          overflow);
    case Type::DOUBLE:
      return Each<Decimal128, double>(
          array, type, try_mode,
          [scale](const Decimal128& in, double* out) {
            return *out = DecimalToDouble(in, scale), true;
          },
          overflow);
    case Type::BOOL:
      return Each<Decimal128, bool>(
          array, type, try_mode,
          [](const Decimal128& in, bool* out) { return *out = in != Decimal128(0), true; },
          overflow);
    case Type::DECIMAL128:
      return Each<Decimal128, Decimal128>(
          array, type, try_mode,
          [scale, to = ScaleOf(*type), precision = PrecisionOf(*type)](const Decimal128& in,
                                                                       Decimal128* out) {
            const auto converted = Rescale(arrow::Decimal256(in), scale, to, precision);
            if (converted.has_value()) *out = *converted;
            return converted.has_value();
          },
          overflow);
    case Type::TIMESTAMP: {
      SLUICE_ASSIGN_OR_RETURN(auto micros, FromDecimal(array, arrow::decimal128(38, 6), try_mode));
      return Each<Decimal128, int64_t>(
          micros, type, try_mode,
          [](const Decimal128& in, int64_t* out) { return in.ToInteger(out).ok(); }, overflow);
    }
    default:
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: CAST of DECIMAL to " + SparkTypeSql(*type));
  }
}

Result<ArrayPtr> FromTimestamp(const ArrayPtr& array, const TypePtr& type, bool try_mode) {
  switch (type->id()) {
    case Type::TIMESTAMP: return WithType(array, type);
    case Type::DATE32:
      return Each<int64_t, int32_t>(
          array, type, try_mode,
          [](int64_t in, int32_t* out) {
            return *out = static_cast<int32_t>(FloorDiv(in, kMicrosPerDay)), true;
          },
          [](int64_t) { return Status::OK(); });
    case Type::DOUBLE:
    case Type::FLOAT: {
      SLUICE_ASSIGN_OR_RETURN(
          auto seconds,
          (Each<int64_t, double>(
              array, arrow::float64(), false,
              [](int64_t in, double* out) { return *out = static_cast<double>(in) / 1e6, true; },
              [](int64_t) { return Status::OK(); })));
      return type->id() == Type::DOUBLE ? seconds : FromNumber<double>(seconds, type, try_mode);
    }
    case Type::DECIMAL128: {
      SLUICE_ASSIGN_OR_RETURN(
          auto exact, (Each<int64_t, Decimal128>(
                          array, arrow::decimal128(38, 6), false,
                          [](int64_t in, Decimal128* out) { return *out = Decimal128(in), true; },
                          [](int64_t) { return Status::OK(); })));
      return FromDecimal(exact, type, try_mode);
    }
    default: break;
  }
  if (!IsIntegral(*type))
    return MakeError("NOT_SUPPORTED_YET",
                     "not supported yet: CAST of TIMESTAMP to " + SparkTypeSql(*type));
  SLUICE_ASSIGN_OR_RETURN(
      auto seconds,
      (Each<int64_t, int64_t>(
          array, arrow::int64(), false,
          [](int64_t in, int64_t* out) { return *out = FloorDiv(in, kMicrosPerSecond), true; },
          [](int64_t) { return Status::OK(); })));
  return type->id() == Type::INT64 ? seconds : FromNumber<int64_t>(seconds, type, try_mode);
}

Result<ArrayPtr> Nested(const ArrayPtr& array, const TypePtr& type, bool try_mode) {
  auto data = array->data()->Copy();
  data->type = type;
  for (size_t i = 0; i < data->child_data.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(auto child,
                            CastArray(arrow::MakeArray(data->child_data[i]),
                                      type->field(static_cast<int>(i))->type(), try_mode));
    data->child_data[i] = child->data();
  }
  return arrow::MakeArray(std::move(data));
}

}  // namespace

Result<ArrayPtr> WithType(const ArrayPtr& array, const TypePtr& type) {
  auto data = array->data()->Copy();
  data->type = type;
  return arrow::MakeArray(std::move(data));
}

Status CheckCastSupported(const arrow::DataType& from, const arrow::DataType& to) {
  const bool integer_to_binary = to.id() == Type::BINARY && from.id() != Type::STRING &&
                                 from.id() != Type::BINARY && from.id() != Type::NA;
  const bool to_variant = to.id() == Type::EXTENSION && from.id() != Type::NA;
  if (from.id() == Type::EXTENSION || to_variant || integer_to_binary) {
    return MakeError("NOT_SUPPORTED_YET", fmt::format("not supported yet: CAST of {} to {}",
                                                      SparkTypeSql(from), SparkTypeSql(to)));
  }
  const bool from_interval = from.id() == Type::DURATION || from.id() == Type::INTERVAL_MONTHS;
  const bool to_interval = to.id() == Type::DURATION || to.id() == Type::INTERVAL_MONTHS;
  if ((from_interval || to_interval) && !from.Equals(to) && from.id() != Type::NA) {
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: CAST of an interval");
  }
  return Status::OK();
}

Result<ArrayPtr> CastArray(const ArrayPtr& array, const TypePtr& type, bool try_mode) {
  const arrow::DataType& from = *array->type();
  if (from.Equals(*type)) return array;
  SLUICE_RETURN_NOT_OK(CheckCastSupported(from, *type));
  if (from.id() == Type::NA) return arrow::MakeArrayOfNull(type, array->length());
  if (from.id() == type->id() && from.num_fields() > 0) return Nested(array, type, try_mode);
  if (type->id() == Type::STRING)
    return from.id() == Type::BINARY ? WithType(array, type) : ToText(array);
  switch (from.id()) {
    case Type::STRING:
      return type->id() == Type::BINARY ? WithType(array, type) : FromString(array, type, try_mode);
    case Type::BOOL: return FromBoolean(array, type);
    case Type::INT8: return FromNumber<int8_t>(array, type, try_mode);
    case Type::INT16: return FromNumber<int16_t>(array, type, try_mode);
    case Type::INT32: return FromNumber<int32_t>(array, type, try_mode);
    case Type::INT64: return FromNumber<int64_t>(array, type, try_mode);
    case Type::FLOAT: return FromNumber<float>(array, type, try_mode);
    case Type::DOUBLE: return FromNumber<double>(array, type, try_mode);
    case Type::DECIMAL128: return FromDecimal(array, type, try_mode);
    case Type::TIMESTAMP: return FromTimestamp(array, type, try_mode);
    case Type::DATE32:
      if (type->id() != Type::TIMESTAMP) break;
      return Each<int32_t, int64_t>(
          array, type, try_mode,
          [](int32_t in, int64_t* out) {
            return !__builtin_mul_overflow(int64_t{in}, kMicrosPerDay, out);
          },
          [&](int32_t in) { return Overflow(FormatDate(in), from, *type); });
    default: break;
  }
  return MakeError("NOT_SUPPORTED_YET", fmt::format("not supported yet: CAST of {} to {}",
                                                    SparkTypeSql(from), SparkTypeSql(*type)));
}

}  // namespace sluice::sql
