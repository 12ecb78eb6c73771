#include "delta/protocol/schema_json.h"

#include <arrow/util/key_value_metadata.h>

#include <nlohmann/json.hpp>

#include <charconv>

#include "delta/protocol/action_json.h"
#include "delta/protocol/variant_type.h"

namespace sluice::delta {
namespace {

using Json = nlohmann::ordered_json;

Status Unsupported(const std::string& type) {
  return MakeError("DELTA_UNSUPPORTED_TYPE", "column type is not supported: " + type,
                   "leave the column out, or store it as a string");
}

Status Corrupt(const std::string& what) {
  return MakeError("DELTA_LOG_CORRUPT", "schema of the table is broken: " + what);
}

// ---- Delta -> Arrow ----

Result<std::shared_ptr<arrow::DataType>> TypeFromJson(const Json& json);

Result<std::shared_ptr<arrow::DataType>> DecimalFromName(const std::string& name) {
  int precision = 10;
  int scale = 0;
  if (name != "decimal") {
    const char* begin = name.data() + sizeof("decimal(") - 1;
    const char* end = name.data() + name.size();
    const auto first = std::from_chars(begin, end, precision);
    const char* next = first.ptr;
    while (next < end && (*next == ',' || *next == ' ')) ++next;
    const auto second = std::from_chars(next, end, scale);
    if (first.ec != std::errc() || second.ec != std::errc()) return Corrupt("type " + name);
  }
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision)
    return Corrupt("type " + name);
  return arrow::decimal128(precision, scale);
}

Result<std::shared_ptr<arrow::DataType>> PrimitiveFromName(const std::string& name) {
  if (name == "string") return arrow::utf8();
  if (name == "long") return arrow::int64();
  if (name == "integer") return arrow::int32();
  if (name == "short") return arrow::int16();
  if (name == "byte") return arrow::int8();
  if (name == "double") return arrow::float64();
  if (name == "float") return arrow::float32();
  if (name == "boolean") return arrow::boolean();
  if (name == "binary") return arrow::binary();
  if (name == "date") return arrow::date32();
  if (name == "timestamp") return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  if (name == "timestamp_ntz") return arrow::timestamp(arrow::TimeUnit::MICRO);
  if (name.starts_with("decimal")) return DecimalFromName(name);
  if (name == "variant") return VariantType();
  if (name == "void") return arrow::null();
  if (name.starts_with("char(") || name.starts_with("varchar(")) return arrow::utf8();
  if (name.starts_with("string collate ")) return arrow::utf8();
  return Unsupported(name);
}

std::string MetadataText(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::shared_ptr<arrow::Field>> FieldFromJson(const Json& json) {
  if (!json.is_object() || !json.contains("name") || !json["name"].is_string() ||
      !json.contains("type")) {
    return Corrupt("field without name or type");
  }
  const auto& name = json["name"].get_ref<const std::string&>();
  SLUICE_ASSIGN_OR_RETURN(auto type, TypeFromJson(json["type"]));
  const bool nullable =
      !json.contains("nullable") || !json["nullable"].is_boolean() || json["nullable"].get<bool>();
  std::shared_ptr<arrow::KeyValueMetadata> metadata;
  if (json.contains("metadata") && json["metadata"].is_object() && !json["metadata"].empty()) {
    metadata = std::make_shared<arrow::KeyValueMetadata>();
    for (const auto& [key, value] : json["metadata"].items())
      metadata->Append(key, MetadataText(value));
  }
  return arrow::field(name, std::move(type), nullable, std::move(metadata));
}

Result<arrow::FieldVector> FieldsFromJson(const Json& json) {
  if (!json.contains("fields") || !json["fields"].is_array())
    return Corrupt("struct without fields");
  arrow::FieldVector fields;
  for (const Json& field : json["fields"]) {
    SLUICE_ASSIGN_OR_RETURN(auto converted, FieldFromJson(field));
    fields.push_back(std::move(converted));
  }
  return fields;
}

bool Flag(const Json& json, const char* key) {
  return !json.contains(key) || !json[key].is_boolean() || json[key].get<bool>();
}

Result<std::shared_ptr<arrow::DataType>> TypeFromJson(const Json& json) {
  if (json.is_string()) return PrimitiveFromName(json.get_ref<const std::string&>());
  if (!json.is_object() || !json.contains("type") || !json["type"].is_string())
    return Corrupt("type without a name");
  const auto& kind = json["type"].get_ref<const std::string&>();
  if (kind == "struct") {
    SLUICE_ASSIGN_OR_RETURN(auto fields, FieldsFromJson(json));
    return arrow::struct_(std::move(fields));
  }
  if (kind == "array" && json.contains("elementType")) {
    SLUICE_ASSIGN_OR_RETURN(auto element, TypeFromJson(json["elementType"]));
    return arrow::list(arrow::field("element", std::move(element), Flag(json, "containsNull")));
  }
  if (kind == "map" && json.contains("keyType") && json.contains("valueType")) {
    SLUICE_ASSIGN_OR_RETURN(auto key, TypeFromJson(json["keyType"]));
    SLUICE_ASSIGN_OR_RETURN(auto value, TypeFromJson(json["valueType"]));
    return std::make_shared<arrow::MapType>(
        arrow::field("key", std::move(key), false),
        arrow::field("value", std::move(value), Flag(json, "valueContainsNull")));
  }
  return Unsupported(kind);
}

// ---- Arrow -> Delta ----

Status AppendType(const arrow::DataType& type, std::string* out);

Status AppendField(const arrow::Field& field, std::string* out) {
  out->append("{\"name\":");
  AppendJsonString(field.name(), out);
  out->append(",\"type\":");
  SLUICE_RETURN_NOT_OK(AppendType(*field.type(), out));
  out->append(field.nullable() ? ",\"nullable\":true,\"metadata\":{"
                               : ",\"nullable\":false,\"metadata\":{");
  if (field.metadata() != nullptr) {
    bool first = true;
    for (int64_t i = 0; i < field.metadata()->size(); ++i) {
      const std::string& key = field.metadata()->key(i);
      if (key.starts_with("PARQUET:") || key.starts_with("ARROW:")) continue;
      if (!first) out->push_back(',');
      first = false;
      AppendJsonString(key, out);
      out->push_back(':');
      const std::string& value = field.metadata()->value(i);
      if (Json::accept(value)) {
        out->append(value);
      } else {
        AppendJsonString(value, out);
      }
    }
  }
  out->append("}}");
  return Status::OK();
}

Status AppendStruct(const arrow::FieldVector& fields, std::string* out) {
  out->append("{\"type\":\"struct\",\"fields\":[");
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out->push_back(',');
    SLUICE_RETURN_NOT_OK(AppendField(*fields[i], out));
  }
  out->append("]}");
  return Status::OK();
}

Status AppendMap(const arrow::MapType& map, std::string* out) {
  out->append("{\"type\":\"map\",\"keyType\":");
  SLUICE_RETURN_NOT_OK(AppendType(*map.key_type(), out));
  out->append(",\"valueType\":");
  SLUICE_RETURN_NOT_OK(AppendType(*map.item_type(), out));
  out->append(map.item_field()->nullable() ? ",\"valueContainsNull\":true}"
                                           : ",\"valueContainsNull\":false}");
  return Status::OK();
}

const char* PrimitiveName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING: return "string";
    case arrow::Type::INT64: return "long";
    case arrow::Type::INT32: return "integer";
    case arrow::Type::INT16: return "short";
    case arrow::Type::INT8: return "byte";
    case arrow::Type::DOUBLE: return "double";
    case arrow::Type::FLOAT: return "float";
    case arrow::Type::BOOL: return "boolean";
    case arrow::Type::BINARY: return "binary";
    case arrow::Type::DATE32: return "date";
    case arrow::Type::NA: return "void";
    case arrow::Type::EXTENSION: return IsVariant(type) ? "variant" : nullptr;
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(type).timezone().empty() ? "timestamp_ntz"
                                                                               : "timestamp";
    default: return nullptr;
  }
}

Status AppendType(const arrow::DataType& type, std::string* out) {
  if (const char* name = PrimitiveName(type)) {
    AppendJsonString(name, out);
    return Status::OK();
  }
  switch (type.id()) {
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      AppendJsonString("decimal(" + std::to_string(decimal.precision()) + "," +
                           std::to_string(decimal.scale()) + ")",
                       out);
      return Status::OK();
    }
    case arrow::Type::STRUCT: return AppendStruct(type.fields(), out);
    case arrow::Type::MAP: return AppendMap(static_cast<const arrow::MapType&>(type), out);
    case arrow::Type::LIST: {
      const auto& element = static_cast<const arrow::ListType&>(type).value_field();
      out->append("{\"type\":\"array\",\"elementType\":");
      SLUICE_RETURN_NOT_OK(AppendType(*element->type(), out));
      out->append(element->nullable() ? ",\"containsNull\":true}" : ",\"containsNull\":false}");
      return Status::OK();
    }
    default: return Unsupported(type.ToString());
  }
}

Result<std::shared_ptr<arrow::Field>> TableFieldOf(const std::shared_ptr<arrow::Field>& field) {
  SLUICE_ASSIGN_OR_RETURN(auto type, TableTypeOf(field->type()));
  return field->WithType(std::move(type));
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> SchemaFromJson(std::string_view json) {
  if (json.empty()) return arrow::schema(arrow::FieldVector());  // a table that never got columns
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) return Corrupt("not JSON");
  SLUICE_ASSIGN_OR_RETURN(auto fields, FieldsFromJson(parsed));
  return arrow::schema(std::move(fields));
}

Result<std::string> SchemaToJson(const arrow::Schema& schema) {
  SLUICE_ASSIGN_OR_RETURN(auto table, TableSchemaOf(schema));
  std::string out;
  SLUICE_RETURN_NOT_OK(AppendStruct(table->fields(), &out));
  return out;
}

Result<std::shared_ptr<arrow::DataType>> TableTypeOf(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW: return arrow::utf8();
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY: return arrow::binary();
    case arrow::Type::DATE64: return arrow::date32();
    case arrow::Type::UINT8: return arrow::int16();
    case arrow::Type::UINT16: return arrow::int32();
    case arrow::Type::UINT32: return arrow::int64();
    case arrow::Type::HALF_FLOAT: return arrow::float32();
    case arrow::Type::DICTIONARY:
      return TableTypeOf(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case arrow::Type::TIMESTAMP: {
      const bool zoned = !static_cast<const arrow::TimestampType&>(*type).timezone().empty();
      return arrow::timestamp(arrow::TimeUnit::MICRO, zoned ? "UTC" : "");
    }
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
      return arrow::decimal128(decimal.precision(), decimal.scale());
    }
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) {
        SLUICE_ASSIGN_OR_RETURN(auto converted, TableFieldOf(field));
        fields.push_back(std::move(converted));
      }
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST: {
      SLUICE_ASSIGN_OR_RETURN(auto element, TableFieldOf(type->field(0)));
      return arrow::list(element->WithName("element"));
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      SLUICE_ASSIGN_OR_RETURN(auto key, TableFieldOf(map.key_field()));
      SLUICE_ASSIGN_OR_RETURN(auto item, TableFieldOf(map.item_field()));
      return std::make_shared<arrow::MapType>(key->WithName("key")->WithNullable(false),
                                              item->WithName("value"));
    }
    default:
      if (PrimitiveName(*type) != nullptr || type->id() == arrow::Type::DECIMAL128) return type;
      return Unsupported(type->ToString());
  }
}

Result<std::shared_ptr<arrow::Schema>> TableSchemaOf(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    SLUICE_ASSIGN_OR_RETURN(auto converted, TableFieldOf(field));
    fields.push_back(std::move(converted));
  }
  return arrow::schema(std::move(fields));
}

std::string ColumnMetadata(const arrow::Field& field, const std::string& key) {
  if (field.metadata() == nullptr) return "";
  const auto found = field.metadata()->Get(key);
  if (!found.ok()) return "";
  const Json json = Json::parse(*found, nullptr, false);
  return json.is_string() ? json.get<std::string>() : *found;
}

}  // namespace sluice::delta
