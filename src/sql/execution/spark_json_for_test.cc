#include "sql/execution/spark_json_for_test.h"

#include <arrow/extension_type.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/calendar.h"
#include "sql/expressions/cast.h"
#include "sql/parser/datetime_text.h"

namespace sluice::sql {
namespace {

using arrow::Type;

std::string Quoted(std::string_view text) {
  return nlohmann::json(std::string(text))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string IsoTime(int64_t micros, bool zone, JsonTimes times) {
  std::string text = FormatTimestamp(micros);
  text[text.find(' ')] = 'T';
  const int64_t fraction = FloorMod(micros, kMicrosPerSecond);
  text = text.substr(0, text.find('.'));
  text += times == JsonTimes::kMicros ? fmt::format(".{:06}", fraction)
                                      : fmt::format(".{:03}", fraction / 1000);
  return "\"" + text + (zone ? "Z" : "") + "\"";
}

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string Json(const arrow::Array& array, int64_t row, JsonTimes times) {
  if (array.IsNull(row)) return "null";
  std::string text;
  switch (array.type_id()) {
    case Type::STRING: return Quoted(static_cast<const arrow::StringArray&>(array).GetView(row));
    case Type::BINARY:
      return "\"" + Base64(static_cast<const arrow::BinaryArray&>(array).GetView(row)) + "\"";
    case Type::DATE32:
    case Type::DURATION:
    case Type::INTERVAL_MONTHS: AppendText(array, row, &text); return "\"" + text + "\"";
    case Type::TIMESTAMP:
      return IsoTime(static_cast<const arrow::TimestampArray&>(array).Value(row),
                     !static_cast<const arrow::TimestampType&>(*array.type()).timezone().empty(),
                     times);
    case Type::FLOAT: {
      AppendText(array, row, &text);
      return std::isfinite(static_cast<const arrow::FloatArray&>(array).Value(row))
                 ? text
                 : "\"" + text + "\"";
    }
    case Type::DOUBLE: {
      const double value = static_cast<const arrow::DoubleArray&>(array).Value(row);
      return std::isfinite(value) ? JavaDouble(value) : "\"" + JavaDouble(value) + "\"";
    }
    case Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i)
        text += (text.empty() ? "" : ",") + Json(*list.values(), i, times);
      return "[" + text + "]";
    }
    case Type::MAP: {
      const auto& map = static_cast<const arrow::MapArray&>(array);
      for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
        std::string key;
        AppendText(*map.keys(), i, &key);
        text += (text.empty() ? "" : ",") + Quoted(key) + ":" + Json(*map.items(), i, times);
      }
      return "{" + text + "}";
    }
    case Type::STRUCT: {
      const auto& record = static_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < record.num_fields(); ++i) {
        if (record.field(i)->IsNull(row)) continue;
        text += (text.empty() ? "" : ",") + Quoted(record.type()->field(i)->name()) + ":" +
                Json(*record.field(i), row, times);
      }
      return "{" + text + "}";
    }
    case Type::EXTENSION: {  // a variant is JSON already
      const auto& storage = *static_cast<const arrow::ExtensionArray&>(array).storage();
      return std::string(static_cast<const arrow::StringArray&>(storage).GetView(row));
    }
    default: AppendText(array, row, &text); return text;
  }
}

}  // namespace

std::vector<std::string> SparkJsonRows(const arrow::Table& table, JsonTimes times) {
  std::vector<std::string> rows;
  if (table.num_columns() == 0) return rows;
  const auto combined = table.CombineChunksToBatch();
  if (!combined.ok() || *combined == nullptr) return rows;
  const arrow::RecordBatch& batch = **combined;
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    std::string text;
    for (int c = 0; c < batch.num_columns(); ++c) {
      if (batch.column(c)->IsNull(row)) continue;
      text += (text.empty() ? "" : ",") + Quoted(batch.schema()->field(c)->name()) + ":" +
              Json(*batch.column(c), row, times);
    }
    rows.push_back("{" + text + "}");
  }
  return rows;
}

}  // namespace sluice::sql
