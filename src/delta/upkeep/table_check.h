// fsck: reads a table's log, folder and files and says what is not as the protocol wants it.
// Changes nothing. Works on tables that cannot be opened, too. Memory: one snapshot, 16 bytes per
// file any version names, and the paths listed. Call from any one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/named_type.h"
#include "base/status.h"
#include "storage/storage.h"

namespace sluice::delta {

enum class FindingLevel {
  kError,    // rows are lost or wrong, or the table cannot be read
  kWarning,  // an older version cannot be read, or a reader is misled but not wrong
  kInfo      // space that VACUUM would free, and the like
};
const char* ToString(FindingLevel level);

/// `check` is one of: open, log-gap, commit, checkpoint, last-checkpoint, checksum, missing-file,
/// file-size, file-content, deletion-vector, statistics, orphaned-file.
struct Finding {
  FindingLevel level = FindingLevel::kError;
  std::string check;
  std::string path;  // of the file concerned
  std::string detail;
};

struct TableCheckOptions {
  bool read_rows = true;  // statistics against rows; otherwise only sizes and row counts of files
  size_t max_findings = 10000;  // what is beyond is counted only
};

struct TableCheckReport {
  TableVersion version{-1};      // checked; -1 when the table cannot be opened
  int64_t versions_checked = 0;  // replayed one by one
  int64_t files_checked = 0;
  int64_t rows_read = 0;
  int64_t orphaned_bytes = 0;
  std::vector<Finding> findings;
  int64_t findings_left_out = 0;

  bool HasErrors() const;
};

/// DELTA_TABLE_NOT_FOUND when there is no log; errors of the storage. All else is a finding.
Result<TableCheckReport> CheckTable(storage::Storage& storage, const std::string& table_path,
                                    const TableCheckOptions& options = {});

}  // namespace sluice::delta
