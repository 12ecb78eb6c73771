// SHALLOW CLONE: a new table whose files are those of another one at a version, named by absolute
// path; only what is written from then on is its own. Call from any one thread.
#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "base/status.h"
#include "delta/files/write_options.h"
#include "delta/log/table.h"

namespace sluice::delta {

struct CloneOptions {
  StringMap properties;     // put over the source's
  std::string source_name;  // as the history shows it; empty = delta.`path`
};

/// Makes version 0 of a table at `target_path`. Metrics: sourceTableSize, sourceNumOfFiles,
/// numCopiedFiles, copiedFilesSize, numRemovedFiles, removedFilesSize. The clone has the source's
/// schema, properties, protocol and row ids, an identity of its own and no transaction
/// identifiers. VACUUM of the source does not know the clone.
///
/// DELTA_TABLE_EXISTS; DELTA_UNSUPPORTED_WRITER_FEATURE when this library may not write the clone.
Result<WriteReport> ShallowClone(const TableContext& context, const Snapshot& source,
                                 const std::string& target_path, const CloneOptions& options,
                                 Random& random);

}  // namespace sluice::delta
