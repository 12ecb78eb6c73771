#include "state/row_encoder.h"

#include <arrow/builder.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace sluice::state {
namespace {

using arrow::Type;

constexpr int64_t kBlockRows = 1024;

/// Bytes of a value of fixed width, 0 for other types.
size_t FixedWidth(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::BOOL:
    case Type::INT8:
    case Type::UINT8: return 1;
    case Type::INT16:
    case Type::UINT16: return 2;
    case Type::INT32:
    case Type::UINT32:
    case Type::FLOAT:
    case Type::DATE32:
    case Type::TIME32: return 4;
    case Type::INT64:
    case Type::UINT64:
    case Type::DOUBLE:
    case Type::DATE64:
    case Type::TIME64:
    case Type::TIMESTAMP:
    case Type::DURATION: return 8;
    case Type::DECIMAL128: return 16;
    default: return 0;
  }
}

bool IsBinary(Type::type id) {
  return id == Type::STRING || id == Type::BINARY || id == Type::LARGE_STRING ||
         id == Type::LARGE_BINARY;
}

std::string_view BinaryValue(const arrow::Array& array, int64_t i) {
  if (array.type_id() == Type::LARGE_STRING || array.type_id() == Type::LARGE_BINARY) {
    return static_cast<const arrow::LargeBinaryArray&>(array).GetView(i);
  }
  return static_cast<const arrow::BinaryArray&>(array).GetView(i);
}

template <typename T>
T Normal(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value == 0) return 0;  // -0.0
    if (std::isnan(value)) return std::numeric_limits<T>::quiet_NaN();
  }
  return value;
}

struct Wide {  // a 128-bit decimal as it lies in memory
  uint64_t low;
  uint64_t high;
};

/// Calls `visit.template operator()<T>(const T* values)` for the physical type of a fixed-width
/// column.
template <typename Visit>
void VisitFixed(const arrow::Array& array, Visit&& visit) {
  const uint8_t* raw =
      array.data()->buffers[1] == nullptr ? nullptr : array.data()->buffers[1]->data();
  const int64_t offset = array.offset();
  auto as = [&]<typename T>(T) { visit(reinterpret_cast<const T*>(raw) + offset); };
  if (array.type_id() == Type::FLOAT) return as(float{});
  if (array.type_id() == Type::DOUBLE) return as(double{});
  switch (FixedWidth(*array.type())) {
    case 1: return as(uint8_t{});
    case 2: return as(uint16_t{});
    case 4: return as(uint32_t{});
    case 8: return as(uint64_t{});
    default: return as(Wide{});
  }
}

template <typename T>
void Put(uint8_t*& cursor, T value) {
  std::memcpy(cursor, &value, sizeof(T));
  cursor += sizeof(T);
}

void PutBytes(uint8_t*& cursor, std::string_view bytes) {
  Put(cursor, static_cast<uint32_t>(bytes.size()));
  if (!bytes.empty()) std::memcpy(cursor, bytes.data(), bytes.size());
  cursor += bytes.size();
}

// One value at a time: for what is inside structs and lists.
size_t ValueSize(const arrow::Array& array, int64_t i) {
  if (array.IsNull(i)) return 1;
  const size_t width = FixedWidth(*array.type());
  if (width != 0) return 1 + width;
  if (IsBinary(array.type_id())) return 1 + 4 + BinaryValue(array, i).size();
  size_t size = 1;
  if (array.type_id() == Type::STRUCT) {
    for (const auto& field : static_cast<const arrow::StructArray&>(array).fields())
      size += ValueSize(*field, i);
  } else if (array.type_id() == Type::LIST) {
    const auto& list = static_cast<const arrow::ListArray&>(array);
    size += 4;
    for (int64_t k = list.value_offset(i); k < list.value_offset(i + 1); ++k)
      size += ValueSize(*list.values(), k);
  }
  return size;
}

void PutValue(const arrow::Array& array, int64_t i, uint8_t*& cursor) {
  const bool valid = array.IsValid(i);
  Put(cursor, static_cast<uint8_t>(valid));
  if (!valid) return;
  if (array.type_id() == Type::BOOL) {
    Put(cursor, static_cast<uint8_t>(static_cast<const arrow::BooleanArray&>(array).Value(i)));
  } else if (FixedWidth(*array.type()) != 0) {
    VisitFixed(array, [&](const auto* values) { Put(cursor, Normal(values[i])); });
  } else if (IsBinary(array.type_id())) {
    PutBytes(cursor, BinaryValue(array, i));
  } else if (array.type_id() == Type::STRUCT) {
    for (const auto& field : static_cast<const arrow::StructArray&>(array).fields())
      PutValue(*field, i, cursor);
  } else if (array.type_id() == Type::LIST) {
    const auto& list = static_cast<const arrow::ListArray&>(array);
    Put(cursor, static_cast<uint32_t>(list.value_length(i)));
    for (int64_t k = list.value_offset(i); k < list.value_offset(i + 1); ++k)
      PutValue(*list.values(), k, cursor);
  }
}

// Column at a time: the hot path.
void AddSizes(const arrow::Array& array, int64_t begin, int64_t end, size_t* sizes) {
  const int64_t rows = end - begin;
  const size_t width = FixedWidth(*array.type());
  if (width != 0 && array.null_count() == 0) {
    for (int64_t i = 0; i < rows; ++i) sizes[i] += 1 + width;
  } else if (array.type_id() == Type::STRING || array.type_id() == Type::BINARY) {
    const int32_t* offsets =
        static_cast<const arrow::BinaryArray&>(array).raw_value_offsets() + begin;
    const bool nulls = array.null_count() != 0;
    for (int64_t i = 0; i < rows; ++i) {
      const bool null = nulls && array.IsNull(begin + i);
      sizes[i] += null ? 1 : 5 + static_cast<size_t>(offsets[i + 1] - offsets[i]);
    }
  } else {
    for (int64_t i = 0; i < rows; ++i) sizes[i] += ValueSize(array, begin + i);
  }
}

template <typename T>
void WriteFixed(const arrow::Array& array, const T* values, int64_t begin, int64_t end,
                uint8_t** cursors) {
  const bool nulls = array.null_count() != 0;
  for (int64_t i = begin; i < end; ++i) {
    uint8_t*& cursor = cursors[i - begin];
    if (nulls && array.IsNull(i)) {
      *cursor++ = 0;
    } else {
      *cursor++ = 1;
      Put(cursor, Normal(values[i]));
    }
  }
}

void WriteStrings(const arrow::Array& array, int64_t begin, int64_t end, uint8_t** cursors) {
  const auto& strings = static_cast<const arrow::BinaryArray&>(array);
  const bool nulls = array.null_count() != 0;
  for (int64_t i = begin; i < end; ++i) {
    uint8_t*& cursor = cursors[i - begin];
    if (nulls && array.IsNull(i)) {
      *cursor++ = 0;
    } else {
      *cursor++ = 1;
      PutBytes(cursor, strings.GetView(i));
    }
  }
}

void WriteColumn(const arrow::Array& array, int64_t begin, int64_t end, uint8_t** cursors) {
  if (array.type_id() == Type::STRING || array.type_id() == Type::BINARY) {
    WriteStrings(array, begin, end, cursors);
  } else if (array.type_id() != Type::BOOL && FixedWidth(*array.type()) != 0) {
    VisitFixed(array, [&](const auto* values) { WriteFixed(array, values, begin, end, cursors); });
  } else {
    for (int64_t i = begin; i < end; ++i) PutValue(array, i, cursors[i - begin]);
  }
}

// ---- back into columns ----

Status Corrupt() { return MakeError("STATE_CORRUPT", "saved keys do not decode"); }

struct Reader {
  const uint8_t* at;
  const uint8_t* end;

  template <typename T>
  bool Get(T* value) {
    if (static_cast<size_t>(end - at) < sizeof(T)) return false;
    std::memcpy(value, at, sizeof(T));
    at += sizeof(T);
    return true;
  }
  bool GetBytes(std::string_view* bytes) {
    uint32_t size = 0;
    if (!Get(&size) || static_cast<size_t>(end - at) < size) return false;
    *bytes = {reinterpret_cast<const char*>(at), size};
    at += size;
    return true;
  }
};

template <typename BuilderType, typename T>
Status ReadInto(Reader* reader, arrow::ArrayBuilder* builder) {
  T value{};
  if (!reader->Get(&value)) return Corrupt();
  return static_cast<BuilderType*>(builder)->Append(value);
}

Status ReadDecimal(Reader* reader, arrow::ArrayBuilder* builder) {
  Wide value{};
  if (!reader->Get(&value)) return Corrupt();
  const arrow::Decimal128 decimal(static_cast<int64_t>(value.high), value.low);
  return static_cast<arrow::Decimal128Builder*>(builder)->Append(decimal);
}

template <typename BuilderType>
Status ReadBytes(Reader* reader, arrow::ArrayBuilder* builder) {
  std::string_view bytes;
  if (!reader->GetBytes(&bytes)) return Corrupt();
  return static_cast<BuilderType*>(builder)->Append(bytes);
}

Status ReadValue(Reader* reader, const arrow::DataType& type, arrow::ArrayBuilder* builder);

Status ReadStruct(Reader* reader, const arrow::DataType& type, arrow::ArrayBuilder* builder) {
  auto* structs = static_cast<arrow::StructBuilder*>(builder);
  SLUICE_RETURN_NOT_OK(structs->Append());
  for (int i = 0; i < type.num_fields(); ++i) {
    SLUICE_RETURN_NOT_OK(ReadValue(reader, *type.field(i)->type(), structs->field_builder(i)));
  }
  return Status::OK();
}

Status ReadList(Reader* reader, const arrow::DataType& type, arrow::ArrayBuilder* builder) {
  auto* lists = static_cast<arrow::ListBuilder*>(builder);
  uint32_t count = 0;
  if (!reader->Get(&count)) return Corrupt();
  SLUICE_RETURN_NOT_OK(lists->Append());
  for (uint32_t i = 0; i < count; ++i) {
    SLUICE_RETURN_NOT_OK(ReadValue(reader, *type.field(0)->type(), lists->value_builder()));
  }
  return Status::OK();
}

Status ReadValue(Reader* reader, const arrow::DataType& type, arrow::ArrayBuilder* builder) {
  uint8_t valid = 0;
  if (!reader->Get(&valid) || valid > 1) return Corrupt();
  if (valid == 0) return builder->AppendNull();
  switch (type.id()) {
    case Type::BOOL: {
      uint8_t value = 0;
      if (!reader->Get(&value)) return Corrupt();
      return static_cast<arrow::BooleanBuilder*>(builder)->Append(value != 0);
    }
    case Type::INT8: return ReadInto<arrow::Int8Builder, int8_t>(reader, builder);
    case Type::UINT8: return ReadInto<arrow::UInt8Builder, uint8_t>(reader, builder);
    case Type::INT16: return ReadInto<arrow::Int16Builder, int16_t>(reader, builder);
    case Type::UINT16: return ReadInto<arrow::UInt16Builder, uint16_t>(reader, builder);
    case Type::INT32: return ReadInto<arrow::Int32Builder, int32_t>(reader, builder);
    case Type::UINT32: return ReadInto<arrow::UInt32Builder, uint32_t>(reader, builder);
    case Type::INT64: return ReadInto<arrow::Int64Builder, int64_t>(reader, builder);
    case Type::UINT64: return ReadInto<arrow::UInt64Builder, uint64_t>(reader, builder);
    case Type::FLOAT: return ReadInto<arrow::FloatBuilder, float>(reader, builder);
    case Type::DOUBLE: return ReadInto<arrow::DoubleBuilder, double>(reader, builder);
    case Type::DATE32: return ReadInto<arrow::Date32Builder, int32_t>(reader, builder);
    case Type::DATE64: return ReadInto<arrow::Date64Builder, int64_t>(reader, builder);
    case Type::TIME32: return ReadInto<arrow::Time32Builder, int32_t>(reader, builder);
    case Type::TIME64: return ReadInto<arrow::Time64Builder, int64_t>(reader, builder);
    case Type::TIMESTAMP: return ReadInto<arrow::TimestampBuilder, int64_t>(reader, builder);
    case Type::DURATION: return ReadInto<arrow::DurationBuilder, int64_t>(reader, builder);
    case Type::DECIMAL128: return ReadDecimal(reader, builder);
    case Type::STRING: return ReadBytes<arrow::StringBuilder>(reader, builder);
    case Type::BINARY: return ReadBytes<arrow::BinaryBuilder>(reader, builder);
    case Type::LARGE_STRING: return ReadBytes<arrow::LargeStringBuilder>(reader, builder);
    case Type::LARGE_BINARY: return ReadBytes<arrow::LargeBinaryBuilder>(reader, builder);
    case Type::STRUCT: return ReadStruct(reader, type, builder);
    case Type::LIST: return ReadList(reader, type, builder);
    default: return Corrupt();
  }
}

}  // namespace

bool IsKeyType(const arrow::DataType& type) {
  if (FixedWidth(type) != 0 || IsBinary(type.id()) || type.id() == Type::NA) return true;
  if (type.id() != Type::STRUCT && type.id() != Type::LIST) return false;
  return std::all_of(type.fields().begin(), type.fields().end(),
                     [](const auto& field) { return IsKeyType(*field->type()); });
}

Result<RowEncoder> RowEncoder::Make(std::vector<std::shared_ptr<arrow::DataType>> types) {
  for (const auto& type : types) {
    if (!IsKeyType(*type)) {
      return MakeError("UNSUPPORTED_KEY_TYPE",
                       "column cannot be a key: its type is " + type->ToString(),
                       "use columns of it that can be compared, such as single map values");
    }
  }
  return RowEncoder(std::move(types));
}

Status RowEncoder::Encode(const arrow::ArrayVector& columns, int64_t begin, int64_t end) {
  SLUICE_DCHECK(columns.size() == types_.size(), "columns are those of Make");
  const auto rows = static_cast<size_t>(end - begin);
  offsets_.assign(rows + 1, 0);
  for (const auto& column : columns) AddSizes(*column, begin, end, offsets_.data() + 1);
  for (size_t i = 0; i < rows; ++i) offsets_[i + 1] += offsets_[i];
  if (bytes_.size() < offsets_[rows]) bytes_.resize(offsets_[rows]);
  cursors_.resize(rows);
  for (size_t i = 0; i < rows; ++i) cursors_[i] = bytes_.data() + offsets_[i];
  for (const auto& column : columns) WriteColumn(*column, begin, end, cursors_.data());
  return Status::OK();
}

Status RowEncoder::HashAll(const arrow::ArrayVector& columns, int64_t num_rows,
                           std::vector<Hash128>* hashes) {
  hashes->resize(static_cast<size_t>(num_rows));
  for (int64_t begin = 0; begin < num_rows; begin += kBlockRows) {
    const int64_t end = std::min(num_rows, begin + kBlockRows);
    SLUICE_RETURN_NOT_OK(Encode(columns, begin, end));
    for (int64_t i = begin; i < end; ++i) {
      const std::string_view row = Row(i - begin);
      (*hashes)[static_cast<size_t>(i)] = HashBytes128(row.data(), row.size());
    }
  }
  return Status::OK();
}

Result<arrow::ArrayVector> RowEncoder::Decode(std::span<const std::string_view> rows) const {
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders(types_.size());
  for (size_t c = 0; c < types_.size(); ++c) {
    SLUICE_RETURN_NOT_OK(arrow::MakeBuilder(arrow::default_memory_pool(), types_[c], &builders[c]));
    SLUICE_RETURN_NOT_OK(builders[c]->Reserve(static_cast<int64_t>(rows.size())));
  }
  for (const std::string_view row : rows) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(row.data());
    Reader reader{bytes, bytes + row.size()};
    for (size_t c = 0; c < types_.size(); ++c) {
      SLUICE_RETURN_NOT_OK(ReadValue(&reader, *types_[c], builders[c].get()));
    }
    if (reader.at != reader.end) return Corrupt();
  }
  arrow::ArrayVector columns(types_.size());
  for (size_t c = 0; c < types_.size(); ++c) SLUICE_RETURN_NOT_OK(builders[c]->Finish(&columns[c]));
  return columns;
}

}  // namespace sluice::state
