// Data files -> rows as the table returns them: projection, partition values filled in, deletion
// vectors applied, missing columns null, older types widened. Thread-safe as a function of its
// inputs; a reader has one owner.
#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/snapshot.h"
#include "delta/protocol/action.h"
#include "storage/storage.h"

namespace sluice::delta {

struct DataFileReadOptions {
  /// Column names in the order wanted; nullopt = all of the table's.
  std::optional<std::vector<std::string>> columns;
  int64_t batch_rows = 65536;
  bool with_row_index = false;      // adds a last int64 column "__row_index": position in the file
                                    // (before the deletion vector)
  bool keep_deleted = false;        // returns rows the deletion vector hides, too (change feeds)
  bool with_row_ids = false;        // adds int64 columns "__row_id", "__row_commit_version" of row
                                    // tracking (null where the file has none)
  arrow::FieldVector extra_fields;  // of the file, not of the table ("_change_type"); read by name,
                                    // null when missing
};

class DataFileReader {
 public:
  /// DELTA_FILE_NOT_FOUND, DELTA_FILE_CORRUPT, DELTA_SCHEMA_MISMATCH. `storage` outlives this.
  static Result<std::unique_ptr<DataFileReader>> Open(storage::Storage& storage,
                                                      std::shared_ptr<const Snapshot> snapshot,
                                                      const AddFile& file,
                                                      const DataFileReadOptions& options = {});
  ~DataFileReader();

  const std::shared_ptr<arrow::Schema>& schema() const;
  /// The next batch (never empty), or null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();

 private:
  class Impl;
  explicit DataFileReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Passes on the rows of `files`, one after the other.
Status VisitRows(storage::Storage& storage, const std::shared_ptr<const Snapshot>& snapshot,
                 const std::vector<std::shared_ptr<const AddFile>>& files,
                 const DataFileReadOptions& options,
                 const std::function<Status(const std::shared_ptr<arrow::RecordBatch>&)>& visit);

}  // namespace sluice::delta
