// Deleting log files nobody needs any more. Thread-safe as long as one caller at a time cleans a
// table.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "storage/storage.h"

namespace sluice::delta {

/// Deletes commits, checkpoints and checksums below the newest complete checkpoint whose older
/// commits were all written before `before_ms`. Every version that is left stays readable. Returns
/// the number of files deleted.
Result<int64_t> CleanUpLog(storage::Storage& storage, const std::string& table_path,
                           int64_t before_ms);

}  // namespace sluice::delta
