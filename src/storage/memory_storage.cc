#include "storage/memory_storage.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>

namespace sluice::storage {
namespace {

Status NotFound(const std::string& path) {
  return MakeError("STORAGE_NOT_FOUND", "no such file: " + path);
}

bool FailsBefore(const StorageFault& fault) { return !fault.error.ok() && !fault.after_effect; }

}  // namespace

const char* ToString(StorageCall call) {
  switch (call) {
    case StorageCall::kList: return "list";
    case StorageCall::kStat: return "stat";
    case StorageCall::kRead: return "read";
    case StorageCall::kOpenInput: return "open-input";
    case StorageCall::kOpenOutput: return "open-output";
    case StorageCall::kWrite: return "write";
    case StorageCall::kClose: return "close";
    case StorageCall::kPut: return "put";
    case StorageCall::kPutIfAbsent: return "put-if-absent";
    case StorageCall::kDelete: return "delete";
  }
  return "unknown";
}

/// Appends to a file of the storage; its bytes are unsynced until Close().
class MemoryStorage::OutputStream : public arrow::io::OutputStream {
 public:
  OutputStream(MemoryStorage& storage, std::string path, int64_t power_cycle)
      : storage_(storage), path_(std::move(path)), power_cycle_(power_cycle) {}
  ~OutputStream() override = default;

  Status Write(const void* data, int64_t nbytes) override {
    if (closed_) return MakeError("STORAGE_IO", "write to a closed file: " + path_);
    const StorageFault fault = storage_.Ask(StorageCall::kWrite, path_);
    const bool whole = !FailsBefore(fault);
    const size_t size = whole ? static_cast<size_t>(nbytes)
                              : std::min(static_cast<size_t>(nbytes), fault.torn_bytes.value_or(0));
    bytes_.append(static_cast<const char*>(data), size);
    // Of a torn write the disk has what got through, whatever becomes of the machine.
    SLUICE_RETURN_NOT_OK(Publish(!whole && fault.torn_bytes.has_value()));
    return fault.error;
  }
  using arrow::io::OutputStream::Write;

  Status Close() override {
    if (closed_) return Status::OK();
    closed_ = true;
    const StorageFault fault = storage_.Ask(StorageCall::kClose, path_);
    if (FailsBefore(fault)) return fault.error;
    SLUICE_RETURN_NOT_OK(Publish(true));
    return fault.error;
  }
  Status Abort() override {
    closed_ = true;
    return Status::OK();
  }
  Result<int64_t> Tell() const override { return static_cast<int64_t>(bytes_.size()); }
  bool closed() const override { return closed_; }

 private:
  /// A reader sees unsynced bytes, too, as on a real disk; to keep appends cheap they are shared
  /// only when synced.
  Status Publish(bool synced) {
    const MutexLock lock(storage_.mutex_);
    if (power_cycle_ != storage_.power_cycle_)
      return MakeError("STORAGE_IO", "lost power: " + path_, "", Retry::kLater);
    const auto it = storage_.files_.find(path_);
    if (it == storage_.files_.end())
      return Status::OK();  // deleted while it was written, as unlink(2) does
    if (synced) {
      it->second =
          File{std::make_shared<const std::string>(bytes_), storage_.clock_.NowMicros(), true};
    }
    return Status::OK();
  }

  MemoryStorage& storage_;
  const std::string path_;
  const int64_t power_cycle_;
  std::string bytes_;
  bool closed_ = false;
};

StorageFault MemoryStorage::Ask(StorageCall call, const std::string& path) {
  Hook hook;
  {
    const MutexLock lock(mutex_);
    hook = hook_;
  }
  return hook ? hook(call, path) : StorageFault{};
}

Result<std::vector<FileInfo>> MemoryStorage::ListBelow(const std::string& folder, bool recursive) {
  const StorageFault fault = Ask(StorageCall::kList, folder);
  SLUICE_RETURN_NOT_OK(fault.error);
  const std::string prefix = JoinPath(folder, "");
  std::vector<FileInfo> found;
  const MutexLock lock(mutex_);
  for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix);
       ++it) {
    if (!recursive && it->first.find('/', prefix.size()) != std::string::npos) continue;
    found.push_back(
        FileInfo{it->first, static_cast<int64_t>(it->second.bytes->size()), it->second.modified});
  }
  return found;
}

Result<std::vector<FileInfo>> MemoryStorage::List(const std::string& folder) {
  return ListBelow(folder, false);
}
Result<std::vector<FileInfo>> MemoryStorage::ListRecursive(const std::string& folder) {
  return ListBelow(folder, true);
}

Result<FileInfo> MemoryStorage::Stat(const std::string& path) {
  const StorageFault fault = Ask(StorageCall::kStat, path);
  SLUICE_RETURN_NOT_OK(fault.error);
  const MutexLock lock(mutex_);
  const auto it = files_.find(path);
  if (it == files_.end()) return NotFound(path);
  return FileInfo{path, static_cast<int64_t>(it->second.bytes->size()), it->second.modified};
}

Result<std::string> MemoryStorage::Read(const std::string& path) {
  const StorageFault fault = Ask(StorageCall::kRead, path);
  SLUICE_RETURN_NOT_OK(fault.error);
  const MutexLock lock(mutex_);
  const auto it = files_.find(path);
  if (it == files_.end()) return NotFound(path);
  return *it->second.bytes;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> MemoryStorage::OpenInput(
    const std::string& path) {
  const StorageFault fault = Ask(StorageCall::kOpenInput, path);
  SLUICE_RETURN_NOT_OK(fault.error);
  const MutexLock lock(mutex_);
  const auto it = files_.find(path);
  if (it == files_.end()) return NotFound(path);
  // The buffer owns a copy: the reader lives on when the file is replaced or deleted.
  return std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(*it->second.bytes));
}

Result<std::shared_ptr<arrow::io::OutputStream>> MemoryStorage::OpenOutput(
    const std::string& path) {
  const StorageFault fault = Ask(StorageCall::kOpenOutput, path);
  if (FailsBefore(fault)) return fault.error;
  int64_t power_cycle = 0;
  {
    const MutexLock lock(mutex_);
    files_[path] = File{std::make_shared<const std::string>(), clock_.NowMicros(), false};
    power_cycle = power_cycle_;
  }
  SLUICE_RETURN_NOT_OK(fault.error);
  return std::make_shared<OutputStream>(*this, path, power_cycle);
}

Status MemoryStorage::WriteWhole(StorageCall call, const std::string& path, std::string_view bytes,
                                 bool only_if_absent) {
  const StorageFault fault = Ask(call, path);
  // Whole files appear at once or not at all: they are written beside and renamed.
  if (FailsBefore(fault)) return fault.error;
  {
    const MutexLock lock(mutex_);
    if (only_if_absent && files_.contains(path)) {
      return MakeError("STORAGE_ALREADY_EXISTS", "file exists: " + path);
    }
    files_[path] = File{std::make_shared<const std::string>(bytes), clock_.NowMicros(), true};
  }
  return fault.error;
}

Status MemoryStorage::Put(const std::string& path, std::string_view bytes) {
  return WriteWhole(StorageCall::kPut, path, bytes, false);
}

Status MemoryStorage::PutIfAbsent(const std::string& path, std::string_view bytes) {
  return WriteWhole(StorageCall::kPutIfAbsent, path, bytes, true);
}

Status MemoryStorage::MoveFolder(const std::string& from, const std::string& to) {
  const std::string old_prefix = JoinPath(from, "");
  const std::string new_prefix = JoinPath(to, "");
  const MutexLock lock(mutex_);
  const auto below = [&](const std::string& prefix) {
    const auto it = files_.lower_bound(prefix);
    return it != files_.end() && it->first.starts_with(prefix) ? it : files_.end();
  };
  if (below(new_prefix) != files_.end())
    return MakeError("STORAGE_ALREADY_EXISTS", "there are files below " + to);
  if (below(old_prefix) == files_.end()) return NotFound(from);
  for (auto it = below(old_prefix); it != files_.end(); it = below(old_prefix)) {
    auto node = files_.extract(it);
    node.key() = new_prefix + node.key().substr(old_prefix.size());
    files_.insert(std::move(node));
  }
  return Status::OK();
}

Status MemoryStorage::Delete(const std::string& path) {
  const StorageFault fault = Ask(StorageCall::kDelete, path);
  if (FailsBefore(fault)) return fault.error;
  {
    const MutexLock lock(mutex_);
    files_.erase(path);
  }
  return fault.error;
}

void MemoryStorage::SetHook(Hook hook) {
  const MutexLock lock(mutex_);
  hook_ = std::move(hook);
}

void MemoryStorage::Crash() {
  const MutexLock lock(mutex_);
  ++power_cycle_;
  std::erase_if(files_, [](const auto& entry) { return !entry.second.synced; });
}

void MemoryStorage::SetModified(const std::string& path, TimestampMicros modified) {
  const MutexLock lock(mutex_);
  const auto it = files_.find(path);
  SLUICE_CHECK(it != files_.end(), "SetModified of a missing file " + path);
  it->second.modified = modified;
}

int64_t MemoryStorage::total_bytes() const {
  const MutexLock lock(mutex_);
  int64_t total = 0;
  for (const auto& [path, file] : files_) total += static_cast<int64_t>(file.bytes->size());
  return total;
}

}  // namespace sluice::storage
