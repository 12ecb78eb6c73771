// ANALYZE TABLE ... COMPUTE DELTA STATISTICS: the statistics of files there are, made anew from the
// files: for files that came without, or since other columns were chosen to have them. Rows stay
// where they are. Call from any one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"
#include "delta/columns/predicate.h"
#include "delta/log/table.h"

namespace sluice {
class Workers;
}

namespace sluice::delta {

struct ComputeStatisticsOptions {
  Predicate predicate;         // only partitions that may match
  std::string predicate_text;  // of the statement, for the history
  Workers* workers = nullptr;  // files are read on these threads, too; outlives the call
};

struct ComputeStatisticsReport {
  std::optional<TableVersion> version;  // nothing: no file's statistics changed
  int64_t files_read = 0;
  int64_t files_changed = 0;
};

/// DELTA_COMMIT_CONFLICT when somebody else removed a file meanwhile: try again.
Result<ComputeStatisticsReport> ComputeStatistics(Table& table,
                                                  const ComputeStatisticsOptions& options = {});

}  // namespace sluice::delta
