#include "delta/protocol/partition_value.h"

#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "delta/protocol/number_text.h"
#include "delta/protocol/time_text.h"
#include "storage/storage.h"

namespace sluice::delta {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

void AppendPercent(unsigned char c, std::string* out) {
  out->push_back('%');
  out->push_back(kHexDigits[c >> 4]);
  out->push_back(kHexDigits[c & 15]);
}

/// What Hive escapes in a folder name.
void AppendHiveEscaped(std::string_view text, std::string* out) {
  static constexpr std::string_view kEscaped = "\"#%'*/:=?\\{[]^";
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    if (c < 0x20 || c == 0x7F || kEscaped.find(raw) != std::string_view::npos) {
      AppendPercent(c, out);
    } else {
      out->push_back(raw);
    }
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Length of "scheme:" at the start of `path`; 0 when it has none.
size_t SchemeLength(std::string_view path) {
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || (i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '.' || c == '-'))) continue;
    return c == ':' && i > 0 && i + 1 < path.size() && path[i + 1] == '/' ? i + 1 : 0;
  }
  return 0;
}

template <typename T>
Result<std::shared_ptr<arrow::Scalar>> IntScalar(const std::string& text,
                                                 const std::shared_ptr<arrow::DataType>& type) {
  T value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return MakeError("DELTA_LOG_CORRUPT",
                     "partition value is no " + type->ToString() + ": '" + text + "'");
  }
  return arrow::MakeScalar(type, value);
}

Status BadValue(const std::string& text, const arrow::DataType& type) {
  return MakeError("DELTA_LOG_CORRUPT",
                   "partition value is no " + type.ToString() + ": '" + text + "'");
}

Result<std::shared_ptr<arrow::Scalar>> DecimalScalar(const std::string& text,
                                                     const std::shared_ptr<arrow::DataType>& type) {
  const auto& wanted = static_cast<const arrow::Decimal128Type&>(*type);
  const auto parsed = ParseDecimal(text, wanted.scale());
  if (!parsed.has_value()) return BadValue(text, *type);
  return std::make_shared<arrow::Decimal128Scalar>(*parsed, type);
}

Result<std::shared_ptr<arrow::Scalar>> ParseScalar(const std::string& text,
                                                   const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::STRING: return std::make_shared<arrow::StringScalar>(text);
    case arrow::Type::BINARY: return std::make_shared<arrow::BinaryScalar>(text);
    case arrow::Type::INT64: return IntScalar<int64_t>(text, type);
    case arrow::Type::INT32: return IntScalar<int32_t>(text, type);
    case arrow::Type::INT16: return IntScalar<int16_t>(text, type);
    case arrow::Type::INT8: return IntScalar<int8_t>(text, type);
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE: {
      const auto value = ParseDouble(text);
      if (!value.has_value()) return BadValue(text, *type);
      if (type->id() == arrow::Type::FLOAT)
        return std::make_shared<arrow::FloatScalar>(static_cast<float>(*value));
      return std::make_shared<arrow::DoubleScalar>(*value);
    }
    case arrow::Type::BOOL:
      if (text != "true" && text != "false") return BadValue(text, *type);
      return std::make_shared<arrow::BooleanScalar>(text == "true");
    case arrow::Type::DATE32: {
      const auto days = ParseDate(text);
      if (!days.has_value()) return BadValue(text, *type);
      return std::make_shared<arrow::Date32Scalar>(*days);
    }
    case arrow::Type::TIMESTAMP: {
      const auto micros = ParseMicros(text);
      if (!micros.has_value()) return BadValue(text, *type);
      return std::make_shared<arrow::TimestampScalar>(*micros, type);
    }
    case arrow::Type::DECIMAL128: return DecimalScalar(text, type);
    default:
      return MakeError("DELTA_UNSUPPORTED_TYPE",
                       "cannot partition by a column of type " + type->ToString());
  }
}

}  // namespace

Result<std::optional<std::string>> PartitionValueToString(const arrow::Scalar& value) {
  if (!value.is_valid) return std::nullopt;
  switch (value.type->id()) {
    case arrow::Type::STRING: {
      const auto& text = static_cast<const arrow::StringScalar&>(value);
      const std::string_view view = text.view();
      if (view.empty()) return std::nullopt;
      return std::string(view);
    }
    case arrow::Type::INT64:
      return std::to_string(static_cast<const arrow::Int64Scalar&>(value).value);
    case arrow::Type::INT32:
      return std::to_string(static_cast<const arrow::Int32Scalar&>(value).value);
    case arrow::Type::INT16:
      return std::to_string(static_cast<const arrow::Int16Scalar&>(value).value);
    case arrow::Type::INT8:
      return std::to_string(static_cast<const arrow::Int8Scalar&>(value).value);
    case arrow::Type::FLOAT:
      return FormatFloat(static_cast<const arrow::FloatScalar&>(value).value);
    case arrow::Type::DOUBLE:
      return FormatDouble(static_cast<const arrow::DoubleScalar&>(value).value);
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanScalar&>(value).value ? "true" : "false";
    case arrow::Type::DATE32:
      return FormatDate(static_cast<const arrow::Date32Scalar&>(value).value);
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampScalar&>(value);
      const bool zoned = !static_cast<const arrow::TimestampType&>(*value.type).timezone().empty();
      return zoned ? FormatMicros(timestamp.value, 'T') + "Z" : FormatMicros(timestamp.value, ' ');
    }
    case arrow::Type::DECIMAL128:
      return FormatDecimal(static_cast<const arrow::Decimal128Scalar&>(value).value,
                           static_cast<const arrow::Decimal128Type&>(*value.type).scale());
    default:
      return MakeError("DELTA_UNSUPPORTED_TYPE",
                       "cannot partition by a column of type " + value.type->ToString(),
                       "partition by a string, number, date or timestamp");
  }
}

Result<std::shared_ptr<arrow::Scalar>> PartitionValueFromString(
    const std::optional<std::string>& text, const std::shared_ptr<arrow::DataType>& type) {
  if (!text.has_value() || text->empty()) return arrow::MakeNullScalar(type);
  return ParseScalar(*text, type);
}

std::string HiveFolder(const std::string& column, const std::optional<std::string>& value) {
  std::string folder;
  AppendHiveEscaped(column, &folder);
  folder.push_back('=');
  if (!value.has_value() || value->empty()) {
    folder += "__HIVE_DEFAULT_PARTITION__";
  } else {
    AppendHiveEscaped(*value, &folder);
  }
  return folder;
}

std::string EncodePath(std::string_view path) {
  static constexpr std::string_view kKept = "-_.~/=+,;:@&$!*'()";
  std::string out;
  out.reserve(path.size());
  for (const char raw : path) {
    const auto c = static_cast<unsigned char>(raw);
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alphanumeric || kKept.find(raw) != std::string_view::npos) {
      out.push_back(raw);
    } else {
      AppendPercent(c, &out);
    }
  }
  return out;
}

std::string DecodePath(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%' && i + 2 < path.size()) {
      const int high = HexValue(path[i + 1]);
      const int low = HexValue(path[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    out.push_back(path[i]);
  }
  return out;
}

std::string ResolvePath(const std::string& table_path, const std::string& path) {
  const size_t scheme = SchemeLength(path);
  if (scheme > 0) {
    if (!path.starts_with("file:")) return path;
    std::string_view rest = std::string_view(path).substr(scheme);
    if (rest.starts_with("//")) {  // file://host/path: the host is of no use here
      const size_t slash = rest.find('/', 2);
      rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
    }
    return DecodePath(rest);
  }
  if (path.starts_with('/')) return DecodePath(path);
  return storage::JoinPath(table_path, DecodePath(path));
}

}  // namespace sluice::delta
