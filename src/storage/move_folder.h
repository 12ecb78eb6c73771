// Moving a folder with everything in it at once, which disks can do and object stores cannot.
// Thread-safe.
#pragma once

#include <string>

#include "base/status.h"
#include "storage/storage.h"

namespace sluice::storage {

/// What a store that can do it is, too.
class MovesFolders {
 public:
  virtual ~MovesFolders() = default;
  virtual Status MoveFolder(const std::string& from, const std::string& to) = 0;
};

/// Gives the folder `from` the name `to`: all of it or nothing, durable on return. The folders
/// above `to` are made. STORAGE_NOT_FOUND, STORAGE_ALREADY_EXISTS when there are files below `to`,
/// NOT_SUPPORTED_YET where the store could only copy file by file.
Status MoveFolder(Storage& storage, const std::string& from, const std::string& to);

}  // namespace sluice::storage
