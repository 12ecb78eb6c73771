#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "state/rocks_spill_internal.h"
#include "state/state_io.h"

namespace sluice::state {
namespace {

constexpr std::string_view kSavedPrefix = "saved-";
constexpr size_t kSavedBefore = 2;  // kept beside the newest: saved states that may be loaded still

}  // namespace

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
  // One shard: the filter of a large file would not fit into one of many, and be read again for
  // every lookup.
  table.block_cache = rocksdb::NewLRUCache(kSpillCacheBytes, 0);
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = kSpillWriteBufferBytes;
  // Most keys that are looked up are new: the write buffer says so without a search.
  options.memtable_prefix_bloom_size_ratio = 0.1;
  options.memtable_whole_key_filtering = true;
  options.max_open_files = 256;
  options.compression = rocksdb::kNoCompression;  // hashes and numbers do not compress
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 1;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

Status SpillDb::OpenEmpty() {
  db_.reset();
  // RocksDB makes the last level only.
  for (size_t slash = folder_.find('/', 1); slash != std::string::npos;
       slash = folder_.find('/', slash + 1)) {
    SLUICE_RETURN_NOT_OK(
        FromRocks(rocksdb::Env::Default()->CreateDirIfMissing(folder_.substr(0, slash)),
                  "making the spill folder " + folder_));
  }
  SLUICE_RETURN_NOT_OK(FromRocks(rocksdb::Env::Default()->CreateDirIfMissing(folder_),
                                 "making the spill folder " + folder_));
  SLUICE_RETURN_NOT_OK(
      FromRocks(rocksdb::DestroyDB(Live(), options_), "emptying the spill folder " + folder_));
  rocksdb::DB* db = nullptr;
  SLUICE_RETURN_NOT_OK(
      FromRocks(rocksdb::DB::Open(options_, Live(), &db), "opening the spill folder " + folder_));
  db_.reset(db);
  return Status::OK();
}

Result<std::vector<std::string>> SpillDb::SavedNames() const {
  std::vector<std::string> names;
  SLUICE_RETURN_NOT_OK(FromRocks(rocksdb::Env::Default()->GetChildren(folder_, &names),
                                 "listing the spill folder " + folder_));
  std::erase_if(names, [](const std::string& name) { return !name.starts_with(kSavedPrefix); });
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> SpillDb::Save() {
  SLUICE_ASSIGN_OR_RETURN(const auto names, SavedNames());
  const int64_t number =
      names.empty() ? 0 : std::atoll(names.back().c_str() + kSavedPrefix.size()) + 1;
  std::string unique = rocksdb::Env::Default()->GenerateUniqueId();
  std::erase(unique, '\n');
  const std::string name = fmt::format("{}{:012}-{}", kSavedPrefix, number, unique);
  rocksdb::Checkpoint* made = nullptr;
  SLUICE_RETURN_NOT_OK(
      FromRocks(rocksdb::Checkpoint::Create(db_.get(), &made), "saving spilled state"));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  SLUICE_RETURN_NOT_OK(
      FromRocks(checkpoint->CreateCheckpoint(folder_ + "/" + name), "saving spilled state"));
  for (size_t i = 0; i + kSavedBefore < names.size(); ++i) {
    SLUICE_RETURN_NOT_OK(FromRocks(rocksdb::DestroyDB(folder_ + "/" + names[i], options_),
                                   "deleting saved spilled state"));
  }
  return name;
}

/// `<folder>/live` gets links to the files of `saved`, which stays as it is.
Status SpillDb::LinkSaved(const std::string& saved) {
  rocksdb::Options options = options_;
  options.disable_auto_compactions = true;
  options.create_if_missing = false;
  rocksdb::DB* opened = nullptr;
  SLUICE_RETURN_NOT_OK(FromRocks(rocksdb::DB::Open(options, folder_ + "/" + saved, &opened),
                                 "opening saved spilled state"));
  const std::unique_ptr<rocksdb::DB> from(opened);
  SLUICE_RETURN_NOT_OK(FromRocks(from->VerifyChecksum(), "checking saved spilled state"));
  rocksdb::Checkpoint* made = nullptr;
  SLUICE_RETURN_NOT_OK(
      FromRocks(rocksdb::Checkpoint::Create(from.get(), &made), "linking saved spilled state"));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  return FromRocks(checkpoint->CreateCheckpoint(Live()), "linking saved spilled state");
}

Status SpillDb::OpenSaved(const std::string& saved) {
  db_.reset();
  if (!saved.starts_with(kSavedPrefix) || saved.find('/') != std::string::npos)
    return StateCorrupt("it does not name a saved spill");
  SLUICE_RETURN_NOT_OK(
      FromRocks(rocksdb::DestroyDB(Live(), options_), "emptying the spill folder " + folder_));
  if (!rocksdb::Env::Default()->FileExists(folder_ + "/" + saved + "/CURRENT").ok())
    return StateCorrupt("its part in the spill folder " + folder_ + " is gone");
  const Status linked = LinkSaved(saved);
  if (!linked.ok()) return StateCorrupt(linked.message());
  rocksdb::DB* db = nullptr;
  SLUICE_RETURN_NOT_OK(
      FromRocks(rocksdb::DB::Open(options_, Live(), &db), "opening the spill folder " + folder_));
  db_.reset(db);
  return Status::OK();
}

void SpillKeyTo(const Hash128& key, char* bytes) {
  const uint64_t words[2] = {__builtin_bswap64(key.high), __builtin_bswap64(key.low)};
  std::memcpy(bytes, words, sizeof(words));
}

}  // namespace sluice::state
