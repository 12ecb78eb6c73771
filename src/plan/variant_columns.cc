#include "plan/variant_columns.h"

#include <arrow/api.h>
#include <arrow/extension_type.h>
#include <arrow/util/utf8.h>

#include "delta/protocol/variant_type.h"
#include "delta/variant/variant.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::plan {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;
using ArrayPtr = std::shared_ptr<arrow::Array>;

/// One direction: which type is replaced by which, and how its values are.
struct Direction {
  bool (*replaces)(const arrow::DataType& type);
  TypePtr (*with)();
  Result<ArrayPtr> (*values)(const arrow::ExtensionArray& variants);
};

Result<ArrayPtr> Texts(const arrow::ExtensionArray& variants) {
  const auto& pairs = static_cast<const arrow::StructArray&>(*variants.storage());
  const ArrayPtr names = pairs.field(0);
  const ArrayPtr values = pairs.field(1);
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < pairs.length(); ++row) {
    if (pairs.IsNull(row)) {
      SLUICE_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(
        const std::string json,
        delta::VariantToJson(static_cast<const arrow::BinaryArray&>(*names).GetView(row),
                             static_cast<const arrow::BinaryArray&>(*values).GetView(row)));
    if (!arrow::util::ValidateUTF8(json))
      return MakeError("DELTA_FILE_CORRUPT", "a variant holds a string that is not UTF-8");
    SLUICE_RETURN_NOT_OK(builder.Append(json));
  }
  SLUICE_ASSIGN_OR_RETURN(const auto texts, builder.Finish());
  return arrow::ExtensionType::WrapArray(sql::VariantType(), texts);
}

Result<ArrayPtr> Pairs(const arrow::ExtensionArray& variants) {
  const auto& texts = static_cast<const arrow::StringArray&>(*variants.storage());
  arrow::BinaryBuilder names;
  arrow::BinaryBuilder values;
  arrow::TypedBufferBuilder<bool> valid;
  for (int64_t row = 0; row < texts.length(); ++row) {
    SLUICE_RETURN_NOT_OK(valid.Append(texts.IsValid(row)));
    delta::EncodedVariant encoded;
    if (texts.IsValid(row)) {
      SLUICE_ASSIGN_OR_RETURN(encoded, delta::VariantFromJson(texts.GetView(row)));
    }
    SLUICE_RETURN_NOT_OK(names.Append(encoded.metadata));
    SLUICE_RETURN_NOT_OK(values.Append(encoded.value));
  }
  SLUICE_ASSIGN_OR_RETURN(const auto bits, valid.Finish());
  SLUICE_ASSIGN_OR_RETURN(const auto name_array, names.Finish());
  SLUICE_ASSIGN_OR_RETURN(const auto value_array, values.Finish());
  return arrow::MakeArray(arrow::ArrayData::Make(delta::VariantType(), texts.length(), {bits},
                                                 {name_array->data(), value_array->data()}));
}

constexpr Direction kToSql = {delta::IsVariant, sql::VariantType, Texts};
constexpr Direction kToTable = {sql::IsVariantType,
                                []() -> TypePtr { return delta::VariantType(); }, Pairs};

/// `type` itself when there is nothing to replace in it.
TypePtr Replaced(const TypePtr& type, const Direction& direction) {
  if (type->id() == arrow::Type::EXTENSION)
    return direction.replaces(*type) ? direction.with() : type;
  arrow::FieldVector fields;
  bool changed = false;
  for (const auto& field : type->fields()) {
    auto replaced = Replaced(field->type(), direction);
    changed = changed || replaced != field->type();
    fields.push_back(field->WithType(std::move(replaced)));
  }
  if (!changed) return type;
  switch (type->id()) {
    case arrow::Type::STRUCT: return arrow::struct_(std::move(fields));
    case arrow::Type::LIST: return arrow::list(fields[0]);
    case arrow::Type::MAP: {
      const auto& entries = fields[0]->type();
      return std::make_shared<arrow::MapType>(entries->field(0), entries->field(1));
    }
    default: return type;
  }
}

std::shared_ptr<arrow::Schema> Replaced(const std::shared_ptr<arrow::Schema>& schema,
                                        const Direction& direction) {
  arrow::FieldVector fields;
  bool changed = false;
  for (const auto& field : schema->fields()) {
    auto replaced = Replaced(field->type(), direction);
    changed = changed || replaced != field->type();
    fields.push_back(field->WithType(std::move(replaced)));
  }
  return changed ? arrow::schema(std::move(fields), schema->metadata()) : schema;
}

Result<ArrayPtr> Replaced(const ArrayPtr& array, const Direction& direction) {
  const TypePtr type = Replaced(array->type(), direction);
  if (type == array->type()) return array;
  if (type->id() == arrow::Type::EXTENSION)
    return direction.values(static_cast<const arrow::ExtensionArray&>(*array));
  auto data = array->data()->Copy();
  data->type = type;
  for (auto& child : data->child_data) {
    SLUICE_ASSIGN_OR_RETURN(const auto replaced, Replaced(arrow::MakeArray(child), direction));
    child = replaced->data();
  }
  return arrow::MakeArray(data);
}

}  // namespace

TypePtr SqlType(const TypePtr& type) { return Replaced(type, kToSql); }

std::shared_ptr<arrow::Schema> SqlSchema(const std::shared_ptr<arrow::Schema>& schema) {
  return Replaced(schema, kToSql);
}

TypePtr TableType(const TypePtr& type) { return Replaced(type, kToTable); }

std::shared_ptr<arrow::Schema> TableSchema(const std::shared_ptr<arrow::Schema>& schema) {
  return Replaced(schema, kToTable);
}

Result<ArrayPtr> SqlArray(const ArrayPtr& array) { return Replaced(array, kToSql); }

Result<ArrayPtr> TableArray(const ArrayPtr& array) { return Replaced(array, kToTable); }

std::shared_ptr<arrow::RecordBatchReader> TableRows(
    std::shared_ptr<arrow::RecordBatchReader> rows) {
  const auto schema = TableSchema(rows->schema());
  if (schema == rows->schema()) return rows;
  auto next = [rows, schema]() -> arrow::Result<std::shared_ptr<arrow::RecordBatch>> {
    std::shared_ptr<arrow::RecordBatch> batch;
    SLUICE_RETURN_NOT_OK(rows->ReadNext(&batch));
    if (batch == nullptr) return batch;
    arrow::ArrayVector columns;
    for (const auto& column : batch->columns()) {
      SLUICE_ASSIGN_OR_RETURN(auto stored, TableArray(column));
      columns.push_back(std::move(stored));
    }
    return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
  };
  return *arrow::RecordBatchReader::MakeFromIterator(arrow::MakeFunctionIterator(std::move(next)),
                                                     schema);
}

}  // namespace sluice::plan
