#include "codec/json_column.h"

#include <arrow/util/bit_util.h>

#include <algorithm>

namespace sluice::codec {

namespace {

int64_t WidthOf(JsonKind kind) {
  switch (kind) {
    case JsonKind::kBool:
    case JsonKind::kInt8: return 1;
    case JsonKind::kInt16: return 2;
    case JsonKind::kInt32:
    case JsonKind::kFloat:
    case JsonKind::kDate: return 4;
    case JsonKind::kInt64:
    case JsonKind::kDouble:
    case JsonKind::kTimestamp:
    case JsonKind::kTimestampNtz: return 8;
    case JsonKind::kDecimal: return 16;
    default: return 0;
  }
}

// Makes `buffer` hold `bytes`. Memory that cannot be had stops the process, as everywhere below
// operators.
uint8_t* Resize(std::unique_ptr<arrow::ResizableBuffer>* buffer, int64_t bytes) {
  if (*buffer == nullptr) {
    auto made = arrow::AllocateResizableBuffer(bytes);
    SLUICE_CHECK(made.ok(), "out of memory");
    *buffer = std::move(made).ValueUnsafe();
  } else {
    SLUICE_CHECK((*buffer)->Resize(bytes, false).ok(), "out of memory");
  }
  return (*buffer)->mutable_data();
}

Status Unsupported(const arrow::DataType& type) {
  return MakeError("JSON_UNSUPPORTED_SCHEMA", "type cannot be read from JSON: " + type.ToString(),
                   "use BOOLEAN, integers, FLOAT, DOUBLE, DECIMAL, STRING, BINARY, DATE, "
                   "TIMESTAMP, STRUCT, ARRAY or MAP");
}

}  // namespace

Result<JsonKind> JsonKindOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL: return JsonKind::kBool;
    case arrow::Type::INT8: return JsonKind::kInt8;
    case arrow::Type::INT16: return JsonKind::kInt16;
    case arrow::Type::INT32: return JsonKind::kInt32;
    case arrow::Type::INT64: return JsonKind::kInt64;
    case arrow::Type::FLOAT: return JsonKind::kFloat;
    case arrow::Type::DOUBLE: return JsonKind::kDouble;
    case arrow::Type::DECIMAL128: return JsonKind::kDecimal;
    case arrow::Type::STRING: return JsonKind::kString;
    case arrow::Type::BINARY: return JsonKind::kBinary;
    case arrow::Type::DATE32: return JsonKind::kDate;
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      if (timestamp.unit() != arrow::TimeUnit::MICRO) return Unsupported(type);
      return timestamp.timezone().empty() ? JsonKind::kTimestampNtz : JsonKind::kTimestamp;
    }
    case arrow::Type::STRUCT: return JsonKind::kStruct;
    case arrow::Type::LIST: return JsonKind::kList;
    case arrow::Type::MAP:
      if (static_cast<const arrow::MapType&>(type).key_type()->id() != arrow::Type::STRING)
        return Unsupported(type);
      return JsonKind::kMap;
    default: return Unsupported(type);
  }
}

JsonColumn::JsonColumn(std::shared_ptr<arrow::DataType> type, JsonKind kind)
    : type_(std::move(type)), kind_(kind), width_(WidthOf(kind)) {
  std::vector<std::shared_ptr<arrow::DataType>> children;
  if (kind == JsonKind::kStruct) {
    for (const auto& field : type_->fields()) children.push_back(field->type());
  } else if (kind == JsonKind::kList) {
    children.push_back(type_->field(0)->type());
  } else if (kind == JsonKind::kMap) {
    const auto& map = static_cast<const arrow::MapType&>(*type_);
    children = {map.key_type(), map.item_type()};
  }
  for (auto& child : children) {
    const JsonKind child_kind = JsonKindOf(*child).ValueOrDie();
    children_.push_back(std::make_unique<JsonColumn>(std::move(child), child_kind));
  }
  GrowRows(64);
}

void JsonColumn::Reserve(int64_t rows) {
  if (rows > row_capacity_) GrowRows(rows);
  if (kind_ != JsonKind::kStruct) return;
  for (auto& child : children_) child->Reserve(rows);
}

void JsonColumn::GrowRows(int64_t rows) {
  row_capacity_ = std::max(rows, row_capacity_ * 2);
  valid_ = Resize(&valid_buffer_, row_capacity_);
  if (width_ > 0) values_ = Resize(&values_buffer_, row_capacity_ * width_);
  if (kind_ == JsonKind::kString || kind_ == JsonKind::kBinary || kind_ == JsonKind::kList ||
      kind_ == JsonKind::kMap) {
    offsets_ = reinterpret_cast<int32_t*>(Resize(&offsets_buffer_, (row_capacity_ + 1) * 4));
    if (rows_ == 0) offsets_[0] = 0;
  }
}

void JsonColumn::GrowData(int64_t more) {
  data_capacity_ =
      std::max(data_size_ + more + kSlack, std::max<int64_t>(data_capacity_ * 2, 4096));
  data_ = Resize(&data_buffer_, data_capacity_);
}

void JsonColumn::AppendNull() {
  if (rows_ == row_capacity_) GrowRows(rows_ + 1);
  if (width_ > 0) std::memset(values_ + rows_ * width_, 0, static_cast<size_t>(width_));
  if (has_offsets()) offsets_[rows_ + 1] = offsets_[rows_];
  if (kind_ == JsonKind::kStruct) {
    for (auto& child : children_) child->AppendNull();
  }
  valid_[rows_++] = 0;
}

void JsonColumn::Truncate(int64_t rows) {
  if (rows > rows_) return;
  rows_ = rows;
  switch (kind_) {
    case JsonKind::kStruct:
      for (auto& child : children_) child->Truncate(rows);
      break;
    case JsonKind::kList:
    case JsonKind::kMap:
      for (auto& child : children_) child->Truncate(offsets_[rows]);
      break;
    case JsonKind::kString:
    case JsonKind::kBinary: data_size_ = offsets_[rows]; break;
    default: break;
  }
}

bool JsonColumn::too_large() const {
  if (too_large_) return true;
  return std::any_of(children_.begin(), children_.end(),
                     [](const auto& child) { return child->too_large(); });
}

std::shared_ptr<arrow::Buffer> JsonColumn::FinishValidity(int64_t* null_count) {
  *null_count = rows_ - std::count(valid_, valid_ + rows_, uint8_t{1});
  if (*null_count == 0) return nullptr;
  auto packed = arrow::AllocateBitmap(rows_);
  SLUICE_CHECK(packed.ok(), "out of memory");
  uint8_t* bits = (*packed)->mutable_data();
  std::memset(bits, 0, static_cast<size_t>((*packed)->size()));
  for (int64_t row = 0; row < rows_; ++row)
    bits[row >> 3] |= static_cast<uint8_t>(valid_[row] << (row & 7));
  return std::move(packed).ValueUnsafe();
}

std::shared_ptr<arrow::Buffer> JsonColumn::FinishValues() {
  if (kind_ != JsonKind::kBool) {
    SLUICE_CHECK(values_buffer_->Resize(rows_ * width_, false).ok(), "out of memory");
    return std::move(values_buffer_);
  }
  auto packed = arrow::AllocateBitmap(rows_);
  SLUICE_CHECK(packed.ok(), "out of memory");
  uint8_t* bits = (*packed)->mutable_data();
  std::memset(bits, 0, static_cast<size_t>((*packed)->size()));
  for (int64_t row = 0; row < rows_; ++row)
    bits[row >> 3] |= static_cast<uint8_t>(values_[row] << (row & 7));
  return std::move(packed).ValueUnsafe();
}

std::shared_ptr<arrow::Array> JsonColumn::Finish() {
  int64_t null_count = 0;
  std::vector<std::shared_ptr<arrow::Buffer>> buffers = {FinishValidity(&null_count)};
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  if (width_ > 0) buffers.push_back(FinishValues());
  if (has_offsets()) {
    SLUICE_CHECK(offsets_buffer_->Resize((rows_ + 1) * 4, false).ok(), "out of memory");
    buffers.push_back(std::move(offsets_buffer_));
  }
  if (kind_ == JsonKind::kString || kind_ == JsonKind::kBinary) {
    if (data_buffer_ == nullptr) GrowData(0);
    SLUICE_CHECK(data_buffer_->Resize(data_size_, false).ok(), "out of memory");
    buffers.push_back(std::move(data_buffer_));
  }
  for (auto& child : children_) children.push_back(child->Finish()->data());
  if (kind_ == JsonKind::kMap) {
    const auto& entries = static_cast<const arrow::MapType&>(*type_).value_type();
    const int64_t length = children[0]->length;
    auto data = arrow::ArrayData::Make(entries, length, {nullptr}, std::move(children), 0);
    children = {std::move(data)};
  }
  auto array = arrow::MakeArray(
      arrow::ArrayData::Make(type_, rows_, std::move(buffers), std::move(children), null_count));
  valid_buffer_.reset();
  values_buffer_.reset();
  offsets_buffer_.reset();
  data_buffer_.reset();
  values_ = valid_ = data_ = nullptr;
  offsets_ = nullptr;
  rows_ = row_capacity_ = data_size_ = data_capacity_ = 0;
  too_large_ = false;
  GrowRows(64);
  return array;
}

}  // namespace sluice::codec
