#include "state/rocks_store.h"

#include <rocksdb/write_batch.h>

#include "state/rocks_spill_internal.h"

namespace sluice::state {
namespace {

constexpr size_t kFindBatch = 256;

class RocksStore : public ColdStore {
 public:
  explicit RocksStore(std::string folder) : db_(std::move(folder), SpillOptions()) {
    write_.disableWAL = true;
  }

  Status Open() { return db_.OpenEmpty(); }

  Status Put(std::span<const ColdEntry> entries) override {
    rocksdb::WriteBatch batch;
    char bytes[kSpillKeyBytes];
    for (const ColdEntry& entry : entries) {
      SpillKeyTo(entry.key, bytes);
      SLUICE_RETURN_NOT_OK(
          FromRocks(batch.Put({bytes, kSpillKeyBytes}, {entry.value.data(), entry.value.size()}),
                    "spilling groups"));
    }
    return FromRocks(db_->Write(write_, &batch), "spilling groups");
  }

  Status Find(std::span<const Hash128> keys,
              const std::function<Status(const ColdEntry&)>& visit) override {
    for (size_t begin = 0; begin < keys.size(); begin += kFindBatch) {
      const size_t count = std::min(kFindBatch, keys.size() - begin);
      SLUICE_RETURN_NOT_OK(FindBatch(keys.subspan(begin, count), visit));
    }
    return Status::OK();
  }

  Status Clear() override { return Open(); }
  Result<std::string> Save() override { return db_.Save(); }
  Status Load(const std::string& saved) override { return db_.OpenSaved(saved); }

  int64_t memory_bytes() const override {
    return static_cast<int64_t>(kSpillCacheBytes + 2 * kSpillWriteBufferBytes);
  }

 private:
  Status FindBatch(std::span<const Hash128> keys,
                   const std::function<Status(const ColdEntry&)>& visit) {
    char bytes[kFindBatch * kSpillKeyBytes];
    rocksdb::Slice slices[kFindBatch];
    rocksdb::PinnableSlice values[kFindBatch];
    rocksdb::Status statuses[kFindBatch];
    for (size_t i = 0; i < keys.size(); ++i) {
      SpillKeyTo(keys[i], bytes + i * kSpillKeyBytes);
      slices[i] = {bytes + i * kSpillKeyBytes, kSpillKeyBytes};
    }
    db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), keys.size(), slices, values,
                  statuses);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].IsNotFound()) continue;
      SLUICE_RETURN_NOT_OK(FromRocks(statuses[i], "looking up spilled groups"));
      SLUICE_RETURN_NOT_OK(visit({keys[i], values[i].ToStringView()}));
    }
    return Status::OK();
  }

  rocksdb::WriteOptions write_;
  SpillDb db_;
};

}  // namespace

Result<std::unique_ptr<ColdStore>> OpenRocksStore(const std::string& folder) {
  auto store = std::make_unique<RocksStore>(folder);
  SLUICE_RETURN_NOT_OK(store->Open());
  return std::unique_ptr<ColdStore>(std::move(store));
}

}  // namespace sluice::state
