#include "storage/local_storage.h"

#include <arrow/io/file.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace sluice::storage {
namespace {

Status ErrnoError(int error, const std::string& what, const std::string& path) {
  const std::string message = "cannot " + what + " " + path + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR: return MakeError("STORAGE_NOT_FOUND", message);
    case EEXIST: return MakeError("STORAGE_ALREADY_EXISTS", message);
    case EROFS:
    case EACCES:
    case EPERM:
      return MakeError("STORAGE_READ_ONLY", message, "give the process write access to the folder");
    case ENOSPC:
    case EFBIG:  // a limit of this process on the size of files
    case EDQUOT: return MakeError("STORAGE_NO_SPACE", message, "free disk space", Retry::kLater);
    default: return MakeError("STORAGE_IO", message, "", Retry::kLater);
  }
}

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  /// Closes and reports what close() says (a late write error of a network file system).
  int Close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd);
  }

 private:
  int fd_;
};

std::string FolderOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status SyncFolder(const std::string& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoError(errno, "open folder", folder);
  // Some file systems cannot sync a folder; they then order its entries themselves.
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
    return ErrnoError(errno, "sync folder", folder);
  return Status::OK();
}

/// Makes `folder` and its parents; each folder made is synced into its parent.
Status MakeFolders(const std::string& folder, bool sync) {
  if (::mkdir(folder.c_str(), 0777) == 0) return sync ? SyncFolder(FolderOf(folder)) : Status::OK();
  if (errno == EEXIST) return Status::OK();
  if (errno != ENOENT) return ErrnoError(errno, "make folder", folder);
  SLUICE_RETURN_NOT_OK(MakeFolders(FolderOf(folder), sync));
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
    return ErrnoError(errno, "make folder", folder);
  return sync ? SyncFolder(FolderOf(folder)) : Status::OK();
}

Status WriteAll(int fd, const void* data, size_t size, const std::string& path) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(fd, next, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      return ErrnoError(errno, "write", path);
    }
    next += written;
    size -= static_cast<size_t>(written);
  }
  return Status::OK();
}

/// Opens for writing, making the folders when they are missing.
Result<int> OpenForWrite(const std::string& path, int flags, bool sync) {
  int fd = ::open(path.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0 && errno == ENOENT) {
    SLUICE_RETURN_NOT_OK(MakeFolders(FolderOf(path), sync));
    fd = ::open(path.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  }
  if (fd < 0) return ErrnoError(errno, "create", path);
  return fd;
}

/// A name beside `path` that no reader takes for a file of a table.
std::string TemporaryName(const std::string& path) {
  static std::atomic<uint64_t> next{
      0};  // with the process id: unique among the writers of this machine
  const size_t slash = path.find_last_of('/');
  const size_t name = slash == std::string::npos ? 0 : slash + 1;
  struct timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return path.substr(0, name) + "." + path.substr(name) + "." + std::to_string(::getpid()) + "-" +
         std::to_string(now.tv_nsec) + "-" + std::to_string(next.fetch_add(1)) + ".tmp";
}

Status WriteTemporary(const std::string& path, std::string_view bytes, bool sync) {
  SLUICE_ASSIGN_OR_RETURN(const int raw, OpenForWrite(path, O_EXCL, sync));
  Descriptor fd(raw);
  Status status = WriteAll(fd.get(), bytes.data(), bytes.size(), path);
  if (status.ok() && sync && ::fsync(fd.get()) != 0) status = ErrnoError(errno, "sync", path);
  if (fd.Close() != 0 && status.ok()) status = ErrnoError(errno, "close", path);
  if (!status.ok()) ::unlink(path.c_str());
  return status;
}

TimestampMicros ModifiedMicros(const struct stat& info) {
  return static_cast<int64_t>(info.st_mtim.tv_sec) * 1000000 + info.st_mtim.tv_nsec / 1000;
}

/// A file stream whose Close() makes bytes and name durable.
class SyncedOutput : public arrow::io::OutputStream {
 public:
  SyncedOutput(int fd, std::string path, bool sync)
      : fd_(fd), path_(std::move(path)), sync_(sync) {}
  ~SyncedOutput() override = default;

  Status Write(const void* data, int64_t nbytes) override {
    if (closed_) return MakeError("STORAGE_IO", "write to a closed file: " + path_);
    SLUICE_RETURN_NOT_OK(WriteAll(fd_.get(), data, static_cast<size_t>(nbytes), path_));
    position_ += nbytes;
    if (sync_ && position_ - flushing_ >= kFlushBytes) {
      // The disk begins now; Close then waits for the rest only. A hint: errors show at fsync.
      (void)::sync_file_range(fd_.get(), flushing_, position_ - flushing_, SYNC_FILE_RANGE_WRITE);
      flushing_ = position_;
    }
    return Status::OK();
  }
  using arrow::io::OutputStream::Write;

  Status Close() override {
    if (closed_) return Status::OK();
    closed_ = true;
    Status status;
    if (sync_ && ::fsync(fd_.get()) != 0) status = ErrnoError(errno, "sync", path_);
    if (fd_.Close() != 0 && status.ok()) status = ErrnoError(errno, "close", path_);
    if (status.ok() && sync_) status = SyncFolder(FolderOf(path_));
    return status;
  }
  /// Gives up: nothing is synced.
  Status Abort() override {
    if (!closed_) {
      closed_ = true;
      fd_.Close();
    }
    return Status::OK();
  }
  Result<int64_t> Tell() const override { return position_; }
  bool closed() const override { return closed_; }

 private:
  Descriptor fd_;
  const std::string path_;
  const bool sync_;
  static constexpr int64_t kFlushBytes = 4LL << 20;

  int64_t position_ = 0;
  int64_t flushing_ = 0;  // handed to the disk so far
  bool closed_ = false;
};

Status ListInto(const std::string& folder, bool recursive, std::vector<FileInfo>* files) {
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) {
    return errno == ENOENT || errno == ENOTDIR ? Status::OK() : ErrnoError(errno, "list", folder);
  }
  std::vector<std::string> folders;
  Status status;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(dir);
    if (entry == nullptr) {
      if (errno != 0) status = ErrnoError(errno, "list", folder);
      break;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat info = {};
    if (::fstatat(::dirfd(dir), entry->d_name, &info, 0) != 0) continue;  // deleted meanwhile
    if (S_ISDIR(info.st_mode)) {
      if (recursive) folders.push_back(JoinPath(folder, name));
    } else if (!name.ends_with(".tmp") || !name.starts_with(".")) {
      files->push_back(FileInfo{JoinPath(folder, name), info.st_size, ModifiedMicros(info)});
    }
  }
  ::closedir(dir);
  SLUICE_RETURN_NOT_OK(status);
  for (const std::string& child : folders) SLUICE_RETURN_NOT_OK(ListInto(child, recursive, files));
  return Status::OK();
}

Result<std::vector<FileInfo>> ListSorted(const std::string& folder, bool recursive) {
  std::vector<FileInfo> files;
  SLUICE_RETURN_NOT_OK(ListInto(folder, recursive, &files));
  std::sort(files.begin(), files.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
  return files;
}

/// Removes `folder` when there is nothing but folders in it, as dropped tables leave them.
Status RemoveEmptyFolders(const std::string& folder) {
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) return errno == ENOENT ? Status::OK() : ErrnoError(errno, "list", folder);
  Status status;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat info = {};
    if (::fstatat(::dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    status = S_ISDIR(info.st_mode) ? RemoveEmptyFolders(JoinPath(folder, name))
                                   : ErrnoError(EEXIST, "replace", folder);
    if (!status.ok()) break;
  }
  ::closedir(dir);
  SLUICE_RETURN_NOT_OK(status);
  if (::rmdir(folder.c_str()) != 0 && errno != ENOENT)
    return ErrnoError(errno == ENOTEMPTY ? EEXIST : errno, "replace", folder);
  return Status::OK();
}

}  // namespace

Result<std::vector<FileInfo>> LocalStorage::List(const std::string& folder) {
  return ListSorted(folder, false);
}

Result<std::vector<FileInfo>> LocalStorage::ListRecursive(const std::string& folder) {
  return ListSorted(folder, true);
}

Result<FileInfo> LocalStorage::Stat(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return ErrnoError(errno, "stat", path);
  return FileInfo{path, info.st_size, ModifiedMicros(info)};
}

Result<std::string> LocalStorage::Read(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoError(errno, "open", path);
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoError(errno, "stat", path);
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = ::read(fd.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, "read", path);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> LocalStorage::OpenInput(
    const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, "open", path);
  auto file = arrow::io::ReadableFile::Open(fd);  // owns fd on success
  if (!file.ok()) {
    ::close(fd);
    return MakeError("STORAGE_IO", "cannot open " + path + ": " + file.status().message(), "",
                     Retry::kLater);
  }
  return std::static_pointer_cast<arrow::io::RandomAccessFile>(file.MoveValueUnsafe());
}

Result<std::shared_ptr<arrow::io::OutputStream>> LocalStorage::OpenOutput(const std::string& path) {
  SLUICE_ASSIGN_OR_RETURN(const int fd, OpenForWrite(path, O_TRUNC, options_.sync));
  return std::make_shared<SyncedOutput>(fd, path, options_.sync);
}

Status LocalStorage::Put(const std::string& path, std::string_view bytes) {
  const std::string temporary = TemporaryName(path);
  SLUICE_RETURN_NOT_OK(WriteTemporary(temporary, bytes, options_.sync));
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return ErrnoError(error, "replace", path);
  }
  return options_.sync ? SyncFolder(FolderOf(path)) : Status::OK();
}

Status LocalStorage::PutIfAbsent(const std::string& path, std::string_view bytes) {
  if (::access(path.c_str(), F_OK) == 0) return ErrnoError(EEXIST, "create", path);
  const std::string temporary = TemporaryName(path);
  SLUICE_RETURN_NOT_OK(WriteTemporary(temporary, bytes, options_.sync));
  const int linked = ::link(temporary.c_str(), path.c_str());
  const int error = errno;
  ::unlink(temporary.c_str());
  if (linked != 0) return ErrnoError(error, "create", path);
  return options_.sync ? SyncFolder(FolderOf(path)) : Status::OK();
}

Status LocalStorage::MoveFolder(const std::string& from, const std::string& to) {
  SLUICE_RETURN_NOT_OK(RemoveEmptyFolders(to));
  SLUICE_RETURN_NOT_OK(MakeFolders(FolderOf(to), options_.sync));
  // Takes the place of an empty folder at most.
  if (::rename(from.c_str(), to.c_str()) != 0)
    return ErrnoError(errno == ENOTEMPTY ? EEXIST : errno, "move " + from + " to", to);
  if (!options_.sync) return Status::OK();
  SLUICE_RETURN_NOT_OK(SyncFolder(FolderOf(to)));
  return SyncFolder(FolderOf(from));
}

Status LocalStorage::Delete(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
    return ErrnoError(errno, "delete", path);
  return Status::OK();
}

}  // namespace sluice::storage
