#include "state/rocks_keys.h"

#include <rocksdb/compaction_filter.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstring>

#include "state/rocks_spill_internal.h"

namespace sluice::state {
namespace {

constexpr size_t kFindBatch = 256;

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

class RocksKeys : public ColdKeys {
 public:
  explicit RocksKeys(std::string folder) : folder_(std::move(folder)) { write_.disableWAL = true; }

  Status Open() {
    rocksdb::Options options = SpillOptions();
    options.compaction_filter = &filter_;
    SLUICE_ASSIGN_OR_RETURN(db_, OpenEmptySpill(options, folder_));
    num_keys_ = 0;
    return Status::OK();
  }

  Status Put(std::span<const KeyExpiry> keys) override {
    rocksdb::WriteBatch batch;
    char bytes[kSpillKeyBytes];
    for (const KeyExpiry& entry : keys) {
      SpillKeyTo(entry.key, bytes);
      const rocksdb::Slice value(reinterpret_cast<const char*>(&entry.expiry),
                                 sizeof(entry.expiry));
      SLUICE_RETURN_NOT_OK(FromRocks(batch.Put({bytes, kSpillKeyBytes}, value), "spilling keys"));
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
      SLUICE_RETURN_NOT_OK(visit({SpillKeyFrom(entries->key()), ExpiryOf(entries->value())}));
    }
    return FromRocks(entries->status(), "reading spilled keys");
  }

  Status Clear() override {
    db_.reset();
    return Open();
  }

  int64_t num_keys() const override { return num_keys_; }
  int64_t memory_bytes() const override {
    return static_cast<int64_t>(kSpillCacheBytes + 2 * kSpillWriteBufferBytes);
  }

 private:
  Status FindBatch(std::span<KeyExpiry> keys) {
    char bytes[kFindBatch * kSpillKeyBytes];
    rocksdb::Slice slices[kFindBatch];
    rocksdb::PinnableSlice values[kFindBatch];
    rocksdb::Status statuses[kFindBatch];
    for (size_t i = 0; i < keys.size(); ++i) {
      SpillKeyTo(keys[i].key, bytes + i * kSpillKeyBytes);
      slices[i] = {bytes + i * kSpillKeyBytes, kSpillKeyBytes};
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
