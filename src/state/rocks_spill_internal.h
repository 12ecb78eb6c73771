// What the stores of spilled state share: RocksDB's options, errors and keys as ours. Internal to
// src/state: RocksDB's types stay here.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash128.h"
#include "base/status.h"

namespace sluice::state {

inline constexpr size_t kSpillKeyBytes = 16;
inline constexpr size_t kSpillCacheBytes = 96 << 20;
inline constexpr size_t kSpillWriteBufferBytes = 32 << 20;

/// STATE_SPILL_FAILED with what was being done, Retry::kLater when the disk is full or busy.
Status FromRocks(const rocksdb::Status& status, std::string_view doing);

/// For keys looked up one by one: a bloom filter, a bounded cache.
rocksdb::Options SpillOptions();
/// The database of a spill folder: `<folder>/live`, emptied when opened, and beside it the last few
/// saved states of it, `<folder>/saved-<number>-<unique>`, which are hard links to its files.
class SpillDb {
 public:
  SpillDb(std::string folder, rocksdb::Options options)
      : folder_(std::move(folder)), options_(std::move(options)) {}

  Status OpenEmpty();
  /// What it holds now, durable; costs a flush, no copy. Older ones but the last two are deleted.
  Result<std::string> Save();
  /// Holds what it held when `saved` was made. STATE_CORRUPT when that is gone or damaged.
  Status OpenSaved(const std::string& saved);
  rocksdb::DB* operator->() const { return db_.get(); }

 private:
  std::string Live() const { return folder_ + "/live"; }
  Result<std::vector<std::string>> SavedNames() const;
  Status LinkSaved(const std::string& saved);

  const std::string folder_;
  const rocksdb::Options options_;
  std::unique_ptr<rocksdb::DB> db_;
};

/// Key bytes: `high`, then `low`, big endian: RocksDB's order is that of the numbers, and a slice
/// of keys is a stretch of it.
void SpillKeyTo(const Hash128& key, char* bytes);
/// "a before b" in that order.
inline bool SpillsBefore(const Hash128& a, const Hash128& b) {
  return a.high != b.high ? a.high < b.high : a.low < b.low;
}

}  // namespace sluice::state
