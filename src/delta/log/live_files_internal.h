// The live files of a version straight from its log, newest commit first, without keeping them:
// what a checkpoint of a table that is not in memory is made of. Thread-safe (functions).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/file_columns.h"
#include "delta/log/log_segment.h"
#include "delta/protocol/action.h"
#include "storage/storage.h"

namespace sluice::delta {

struct FileVisitor {
  std::function<Status(const AddFile&)> add;
  std::function<Status(const RemoveFile&)> remove;  // tombstones
  /// Files of a checkpoint as its columns have them: `rows` of `adds` (positions, ascending).
  std::function<Status(const FileColumns& adds, const std::vector<int64_t>& rows)> add_rows;
};

/// Visits each file of segment.version once. Reads the commits after the newest checkpoint of
/// `segment` and then that checkpoint. Memory: a commit's text, a batch of the checkpoint, 16 bytes
/// per file the commits name. DELTA_LOG_CORRUPT, DELTA_FILE_CORRUPT: the checkpoint before may do.
Status VisitLiveFiles(storage::Storage& storage, const std::string& table_path,
                      const LogSegment& segment, const FileVisitor& visitor);

/// Not fewer than VisitLiveFiles visits: the lines of the commits and the rows of the checkpoint.
Result<int64_t> CountFileActions(storage::Storage& storage, const std::string& table_path,
                                 const LogSegment& segment);

}  // namespace sluice::delta
