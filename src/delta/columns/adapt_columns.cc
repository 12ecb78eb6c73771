#include "delta/columns/adapt_columns.h"

#include <arrow/array/concatenate.h>
#include <arrow/compute/cast.h>

#include "delta/protocol/schema_json.h"
#include "delta/protocol/variant_type.h"
#include "delta/variant/variant.h"
#include "delta/variant/variant_shredding.h"

namespace sluice::delta {
namespace {

Status Mismatch(const std::string& column, const arrow::DataType& from, const arrow::DataType& to) {
  return MakeError(
      "DELTA_SCHEMA_MISMATCH",
      "column " + column + " has type " + from.ToString() + ", the table has " + to.ToString(),
      "cast the column in the query, or rebuild the table with a full refresh");
}

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         arrow::is_decimal(type.id());
}

/// Whether values may be converted: to the type they are stored as, among numbers, and from date to
/// timestamp.
bool MayCast(const std::shared_ptr<arrow::DataType>& from, const arrow::DataType& to) {
  if (from->id() == arrow::Type::NA) return true;
  if (IsNumber(*from) && IsNumber(to)) return true;
  if (from->id() == arrow::Type::DATE32 && to.id() == arrow::Type::TIMESTAMP) return true;
  if (from->id() == arrow::Type::TIMESTAMP && to.id() == arrow::Type::TIMESTAMP) return true;
  if (from->id() == arrow::Type::BINARY && to.id() == arrow::Type::STRING) return true;
  const auto stored = TableTypeOf(from);
  return stored.ok() && (*stored)->id() == to.id();
}

Status CheckFieldsKnown(const arrow::StructArray& array, const arrow::DataType& type,
                        const std::string& column) {
  const auto& known = static_cast<const arrow::StructType&>(type);
  for (const auto& field : array.struct_type()->fields()) {
    if (known.GetFieldIndex(field->name()) >= 0) continue;
    return MakeError("DELTA_SCHEMA_MISMATCH",
                     "column " + column + " of the table has no field " + field->name(),
                     "leave the field out, or let the schema evolve");
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::Array>> AdaptStruct(const std::shared_ptr<arrow::Array>& array,
                                                  const std::shared_ptr<arrow::DataType>& type,
                                                  const std::string& column, FieldNames names) {
  const auto& from = static_cast<const arrow::StructArray&>(*array);
  if (names == FieldNames::kLogical) SLUICE_RETURN_NOT_OK(CheckFieldsKnown(from, *type, column));
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (const auto& field : type->fields()) {
    const int index = from.struct_type()->GetFieldIndex(
        names == FieldNames::kPhysical ? PhysicalName(*field) : field->name());
    std::shared_ptr<arrow::Array> child;
    if (index >= 0) {
      SLUICE_ASSIGN_OR_RETURN(
          child, AdaptArray(from.field(index), field->type(), column + "." + field->name(), names));
    } else {
      SLUICE_ASSIGN_OR_RETURN(child, arrow::MakeArrayOfNull(field->type(), array->length()));
    }
    children.push_back(child->data());
  }
  // field() has applied the offset of the struct to its children; the validity bits keep theirs.
  std::shared_ptr<arrow::Buffer> validity = array->null_bitmap();
  if (validity != nullptr && array->offset() != 0) {
    SLUICE_ASSIGN_OR_RETURN(
        validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(), validity->data(),
                                              array->offset(), array->length()));
  }
  return arrow::MakeArray(arrow::ArrayData::Make(type, array->length(), {validity},
                                                 std::move(children), array->null_count()));
}

/// Lists and maps keep their offsets; only what they hold is adapted.
Result<std::shared_ptr<arrow::Array>> AdaptList(const std::shared_ptr<arrow::Array>& array,
                                                const std::shared_ptr<arrow::DataType>& type,
                                                const std::string& column, FieldNames names) {
  const auto held = arrow::MakeArray(array->data()->child_data[0]);
  const bool is_map = type->id() == arrow::Type::MAP;
  std::shared_ptr<arrow::Array> adapted;
  if (is_map) {
    // Keys and values go by position: their names differ between writers.
    const auto& entries = static_cast<const arrow::StructArray&>(*held);
    const auto& map = static_cast<const arrow::MapType&>(*type);
    SLUICE_ASSIGN_OR_RETURN(const auto keys,
                            AdaptArray(entries.field(0), map.key_type(), column + ".key", names));
    SLUICE_ASSIGN_OR_RETURN(
        const auto items, AdaptArray(entries.field(1), map.item_type(), column + ".value", names));
    adapted = std::make_shared<arrow::StructArray>(map.value_type(), held->length(),
                                                   arrow::ArrayVector{keys, items});
  } else {
    SLUICE_ASSIGN_OR_RETURN(adapted,
                            AdaptArray(held, type->field(0)->type(), column + ".element", names));
  }
  auto data = array->data()->Copy();
  data->type = type;
  data->child_data = {adapted->data()};
  return arrow::MakeArray(data);
}

bool IsList(const arrow::DataType& type) { return type.id() == arrow::Type::LIST; }

/// Rows (through structs) where a NOT NULL column has null although its parents have not.
Status CheckNotNull(const arrow::Array& array, const arrow::Field& field,
                    const std::string& column) {
  if (!field.nullable() && array.null_count() > 0) {
    return MakeError("DELTA_NOT_NULL_VIOLATION", "null in a column that is NOT NULL: " + column,
                     "filter or fill the nulls in the query");
  }
  if (field.type()->id() != arrow::Type::STRUCT || array.null_count() > 0) return Status::OK();
  const auto& parent = static_cast<const arrow::StructArray&>(array);
  for (int i = 0; i < parent.num_fields(); ++i) {
    const arrow::Field& child = *parent.struct_type()->field(i);
    SLUICE_RETURN_NOT_OK(CheckNotNull(*parent.field(i), child, column + "." + child.name()));
  }
  return Status::OK();
}

}  // namespace

std::string PhysicalName(const arrow::Field& field) {
  if (field.metadata() == nullptr) return field.name();
  const std::string name = ColumnMetadata(field, "delta.columnMapping.physicalName");
  return name.empty() ? field.name() : name;
}

Result<std::shared_ptr<arrow::Array>> AdaptArray(const std::shared_ptr<arrow::Array>& array,
                                                 const std::shared_ptr<arrow::DataType>& type,
                                                 const std::string& column, FieldNames names) {
  const auto& from = array->type();
  if (type->id() == arrow::Type::EXTENSION && IsVariant(*type))
    return UnshredVariant(array, column);
  if (from->id() == arrow::Type::STRUCT && type->id() == arrow::Type::STRUCT) {
    if (from->Equals(*type, /*check_metadata=*/true)) return array;
    return AdaptStruct(array, type, column, names);
  }
  if (from->Equals(*type)) {
    if (type->num_fields() == 0 || from->Equals(*type, /*check_metadata=*/true)) return array;
  }
  const bool lists = IsList(*from) && IsList(*type);
  const bool maps = from->id() == arrow::Type::MAP && type->id() == arrow::Type::MAP;
  if (lists || maps) return AdaptList(array, type, column, names);
  if (!MayCast(from, *type)) return Mismatch(column, *from, *type);
  if (from->num_fields() > 0) {
    // Other kinds of list: first to the plain one, then their elements.
    SLUICE_ASSIGN_OR_RETURN(const auto plain, TableTypeOf(from));
    if (IsList(*plain) && IsList(*type) && from->id() != arrow::Type::LIST) {
      SLUICE_ASSIGN_OR_RETURN(const auto cast, arrow::compute::Cast(*array, plain));
      return AdaptArray(cast, type, column, names);
    }
  }
  auto cast = arrow::compute::Cast(*array, type);
  if (cast.ok()) return cast.MoveValueUnsafe();
  return WithContext(Mismatch(column, *from, *type), cast.status().message());
}

Result<std::shared_ptr<arrow::RecordBatch>> AdaptRows(
    const std::shared_ptr<arrow::RecordBatch>& rows, const std::shared_ptr<arrow::Schema>& schema) {
  arrow::ArrayVector columns;
  columns.reserve(static_cast<size_t>(schema->num_fields()));
  int found = 0;
  for (const auto& field : schema->fields()) {
    std::shared_ptr<arrow::Array> column = rows->GetColumnByName(field->name());
    if (column == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(column, arrow::MakeArrayOfNull(field->type(), rows->num_rows()));
    } else {
      ++found;
      SLUICE_ASSIGN_OR_RETURN(
          column, AdaptArray(column, field->type(), field->name(), FieldNames::kLogical));
    }
    if (rows->num_rows() > 0) SLUICE_RETURN_NOT_OK(CheckNotNull(*column, *field, field->name()));
    columns.push_back(std::move(column));
  }
  if (found != rows->num_columns()) {
    for (const auto& field : rows->schema()->fields()) {
      if (schema->GetFieldIndex(field->name()) < 0) {
        return MakeError("DELTA_SCHEMA_MISMATCH", "the table has no column " + field->name(),
                         "rebuild the table with a full refresh, or leave the column out");
      }
    }
    return MakeError("DELTA_SCHEMA_MISMATCH", "rows have two columns of one name");
  }
  return arrow::RecordBatch::Make(schema, rows->num_rows(), std::move(columns));
}

}  // namespace sluice::delta
