// ColdStore in a RocksDB of its own: a cache, emptied when opened, without a write-ahead log.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "state/cold_store.h"

namespace sluice::state {

/// Opens an empty store in the local folder `folder`, which must be used by nothing else.
/// STATE_SPILL_FAILED.
Result<std::unique_ptr<ColdStore>> OpenRocksStore(const std::string& folder);

}  // namespace sluice::state
