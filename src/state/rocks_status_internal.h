// RocksDB's errors as ours. Internal to src/state: RocksDB's types stay here.
#pragma once

#include <rocksdb/status.h>

#include <string_view>

#include "base/status.h"

namespace sluice::state {

/// STATE_SPILL_FAILED with what was being done, Retry::kLater when the disk is full or busy.
Status FromRocks(const rocksdb::Status& status, std::string_view doing);

}  // namespace sluice::state
