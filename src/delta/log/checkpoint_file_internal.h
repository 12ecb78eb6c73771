// One Parquet file of a checkpoint in the making: a part, or a sidecar. Encoded in memory, so that
// it can be put in place at once. One owner.
#pragma once

#include <arrow/array.h>
#include <arrow/buffer.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

class CheckpointFile {
 public:
  enum class Content {
    kAll,   // a V1 checkpoint
    kFiles  // a sidecar: add and remove only
  };
  explicit CheckpointFile(Content content);
  ~CheckpointFile();
  CheckpointFile(const CheckpointFile&) = delete;
  CheckpointFile& operator=(const CheckpointFile&) = delete;

  /// Protocol, metadata, txn, domain. REQUIRES: kAll.
  Status Add(const Action& action);
  Status Add(const AddFile& file);
  Status Add(const RemoveFile& file);
  /// Whether AddRows takes these.
  bool TakesRows(const arrow::StructArray& adds) const;
  /// The files at `rows` of an `add` column (positions, ascending; none null). REQUIRES:
  /// TakesRows(*adds).
  Status AddRows(const std::shared_ptr<arrow::StructArray>& adds, const std::vector<int32_t>& rows);
  int64_t rows() const { return rows_; }
  /// The bytes; then a next file may be begun. A file without rows is a valid one.
  Result<std::shared_ptr<arrow::Buffer>> Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  int64_t rows_ = 0;
};

}  // namespace sluice::delta
