// Sorts more rows than fit into memory by a 64-bit key: sorted runs go to files, which are merged
// when all rows are there. Rows of the same key keep their order. One owner.
#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "storage/storage.h"

namespace sluice::delta {

struct RowSorterOptions {
  storage::Storage* storage = nullptr;  // of the runs; outlives the sorter
  std::string folder;                   // of the runs; they are deleted again
  int64_t memory_bytes = 512LL << 20;   // of rows held, copies while sorting included
  int64_t output_rows = 16384;          // of a batch handed out
};

class RowSorter {
 public:
  /// Hands out a batch in order.
  using Sink = std::function<Status(const std::shared_ptr<arrow::RecordBatch>&)>;

  RowSorter(std::shared_ptr<arrow::Schema> schema, RowSorterOptions options);
  /// Deletes the runs.
  ~RowSorter();
  RowSorter(const RowSorter&) = delete;
  RowSorter& operator=(const RowSorter&) = delete;

  /// REQUIRES: as many keys as rows.
  Status Add(const std::shared_ptr<arrow::RecordBatch>& rows, std::vector<uint64_t> keys);
  /// Hands out all rows. Call once, at the end.
  Status Finish(const Sink& sink);
  int64_t runs_written() const { return next_run_; }

 private:
  struct Run;
  class RunWriter;
  class Cursor;

  Result<std::shared_ptr<arrow::RecordBatch>> SortPending();
  Status Spill();
  Status Merge(const std::vector<Run>& runs, const Sink& sink) const;
  Status MergeOldest();
  std::string NewRunPath();

  const std::shared_ptr<arrow::Schema> schema_;  // with the key as its last column
  const RowSorterOptions options_;
  arrow::RecordBatchVector pending_;
  int64_t pending_bytes_ = 0;
  std::vector<Run> runs_;
  int64_t next_run_ = 0;
};

}  // namespace sluice::delta
