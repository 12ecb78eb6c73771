#include "state/rocks_keys.h"

#include <rocksdb/compaction_filter.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

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
  explicit RocksKeys(std::string folder) : db_(std::move(folder), Options(&filter_)) {
    write_.disableWAL = true;
  }

  Status Open() { return db_.OpenEmpty(); }

  Status Put(std::span<const KeyExpiry> keys) override {
    std::vector<KeyExpiry> sorted(keys.begin(), keys.end());
    std::sort(sorted.begin(), sorted.end(),
              [](const KeyExpiry& a, const KeyExpiry& b) { return SpillsBefore(a.key, b.key); });
    rocksdb::WriteBatch batch;
    char bytes[kSpillKeyBytes];
    for (const KeyExpiry& entry : sorted) {
      SpillKeyTo(entry.key, bytes);
      const rocksdb::Slice value(reinterpret_cast<const char*>(&entry.expiry),
                                 sizeof(entry.expiry));
      SLUICE_RETURN_NOT_OK(FromRocks(batch.Put({bytes, kSpillKeyBytes}, value), "spilling keys"));
    }
    return FromRocks(db_->Write(write_, &batch), "spilling keys");
  }

  Status Find(std::span<KeyExpiry> keys) override {
    // Neighbours share filters and blocks.
    std::vector<KeyExpiry*> sorted;
    sorted.reserve(keys.size());
    for (KeyExpiry& entry : keys) sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(),
              [](const KeyExpiry* a, const KeyExpiry* b) { return SpillsBefore(a->key, b->key); });
    const std::span<KeyExpiry* const> all = sorted;
    for (size_t begin = 0; begin < all.size(); begin += kFindBatch) {
      SLUICE_RETURN_NOT_OK(FindBatch(all.subspan(begin, std::min(kFindBatch, all.size() - begin))));
    }
    return Status::OK();
  }

  void ExpireBelow(uint32_t bound) override { filter_.SetBound(bound); }

  Status Clear() override { return Open(); }
  Result<std::string> Save() override { return db_.Save(); }
  Status Load(const std::string& saved) override { return db_.OpenSaved(saved); }

  int64_t num_keys() const override {
    uint64_t keys = 0;
    db_->GetIntProperty(rocksdb::DB::Properties::kEstimateNumKeys, &keys);
    return static_cast<int64_t>(keys);
  }
  int64_t memory_bytes() const override {
    return static_cast<int64_t>(kSpillCacheBytes + 2 * kSpillWriteBufferBytes);
  }

 private:
  Status FindBatch(std::span<KeyExpiry* const> keys) {
    char bytes[kFindBatch * kSpillKeyBytes];
    rocksdb::Slice slices[kFindBatch];
    rocksdb::PinnableSlice values[kFindBatch];
    rocksdb::Status statuses[kFindBatch];
    for (size_t i = 0; i < keys.size(); ++i) {
      SpillKeyTo(keys[i]->key, bytes + i * kSpillKeyBytes);
      slices[i] = {bytes + i * kSpillKeyBytes, kSpillKeyBytes};
    }
    db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), keys.size(), slices, values,
                  statuses, true);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].IsNotFound()) {
        keys[i]->expiry = 0;
        continue;
      }
      SLUICE_RETURN_NOT_OK(FromRocks(statuses[i], "looking up spilled keys"));
      keys[i]->expiry = ExpiryOf(values[i]);
    }
    return Status::OK();
  }

  static rocksdb::Options Options(const ExpiryFilter* filter) {
    rocksdb::Options options = SpillOptions();
    options.compaction_filter = filter;
    return options;
  }

  ExpiryFilter filter_;  // outlives db_
  rocksdb::WriteOptions write_;
  SpillDb db_;
};

}  // namespace

Result<std::unique_ptr<ColdKeys>> OpenRocksKeys(const std::string& folder) {
  auto keys = std::make_unique<RocksKeys>(folder);
  SLUICE_RETURN_NOT_OK(keys->Open());
  return std::unique_ptr<ColdKeys>(std::move(keys));
}

}  // namespace sluice::state
