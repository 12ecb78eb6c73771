#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <cstring>

#include "state/rocks_spill_internal.h"

namespace sluice::state {

Status FromRocks(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return Status::OK();
  const bool later =
      status.IsNoSpace() || status.IsBusy() || status.IsTimedOut() || status.IsTryAgain();
  return MakeError("STATE_SPILL_FAILED", std::string(doing) + " failed: " + status.ToString(),
                   "check that the state folder is on a local disk with free space, or raise the "
                   "state memory limit",
                   later ? Retry::kLater : Retry::kNever);
}

rocksdb::Options SpillOptions() {
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  table.block_cache = rocksdb::NewLRUCache(kSpillCacheBytes);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = kSpillWriteBufferBytes;
  options.max_open_files = 256;
  options.compression = rocksdb::kNoCompression;  // hashes and numbers do not compress
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 1;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

Result<std::unique_ptr<rocksdb::DB>> OpenEmptySpill(const rocksdb::Options& options,
                                                    const std::string& folder) {
  // RocksDB makes the last level only.
  for (size_t slash = folder.find('/', 1); slash != std::string::npos;
       slash = folder.find('/', slash + 1)) {
    SLUICE_RETURN_NOT_OK(
        FromRocks(rocksdb::Env::Default()->CreateDirIfMissing(folder.substr(0, slash)),
                  "making the spill folder " + folder));
  }
  SLUICE_RETURN_NOT_OK(
      FromRocks(rocksdb::DestroyDB(folder, options), "emptying the spill folder " + folder));
  rocksdb::DB* db = nullptr;
  SLUICE_RETURN_NOT_OK(
      FromRocks(rocksdb::DB::Open(options, folder, &db), "opening the spill folder " + folder));
  return std::unique_ptr<rocksdb::DB>(db);
}

void SpillKeyTo(const Hash128& key, char* bytes) {
  std::memcpy(bytes, &key.high, 8);
  std::memcpy(bytes + 8, &key.low, 8);
}

Hash128 SpillKeyFrom(const rocksdb::Slice& bytes) {
  Hash128 key;
  std::memcpy(&key.high, bytes.data(), 8);
  std::memcpy(&key.low, bytes.data() + 8, 8);
  return key;
}

}  // namespace sluice::state
