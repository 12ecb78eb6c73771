// Committed keys that memory has no room for. One thread at a time. Behind it stands RocksDB
// (rocks_keys.h).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/hash128.h"
#include "base/status.h"

namespace sluice::state {

struct KeyExpiry {
  Hash128 key;
  uint32_t expiry = 0;  // 0 = not there
};

class ColdKeys {
 public:
  virtual ~ColdKeys() = default;
  /// Adds keys or replaces their expiry.
  virtual Status Put(std::span<const KeyExpiry> keys) = 0;
  /// Fills in the expiry of each key, 0 where it is not there.
  virtual Status Find(std::span<KeyExpiry> keys) = 0;
  /// Keys with expiry < `bound` may vanish from now on.
  virtual void ExpireBelow(uint32_t bound) = 0;
  virtual Status Clear() = 0;
  /// The name under which what is held now can be opened again, by a store in the same folder.
  virtual Result<std::string> Save() = 0;
  /// Replaces everything. STATE_CORRUPT when what was saved is gone or damaged.
  virtual Status Load(const std::string& saved) = 0;
  /// About so many, expired ones included.
  virtual int64_t num_keys() const = 0;
  virtual int64_t memory_bytes() const = 0;
};

}  // namespace sluice::state
