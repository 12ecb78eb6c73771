// Which files and folders below a table belong to others: names that begin with '.' or '_', as
// Spark has it. Thread-safe (immutable).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "delta/log/snapshot.h"

namespace sluice::delta {

class HiddenNames {
 public:
  explicit HiddenNames(const Snapshot& snapshot);
  /// `path` is relative to the table. _change_data, _delta_index and the folders of partition
  /// columns are not hidden.
  bool Hides(std::string_view path) const;

 private:
  bool HidesOne(std::string_view name) const;

  std::vector<std::string> prefixes_;  // of partition folders
};

}  // namespace sluice::delta
