// Deleting log files nobody needs any more. Thread-safe as long as one caller at a time cleans a
// table.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "delta/protocol/action.h"
#include "storage/storage.h"

namespace sluice::delta {

/// Deletes commits, checkpoints and checksums below the newest complete checkpoint whose older
/// commits were all written before `before_ms`. Every version that is left stays readable. Returns
/// the number of files deleted. Of a table with checkpointProtection nothing goes unless all
/// versions below `protected_before` go.
Result<int64_t> CleanUpLog(storage::Storage& storage, const std::string& table_path,
                           int64_t before_ms, int64_t protected_before = 0);
/// What the metadata says of `protected_before`; 0 when nothing.
int64_t ProtectedBefore(const StringMap& configuration);

}  // namespace sluice::delta
