// The set of files that a table needs, by path: what VACUUM and fsck compare a folder with. One
// owner while it is filled; then thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>

#include "base/hash128.h"
#include "base/status.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

class NeededFiles {
 public:
  explicit NeededFiles(std::string table_path) : table_path_(std::move(table_path)) {}

  /// A data file as the log names it, with its deletion vector. DELTA_DELETION_VECTOR_CORRUPT when
  /// the log does not say where the vector lies.
  Status Add(const std::string& log_path, const std::optional<DeletionVectorDescriptor>& vector);
  /// `path` as the storage lists it. Never false for a file that was added: where the log has an
  /// absolute path, any file of that name counts.
  bool Contains(const std::string& path) const;

 private:
  struct Hash {
    size_t operator()(const Hash128& hash) const { return static_cast<size_t>(hash.low); }
  };
  void AddPath(const std::string& path);

  const std::string table_path_;
  std::unordered_set<Hash128, Hash> paths_;
  std::unordered_set<std::string> names_;  // last components of absolute paths
};

}  // namespace sluice::delta
