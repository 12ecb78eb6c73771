// Small results that statements and commands make themselves, as record batches. One thread.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace sluice::statements {

/// Rows of text columns, and of BOOLEAN ones.
class RowBuilder {
 public:
  using Cell = std::optional<std::string>;  // nothing: NULL

  /// The columns of `booleans` too are given as texts: "true", "false".
  explicit RowBuilder(std::vector<std::string> columns, std::vector<std::string> booleans = {})
      : columns_(std::move(columns)), booleans_(std::move(booleans)), values_(columns_.size()) {}
  /// REQUIRES: as many values as columns.
  void Add(const std::vector<Cell>& row);
  Result<std::shared_ptr<arrow::RecordBatchReader>> Finish() const;

 private:
  Result<std::shared_ptr<arrow::Array>> Texts(size_t column) const;
  Result<std::shared_ptr<arrow::Array>> Booleans(size_t column) const;

  std::vector<std::string> columns_;
  std::vector<std::string> booleans_;
  std::vector<std::vector<Cell>> values_;
};

}  // namespace sluice::statements
