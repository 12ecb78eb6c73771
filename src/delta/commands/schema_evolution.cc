#include "delta/commands/schema_evolution.h"

#include <arrow/api.h>

#include <algorithm>

#include "delta/columns/column_mapping.h"
#include "delta/columns/schema_edit.h"
#include "delta/columns/type_widening.h"
#include "delta/log/table_metadata.h"
#include "delta/protocol/schema_json.h"

namespace sluice::delta {
namespace {

using FieldPtr = std::shared_ptr<arrow::Field>;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// `field` as a new column: nullable at every level, without metadata of where it came from.
FieldPtr NewField(const arrow::Field& field);

TypePtr NewType(const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& child : type->fields()) fields.push_back(NewField(*child));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST:
      return arrow::list(arrow::field("element", NewType(type->field(0)->type())));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(arrow::field("key", NewType(map.key_type()), false),
                                              arrow::field("value", NewType(map.item_type())));
    }
    default: return type;
  }
}

FieldPtr NewField(const arrow::Field& field) {
  return arrow::field(field.name(), NewType(field.type()));
}

/// Merges types below one field, which takes the notes of widened types.
class Merger {
 public:
  explicit Merger(bool widen) : widen_(widen) {}

  Result<arrow::FieldVector> MergeFields(const arrow::FieldVector& table,
                                         const arrow::FieldVector& rows,
                                         const std::string& path) const {
    arrow::FieldVector merged = table;
    std::vector<bool> seen(table.size(), false);
    for (const FieldPtr& field : rows) {
      const int index = FindFieldIndex(merged, field->name());
      const std::string name = path.empty() ? field->name() : path + "." + field->name();
      if (index < 0) {
        merged.push_back(NewField(*field));
        continue;
      }
      auto& own = merged[static_cast<size_t>(index)];
      if (static_cast<size_t>(index) >= table.size() || seen[static_cast<size_t>(index)])
        return MakeError("DELTA_SCHEMA_MISMATCH", "rows have two columns of one name: " + name);
      seen[static_cast<size_t>(index)] = true;
      FieldPtr changed = own;
      SLUICE_ASSIGN_OR_RETURN(const auto type,
                              MergeTypes(own->type(), field->type(), "", name, &changed));
      own = changed->WithType(type);
    }
    return merged;
  }

 private:
  /// `below` = where in `*holder`, the nearest field, the types are.
  Result<TypePtr> MergeTypes(const TypePtr& table, const TypePtr& rows, const std::string& below,
                             const std::string& name, FieldPtr* holder) const {
    const auto at = [&](const char* step) { return below.empty() ? step : below + "." + step; };
    if (table->id() == arrow::Type::STRUCT && rows->id() == arrow::Type::STRUCT) {
      SLUICE_ASSIGN_OR_RETURN(auto fields, MergeFields(table->fields(), rows->fields(), name));
      return arrow::struct_(std::move(fields));
    }
    if (table->id() == arrow::Type::LIST && rows->id() == arrow::Type::LIST) {
      const auto& element = table->field(0);
      SLUICE_ASSIGN_OR_RETURN(auto type, MergeTypes(element->type(), rows->field(0)->type(),
                                                    at("element"), name + ".element", holder));
      return arrow::list(element->WithType(std::move(type)));
    }
    if (table->id() == arrow::Type::MAP && rows->id() == arrow::Type::MAP) {
      const auto& own = static_cast<const arrow::MapType&>(*table);
      const auto& other = static_cast<const arrow::MapType&>(*rows);
      SLUICE_ASSIGN_OR_RETURN(
          auto key, MergeTypes(own.key_type(), other.key_type(), at("key"), name + ".key", holder));
      SLUICE_ASSIGN_OR_RETURN(auto item, MergeTypes(own.item_type(), other.item_type(), at("value"),
                                                    name + ".value", holder));
      return std::make_shared<arrow::MapType>(own.key_field()->WithType(std::move(key)),
                                              own.item_field()->WithType(std::move(item)));
    }
    return MergeLeaves(table, rows, below, name, holder);
  }

  Result<TypePtr> MergeLeaves(const TypePtr& table, const TypePtr& rows, const std::string& below,
                              const std::string& name, FieldPtr* holder) const {
    const auto stored = TableTypeOf(rows);
    const TypePtr other = stored.ok() ? *stored : rows;
    if (other->Equals(*table) || other->id() == arrow::Type::NA) return table;
    if (table->id() == arrow::Type::NA) return other;
    if (MayWidenUnasked(*other, *table)) return table;
    if (widen_ && MayWidenUnasked(*table, *other)) {
      *holder = NoteTypeChange(*holder, below, table, other);
      return other;
    }
    return MakeError("DELTA_FAILED_TO_MERGE_FIELDS",
                     "column " + name + " has type " + table->ToString() +
                         " in the table and type " + rows->ToString() + " in the rows",
                     "cast the column to the type of the table");
  }

  const bool widen_;
};

/// `type` with the struct fields spelled as in `like`.
TypePtr SpelledType(const TypePtr& type, const arrow::DataType& like) {
  if (type->id() != like.id()) return type;
  switch (type->id()) {
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) {
        const int index = FindFieldIndex(like.fields(), field->name());
        fields.push_back(
            index < 0 ? field
                      : field->WithName(like.field(index)->name())
                            ->WithType(SpelledType(field->type(), *like.field(index)->type())));
      }
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST:
      return arrow::list(
          type->field(0)->WithType(SpelledType(type->field(0)->type(), *like.field(0)->type())));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      const auto& other = static_cast<const arrow::MapType&>(like);
      return std::make_shared<arrow::MapType>(
          map.key_field()->WithType(SpelledType(map.key_type(), *other.key_type())),
          map.item_field()->WithType(SpelledType(map.item_type(), *other.item_type())));
    }
    default: return type;
  }
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> MergeSchemas(const arrow::Schema& table,
                                                    const arrow::Schema& rows, bool widen_types) {
  SLUICE_ASSIGN_OR_RETURN(const auto stored, TableSchemaOf(rows));
  SLUICE_ASSIGN_OR_RETURN(auto fields,
                          Merger(widen_types).MergeFields(table.fields(), stored->fields(), ""));
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::RecordBatch>> SpelledAs(
    const arrow::Schema& schema, const std::shared_ptr<arrow::RecordBatch>& rows) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (int i = 0; i < rows->num_columns(); ++i) {
    FieldPtr field = rows->schema()->field(i);
    auto column = rows->column(i);
    const int index = FindFieldIndex(schema.fields(), field->name());
    if (index >= 0) {
      const auto type = SpelledType(column->type(), *schema.field(index)->type());
      if (column->type()->num_fields() > 0) column = Relabelled(column, type);
      field = field->WithName(schema.field(index)->name())->WithType(type);
    }
    for (const FieldPtr& other : fields) {
      if (other->name() == field->name())
        return MakeError("DELTA_SCHEMA_MISMATCH",
                         "rows have two columns of one name: " + field->name());
    }
    fields.push_back(std::move(field));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows->num_rows(),
                                  std::move(columns));
}

bool WidensTypes(const Metadata& metadata) {
  const auto it = metadata.configuration.find("delta.enableTypeWidening");
  return it != metadata.configuration.end() && it->second == "true";
}

Status SetSchema(const std::shared_ptr<arrow::Schema>& schema, Metadata* metadata) {
  SLUICE_ASSIGN_OR_RETURN(metadata->schema_string, SchemaToJson(*schema));
  return Status::OK();
}

Result<std::shared_ptr<const Snapshot>> EvolveTable(
    Table& table, std::shared_ptr<const Snapshot> snapshot,
    const std::shared_ptr<arrow::Schema>& new_schema, Metadata* metadata) {
  *metadata = snapshot->metadata();
  if (new_schema == nullptr || new_schema->Equals(*snapshot->schema(), /*check_metadata=*/true))
    return snapshot;
  SLUICE_RETURN_NOT_OK(SetSchema(new_schema, metadata));
  SLUICE_RETURN_NOT_OK(CompleteMetadata(
      &snapshot->metadata(), [&table] { return table.NewUuid(); }, metadata));
  return snapshot->Apply({*metadata});
}

}  // namespace sluice::delta
