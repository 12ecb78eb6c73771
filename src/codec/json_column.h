// A column under construction that can be cut back to an earlier length: a document that turns out
// to be malformed half way leaves nothing behind. Plain buffers, one branch per value, no virtual
// calls. One thread.
#pragma once

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace sluice::codec {

enum class JsonKind : uint8_t {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat,
  kDouble,
  kDecimal,
  kString,
  kBinary,
  kDate,
  kTimestamp,
  kTimestampNtz,
  kStruct,
  kList,
  kMap,
};

/// The kind a type is decoded as, or JSON_UNSUPPORTED_SCHEMA.
Result<JsonKind> JsonKindOf(const arrow::DataType& type);

class JsonColumn {
 public:
  /// Room after the end of string data that may be overwritten by block copies.
  static constexpr int64_t kSlack = 64;

  /// REQUIRES: JsonKindOf accepts `type` and its children.
  JsonColumn(std::shared_ptr<arrow::DataType> type, JsonKind kind);

  JsonKind kind() const { return kind_; }
  int64_t rows() const { return rows_; }
  /// Fields of a struct; the element of a list; key and value of a map.
  JsonColumn* child(size_t index) { return children_[index].get(); }
  size_t num_children() const { return children_.size(); }

  void Reserve(int64_t rows);

  template <typename T>
  void Append(T value) {
    if (rows_ == row_capacity_) [[unlikely]]
      GrowRows(rows_ + 1);
    std::memcpy(values_ + rows_ * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
    valid_[rows_++] = 1;
  }
  /// NULL; in structs the fields too.
  void AppendNull();
  void AppendBytes(std::string_view bytes) {
    char* to = PrepareBytes(static_cast<int64_t>(bytes.size()));
    std::memcpy(to, bytes.data(), bytes.size());
    CommitBytes(static_cast<int64_t>(bytes.size()));
  }
  /// Where the next string goes: at least `size` bytes and kSlack more. Until CommitBytes nothing
  /// is appended.
  char* PrepareBytes(int64_t size) {
    if (data_size_ + size + kSlack > data_capacity_) [[unlikely]]
      GrowData(size);
    return reinterpret_cast<char*>(data_ + data_size_);
  }
  void CommitBytes(int64_t size) {
    if (data_size_ + size > INT32_MAX) [[unlikely]] {
      too_large_ = true;  // the value is left out: offsets stay valid
      size = 0;
    }
    data_size_ += size;
    AppendEnd(data_size_);
  }
  /// A struct whose fields have all been appended.
  void AppendStruct() {
    if (rows_ == row_capacity_) [[unlikely]]
      GrowRows(rows_ + 1);
    valid_[rows_++] = 1;
  }
  /// A list or map whose elements have all been appended.
  void AppendList() { AppendEnd(children_[0]->rows_); }

  /// Cuts back to `rows` rows.
  void Truncate(int64_t rows);
  /// True when a column went beyond what 32-bit offsets can say; its contents are then useless.
  bool too_large() const;
  /// Bytes gathered so far, roughly.
  int64_t string_bytes() const { return data_size_; }

  /// The array; the column is empty afterwards.
  std::shared_ptr<arrow::Array> Finish();

 private:
  bool has_offsets() const { return offsets_ != nullptr; }
  void AppendEnd(int64_t end) {
    if (rows_ == row_capacity_) [[unlikely]]
      GrowRows(rows_ + 1);
    if (end > INT32_MAX) [[unlikely]] {
      too_large_ = true;
      end = offsets_[rows_];
    }
    offsets_[rows_ + 1] = static_cast<int32_t>(end);
    valid_[rows_++] = 1;
  }
  void GrowRows(int64_t rows);
  void GrowData(int64_t more);
  std::shared_ptr<arrow::Buffer> FinishValidity(int64_t* null_count);
  std::shared_ptr<arrow::Buffer> FinishValues();

  const std::shared_ptr<arrow::DataType> type_;
  const JsonKind kind_;
  int64_t width_ = 0;  // bytes a value; 0 for strings and nested ones
  int64_t rows_ = 0;
  int64_t row_capacity_ = 0;
  uint8_t* values_ = nullptr;
  uint8_t* valid_ = nullptr;  // one byte a row, packed at the end
  int32_t* offsets_ = nullptr;
  uint8_t* data_ = nullptr;
  int64_t data_size_ = 0;
  int64_t data_capacity_ = 0;
  bool too_large_ = false;
  std::unique_ptr<arrow::ResizableBuffer> values_buffer_;
  std::unique_ptr<arrow::ResizableBuffer> valid_buffer_;
  std::unique_ptr<arrow::ResizableBuffer> offsets_buffer_;
  std::unique_ptr<arrow::ResizableBuffer> data_buffer_;
  std::vector<std::unique_ptr<JsonColumn>> children_;
};

}  // namespace sluice::codec
