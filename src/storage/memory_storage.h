// Storage in memory that keeps the promises of Storage and no more: for tests and the deterministic
// simulation. It knows which bytes are synced; Crash() drops the rest; a hook may fail, tear or
// lose the reply of any call. Thread-safe; the hook is called without the lock held.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "storage/move_folder.h"
#include "storage/storage.h"

namespace sluice::storage {

enum class StorageCall {
  kList,
  kStat,
  kRead,
  kOpenInput,
  kOpenOutput,
  kWrite,
  kClose,
  kPut,
  kPutIfAbsent,
  kDelete
};

const char* ToString(StorageCall call);

/// What a hook makes of a call. Default: nothing happens to it.
struct StorageFault {
  Status error;               // not OK: the call returns it ...
  bool after_effect = false;  // ... after it took effect (a lost reply) instead of before it
  /// With an error on kWrite: so many bytes get through before it fails (a torn write); Crash()
  /// leaves them there. Whole-file calls never tear.
  std::optional<size_t> torn_bytes;
};

class MemoryStorage : public Storage, public MovesFolders {
 public:
  using Hook = std::function<StorageFault(StorageCall call, const std::string& path)>;

  /// `clock` dates the files and outlives this.
  explicit MemoryStorage(Clock& clock) : clock_(clock) {}

  Result<std::vector<FileInfo>> List(const std::string& folder) override;
  Result<std::vector<FileInfo>> ListRecursive(const std::string& folder) override;
  Result<FileInfo> Stat(const std::string& path) override;
  Result<std::string> Read(const std::string& path) override;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override;
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override;
  Status Put(const std::string& path, std::string_view bytes) override;
  Status PutIfAbsent(const std::string& path, std::string_view bytes) override;
  Status Delete(const std::string& path) override;
  Status MoveFolder(const std::string& from, const std::string& to) override;

  /// Called before each call; an empty one removes it.
  void SetHook(Hook hook);
  /// The machine loses power: files whose Close() has not returned are gone (of a torn write its
  /// part stays), open streams fail from now on.
  void Crash();
  /// Sets the modification time of a file that exists (tests of time travel and retention).
  void SetModified(const std::string& path, TimestampMicros modified);
  /// Bytes of all files.
  int64_t total_bytes() const;

 private:
  class OutputStream;
  struct File {
    std::shared_ptr<const std::string> bytes;
    TimestampMicros modified = kNoTimestamp;
    bool synced = true;
  };

  StorageFault Ask(StorageCall call, const std::string& path);
  Status WriteWhole(StorageCall call, const std::string& path, std::string_view bytes,
                    bool only_if_absent);
  Result<std::vector<FileInfo>> ListBelow(const std::string& folder, bool recursive);

  Clock& clock_;
  mutable Mutex mutex_;
  std::map<std::string, File> files_ GUARDED_BY(mutex_);
  Hook hook_ GUARDED_BY(mutex_);
  int64_t power_cycle_ GUARDED_BY(mutex_) = 0;  // streams of an earlier cycle are dead
};

}  // namespace sluice::storage
