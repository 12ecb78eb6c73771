#include "corpus.h"

#include <arrow/api.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "delta/protocol/number_text.h"
#include "delta/variant/variant.h"
#include "storage/storage.h"

namespace sluice::delta {
namespace {

Json ValueAt(const arrow::Array& array, int64_t row);

Json NumberOf(double value) {
  if (std::isfinite(value)) return value;
  return FormatDouble(value);
}

Json ListAt(const arrow::ListArray& list, int64_t row) {
  Json items = Json::array();
  for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i)
    items.push_back(ValueAt(*list.values(), i));
  return items;
}

Json MapAt(const arrow::MapArray& map, int64_t row) {
  std::vector<Json> pairs;
  for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    pairs.push_back(Json::array({ValueAt(*map.keys(), i), ValueAt(*map.items(), i)}));
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Json& a, const Json& b) { return a[0].dump() < b[0].dump(); });
  return Json{{"m", pairs}};
}

std::string Hex(std::string_view bytes) {
  std::string text;
  char two[3];
  for (const char c : bytes) {
    std::snprintf(two, sizeof(two), "%02x", static_cast<unsigned char>(c));
    text += two;
  }
  return text;
}

Json VariantAt(const arrow::Array& array, int64_t row) {
  const auto& storage = static_cast<const arrow::StructArray&>(
      *static_cast<const arrow::ExtensionArray&>(array).storage());
  const auto bytes = [&](int field) {
    return static_cast<const arrow::BinaryArray&>(*storage.field(field)).GetView(row);
  };
  const auto text = VariantToJson(bytes(0), bytes(1));
  return text.ok() ? Json::parse(*text, nullptr, false) : Json(text.status().ToString());
}

Json ValueAt(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::INT8: return static_cast<const arrow::Int8Array&>(array).Value(row);
    case arrow::Type::INT16: return static_cast<const arrow::Int16Array&>(array).Value(row);
    case arrow::Type::INT32: return static_cast<const arrow::Int32Array&>(array).Value(row);
    case arrow::Type::INT64: return static_cast<const arrow::Int64Array&>(array).Value(row);
    case arrow::Type::DATE32: return static_cast<const arrow::Date32Array&>(array).Value(row);
    case arrow::Type::TIMESTAMP: return static_cast<const arrow::TimestampArray&>(array).Value(row);
    case arrow::Type::BOOL: return static_cast<const arrow::BooleanArray&>(array).Value(row);
    case arrow::Type::FLOAT:
      return NumberOf(static_cast<const arrow::FloatArray&>(array).Value(row));
    case arrow::Type::DOUBLE:
      return NumberOf(static_cast<const arrow::DoubleArray&>(array).Value(row));
    case arrow::Type::STRING:
      return std::string(static_cast<const arrow::StringArray&>(array).GetView(row));
    case arrow::Type::BINARY:
      return Json{{"b", Hex(static_cast<const arrow::BinaryArray&>(array).GetView(row))}};
    case arrow::Type::DECIMAL128: {
      const arrow::Decimal128 value(
          static_cast<const arrow::Decimal128Array&>(array).GetValue(row));
      return FormatDecimal(value, static_cast<const arrow::Decimal128Type&>(*array.type()).scale());
    }
    case arrow::Type::LIST: return ListAt(static_cast<const arrow::ListArray&>(array), row);
    case arrow::Type::MAP: return MapAt(static_cast<const arrow::MapArray&>(array), row);
    case arrow::Type::STRUCT: {
      Json fields = Json::array();
      for (const auto& field : static_cast<const arrow::StructArray&>(array).fields())
        fields.push_back(ValueAt(*field, row));
      return fields;
    }
    case arrow::Type::NA: return nullptr;
    case arrow::Type::EXTENSION: return VariantAt(array, row);
    default: return "unsupported " + array.type()->ToString();
  }
}

/// Floating values that the corpus writes without a point become numbers of the same kind as ours.
Json Normalized(const Json& value, const arrow::DataType& type) {
  if (value.is_null()) return value;
  switch (type.id()) {
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE: return value.is_number() ? Json(value.get<double>()) : value;
    case arrow::Type::STRUCT: {
      Json fields = Json::array();
      for (size_t i = 0; i < value.size(); ++i)
        fields.push_back(Normalized(value[i], *type.field(static_cast<int>(i))->type()));
      return fields;
    }
    case arrow::Type::LIST: {
      Json items = Json::array();
      for (const Json& item : value) items.push_back(Normalized(item, *type.field(0)->type()));
      return items;
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      std::vector<Json> pairs;
      for (const Json& pair : value["m"]) {
        pairs.push_back(Json::array(
            {Normalized(pair[0], *map.key_type()), Normalized(pair[1], *map.item_type())}));
      }
      std::sort(pairs.begin(), pairs.end(),
                [](const Json& a, const Json& b) { return a[0].dump() < b[0].dump(); });
      return Json{{"m", pairs}};
    }
    default: return value;
  }
}

/// What Spark's to_json makes of a value: structs become objects without their null fields.
Json Rendered(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::STRUCT: {
      Json object = Json::object();
      const auto& parent = static_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < parent.num_fields(); ++i) {
        if (parent.field(i)->IsValid(row))
          object[parent.struct_type()->field(i)->name()] = Rendered(*parent.field(i), row);
      }
      return object;
    }
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      Json items = Json::array();
      for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i)
        items.push_back(Rendered(*list.values(), i));
      return items;
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapArray&>(array);
      Json object = Json::object();
      for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
        const Json key = ValueAt(*map.keys(), i);
        object[key.is_string() ? key.get<std::string>() : key.dump()] = Rendered(*map.items(), i);
      }
      return object;
    }
    default: return ValueAt(array, row);
  }
}

std::string Line(const Json& values) {
  return values.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void AppendCanonicalRows(const arrow::RecordBatch& rows, const std::set<std::string>& rendered,
                         std::vector<std::string>* lines) {
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    Json values = Json::array();
    for (int i = 0; i < rows.num_columns(); ++i) {
      values.push_back(rendered.contains(rows.schema()->field(i)->name())
                           ? Rendered(*rows.column(i), row)
                           : ValueAt(*rows.column(i), row));
    }
    lines->push_back(Line(values));
  }
}

std::vector<std::string> ExpectedRows(const std::string& text, const arrow::Schema& schema,
                                      const std::set<std::string>& rendered) {
  std::vector<std::string> lines;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const Json values = Json::parse(text.substr(begin, end - begin));
    Json row = Json::array();
    for (size_t i = 0; i < values.size(); ++i) {
      const auto& field = schema.field(static_cast<int>(i));
      if (rendered.contains(field->name())) {
        row.push_back(values[i].is_string() ? Json::parse(values[i].get<std::string>())
                                            : values[i]);
      } else {
        row.push_back(Normalized(values[i], *field->type()));
      }
    }
    lines.push_back(Line(row));
    begin = end + 1;
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::optional<std::string> Difference(const std::vector<std::string>& rows,
                                      const std::vector<std::string>& expected) {
  if (rows == expected) return std::nullopt;
  std::string difference =
      std::to_string(rows.size()) + " rows, expected " + std::to_string(expected.size());
  for (size_t i = 0; i < std::max(rows.size(), expected.size()); ++i) {
    const std::string mine = i < rows.size() ? rows[i] : "nothing";
    const std::string theirs = i < expected.size() ? expected[i] : "nothing";
    if (mine == theirs) continue;
    difference += "\n  got      " + mine.substr(0, 300) + "\n  expected " + theirs.substr(0, 300);
    break;
  }
  return difference;
}

Corpus::Corpus(storage::Storage& storage, std::string root)
    : storage_(storage), root_(std::move(root)) {
  const auto index = storage_.Read(storage::JoinPath(root_, "index.json"));
  if (!index.ok()) return;
  for (const Json& entry : Json::parse(*index)) names_.push_back(entry["case"]);
}

Json Corpus::Case(const std::string& name) const { return Json::parse(Text(name, "case.json")); }

std::string Corpus::Text(const std::string& name, const std::string& file) const {
  return storage_.Read(root_ + "/" + name + "/" + file).ValueOrDie();
}

bool Corpus::ReplaceRoot(const std::string& table, std::string* text) {
  static const std::string kMark = "__TABLE_ROOT__";
  bool changed = false;
  for (size_t at = text->find(kMark); at != std::string::npos; at = text->find(kMark, at)) {
    text->replace(at, kMark.size(), "file://" + table);
    changed = true;
  }
  return changed;
}

void Corpus::PlaceRoot(const std::string& name) {
  const std::string table = TablePath(name);
  for (const auto& file : storage_.ListRecursive(table + "/_delta_log").ValueOrDie()) {
    if (!file.path.ends_with(".json")) continue;
    std::string text = storage_.Read(file.path).ValueOrDie();
    if (!ReplaceRoot(table, &text)) continue;
    const Status put = storage_.Put(file.path, text);
    SLUICE_CHECK(put.ok(), put.message());
  }
}

}  // namespace sluice::delta
