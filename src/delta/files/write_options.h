// What every statement that writes rows is told, and what it reports. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/named_type.h"
#include "base/status.h"
#include "delta/columns/expression.h"

namespace sluice {
class Workers;
}

namespace sluice::delta {

/// A batch of an application, so that the same one is written once: a version not above the one
/// stored for `app_id` is skipped.
struct AppTxn {
  std::string app_id;
  int64_t version = 0;
};

struct WriteOptions {
  /// Evaluates the expressions of the table (CHECK, generated columns, defaults). Without it a
  /// table that has such is refused. Outlives the call.
  ExpressionCompiler* expressions = nullptr;
  Workers* workers = nullptr;  // files are encoded on these threads, too; outlives the call
  std::optional<AppTxn> txn;
  std::optional<std::string> user_metadata;
};

struct WriteReport {
  std::optional<TableVersion> version;     // nothing: there was nothing to write
  bool skipped = false;                    // the AppTxn was written before
  std::map<std::string, int64_t> metrics;  // by Delta's names, as the history shows them
};

class Snapshot;
class Transaction;

/// Checks that the table of `transaction` can be written, and puts in what `options` ask for. False
/// = the AppTxn was written before: nothing is to be done. DELTA_UNSUPPORTED_WRITER_FEATURE.
Result<bool> BeginWrite(const WriteOptions& options, Transaction* transaction);

/// DELTA_APPEND_ONLY.
Status CheckMayRemoveRows(const Snapshot& snapshot);

}  // namespace sluice::delta
