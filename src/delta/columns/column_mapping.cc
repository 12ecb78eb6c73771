#include "delta/columns/column_mapping.h"

#include <arrow/extension_type.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>

#include "delta/columns/adapt_columns.h"
#include "delta/columns/schema_edit.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/number_text.h"
#include "delta/protocol/schema_json.h"

namespace sluice::delta {
namespace {

constexpr char kIdKey[] = "delta.columnMapping.id";
constexpr char kNameKey[] = "delta.columnMapping.physicalName";
constexpr char kParquetIdKey[] = "PARQUET:field_id";

/// `type` with every field replaced by what `change` makes of it, inside out.
template <typename Change>
std::shared_ptr<arrow::DataType> WithFields(const std::shared_ptr<arrow::DataType>& type,
                                            const Change& change) {
  switch (type->id()) {
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) fields.push_back(change(*field));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST: {
      const auto& element = type->field(0);
      return arrow::list(element->WithType(WithFields(element->type(), change)));
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(
          map.key_field()->WithType(WithFields(map.key_type(), change)),
          map.item_field()->WithType(WithFields(map.item_type(), change)));
    }
    default: return type;
  }
}

std::shared_ptr<arrow::KeyValueMetadata> MetadataOf(const arrow::Field& field) {
  return field.metadata() == nullptr ? std::make_shared<arrow::KeyValueMetadata>()
                                     : field.metadata()->Copy();
}

class IdAssigner {
 public:
  IdAssigner(bool keep_names, const std::function<std::string()>& new_uuid, int64_t* max_id)
      : keep_names_(keep_names), new_uuid_(new_uuid), max_id_(max_id) {}

  std::shared_ptr<arrow::Field> Assign(const arrow::Field& field) const {
    auto metadata = MetadataOf(field);
    if (!metadata->Contains(kIdKey)) metadata->Append(kIdKey, std::to_string(++*max_id_));
    if (!metadata->Contains(kNameKey)) {
      std::string name;
      AppendJsonString(keep_names_ ? field.name() : "col-" + new_uuid_(), &name);
      metadata->Append(kNameKey, name);
    }
    return field.WithMetadata(metadata)->WithType(
        WithFields(field.type(), [this](const arrow::Field& child) { return Assign(child); }));
  }

 private:
  const bool keep_names_;
  const std::function<std::string()>& new_uuid_;
  int64_t* max_id_;
};

void RaiseToLargestId(const arrow::FieldVector& fields, int64_t* max_id) {
  for (const auto& field : fields) {
    if (const auto id = ColumnId(*field)) *max_id = std::max<int64_t>(*max_id, *id);
    RaiseToLargestId(field->type()->fields(), max_id);
  }
}

}  // namespace

std::optional<int32_t> ColumnId(const arrow::Field& field) {
  return LeadingNumber<int32_t>(ColumnMetadata(field, kIdKey));
}

std::optional<int32_t> ParquetFieldId(const arrow::Field& field) {
  if (field.metadata() == nullptr) return std::nullopt;
  const auto found = field.metadata()->Get(kParquetIdKey);
  return found.ok() ? LeadingNumber<int32_t>(*found) : std::nullopt;
}

std::shared_ptr<arrow::Field> PhysicalField(const arrow::Field& field) {
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  if (const auto id = ColumnId(field)) metadata->Append(kParquetIdKey, std::to_string(*id));
  auto type =
      WithFields(field.type(), [](const arrow::Field& child) { return PhysicalField(child); });
  return arrow::field(PhysicalName(field), std::move(type), field.nullable(),
                      metadata->size() > 0 ? metadata : nullptr);
}

std::shared_ptr<arrow::Schema> PhysicalSchema(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) fields.push_back(PhysicalField(*field));
  return arrow::schema(std::move(fields));
}

std::optional<std::vector<std::vector<std::string>>> PhysicalPaths(
    const arrow::Schema& schema,
    const std::optional<std::vector<std::vector<std::string>>>& paths) {
  auto physical = paths;
  for (size_t k = 0; physical.has_value() && k < physical->size(); ++k) {
    const arrow::FieldVector fields = FieldsAlong(schema.fields(), (*physical)[k]);
    for (size_t i = 0; i < fields.size(); ++i) (*physical)[k][i] = PhysicalName(*fields[i]);
  }
  return physical;
}

std::shared_ptr<arrow::Array> Relabelled(const std::shared_ptr<arrow::Array>& array,
                                         const std::shared_ptr<arrow::DataType>& type) {
  if (array->type() == type) return array;
  const auto relabel =
      [](const auto& self, const std::shared_ptr<arrow::ArrayData>& data,
         const std::shared_ptr<arrow::DataType>& wanted) -> std::shared_ptr<arrow::ArrayData> {
    auto copy = data->Copy();
    copy->type = wanted;
    const auto& shape = wanted->id() == arrow::Type::EXTENSION
                            ? static_cast<const arrow::ExtensionType&>(*wanted).storage_type()
                            : wanted;
    for (size_t i = 0; i < copy->child_data.size(); ++i)
      copy->child_data[i] =
          self(self, copy->child_data[i], shape->field(static_cast<int>(i))->type());
    if (data->type->id() == arrow::Type::EXTENSION) {
      // The parts of a variant are never null, those of one that is null are empty.
      for (auto& part : copy->child_data) {
        part = part->Copy();
        part->buffers[0] = nullptr;
        part->null_count = 0;
      }
    }
    return copy;
  };
  return arrow::MakeArray(relabel(relabel, array->data(), type));
}

std::shared_ptr<arrow::DataType> NamedByFieldId(const std::shared_ptr<arrow::DataType>& file_type,
                                                const arrow::DataType& table_type) {
  if (file_type->id() != table_type.id()) return file_type;
  switch (file_type->id()) {
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : file_type->fields()) {
        const auto id = ParquetFieldId(*field);
        std::shared_ptr<arrow::Field> named = field;
        for (const auto& wanted : table_type.fields()) {
          const bool same =
              id.has_value() ? ColumnId(*wanted) == id : PhysicalName(*wanted) == field->name();
          if (!same) continue;
          named = field->WithName(PhysicalName(*wanted))
                      ->WithType(NamedByFieldId(field->type(), *wanted->type()));
        }
        if (named == field && id.has_value()) named = field->WithName("#" + std::to_string(*id));
        fields.push_back(std::move(named));
      }
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST:
      return arrow::list(file_type->field(0)->WithType(
          NamedByFieldId(file_type->field(0)->type(), *table_type.field(0)->type())));
    case arrow::Type::MAP: {
      const auto& from = static_cast<const arrow::MapType&>(*file_type);
      const auto& to = static_cast<const arrow::MapType&>(table_type);
      return std::make_shared<arrow::MapType>(
          from.key_field()->WithType(NamedByFieldId(from.key_type(), *to.key_type())),
          from.item_field()->WithType(NamedByFieldId(from.item_type(), *to.item_type())));
    }
    default: return file_type;
  }
}

Result<std::shared_ptr<arrow::Schema>> AssignColumnIds(const arrow::Schema& schema, bool keep_names,
                                                       const std::function<std::string()>& new_uuid,
                                                       int64_t* max_id) {
  RaiseToLargestId(schema.fields(), max_id);
  const IdAssigner assigner(keep_names, new_uuid, max_id);
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) fields.push_back(assigner.Assign(*field));
  return arrow::schema(std::move(fields), schema.metadata());
}

}  // namespace sluice::delta
