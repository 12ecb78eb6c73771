// Storage on a local (or network-mounted POSIX) disk. Thread-safe; holds no state.
// PutIfAbsent is a temporary file + fsync + link(2) + fsync of the folder: a name appears at most
// once, with all its bytes, and survives a power cut once the call has returned.
#pragma once

#include "storage/move_folder.h"
#include "storage/storage.h"

namespace sluice::storage {

class LocalStorage : public Storage, public MovesFolders {
 public:
  struct Options {
    /// False skips every fsync: for throw-away data of tests and demos only.
    bool sync = true;
  };

  LocalStorage() = default;
  explicit LocalStorage(Options options) : options_(options) {}

  Result<std::vector<FileInfo>> List(const std::string& folder) override;
  Result<std::vector<FileInfo>> ListRecursive(const std::string& folder) override;
  Result<FileInfo> Stat(const std::string& path) override;
  Result<std::string> Read(const std::string& path) override;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override;
  /// The file has its name from the start; Close() syncs it and the folders that were made for it.
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override;
  Status Put(const std::string& path, std::string_view bytes) override;
  Status PutIfAbsent(const std::string& path, std::string_view bytes) override;
  Status Delete(const std::string& path) override;
  Status MoveFolder(const std::string& from, const std::string& to) override;

 private:
  Options options_;
};

}  // namespace sluice::storage
