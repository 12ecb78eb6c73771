// Statistics of one data file while it is written, as the JSON text of an add action: number of
// rows, null counts (from the Arrow columns), minima and maxima (from the Parquet footer, so
// nothing is compared twice). One owner.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/metadata.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::delta {

class FileStatistics {
 public:
  using Paths = std::vector<std::vector<std::string>>;

  /// The leaf columns of `file_schema` at or below `chosen` get statistics; without it the first
  /// `indexed_columns` (-1 = all).
  FileStatistics(const std::shared_ptr<arrow::Schema>& file_schema, int indexed_columns,
                 const std::optional<Paths>& chosen = std::nullopt);
  ~FileStatistics();
  FileStatistics(const FileStatistics&) = delete;
  FileStatistics& operator=(const FileStatistics&) = delete;

  void Update(const arrow::RecordBatch& rows);
  /// Call once the file is closed. Strings are cut to 32 characters (a cut maximum is raised above
  /// what was cut), timestamps are widened to milliseconds; a column whose bound cannot be told has
  /// none.
  std::string ToJson(const parquet::FileMetaData& footer) const;
  int64_t num_rows() const { return num_rows_; }

 private:
  struct Column;

  std::vector<std::unique_ptr<Column>> columns_;  // a tree as the schema
  int64_t num_rows_ = 0;
};

/// The first 32 characters of `text`; for an upper bound something not below any text that starts
/// so. Nothing when `text` is no UTF-8 (a JSON text cannot hold it).
std::optional<std::string> TruncateBound(std::string_view text, bool upper);

}  // namespace sluice::delta
