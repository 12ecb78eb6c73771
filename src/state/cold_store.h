// Bytes by 128-bit key that memory has no room for. One thread at a time. Behind it stands RocksDB
// (rocks_store.h).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/hash128.h"
#include "base/status.h"

namespace sluice::state {

struct ColdEntry {
  Hash128 key;
  std::string_view value;
};

class ColdStore {
 public:
  virtual ~ColdStore() = default;
  /// Adds entries or replaces their values.
  virtual Status Put(std::span<const ColdEntry> entries) = 0;
  /// Calls `visit` for those of `keys` that are there. The value is valid during the call.
  virtual Status Find(std::span<const Hash128> keys,
                      const std::function<Status(const ColdEntry&)>& visit) = 0;
  virtual Status Clear() = 0;
  /// The name under which what is held now can be opened again, by a store in the same folder.
  virtual Result<std::string> Save() = 0;
  /// Replaces everything. STATE_CORRUPT when what was saved is gone or damaged.
  virtual Status Load(const std::string& saved) = 0;
  virtual int64_t memory_bytes() const = 0;
};

}  // namespace sluice::state
