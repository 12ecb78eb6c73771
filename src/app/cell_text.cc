#include "app/cell_text.h"

#include <arrow/api.h>
#include <arrow/extension_type.h>
#include <fmt/format.h>

#include <cmath>

#include "base/calendar.h"

namespace sluice::app {
namespace {

void AppendDate(int64_t days, std::string* out) {
  const CivilDate date = CivilFromDays(days);
  fmt::format_to(std::back_inserter(*out), "{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

void AppendTimestamp(int64_t micros, std::string* out) {
  const int64_t rest = FloorMod(micros, kMicrosPerDay);
  AppendDate(FloorDiv(micros, kMicrosPerDay), out);
  const int64_t seconds = rest / 1'000'000;
  fmt::format_to(std::back_inserter(*out), " {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  if (const int64_t fraction = rest % 1'000'000; fraction != 0) {
    std::string digits = fmt::format("{:06}", fraction);
    digits.erase(digits.find_last_not_of('0') + 1);
    *out += "." + digits;
  }
}

void AppendDouble(double value, std::string* out) {
  if (std::isnan(value)) {
    *out += "NaN";
  } else if (std::isinf(value)) {
    *out += value > 0 ? "Infinity" : "-Infinity";
  } else {
    const std::string text = fmt::format("{}", value);
    *out += text;
    if (text.find_first_of(".e") == std::string::npos) *out += ".0";
  }
}

void AppendList(const arrow::Array& values, int64_t begin, int64_t end, std::string* out) {
  out->push_back('[');
  for (int64_t i = begin; i < end; ++i) {
    if (i != begin) *out += ", ";
    AppendCellText(values, i, out);
  }
  out->push_back(']');
}

void AppendMap(const arrow::MapArray& map, int64_t row, std::string* out) {
  out->push_back('{');
  for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    if (i != map.value_offset(row)) *out += ", ";
    AppendCellText(*map.keys(), i, out);
    *out += " -> ";
    AppendCellText(*map.items(), i, out);
  }
  out->push_back('}');
}

void AppendStruct(const arrow::StructArray& array, int64_t row, std::string* out) {
  out->push_back('{');
  for (int i = 0; i < array.num_fields(); ++i) {
    if (i != 0) *out += ", ";
    AppendCellText(*array.field(i), row, out);
  }
  out->push_back('}');
}

template <typename ArrayType>
auto Value(const arrow::Array& array, int64_t row) {
  return static_cast<const ArrayType&>(array).Value(row);
}

}  // namespace

std::string TimestampText(int64_t micros) {
  std::string text;
  AppendTimestamp(micros, &text);
  return text;
}

void AppendCellText(const arrow::Array& array, int64_t row, std::string* out) {
  if (array.IsNull(row)) {
    *out += "NULL";
    return;
  }
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      *out += Value<arrow::BooleanArray>(array, row) ? "true" : "false";
      return;
    case arrow::Type::STRING:
      *out += static_cast<const arrow::StringArray&>(array).GetView(row);
      return;
    case arrow::Type::BINARY:
      *out += static_cast<const arrow::BinaryArray&>(array).GetView(row);
      return;
    case arrow::Type::DOUBLE: AppendDouble(Value<arrow::DoubleArray>(array, row), out); return;
    case arrow::Type::FLOAT:
      AppendDouble(static_cast<double>(Value<arrow::FloatArray>(array, row)), out);
      return;
    case arrow::Type::DATE32: AppendDate(Value<arrow::Date32Array>(array, row), out); return;
    case arrow::Type::TIMESTAMP:
      AppendTimestamp(Value<arrow::TimestampArray>(array, row), out);
      return;
    case arrow::Type::DECIMAL128:
      *out += static_cast<const arrow::Decimal128Array&>(array).FormatValue(row);
      return;
    case arrow::Type::EXTENSION:  // a variant is its text
      AppendCellText(*static_cast<const arrow::ExtensionArray&>(array).storage(), row, out);
      return;
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      AppendList(*list.values(), list.value_offset(row), list.value_offset(row + 1), out);
      return;
    }
    case arrow::Type::MAP: AppendMap(static_cast<const arrow::MapArray&>(array), row, out); return;
    case arrow::Type::STRUCT:
      AppendStruct(static_cast<const arrow::StructArray&>(array), row, out);
      return;
    default: {
      const auto scalar = array.GetScalar(row);
      *out += scalar.ok() ? (*scalar)->ToString() : "?";
    }
  }
}

}  // namespace sluice::app
