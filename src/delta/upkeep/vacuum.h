// VACUUM: deletes the files below a table that no version within the retention refers to. FULL
// lists the whole folder and so finds files that no commit ever named; LITE asks the log alone.
// Memory: 16 bytes per file the table needs, and the paths listed. Call from any one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/table.h"

namespace sluice {
class Workers;
}

namespace sluice::delta {

enum class VacuumType { kFull, kLite };

struct VacuumOptions {
  VacuumType type = VacuumType::kFull;
  bool dry_run = false;                 // deletes nothing, commits nothing
  std::optional<int64_t> retention_ms;  // nothing = delta.deletedFileRetentionDuration
  bool check_retention = true;          // spark.databricks.delta.retentionDurationCheck.enabled
  bool log_commits = true;              // VACUUM START and VACUUM END become versions of the table
  Workers* workers = nullptr;           // to delete in parallel; outlives the call
};

struct VacuumReport {
  std::vector<std::string> files;  // deleted, or to be deleted (dry run); sorted
  int64_t bytes = 0;               // of them
  int64_t files_deleted = 0;
  int64_t folders = 1;                  // looked at, the table's own among them
  std::optional<TableVersion> version;  // of VACUUM END
};

/// A file goes when it was written before now - retention and is needed by no live file and by no
/// file removed since. Files and folders whose names begin with '.' or '_' are left alone, but for
/// _change_data, _delta_index and folders of partition columns.
///
/// DELTA_VACUUM_RETENTION_TOO_SHORT for a retention below the table's own while check_retention;
/// DELTA_CANNOT_VACUUM_LITE when commits since the last VACUUM are gone from the log;
/// DELTA_UNSUPPORTED_WRITER_FEATURE for tables this library may not write.
Result<VacuumReport> Vacuum(Table& table, const VacuumOptions& options = {});

}  // namespace sluice::delta
