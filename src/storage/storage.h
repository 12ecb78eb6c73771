// The seam to object stores and disks: what the Delta log and state snapshots need of them, and no
// more. Implementations are thread-safe. Paths are absolute within the storage, '/'-separated,
// UTF-8.
#pragma once

#include <arrow/io/interfaces.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/named_type.h"
#include "base/status.h"

namespace sluice::storage {

struct FileInfo {
  std::string path;
  int64_t size = 0;                         // bytes
  TimestampMicros modified = kNoTimestamp;  // last write
};

/// Errors: STORAGE_NOT_FOUND, STORAGE_ALREADY_EXISTS, STORAGE_READ_ONLY, STORAGE_NO_SPACE,
/// STORAGE_IO (Retry::kLater).
class Storage {
 public:
  virtual ~Storage() = default;

  /// Files directly in `folder` (no folders), sorted by path bytes; empty when the folder does not
  /// exist.
  virtual Result<std::vector<FileInfo>> List(const std::string& folder) = 0;
  /// Files at any depth below `folder`, sorted by path bytes.
  virtual Result<std::vector<FileInfo>> ListRecursive(const std::string& folder) = 0;
  virtual Result<FileInfo> Stat(const std::string& path) = 0;
  virtual Result<std::string> Read(const std::string& path) = 0;
  virtual Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(
      const std::string& path) = 0;
  /// Creates (truncates) a file; its folders are made. Bytes are durable only once Close() has
  /// returned OK.
  virtual Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) = 0;
  /// Writes a whole file, replacing an old one at once; durable on return.
  virtual Status Put(const std::string& path, std::string_view bytes) = 0;
  /// Writes a whole file only if none of that name exists (STORAGE_ALREADY_EXISTS); durable on
  /// return. Any other error leaves it open whether the file is there: the caller must look.
  virtual Status PutIfAbsent(const std::string& path, std::string_view bytes) = 0;
  /// Deletes a file; OK when it is not there.
  virtual Status Delete(const std::string& path) = 0;
};

/// `folder`/`name` with exactly one '/' between.
std::string JoinPath(std::string_view folder, std::string_view name);

}  // namespace sluice::storage
