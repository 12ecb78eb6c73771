#include "delta/variant/variant_shredding.h"

#include <arrow/api.h>
#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "delta/protocol/variant_type.h"
#include "delta/variant/variant.h"

namespace sluice::delta {
namespace {

Status Unsupported(const arrow::DataType& type) {
  return MakeError("DELTA_UNSUPPORTED_TYPE",
                   "a variant is shredded into a type that cannot be read: " + type.ToString(),
                   "write the table without shredding");
}

std::shared_ptr<arrow::Array> Storage(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() != arrow::Type::EXTENSION) return array;
  return static_cast<const arrow::ExtensionArray&>(*array).storage();
}

template <typename T>
std::string Bytes(T number) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &number, sizeof(T));
  return bytes;
}

/// One typed column of a shredded variant: encodes the value of a row.
template <typename ArrayType>
std::string EncodeNumber(VariantPrimitive type, const arrow::Array& array, int64_t row) {
  return EncodeVariantPrimitive(type, Bytes(static_cast<const ArrayType&>(array).Value(row)));
}

std::string EncodeDecimal(const arrow::Decimal128Array& array, int64_t row) {
  const auto& type = static_cast<const arrow::Decimal128Type&>(*array.type());
  const arrow::Decimal128 value(array.GetValue(row));
  std::string payload(1, static_cast<char>(type.scale()));
  if (type.precision() <= 9) {
    payload += Bytes(static_cast<int32_t>(static_cast<int64_t>(value)));
    return EncodeVariantPrimitive(VariantPrimitive::kDecimal4, payload);
  }
  if (type.precision() <= 18) {
    payload += Bytes(static_cast<int64_t>(value));
    return EncodeVariantPrimitive(VariantPrimitive::kDecimal8, payload);
  }
  payload += Bytes(value.low_bits()) + Bytes(value.high_bits());
  return EncodeVariantPrimitive(VariantPrimitive::kDecimal16, payload);
}

VariantPrimitive TimestampCode(const arrow::TimestampType& type) {
  const bool zoned = !type.timezone().empty();
  if (type.unit() == arrow::TimeUnit::NANO)
    return zoned ? VariantPrimitive::kTimestampNanos : VariantPrimitive::kTimestampNtzNanos;
  return zoned ? VariantPrimitive::kTimestamp : VariantPrimitive::kTimestampNtz;
}

Result<std::string> EncodeLeaf(const arrow::Array& array, int64_t row) {
  using Code = VariantPrimitive;
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return EncodeVariantPrimitive(
          static_cast<const arrow::BooleanArray&>(array).Value(row) ? Code::kTrue : Code::kFalse);
    case arrow::Type::INT8: return EncodeNumber<arrow::Int8Array>(Code::kInt8, array, row);
    case arrow::Type::INT16: return EncodeNumber<arrow::Int16Array>(Code::kInt16, array, row);
    case arrow::Type::INT32: return EncodeNumber<arrow::Int32Array>(Code::kInt32, array, row);
    case arrow::Type::INT64: return EncodeNumber<arrow::Int64Array>(Code::kInt64, array, row);
    case arrow::Type::FLOAT: return EncodeNumber<arrow::FloatArray>(Code::kFloat, array, row);
    case arrow::Type::DOUBLE: return EncodeNumber<arrow::DoubleArray>(Code::kDouble, array, row);
    case arrow::Type::DATE32: return EncodeNumber<arrow::Date32Array>(Code::kDate, array, row);
    case arrow::Type::TIME64: return EncodeNumber<arrow::Time64Array>(Code::kTimeNtz, array, row);
    case arrow::Type::TIMESTAMP: {
      const auto& type = static_cast<const arrow::TimestampType&>(*array.type());
      if (type.unit() != arrow::TimeUnit::MICRO && type.unit() != arrow::TimeUnit::NANO) break;
      return EncodeNumber<arrow::TimestampArray>(TimestampCode(type), array, row);
    }
    case arrow::Type::DECIMAL128:
      return EncodeDecimal(static_cast<const arrow::Decimal128Array&>(array), row);
    case arrow::Type::STRING:
      return EncodeVariantString(static_cast<const arrow::StringArray&>(array).GetView(row));
    case arrow::Type::BINARY: {
      const auto bytes = static_cast<const arrow::BinaryArray&>(array).GetView(row);
      return EncodeVariantPrimitive(
          Code::kBinary, Bytes(static_cast<uint32_t>(bytes.size())) + std::string(bytes));
    }
    case arrow::Type::FIXED_SIZE_BINARY: {
      const auto& fixed = static_cast<const arrow::FixedSizeBinaryArray&>(array);
      if (fixed.byte_width() != 16) break;
      return EncodeVariantPrimitive(Code::kUuid, fixed.GetView(row));
    }
    default: break;
  }
  return Unsupported(*array.type());
}

/// One group {value, typed_value} of the file and what hangs below it, taken apart once.
class Group {
 public:
  static Result<std::unique_ptr<Group>> Make(const std::shared_ptr<arrow::Array>& array) {
    if (array->type_id() != arrow::Type::STRUCT) return Unsupported(*array->type());
    const auto& parent = static_cast<const arrow::StructArray&>(*array);
    auto group = std::make_unique<Group>();
    group->array_ = array;
    if (const auto value = parent.GetFieldByName("value")) {
      SLUICE_ASSIGN_OR_RETURN(group->value_, arrow::compute::Cast(*value, arrow::binary()));
    }
    if (const auto typed = parent.GetFieldByName("typed_value")) {
      SLUICE_RETURN_NOT_OK(group->TakeTyped(Storage(typed)));
    }
    return group;
  }

  /// The value of `row`; nothing when it is missing.
  Result<std::optional<std::string>> Encode(const VariantNames& names, int64_t row) const {
    if (array_->IsNull(row)) return std::nullopt;
    std::optional<std::string_view> rest;
    if (value_ != nullptr && value_->IsValid(row))
      rest = static_cast<const arrow::BinaryArray&>(*value_).GetView(row);
    if (typed_ == nullptr || typed_->IsNull(row)) {
      if (!rest.has_value()) return std::nullopt;
      return std::string(*rest);
    }
    if (!fields_.empty()) return EncodeObject(names, row, rest);
    if (element_ != nullptr) return EncodeList(names, row);
    SLUICE_ASSIGN_OR_RETURN(auto leaf, EncodeLeaf(*typed_, row));
    return leaf;
  }

 private:
  Status TakeTyped(const std::shared_ptr<arrow::Array>& typed) {
    typed_ = typed;
    if (typed->type_id() == arrow::Type::STRUCT) {
      const auto& object = static_cast<const arrow::StructArray&>(*typed);
      for (int i = 0; i < object.num_fields(); ++i) {
        SLUICE_ASSIGN_OR_RETURN(auto field, Make(object.field(i)));
        fields_.emplace_back(object.struct_type()->field(i)->name(), std::move(field));
      }
    } else if (typed->type_id() == arrow::Type::LIST) {
      SLUICE_ASSIGN_OR_RETURN(element_,
                              Make(static_cast<const arrow::ListArray&>(*typed).values()));
    }
    return Status::OK();
  }

  Result<std::optional<std::string>> EncodeObject(const VariantNames& names, int64_t row,
                                                  std::optional<std::string_view> rest) const {
    std::vector<VariantField> members;
    for (const auto& [name, field] : fields_) {
      SLUICE_ASSIGN_OR_RETURN(auto value, field->Encode(names, row));
      if (!value.has_value()) continue;
      SLUICE_ASSIGN_OR_RETURN(const uint32_t id, names.IdOf(name));
      members.push_back({name, id, std::move(*value)});
    }
    if (rest.has_value()) {
      SLUICE_ASSIGN_OR_RETURN(const auto others, VariantFields(*rest));
      for (const auto& [id, value] : others) {
        SLUICE_ASSIGN_OR_RETURN(const auto name, names.Name(id));
        members.push_back({std::string(name), id, std::string(value)});
      }
    }
    std::sort(members.begin(), members.end(),
              [](const VariantField& a, const VariantField& b) { return a.name < b.name; });
    return EncodeVariantObject(members);
  }

  Result<std::optional<std::string>> EncodeList(const VariantNames& names, int64_t row) const {
    const auto& list = static_cast<const arrow::ListArray&>(*typed_);
    std::vector<std::string> elements;
    for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
      SLUICE_ASSIGN_OR_RETURN(auto element, element_->Encode(names, i));
      elements.push_back(element.has_value() ? std::move(*element)
                                             : EncodeVariantPrimitive(VariantPrimitive::kNull));
    }
    return EncodeVariantArray(elements);
  }

  std::shared_ptr<arrow::Array> array_;
  std::shared_ptr<arrow::Array> value_;
  std::shared_ptr<arrow::Array> typed_;
  std::vector<std::pair<std::string, std::unique_ptr<Group>>> fields_;
  std::unique_ptr<Group> element_;
};

Result<std::shared_ptr<arrow::Array>> Assemble(const arrow::StructArray& rows,
                                               const std::shared_ptr<arrow::Array>& metadata) {
  SLUICE_ASSIGN_OR_RETURN(const auto group,
                          Group::Make(std::make_shared<arrow::StructArray>(rows.data()->Copy())));
  const auto& names = static_cast<const arrow::BinaryArray&>(*metadata);
  arrow::BinaryBuilder builder;
  for (int64_t row = 0; row < rows.length(); ++row) {
    if (rows.IsNull(row)) {
      SLUICE_RETURN_NOT_OK(builder.AppendEmptyValue());
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(const auto parsed, VariantNames::Parse(names.GetView(row)));
    SLUICE_ASSIGN_OR_RETURN(const auto value, group->Encode(parsed, row));
    // Neither part present: the writer meant a variant null.
    SLUICE_RETURN_NOT_OK(
        builder.Append(value.value_or(EncodeVariantPrimitive(VariantPrimitive::kNull))));
  }
  return builder.Finish();
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> UnshredVariant(const std::shared_ptr<arrow::Array>& array,
                                                     const std::string& column) {
  if (array->type_id() == arrow::Type::NA) {
    return arrow::MakeArrayOfNull(VariantType(), array->length());
  }
  const auto stored = Storage(array);
  const auto mismatch = [&] {
    return MakeError(
        "DELTA_SCHEMA_MISMATCH",
        "column " + column + " has type " + array->type()->ToString() + ", the table has variant");
  };
  if (stored->type_id() != arrow::Type::STRUCT) return mismatch();
  const auto& rows = static_cast<const arrow::StructArray&>(*stored);
  auto metadata = rows.GetFieldByName("metadata");
  auto value = rows.GetFieldByName("value");
  const bool shredded = rows.struct_type()->GetFieldIndex("typed_value") >= 0;
  if (metadata == nullptr || (value == nullptr && !shredded)) return mismatch();
  SLUICE_ASSIGN_OR_RETURN(metadata, arrow::compute::Cast(*metadata, arrow::binary()));
  if (shredded) {
    SLUICE_ASSIGN_OR_RETURN(value, Assemble(rows, metadata));
  } else {
    SLUICE_ASSIGN_OR_RETURN(value, arrow::compute::Cast(*value, arrow::binary()));
  }
  std::shared_ptr<arrow::Buffer> validity = stored->null_bitmap();
  if (validity != nullptr && stored->offset() != 0) {
    SLUICE_ASSIGN_OR_RETURN(
        validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(), validity->data(),
                                              stored->offset(), stored->length()));
  }
  return arrow::MakeArray(arrow::ArrayData::Make(VariantType(), stored->length(), {validity},
                                                 {metadata->data(), value->data()},
                                                 stored->null_count()));
}

}  // namespace sluice::delta
