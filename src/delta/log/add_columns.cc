#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/scalar.h>

#include "delta/log/add_columns_internal.h"

namespace sluice::delta {
namespace {

/// Types that differ in the names of inner fields at most: the bytes are the same.
bool SameLayout(const arrow::DataType& a, const arrow::DataType& b) {
  if (a.id() != b.id() || a.num_fields() != b.num_fields()) return false;
  for (int i = 0; i < a.num_fields(); ++i) {
    if (a.id() == arrow::Type::STRUCT && a.field(i)->name() != b.field(i)->name()) return false;
    if (!SameLayout(*a.field(i)->type(), *b.field(i)->type())) return false;
  }
  return a.num_fields() > 0 || a.Equals(b);
}

bool MapLayout(const arrow::DataType& a, const arrow::DataType& b) {
  if (a.id() != arrow::Type::MAP || b.id() != arrow::Type::MAP) return false;
  const auto& from = static_cast<const arrow::MapType&>(a);
  const auto& to = static_cast<const arrow::MapType&>(b);
  return from.key_type()->Equals(to.key_type()) && from.item_type()->Equals(to.item_type());
}

bool Fits(const arrow::DataType& a, const arrow::DataType& b) {
  return a.id() == arrow::Type::MAP ? MapLayout(a, b) : SameLayout(a, b);
}

/// `data` with the field names of `type`.
std::shared_ptr<arrow::ArrayData> Renamed(const std::shared_ptr<arrow::ArrayData>& data,
                                          const std::shared_ptr<arrow::DataType>& type) {
  auto renamed = data->Copy();
  renamed->type = type;
  for (size_t i = 0; i < renamed->child_data.size(); ++i)
    renamed->child_data[i] =
        Renamed(renamed->child_data[i], type->field(static_cast<int>(i))->type());
  return renamed;
}

Result<std::shared_ptr<arrow::Array>> Missing(const arrow::Field& field, int64_t rows) {
  if (field.name() == "dataChange")
    return arrow::MakeArrayFromScalar(arrow::BooleanScalar(false), rows);
  if (field.type()->id() != arrow::Type::MAP) return arrow::MakeArrayOfNull(field.type(), rows);
  std::unique_ptr<arrow::ArrayBuilder> builder;
  SLUICE_RETURN_NOT_OK(arrow::MakeBuilder(arrow::default_memory_pool(), field.type(), &builder));
  SLUICE_RETURN_NOT_OK(builder->AppendEmptyValues(rows));
  return builder->Finish();
}

}  // namespace

bool CanPassOn(const arrow::StructArray& adds, const arrow::DataType& type) {
  for (const auto& field : type.fields()) {
    const int index = adds.struct_type()->GetFieldIndex(field->name());
    if (index < 0 || field->name() == "dataChange") continue;
    const auto& child = adds.field(index);
    if (!Fits(*child->type(), *field->type())) return false;
    // A file has partition values and tags, be it none; where there is no file there is no map.
    if (child->type_id() == arrow::Type::MAP && child->null_count() > adds.null_count())
      return false;
  }
  return true;
}

Result<std::shared_ptr<arrow::Array>> PassOn(const std::shared_ptr<arrow::StructArray>& adds,
                                             const std::vector<int32_t>& rows,
                                             const std::shared_ptr<arrow::DataType>& type) {
  const auto count = static_cast<int64_t>(rows.size());
  const bool all = count == adds->length();
  std::shared_ptr<arrow::Array> positions;
  if (!all) {
    arrow::Int32Builder builder;
    SLUICE_RETURN_NOT_OK(builder.AppendValues(rows));
    SLUICE_RETURN_NOT_OK(builder.Finish(&positions));
  }
  arrow::ArrayVector columns;
  for (const auto& field : type->fields()) {
    const int index = adds->struct_type()->GetFieldIndex(field->name());
    if (index < 0 || field->name() == "dataChange") {
      SLUICE_ASSIGN_OR_RETURN(auto column, Missing(*field, count));
      columns.push_back(std::move(column));
      continue;
    }
    std::shared_ptr<arrow::Array> column = adds->field(index);
    if (!all) {
      SLUICE_ASSIGN_OR_RETURN(
          column,
          arrow::compute::Take(*column, *positions, arrow::compute::TakeOptions::NoBoundsCheck()));
    }
    columns.push_back(arrow::MakeArray(Renamed(column->data(), field->type())));
  }
  return arrow::StructArray::Make(std::move(columns), type->fields());
}

}  // namespace sluice::delta
