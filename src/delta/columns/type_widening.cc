#include "delta/columns/type_widening.h"

#include <arrow/util/key_value_metadata.h>

#include <nlohmann/json.hpp>

#include "delta/protocol/schema_json.h"

namespace sluice::delta {
namespace {

bool IsInteger(const arrow::DataType& type) { return arrow::is_signed_integer(type.id()); }

int BitWidth(const arrow::DataType& type) {
  return static_cast<const arrow::FixedWidthType&>(type).bit_width();
}

bool WidensDecimal(int precision, int scale, const arrow::DataType& to) {
  const auto& wide = static_cast<const arrow::Decimal128Type&>(to);
  const int more_scale = wide.scale() - scale;
  return more_scale >= 0 && wide.precision() - precision >= more_scale;
}

/// Type as the schema JSON names it.
std::string TypeName(const std::shared_ptr<arrow::DataType>& type) {
  const arrow::Schema schema({arrow::field("c", type)});
  const auto json = SchemaToJson(schema);
  if (!json.ok()) return type->ToString();
  const auto parsed = nlohmann::json::parse(*json, nullptr, false);
  const auto& name = parsed["fields"][0]["type"];
  return name.is_string() ? name.get<std::string>() : type->ToString();
}

}  // namespace

bool MayWidenUnasked(const arrow::DataType& from, const arrow::DataType& to) {
  if (IsInteger(from) && IsInteger(to)) return BitWidth(from) < BitWidth(to);
  if (from.id() == arrow::Type::FLOAT) return to.id() == arrow::Type::DOUBLE;
  if (from.id() == arrow::Type::DECIMAL128 && to.id() == arrow::Type::DECIMAL128) {
    const auto& decimal = static_cast<const arrow::Decimal128Type&>(from);
    return !from.Equals(to) && WidensDecimal(decimal.precision(), decimal.scale(), to);
  }
  return from.id() == arrow::Type::DATE32 && to.id() == arrow::Type::TIMESTAMP &&
         static_cast<const arrow::TimestampType&>(to).timezone().empty();
}

bool MayWiden(const arrow::DataType& from, const arrow::DataType& to) {
  if (MayWidenUnasked(from, to)) return true;
  if (!IsInteger(from)) return false;
  const bool is_long = from.id() == arrow::Type::INT64;
  if (to.id() == arrow::Type::DOUBLE) return !is_long;
  return to.id() == arrow::Type::DECIMAL128 && WidensDecimal(is_long ? 20 : 10, 0, to);
}

std::shared_ptr<arrow::Field> NoteTypeChange(const std::shared_ptr<arrow::Field>& field,
                                             const std::string& path,
                                             const std::shared_ptr<arrow::DataType>& from,
                                             const std::shared_ptr<arrow::DataType>& to) {
  auto metadata = field->metadata() == nullptr ? std::make_shared<arrow::KeyValueMetadata>()
                                               : field->metadata()->Copy();
  auto changes = nlohmann::ordered_json::array();
  if (metadata->Contains(kTypeChanges)) {
    const auto before = nlohmann::ordered_json::parse(*metadata->Get(kTypeChanges), nullptr, false);
    if (before.is_array()) changes = before;
  }
  nlohmann::ordered_json change = {{"toType", TypeName(to)}, {"fromType", TypeName(from)}};
  if (!path.empty()) change["fieldPath"] = path;
  changes.push_back(std::move(change));
  SLUICE_CHECK(metadata->Set(kTypeChanges, changes.dump()).ok(), "a key of metadata can be set");
  return field->WithMetadata(std::move(metadata));
}

}  // namespace sluice::delta
