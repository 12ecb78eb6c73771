// Decodes one column of documents (JSON bytes) into columns with a function given at construction.
// Stateless: ProcessBatch may run on several threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "flow/operator.h"

namespace sluice::operators {

/// One struct a document, NULL where the document does not decode. Thread-safe.
using Decode = std::function<Result<std::shared_ptr<arrow::StructArray>>(
    const std::shared_ptr<arrow::Array>& documents)>;

struct DecodeOptions {
  std::string name = "decode";
  std::shared_ptr<arrow::Schema> input_schema;
  int input_column = 0;           // the documents
  std::vector<int> kept_columns;  // input columns passed on, before the decoded ones
  std::shared_ptr<arrow::StructType> decoded_type;
  Decode decode;
  /// Empty: each field of the struct becomes a column (NULL where the struct is). Otherwise the
  /// struct is one column.
  std::string struct_column;
  /// Rows whose struct is NULL leave (DROPMALFORMED); counted as dropped.
  bool drop_null = false;
};

class DecodeOperator : public flow::Operator {
 public:
  explicit DecodeOperator(DecodeOptions options);

  std::string_view name() const override { return options_.name; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return schema_; }
  bool stateless() const override { return true; }
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;

 private:
  const DecodeOptions options_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace sluice::operators
