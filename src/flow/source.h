// Contract of a source: delivers records of its partitions in order, with the positions behind
// them. Call order: Open, { PollBatch }*, with Resume after a failed epoch and Rewind for a rebuild
// of state; Close. One thread at a time (the flow's read thread), except OnProcessed, OnCommitted,
// Lag and Stop, which may come from any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "batch/batch.h"
#include "flow/epoch.h"
#include "flow/positions.h"
#include "flow/source_gap.h"

namespace sluice::flow {

struct PollLimits {
  int64_t max_rows = 500'000;
  int64_t max_bytes = 256LL << 20;
  int64_t max_wait_micros =
      100'000;  // how long to wait for the first record; then what is there is taken
  /// When not empty (a rebuild of state): partitions named here are read up to these positions and
  /// not beyond, others not at all; records beyond are kept for later polls. `next` then tells
  /// where each of the named partitions stands, whether it moved in this poll or not, and reaches
  /// exactly these positions, also when the last records before them no longer exist (compacted).
  Positions until;
};

/// What one poll delivered: whole batches in order and the positions after them.
struct SourceBatch {
  std::vector<std::shared_ptr<const SourceRows>> rows;  // empty = nothing new
  Positions next;  // of the partitions that advanced; see PollLimits::until
  std::map<std::string, int64_t>
      fingerprints;  // of the partitions that advanced, where the source has them
  /// Where partitions without a committed position began, told with their first position; of a
  /// source that may lose old records. A rebuild of state that begins there must find them all.
  Positions started;
  std::vector<SourceGap> gaps;  // met before these rows
  int64_t num_rows = 0;
};

struct SourceLag {
  int64_t records = -1;  // records (or versions) behind the end; -1 = not known
  std::string state;     // "RUNNING", or what it waits for: "broker unreachable since ..."
};

class Source {
 public:
  virtual ~Source() = default;
  /// Stable name in positions ("<source id>/<partition>").
  virtual const std::string& id() const = 0;
  /// Columns of the delivered rows.
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  /// Starts reading at `committed` (the entries of this source; a partition without one starts
  /// where the source's options say). `fingerprints` are those committed with the positions: a
  /// mismatch means the partition was recreated.
  virtual Status Open(const Positions& committed,
                      const std::map<std::string, int64_t>& fingerprints) = 0;
  /// Fixes the end for a bounded run: what exists now. PollBatch reads no further; AtEnd tells when
  /// it is reached.
  virtual Status PinEnd() = 0;
  virtual Result<bool> AtEnd() = 0;
  virtual Result<SourceBatch> PollBatch(const PollLimits& limits) = 0;
  /// Goes back to these positions (for a rebuild of state); a partition without an entry goes to
  /// where Open without positions would start it. An error when records from there on no longer
  /// exist.
  virtual Status Rewind(const Positions& positions) = 0;
  /// Goes on at the committed positions, as Open does: records lost behind them are judged by the
  /// source's options.
  virtual Status Resume(const Positions& committed,
                        const std::map<std::string, int64_t>& /*fingerprints*/) {
    return Rewind(committed);
  }
  /// Records before these positions were processed: what is kept of them in memory may go. Should
  /// their epoch fail, Resume asks for them again.
  virtual void OnProcessed(const Positions&) {}
  /// The positions are committed: for lag tools and leases. Never fails an epoch.
  virtual void OnCommitted(const Positions& positions) = 0;
  virtual SourceLag Lag() = 0;
  /// Makes a waiting PollBatch return soon.
  virtual void Stop() = 0;
  virtual Status Close() = 0;
};

}  // namespace sluice::flow
