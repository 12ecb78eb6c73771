// What the parts of fsck share. For table_check*.cc; one thread.
#pragma once

#include <memory>
#include <string>

#include "delta/log/snapshot.h"
#include "delta/upkeep/needed_files_internal.h"
#include "delta/upkeep/table_check.h"

namespace sluice::delta {

/// Collects findings up to the limit.
class Findings {
 public:
  Findings(TableCheckReport* report, size_t limit) : report_(report), limit_(limit) {}
  void Add(FindingLevel level, const char* check, const std::string& path, std::string detail);
  void Error(const char* check, const std::string& path, std::string detail) {
    Add(FindingLevel::kError, check, path, std::move(detail));
  }

 private:
  TableCheckReport* report_;
  const size_t limit_;
};

/// The log: names, gaps, commits, checkpoints, checksums. Adds to `needed` every file that a
/// version names. The newest snapshot; null when the table cannot be opened.
Result<std::shared_ptr<const Snapshot>> CheckLog(storage::Storage& storage,
                                                 const std::string& table_path, NeededFiles* needed,
                                                 Findings* findings, TableCheckReport* report);

/// The rows of one live file against its statistics and deletion vector.
void CheckRows(storage::Storage& storage, const std::shared_ptr<const Snapshot>& snapshot,
               const AddFile& file, const std::string& path, bool read_rows, Findings* findings,
               TableCheckReport* report);

}  // namespace sluice::delta
