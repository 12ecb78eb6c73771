// Texts of values: parsing and printing as Spark (and Java below it) does.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "sql/expressions/analysis_error.h"
#include "sql/expressions/cast.h"
#include "sql/expressions/cast_text.h"
#include "sql/expressions/decimal_math.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"
#include "sql/parser/datetime_text.h"
#include "sql/parser/interval_text.h"

namespace sluice::sql {
namespace {

using arrow::Type;

template <typename T>
std::string JavaReal(T value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  // Shortest digits that read back to the same value: d.ddde[+-]xx.
  char buffer[40];
  const auto written =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  std::string text(buffer, written.ptr);
  const size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(),
                  exponent);
  const bool negative = text[0] == '-';
  std::string digits;
  for (size_t i = negative ? 1 : 0; i < e; ++i) {
    if (text[i] != '.') digits += text[i];
  }
  // Java writes two digits at least, the nearest ones: 4.9E-324, where one digit would do.
  if (digits.size() == 1) {
    std::snprintf(buffer, sizeof(buffer), "%.1e", static_cast<double>(std::abs(value)));
    T again{};
    std::from_chars(buffer, buffer + sizeof(buffer), again);
    if (again == std::abs(value) && buffer[2] != '0') digits = {buffer[0], buffer[2]};
  }
  std::string out = negative ? "-" : "";
  const auto size = static_cast<int>(digits.size());
  if (exponent >= -3 && exponent < 7) {
    if (exponent < 0)
      return out + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
    if (size <= exponent + 1)
      return out + digits + std::string(static_cast<size_t>(exponent + 1 - size), '0') + ".0";
    return out + digits.substr(0, static_cast<size_t>(exponent) + 1) + "." +
           digits.substr(static_cast<size_t>(exponent) + 1);
  }
  return out + digits.substr(0, 1) + "." + (size > 1 ? digits.substr(1) : "0") + "E" +
         std::to_string(exponent);
}

template <typename T>
bool ParseRealAs(std::string_view text, T* out) {
  text = TrimAll(text);
  if (text.empty()) return false;
  std::string_view digits = text;
  const bool negative = digits[0] == '-';
  if (digits[0] == '-' || digits[0] == '+') digits.remove_prefix(1);
  if (digits.empty()) return false;
  if ((digits[0] >= '0' && digits[0] <= '9') || digits[0] == '.') {
    std::string_view number = digits;
    const char last = number.back();
    if (last == 'd' || last == 'D' || last == 'f' || last == 'F')
      number.remove_suffix(1);  // Java's suffixes
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), *out);
    if (end != number.data() + number.size()) return false;
    if (error == std::errc::result_out_of_range) {
      *out = static_cast<T>(std::strtod(std::string(number).c_str(), nullptr));
    } else if (error != std::errc()) {
      return false;
    }
    if (negative) *out = -*out;
    return true;
  }
  const std::string word = LowerAscii(digits);
  if (word == "inf" || word == "infinity") {
    *out = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    return true;
  }
  if (word == "nan" && digits.size() == text.size()) {
    *out = std::numeric_limits<T>::quiet_NaN();
    return true;
  }
  return false;
}

void AppendNested(const arrow::Array& array, int64_t row, std::string* out) {
  if (array.IsNull(row)) {
    *out += "null";
  } else {
    AppendText(array, row, out);
  }
}

}  // namespace

std::string JavaDouble(double value) { return JavaReal(value); }
std::string JavaFloat(float value) { return JavaReal(value); }

Status InvalidInput(std::string_view text, const arrow::DataType& to) {
  constexpr size_t kShown = 200;
  const std::string shown(text.substr(0, kShown));
  return MakeError("CAST_INVALID_INPUT",
                   fmt::format("[CAST_INVALID_INPUT] the value '{}{}' of the type \"STRING\" "
                               "cannot be cast to \"{}\" because it "
                               "is malformed. SQLSTATE: 22018",
                               shown, text.size() > kShown ? "..." : "", SparkTypeSql(to)),
                   "correct the value, or use try_cast to get NULL instead");
}

std::string_view TrimAll(std::string_view text) {
  auto blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool ParseReal(std::string_view text, double* out) { return ParseRealAs(text, out); }
bool ParseReal(std::string_view text, float* out) { return ParseRealAs(text, out); }

bool ParseBoolean(std::string_view text, bool* out) {
  const std::string word = LowerAscii(TrimAll(text));
  *out = word == "t" || word == "true" || word == "y" || word == "yes" || word == "1";
  return *out || word == "f" || word == "false" || word == "n" || word == "no" || word == "0";
}

namespace {

int64_t IntegerAt(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case Type::INT8: return static_cast<const arrow::Int8Array&>(array).Value(row);
    case Type::INT16: return static_cast<const arrow::Int16Array&>(array).Value(row);
    case Type::INT32: return static_cast<const arrow::Int32Array&>(array).Value(row);
    default: return static_cast<const arrow::Int64Array&>(array).Value(row);
  }
}

void AppendInterval(const arrow::Array& array, int64_t row, std::string* out) {
  IntervalValue value;
  if (array.type_id() == Type::DURATION) {
    value.microseconds = static_cast<const arrow::DurationArray&>(array).Value(row);
  } else {
    value.months = static_cast<const arrow::MonthIntervalArray&>(array).Value(row);
    value.from = IntervalField::kYear;
    value.to = IntervalField::kMonth;
  }
  *out += "INTERVAL " + FormatInterval(value);
}

}  // namespace

void AppendText(const arrow::Array& array, int64_t row, std::string* out) {
  switch (array.type_id()) {
    case Type::BOOL:
      *out += static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
      break;
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64: *out += std::to_string(IntegerAt(array, row)); break;
    case Type::FLOAT:
      *out += JavaFloat(static_cast<const arrow::FloatArray&>(array).Value(row));
      break;
    case Type::DOUBLE:
      *out += JavaDouble(static_cast<const arrow::DoubleArray&>(array).Value(row));
      break;
    case Type::STRING:
    case Type::BINARY: *out += static_cast<const arrow::BinaryArray&>(array).GetView(row); break;
    case Type::DATE32:
      *out += FormatDate(static_cast<const arrow::Date32Array&>(array).Value(row));
      break;
    case Type::TIMESTAMP:
      *out += FormatTimestamp(static_cast<const arrow::TimestampArray&>(array).Value(row));
      break;
    case Type::DECIMAL128:
      *out += FormatDecimal(
          arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(array).GetValue(row)),
          static_cast<const arrow::Decimal128Type&>(*array.type()).scale());
      break;
    case Type::INTERVAL_MONTHS:
    case Type::DURATION: AppendInterval(array, row, out); break;
    case Type::MAP: {
      const auto& map = static_cast<const arrow::MapArray&>(array);
      *out += "{";
      for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
        if (i > map.value_offset(row)) *out += ", ";
        AppendNested(*map.keys(), i, out);
        *out += " -> ";
        AppendNested(*map.items(), i, out);
      }
      *out += "}";
      break;
    }
    case Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      *out += "[";
      for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
        if (i > list.value_offset(row)) *out += ", ";
        AppendNested(*list.values(), i, out);
      }
      *out += "]";
      break;
    }
    case Type::STRUCT: {
      const auto& record = static_cast<const arrow::StructArray&>(array);
      *out += "{";
      for (int i = 0; i < record.num_fields(); ++i) {
        if (i > 0) *out += ", ";
        AppendNested(*record.field(i), row, out);
      }
      *out += "}";
      break;
    }
    default: *out += "?"; break;
  }
}

}  // namespace sluice::sql
