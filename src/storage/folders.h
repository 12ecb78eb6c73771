// What folders there are. An object store knows names of files only, so this is beside Storage:
// a disk is asked for its folders, elsewhere they are those that files are in. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "storage/storage.h"

namespace sluice::storage {

/// The names of the folders directly in `folder`, sorted; none when it does not exist. A disk may
/// have empty ones.
Result<std::vector<std::string>> ListFolders(Storage& storage, const std::string& folder);

}  // namespace sluice::storage
