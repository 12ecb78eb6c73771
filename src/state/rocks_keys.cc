#include "state/rocks_keys.h"

#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstring>

#include "state/rocks_status_internal.h"

namespace sluice::state {
namespace {

constexpr size_t kKeyBytes = 16;
constexpr size_t kFindBatch = 256;
constexpr size_t kCacheBytes = 64 << 20;
constexpr size_t kWriteBufferBytes = 32 << 20;

/// Key bytes: `high`, `low` as they lie in memory. Value: the expiry.
void ToBytes(const Hash128& key, char* bytes) {
  std::memcpy(bytes, &key.high, 8);
  std::memcpy(bytes + 8, &key.low, 8);
}

Hash128 FromBytes(const rocksdb::Slice& bytes) {
  Hash128 key;
  std::memcpy(&key.high, bytes.data(), 8);
  std::memcpy(&key.low, bytes.data() + 8, 8);
  return key;
}

uint32_t ExpiryOf(const rocksdb::Slice& value) {
  uint32_t expiry = 0;
  if (value.size() == sizeof(expiry)) std::memcpy(&expiry, value.data(), sizeof(expiry));
  return expiry;
}

/// Drops expired keys while files are merged. Runs on RocksDB's threads.
class ExpiryFilter : public rocksdb::CompactionFilter {
 public:
  const char* Name() const override { return "sluice.expiry"; }
  bool Filter(int, const rocksdb::Slice&, const rocksdb::Slice& value, std::string*,
              bool*) const override {
    return ExpiryOf(value) < bound_.load(std::memory_order_relaxed);
  }
  void SetBound(uint32_t bound) { bound_.store(bound, std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> bound_{0};
};

rocksdb::Options MakeOptions(const ExpiryFilter* filter) {
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  table.block_cache = rocksdb::NewLRUCache(kCacheBytes);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = kWriteBufferBytes;
  options.max_open_files = 256;
  options.compaction_filter = filter;
  options.compression = rocksdb::kNoCompression;  // hashes do not compress
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 1;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

class RocksKeys : public ColdKeys {
 public:
  explicit RocksKeys(std::string folder) : folder_(std::move(folder)) { write_.disableWAL = true; }

  Status Open() {
    const rocksdb::Options options = MakeOptions(&filter_);
    SLUICE_RETURN_NOT_OK(
        FromRocks(rocksdb::DestroyDB(folder_, options), "emptying the spill folder " + folder_));
    rocksdb::DB* db = nullptr;
    SLUICE_RETURN_NOT_OK(
        FromRocks(rocksdb::DB::Open(options, folder_, &db), "opening the spill folder " + folder_));
    db_.reset(db);
    num_keys_ = 0;
    return Status::OK();
  }

  Status Put(std::span<const KeyExpiry> keys) override {
    rocksdb::WriteBatch batch;
    char bytes[kKeyBytes];
    for (const KeyExpiry& entry : keys) {
      ToBytes(entry.key, bytes);
      const rocksdb::Slice value(reinterpret_cast<const char*>(&entry.expiry),
                                 sizeof(entry.expiry));
      SLUICE_RETURN_NOT_OK(FromRocks(batch.Put({bytes, kKeyBytes}, value), "spilling keys"));
    }
    num_keys_ += static_cast<int64_t>(keys.size());
    return FromRocks(db_->Write(write_, &batch), "spilling keys");
  }

  Status Find(std::span<KeyExpiry> keys) override {
    for (size_t begin = 0; begin < keys.size(); begin += kFindBatch) {
      SLUICE_RETURN_NOT_OK(
          FindBatch(keys.subspan(begin, std::min(kFindBatch, keys.size() - begin))));
    }
    return Status::OK();
  }

  void ExpireBelow(uint32_t bound) override { filter_.SetBound(bound); }

  Status ForEach(const std::function<Status(const KeyExpiry&)>& visit) override {
    rocksdb::ReadOptions read;
    read.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> entries(db_->NewIterator(read));
    for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
      SLUICE_RETURN_NOT_OK(visit({FromBytes(entries->key()), ExpiryOf(entries->value())}));
    }
    return FromRocks(entries->status(), "reading spilled keys");
  }

  Status Clear() override {
    db_.reset();
    return Open();
  }

  int64_t num_keys() const override { return num_keys_; }
  int64_t memory_bytes() const override {
    return static_cast<int64_t>(kCacheBytes + 2 * kWriteBufferBytes);
  }

 private:
  Status FindBatch(std::span<KeyExpiry> keys) {
    char bytes[kFindBatch * kKeyBytes];
    rocksdb::Slice slices[kFindBatch];
    rocksdb::PinnableSlice values[kFindBatch];
    rocksdb::Status statuses[kFindBatch];
    for (size_t i = 0; i < keys.size(); ++i) {
      ToBytes(keys[i].key, bytes + i * kKeyBytes);
      slices[i] = {bytes + i * kKeyBytes, kKeyBytes};
    }
    db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), keys.size(), slices, values,
                  statuses);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].IsNotFound()) {
        keys[i].expiry = 0;
        continue;
      }
      SLUICE_RETURN_NOT_OK(FromRocks(statuses[i], "looking up spilled keys"));
      keys[i].expiry = ExpiryOf(values[i]);
    }
    return Status::OK();
  }

  const std::string folder_;
  ExpiryFilter filter_;  // outlives db_
  rocksdb::WriteOptions write_;
  std::unique_ptr<rocksdb::DB> db_;
  int64_t num_keys_ = 0;
};

}  // namespace

Result<std::unique_ptr<ColdKeys>> OpenRocksKeys(const std::string& folder) {
  auto keys = std::make_unique<RocksKeys>(folder);
  SLUICE_RETURN_NOT_OK(keys->Open());
  return std::unique_ptr<ColdKeys>(std::move(keys));
}

}  // namespace sluice::state
