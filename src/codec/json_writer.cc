#include "codec/json_writer.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <charconv>
#include <cmath>

#include "base/calendar.h"
#include "codec/json_quote.h"
#include "codec/number_text.h"
#include "codec/spark_time.h"

namespace sluice::codec {

namespace {

void AppendBase64(std::string_view bytes, std::string* out) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t left = std::min<size_t>(bytes.size() - at, 3);
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < left ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (size_t i = 0; i < 4; ++i)
      out->push_back(i <= left ? kAlphabet[bits >> (18 - 6 * i) & 63] : '=');
  }
}

template <typename T>
void AppendWhole(T value, std::string* out) {
  char buffer[24];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out->append(buffer, result.ptr);
}

template <typename T>
void AppendReal(T value, std::string* out) {
  const bool quoted = !std::isfinite(value);
  if (quoted) out->push_back('"');
  if constexpr (std::is_same_v<T, float>) {
    AppendFloat(value, out);
  } else {
    AppendDouble(value, out);
  }
  if (quoted) out->push_back('"');
}

int64_t ToMicros(int64_t value, arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND: return value * 1'000'000;
    case arrow::TimeUnit::MILLI: return value * 1'000;
    case arrow::TimeUnit::MICRO: return value;
    default: return FloorDiv(value, 1'000);
  }
}

// Text that Spark's cast to STRING gives: how map keys are shown.
Status AppendKey(const arrow::Array& keys, int64_t row, std::string* out,
                 const JsonWriterOptions& options) {
  if (keys.type_id() == arrow::Type::STRING) {
    AppendQuoted(static_cast<const arrow::StringArray&>(keys).GetView(row), out);
    return Status::OK();
  }
  std::string text;
  SLUICE_RETURN_NOT_OK(AppendValueJson(keys, row, &text, options));
  if (!text.empty() && text[0] == '"') {
    out->append(text);
  } else {
    AppendQuoted(text, out);
  }
  return Status::OK();
}

Status AppendStruct(const arrow::StructArray& values, int64_t row, std::string* out,
                    const JsonWriterOptions& options) {
  out->push_back('{');
  bool first = true;
  for (int i = 0; i < values.num_fields(); ++i) {
    const arrow::Array& field = *values.field(i);
    if (options.ignore_null_fields && field.IsNull(row)) continue;
    if (!first) out->push_back(',');
    first = false;
    AppendQuoted(values.type()->field(i)->name(), out);
    out->push_back(':');
    SLUICE_RETURN_NOT_OK(AppendValueJson(field, row, out, options));
  }
  out->push_back('}');
  return Status::OK();
}

Status AppendElements(const arrow::Array& values, int64_t begin, int64_t end, std::string* out,
                      const JsonWriterOptions& options) {
  out->push_back('[');
  for (int64_t i = begin; i < end; ++i) {
    if (i > begin) out->push_back(',');
    SLUICE_RETURN_NOT_OK(AppendValueJson(values, i, out, options));
  }
  out->push_back(']');
  return Status::OK();
}

Status AppendMap(const arrow::MapArray& values, int64_t row, std::string* out,
                 const JsonWriterOptions& options) {
  out->push_back('{');
  const int64_t begin = values.value_offset(row);
  const int64_t end = begin + values.value_length(row);
  for (int64_t i = begin; i < end; ++i) {
    if (i > begin) out->push_back(',');
    SLUICE_RETURN_NOT_OK(AppendKey(*values.keys(), i, out, options));
    out->push_back(':');
    SLUICE_RETURN_NOT_OK(AppendValueJson(*values.items(), i, out, options));
  }
  out->push_back('}');
  return Status::OK();
}

void AppendTimestampJson(const arrow::TimestampArray& values, int64_t row, std::string* out,
                         const JsonWriterOptions& options) {
  const auto& type = static_cast<const arrow::TimestampType&>(*values.type());
  out->push_back('"');
  AppendLocalTimestamp(ToMicros(values.Value(row), type.unit()), options.fraction_digits, out);
  if (!type.timezone().empty()) out->push_back('Z');
  out->push_back('"');
}

void AppendDateJson(int64_t days, std::string* out) {
  out->push_back('"');
  AppendDate(static_cast<int32_t>(days), out);
  out->push_back('"');
}

template <typename ArrayType>
std::string_view View(const arrow::Array& values, int64_t row) {
  return static_cast<const ArrayType&>(values).GetView(row);
}

Status AppendTextOrNested(const arrow::Array& values, int64_t row, std::string* out,
                          const JsonWriterOptions& options) {
  switch (values.type_id()) {
    case arrow::Type::STRING:
      AppendQuoted(View<arrow::StringArray>(values, row), out);
      return Status::OK();
    case arrow::Type::LARGE_STRING:
      AppendQuoted(View<arrow::LargeStringArray>(values, row), out);
      return Status::OK();
    case arrow::Type::STRING_VIEW:
      AppendQuoted(View<arrow::StringViewArray>(values, row), out);
      return Status::OK();
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
      out->push_back('"');
      AppendBase64(values.type_id() == arrow::Type::BINARY
                       ? View<arrow::BinaryArray>(values, row)
                       : View<arrow::LargeBinaryArray>(values, row),
                   out);
      out->push_back('"');
      return Status::OK();
    case arrow::Type::STRUCT:
      return AppendStruct(static_cast<const arrow::StructArray&>(values), row, out, options);
    case arrow::Type::MAP:
      return AppendMap(static_cast<const arrow::MapArray&>(values), row, out, options);
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(values);
      return AppendElements(*list.values(), list.value_offset(row), list.value_offset(row + 1), out,
                            options);
    }
    case arrow::Type::LARGE_LIST: {
      const auto& list = static_cast<const arrow::LargeListArray&>(values);
      return AppendElements(*list.values(), list.value_offset(row), list.value_offset(row + 1), out,
                            options);
    }
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(values);
      return AppendValueJson(*dictionary.dictionary(), dictionary.GetValueIndex(row), out, options);
    }
    default:
      return MakeError("JSON_UNSUPPORTED_SCHEMA",
                       "type has no JSON form: " + values.type()->ToString(),
                       "cast the column to STRING first");
  }
}

}  // namespace

Status AppendValueJson(const arrow::Array& values, int64_t row, std::string* out,
                       const JsonWriterOptions& options) {
  if (values.IsNull(row)) {
    out->append("null");
    return Status::OK();
  }
  switch (values.type_id()) {
    case arrow::Type::NA: out->append("null"); break;
    case arrow::Type::BOOL:
      out->append(static_cast<const arrow::BooleanArray&>(values).Value(row) ? "true" : "false");
      break;
    case arrow::Type::INT8:
      AppendWhole(int{static_cast<const arrow::Int8Array&>(values).Value(row)}, out);
      break;
    case arrow::Type::UINT8:
      AppendWhole(int{static_cast<const arrow::UInt8Array&>(values).Value(row)}, out);
      break;
    case arrow::Type::INT16:
      AppendWhole(static_cast<const arrow::Int16Array&>(values).Value(row), out);
      break;
    case arrow::Type::UINT16:
      AppendWhole(static_cast<const arrow::UInt16Array&>(values).Value(row), out);
      break;
    case arrow::Type::INT32:
      AppendWhole(static_cast<const arrow::Int32Array&>(values).Value(row), out);
      break;
    case arrow::Type::UINT32:
      AppendWhole(static_cast<const arrow::UInt32Array&>(values).Value(row), out);
      break;
    case arrow::Type::INT64:
      AppendWhole(static_cast<const arrow::Int64Array&>(values).Value(row), out);
      break;
    case arrow::Type::UINT64:
      AppendWhole(static_cast<const arrow::UInt64Array&>(values).Value(row), out);
      break;
    case arrow::Type::FLOAT:
      AppendReal(static_cast<const arrow::FloatArray&>(values).Value(row), out);
      break;
    case arrow::Type::DOUBLE:
      AppendReal(static_cast<const arrow::DoubleArray&>(values).Value(row), out);
      break;
    case arrow::Type::DECIMAL128: {
      const auto& decimals = static_cast<const arrow::Decimal128Array&>(values);
      const auto& type = static_cast<const arrow::Decimal128Type&>(*values.type());
      AppendDecimal(arrow::Decimal128(decimals.GetValue(row)), type.scale(), out);
      break;
    }
    case arrow::Type::DATE32:
      AppendDateJson(static_cast<const arrow::Date32Array&>(values).Value(row), out);
      break;
    case arrow::Type::TIMESTAMP:
      AppendTimestampJson(static_cast<const arrow::TimestampArray&>(values), row, out, options);
      break;
    default: return AppendTextOrNested(values, row, out, options);
  }
  return Status::OK();
}

Status AppendRowJson(const arrow::RecordBatch& rows, int64_t row, std::string* out,
                     const JsonWriterOptions& options) {
  out->push_back('{');
  bool first = true;
  for (int i = 0; i < rows.num_columns(); ++i) {
    const arrow::Array& column = *rows.column(i);
    if (options.ignore_null_fields && column.IsNull(row)) continue;
    if (!first) out->push_back(',');
    first = false;
    AppendQuoted(rows.column_name(i), out);
    out->push_back(':');
    SLUICE_RETURN_NOT_OK(AppendValueJson(column, row, out, options));
  }
  out->push_back('}');
  return Status::OK();
}

Result<std::shared_ptr<arrow::StringArray>> RowsToJson(const arrow::RecordBatch& rows,
                                                       const JsonWriterOptions& options) {
  arrow::StringBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(rows.num_rows()));
  std::string text;
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    text.clear();
    SLUICE_RETURN_NOT_OK(AppendRowJson(rows, row, &text, options));
    SLUICE_RETURN_NOT_OK(builder.Append(text));
  }
  std::shared_ptr<arrow::StringArray> out;
  SLUICE_RETURN_NOT_OK(builder.Finish(&out));
  return out;
}

Result<std::shared_ptr<arrow::StringArray>> ValuesToJson(const arrow::Array& values,
                                                         const JsonWriterOptions& options) {
  arrow::StringBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(values.length()));
  std::string text;
  for (int64_t row = 0; row < values.length(); ++row) {
    if (values.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    text.clear();
    SLUICE_RETURN_NOT_OK(AppendValueJson(values, row, &text, options));
    SLUICE_RETURN_NOT_OK(builder.Append(text));
  }
  std::shared_ptr<arrow::StringArray> out;
  SLUICE_RETURN_NOT_OK(builder.Finish(&out));
  return out;
}

}  // namespace sluice::codec
