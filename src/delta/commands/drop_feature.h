// ALTER TABLE ... DROP FEATURE: takes what a feature left in a table away, and then its name out of
// the protocol, so that readers and writers that do not know it can use the table again. Call from
// any one thread.
#pragma once

#include <string>

#include "base/status.h"
#include "delta/log/table.h"

namespace sluice {
class Workers;
}

namespace sluice::delta {

struct DropFeatureOptions {
  /// TRUNCATE HISTORY: old versions that need the feature go, too, once they are older than
  /// delta.dropFeatureTruncateHistory.retentionDuration (a day). Without it they stay, guarded by
  /// checkpoints (feature checkpointProtection).
  bool truncate_history = false;
  Workers* workers = nullptr;  // files are rewritten on these threads; outlives the call
};

/// The last commit of several. Deletion vectors are purged, files with physical names (column
/// mapping) or older types (type widening) written anew, row ids forgotten, properties that switch
/// the feature on are unset. DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT,
/// DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE, DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE,
/// DELTA_FEATURE_DROP_DEPENDENT_FEATURE, DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING;
/// DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD with truncate_history: what the feature left is
/// gone from the newest version, call again when the history is old enough;
/// DELTA_COMMIT_CONFLICT when somebody else wrote meanwhile: call again.
Result<CommitResult> DropFeature(Table& table, const std::string& feature,
                                 const DropFeatureOptions& options = {});

}  // namespace sluice::delta
