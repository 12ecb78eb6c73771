// Small results made by commands themselves, as record batches. One thread.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace sluice::app {

/// Rows of text columns.
class RowBuilder {
 public:
  explicit RowBuilder(std::vector<std::string> columns)
      : columns_(std::move(columns)), values_(columns_.size()) {}
  /// REQUIRES: as many values as columns.
  void Add(const std::vector<std::string>& row);
  Result<std::shared_ptr<arrow::RecordBatchReader>> Finish() const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> values_;
};

}  // namespace sluice::app
