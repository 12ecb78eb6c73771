// Rows of key columns as bytes: injective (different keys, different bytes; NULLs equal each other;
// -0.0 is 0.0 and all NaNs are one), so that a hash of the bytes identifies a key; and back into
// columns. The layout is drawn in docs/internals/state.md. One thread at a time.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/hash128.h"
#include "base/status.h"

namespace sluice::state {

class RowEncoder {
 public:
  /// UNSUPPORTED_KEY_TYPE when a column of this type cannot be a key.
  static Result<RowEncoder> Make(std::vector<std::shared_ptr<arrow::DataType>> types);

  /// Encodes rows [begin, end) of `columns` (of the types given to Make); they stay readable until
  /// the next call.
  Status Encode(const arrow::ArrayVector& columns, int64_t begin, int64_t end);
  int64_t num_rows() const { return static_cast<int64_t>(offsets_.size()) - 1; }
  std::string_view Row(int64_t i) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + offsets_[i],
            offsets_[i + 1] - offsets_[i]};
  }
  /// Hashes of all rows of `columns`, block by block.
  Status HashAll(const arrow::ArrayVector& columns, int64_t num_rows, std::vector<Hash128>* hashes);

  /// The columns of encoded rows. STATE_CORRUPT when the bytes are not of this encoding.
  Result<arrow::ArrayVector> Decode(std::span<const std::string_view> rows) const;

  const std::vector<std::shared_ptr<arrow::DataType>>& types() const { return types_; }

 private:
  explicit RowEncoder(std::vector<std::shared_ptr<arrow::DataType>> types)
      : types_(std::move(types)) {}

  std::vector<std::shared_ptr<arrow::DataType>> types_;
  std::vector<uint8_t> bytes_;
  std::vector<size_t> offsets_{0};
  std::vector<uint8_t*> cursors_;
};

/// True when columns of this type can be keys of groups, dedup and joins.
bool IsKeyType(const arrow::DataType& type);

}  // namespace sluice::state
