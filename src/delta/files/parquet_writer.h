// Rows -> Parquet data files of a Delta table, with statistics taken while writing. One owner at a
// time; different writers of one table may run in parallel.
#pragma once

#include <arrow/record_batch.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/table.h"
#include "delta/protocol/action.h"

namespace sluice {
class Workers;
}

namespace sluice::delta {

struct DataFileOptions {
  std::string compression_codec;       // empty = the table's
  int64_t max_file_rows = 64LL << 20;  // a new file is begun above it
  int64_t max_file_bytes = 1LL << 30;  // the same, bytes written
  int64_t max_row_group_rows = 1LL << 20;
  int64_t max_row_group_bytes =
      32LL << 20;                   // of Arrow data; its batches are kept until a row group is full
  size_t max_open_partitions = 64;  // more partition values in one epoch close files early
  bool data_change = true;
  /// When set, rows are kept until `max_pending_bytes` or Finish; then all files are encoded on
  /// these threads and the caller's. Outlives the writer.
  Workers* workers = nullptr;
  int64_t max_pending_bytes = 256LL << 20;
  int64_t split_bytes = 40LL << 20;  // of one partition; above it another file gives work to
                                     // another core
  arrow::FieldVector extra_fields;   // columns of the rows, after the table's, that go into the
                                     // files although the table does not have them ("_change_type")
  std::string folder;                // below the table, ending in '/'; empty = the table's own
};

/// Writes the rows of one epoch: one file per partition value,
/// `col=value/part-<uuid>.snappy.parquet`.
class DataFileWriter {
 public:
  /// `table` outlives this. `snapshot` fixes schema, partitioning and properties.
  static Result<std::unique_ptr<DataFileWriter>> Make(Table& table,
                                                      std::shared_ptr<const Snapshot> snapshot,
                                                      const DataFileOptions& options = {});
  ~DataFileWriter();

  /// `rows` must have the table's columns, by name (a missing nullable one is null); types as the
  /// table returns them or castable without loss. DELTA_SCHEMA_MISMATCH, DELTA_NOT_NULL_VIOLATION.
  Status Write(const std::shared_ptr<arrow::RecordBatch>& rows);
  /// Closes the files (durable on return) and says what to add to the table. Empty when no row
  /// came.
  Result<std::vector<AddFile>> Finish();
  /// Deletes what was written. Called by the destructor when Finish was not reached.
  void Abort();
  int64_t rows_written() const { return rows_written_; }

 private:
  class OpenFile;
  DataFileWriter(Table& table, std::shared_ptr<const Snapshot> snapshot,
                 const DataFileOptions& options);
  Status WriteGroup(const arrow::ArrayVector& keys, int64_t key_row,
                    const std::shared_ptr<arrow::RecordBatch>& rows);
  Result<OpenFile*> FileFor(const std::string& folder, PartitionValues values);
  Status CloseFile(const std::string& folder);
  Status CloseKept();

  Table& table_;
  std::shared_ptr<const Snapshot> snapshot_;
  DataFileOptions options_;
  std::shared_ptr<arrow::Schema> file_schema_;  // the table's without partition columns, physical
                                                // names, then extra_fields
  std::vector<int> file_columns_;  // index in the table's schema of each column of the file
  std::vector<int> partition_columns_;
  std::map<std::string, std::unique_ptr<OpenFile>> open_;  // by folder
  std::vector<std::unique_ptr<OpenFile>> full_;            // with workers: kept rows, to be encoded
  int64_t kept_bytes_ = 0;                                 // of the rows that wait to be encoded
  std::vector<AddFile> finished_;
  std::vector<std::string> paths_;  // everything created
  int64_t rows_written_ = 0;
  bool done_ = false;
};

/// `rows` as the table will return them: columns in table order, types of the table's schema,
/// partition values after their way through text (an empty string becomes null). What the hot
/// hand-off passes on. No copy when nothing changes.
Result<std::shared_ptr<arrow::RecordBatch>> AsTableReturns(
    const std::shared_ptr<arrow::RecordBatch>& rows, const Snapshot& snapshot);

}  // namespace sluice::delta
