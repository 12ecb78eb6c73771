#include "storage/folders.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "storage/local_storage.h"

namespace sluice::storage {
namespace {

namespace fs = std::filesystem;

Result<std::vector<std::string>> FoldersOnDisk(const std::string& folder) {
  std::set<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code unknown;
    if (entry->is_directory(unknown)) names.insert(entry->path().filename().string());
  }
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
    return MakeError("STORAGE_IO", "cannot list the folder " + folder + ": " + error.message(), "",
                     Retry::kLater);
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace

Result<std::vector<std::string>> ListFolders(Storage& storage, const std::string& folder) {
  if (dynamic_cast<LocalStorage*>(&storage) != nullptr) return FoldersOnDisk(folder);
  SLUICE_ASSIGN_OR_RETURN(const auto files, storage.ListRecursive(folder));
  std::set<std::string> names;
  for (const FileInfo& file : files) {
    const std::string below = file.path.substr(std::min(file.path.size(), folder.size() + 1));
    const size_t slash = below.find('/');
    if (slash != std::string::npos) names.insert(below.substr(0, slash));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace sluice::storage
