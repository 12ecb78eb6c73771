#include "sql/parser/data_type_name.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "sql/ast/quote.h"
#include "sql/parser/data_type_parser.h"
#include "sql/parser/token_cursor.h"

namespace sluice::sql {
namespace {

std::string SimpleName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA: return "void";
    case arrow::Type::BOOL: return "boolean";
    case arrow::Type::INT8: return "tinyint";
    case arrow::Type::INT16: return "smallint";
    case arrow::Type::INT32: return "int";
    case arrow::Type::INT64: return "bigint";
    case arrow::Type::FLOAT: return "float";
    case arrow::Type::DOUBLE: return "double";
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW: return "string";
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW: return "binary";
    case arrow::Type::DATE32: return "date";
    case arrow::Type::TIME64: return "time(6)";
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(type).timezone().empty() ? "timestamp_ntz"
                                                                               : "timestamp";
    case arrow::Type::DURATION: return "interval day to second";
    case arrow::Type::INTERVAL_MONTHS: return "interval year to month";
    case arrow::Type::INTERVAL_MONTH_DAY_NANO: return "interval";
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return "decimal(" + std::to_string(decimal.precision()) + "," +
             std::to_string(decimal.scale()) + ")";
    }
    default: return IsVariantType(type) ? "variant" : type.ToString();
  }
}

std::string FieldSql(const arrow::Field& field) {
  std::string text = QuoteIdentifier(field.name()) + ": " + SparkTypeSql(*field.type());
  if (!field.nullable()) {
    text += " NOT NULL";
  }
  if (field.metadata() != nullptr) {
    const auto comment = field.metadata()->Get("comment");
    if (comment.ok()) {
      text += " COMMENT " + QuoteString(*comment);
    }
  }
  return text;
}

template <typename Name, typename Field>
std::string NestedName(const arrow::DataType& type, const Name& name, const Field& field) {
  switch (type.id()) {
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST: return "array<" + name(*type.field(0)->type()) + ">";
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      return "map<" + name(*map.key_type()) + "," + name(*map.item_type()) + ">";
    }
    case arrow::Type::STRUCT: {
      std::string text = "struct<";
      for (int i = 0; i < type.num_fields(); ++i) {
        text += (i == 0 ? "" : field.separator) + field(*type.field(i));
      }
      return text + ">";
    }
    default: return "";
  }
}

struct SimpleField {
  std::string separator = ",";
  std::string operator()(const arrow::Field& field) const {
    return field.name() + ":" + SparkTypeName(*field.type());
  }
};

struct SqlField {
  std::string separator = ", ";
  std::string operator()(const arrow::Field& field) const { return FieldSql(field); }
};

}  // namespace

std::string SparkTypeName(const arrow::DataType& type) {
  const std::string nested = NestedName(
      type, [](const arrow::DataType& inner) { return SparkTypeName(inner); }, SimpleField{});
  return nested.empty() ? SimpleName(type) : nested;
}

std::string SparkTypeSql(const arrow::DataType& type) {
  std::string nested = NestedName(
      type, [](const arrow::DataType& inner) { return SparkTypeSql(inner); }, SqlField{});
  if (nested.empty()) {
    return ToUpper(SimpleName(type));
  }
  const size_t open = nested.find('<');
  return nested.replace(0, open, ToUpper(nested.substr(0, open)));
}

}  // namespace sluice::sql
