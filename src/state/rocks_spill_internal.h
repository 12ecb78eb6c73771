// What the stores of spilled state share: RocksDB's options, errors and keys as ours. Internal to
// src/state: RocksDB's types stay here.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/hash128.h"
#include "base/status.h"

namespace sluice::state {

inline constexpr size_t kSpillKeyBytes = 16;
inline constexpr size_t kSpillCacheBytes = 64 << 20;
inline constexpr size_t kSpillWriteBufferBytes = 32 << 20;

/// STATE_SPILL_FAILED with what was being done, Retry::kLater when the disk is full or busy.
Status FromRocks(const rocksdb::Status& status, std::string_view doing);

/// For keys looked up one by one: a bloom filter, a bounded cache.
rocksdb::Options SpillOptions();
/// Empties `folder` and opens it.
Result<std::unique_ptr<rocksdb::DB>> OpenEmptySpill(const rocksdb::Options& options,
                                                    const std::string& folder);

/// Key bytes: `high`, `low` as they lie in memory.
void SpillKeyTo(const Hash128& key, char* bytes);
Hash128 SpillKeyFrom(const rocksdb::Slice& bytes);

}  // namespace sluice::state
