#include "delta/columns/assignment.h"

#include <arrow/api.h>

#include <algorithm>

#include "delta/columns/adapt_columns.h"
#include "delta/protocol/partition_value.h"

namespace sluice::delta {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

std::string Dotted(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& name : path) text += (text.empty() ? "" : ".") + name;
  return text;
}

std::shared_ptr<arrow::Field> FieldAt(const arrow::Schema& schema,
                                      const std::vector<std::string>& path) {
  if (path.empty()) return nullptr;
  auto field = schema.GetFieldByName(path[0]);
  for (size_t i = 1; i < path.size() && field != nullptr; ++i) {
    if (field->type()->id() != arrow::Type::STRUCT) return nullptr;
    field = static_cast<const arrow::StructType&>(*field->type()).GetFieldByName(path[i]);
  }
  return field;
}

bool IsPrefix(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return a.size() <= b.size() && std::equal(a.begin(), a.end(), b.begin());
}

/// `array` with the value at `path` (from its element `depth` on) replaced.
Result<ArrayPtr> Replaced(const ArrayPtr& array, const arrow::Field& field,
                          const std::vector<std::string>& path, size_t depth,
                          const ArrayPtr& value) {
  if (depth == path.size())
    return AdaptArray(value, field.type(), Dotted(path), FieldNames::kLogical);
  const auto& parent = static_cast<const arrow::StructArray&>(*array);
  arrow::ArrayVector children;
  for (int i = 0; i < parent.num_fields(); ++i) {
    const auto& child_field = *field.type()->field(i);
    SLUICE_ASSIGN_OR_RETURN(auto child, parent.GetFlattenedField(i));
    if (child_field.name() == path[depth]) {
      SLUICE_ASSIGN_OR_RETURN(child, Replaced(child, child_field, path, depth + 1, value));
    }
    children.push_back(std::move(child));
  }
  return std::make_shared<arrow::StructArray>(field.type(), array->length(), std::move(children));
}

}  // namespace

Status CheckAssignments(const std::vector<Assignment>& assignments, const arrow::Schema& schema) {
  for (size_t i = 0; i < assignments.size(); ++i) {
    const auto& path = assignments[i].path;
    if (FieldAt(schema, path) == nullptr) {
      return MakeError("DELTA_SCHEMA_MISMATCH", "the table has no column " + Dotted(path));
    }
    for (size_t k = 0; k < i; ++k) {
      if (!IsPrefix(assignments[k].path, path) && !IsPrefix(path, assignments[k].path)) continue;
      return MakeError("DELTA_SCHEMA_MISMATCH", "column is assigned twice: " + Dotted(path));
    }
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> Assign(
    const std::shared_ptr<arrow::RecordBatch>& rows, const std::vector<Assignment>& assignments,
    const std::shared_ptr<arrow::RecordBatch>& seen) {
  arrow::ArrayVector columns = rows->columns();
  for (const Assignment& assignment : assignments) {
    const int index = rows->schema()->GetFieldIndex(assignment.path[0]);
    auto& column = columns[static_cast<size_t>(index)];
    SLUICE_ASSIGN_OR_RETURN(const auto value, assignment.value(seen));
    SLUICE_ASSIGN_OR_RETURN(
        column, Replaced(column, *rows->schema()->field(index), assignment.path, 1, value));
  }
  return arrow::RecordBatch::Make(rows->schema(), rows->num_rows(), std::move(columns));
}

std::vector<std::string> AssignedColumns(const std::vector<Assignment>& assignments) {
  std::vector<std::string> columns;
  for (const Assignment& assignment : assignments) columns.push_back(assignment.path[0]);
  return columns;
}

Result<std::shared_ptr<arrow::BooleanArray>> Evaluate(
    const RowFunction& condition, const std::shared_ptr<arrow::RecordBatch>& rows) {
  if (condition == nullptr) return std::shared_ptr<arrow::BooleanArray>();
  SLUICE_ASSIGN_OR_RETURN(const auto array, condition(rows));
  if (array->type_id() == arrow::Type::BOOL)
    return std::static_pointer_cast<arrow::BooleanArray>(array);
  if (array->type_id() != arrow::Type::NA)
    return MakeError("DELTA_SCHEMA_MISMATCH", "a condition is not BOOLEAN");
  SLUICE_ASSIGN_OR_RETURN(const auto unknown,
                          arrow::MakeArrayOfNull(arrow::boolean(), rows->num_rows()));
  return std::static_pointer_cast<arrow::BooleanArray>(unknown);
}

Result<std::shared_ptr<arrow::RecordBatch>> PaddedTo(
    const std::shared_ptr<arrow::Schema>& schema, const std::shared_ptr<arrow::RecordBatch>& rows) {
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    auto column = rows->GetColumnByName(field->name());
    if (column == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(column, arrow::MakeArrayOfNull(field->type(), rows->num_rows()));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, rows->num_rows(), std::move(columns));
}

bool AreAll(const std::optional<std::vector<std::string>>& columns,
            const std::vector<std::string>& partition_columns) {
  if (!columns.has_value()) return false;
  return std::all_of(columns->begin(), columns->end(), [&](const std::string& column) {
    return std::find(partition_columns.begin(), partition_columns.end(), column) !=
           partition_columns.end();
  });
}

Result<std::shared_ptr<arrow::RecordBatch>> PartitionRow(
    const std::shared_ptr<arrow::Schema>& schema, const std::vector<std::string>& partition_columns,
    const AddFile& file) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const std::string& name : partition_columns) {
    fields.push_back(schema->GetFieldByName(name));
    const auto it = file.partition_values.find(PhysicalName(*fields.back()));
    const auto text = it == file.partition_values.end() ? std::nullopt : it->second;
    SLUICE_ASSIGN_OR_RETURN(const auto value,
                            PartitionValueFromString(text, fields.back()->type()));
    SLUICE_ASSIGN_OR_RETURN(auto column, arrow::MakeArrayFromScalar(*value, 1));
    columns.push_back(std::move(column));
  }
  return PaddedTo(
      schema, arrow::RecordBatch::Make(arrow::schema(std::move(fields)), 1, std::move(columns)));
}

}  // namespace sluice::delta
