// What the Parquet files of a checkpoint say of data files, as columns. Thread-safe (functions).
#pragma once

#include <arrow/array.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/workers.h"
#include "delta/log/held_files.h"
#include "storage/storage.h"

namespace sluice::delta {

/// A stretch of rows: columns that have no value in it are left out, as are the parsed forms of
/// what is there as text. Rows that hold another action are null.
struct CheckpointRows {
  std::shared_ptr<arrow::StructArray> adds;     // null = none
  std::shared_ptr<arrow::StructArray> removes;  // null = none
};

/// Visits the rows of `paths` in their order, a batch in memory at a time. DELTA_FILE_CORRUPT,
/// DELTA_FILE_NOT_FOUND, and what `visit` returns.
Status VisitCheckpointFiles(storage::Storage& storage, const std::vector<std::string>& paths,
                            const std::function<Status(const CheckpointRows&)>& visit);

struct HeldCheckpoint {
  std::shared_ptr<const HeldFiles> adds;
  std::shared_ptr<const HeldFiles> removes;
};

/// All of them. `workers` decode in parallel (null = the caller's thread alone).
Result<HeldCheckpoint> HoldCheckpointFiles(storage::Storage& storage,
                                           const std::vector<std::string>& paths, Workers* workers);

}  // namespace sluice::delta
