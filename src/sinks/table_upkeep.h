// Keeps a table readable whatever the trigger interval: checkpoints and log cleanup bounded by
// commits and by time, compaction when small files pile up. One thread at a time; may run beside
// commits.
#pragma once

#include <optional>
#include <vector>

#include "base/status.h"
#include "delta/log/table.h"
#include "sinks/delta_sink_options.h"

namespace sluice::sinks {

class TableUpkeep {
 public:
  explicit TableUpkeep(const UpkeepOptions& options) : options_(options) {}

  /// A checkpoint when one is due.
  Status Checkpoint(delta::Table& table);
  /// Rewrites small files when a partition has too many; the version that did it.
  Result<std::optional<TableVersion>> Compact(delta::Table& table);
  /// Deletes the files of tombstones past the table's retention: for tables whose every commit
  /// leaves dead files.
  Status DeleteDeadFiles(delta::Table& table);

 private:
  const UpkeepOptions options_;
  int64_t last_checkpoint_micros_ = 0;
  int64_t last_dead_files_micros_ = 0;
  int64_t dead_files_before_ms_ = 0;
  int64_t compacted_at_ = -1;  // version at which small files were last counted
};

}  // namespace sluice::sinks
