// One epoch of a flow: what it reads, what it produced, and the record of it that is committed with
// the rows.
#pragma once

#include <arrow/record_batch.h>

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/named_type.h"
#include "flow/positions.h"

namespace sluice::flow {

/// Fixed when an epoch starts; the same for everything evaluated in it.
struct EpochContext {
  EpochNumber number;
  TimestampMicros clock = 0;  // current_timestamp() of the epoch
  TimestampMicros watermark =
      kNoTimestamp;  // at the start of the epoch; rows older than it are late
  /// Event times beyond it (clock + pipelines.watermark.maxFuture) must not count in
  /// Operator::MaxEventTime.
  TimestampMicros max_event_time = std::numeric_limits<int64_t>::max();
  bool rebuilding = false;  // state-only: what is emitted is discarded
};

/// Where one epoch of the past ended and what it was evaluated with: a rebuild of state repeats it
/// exactly.
struct EpochMark {
  EpochNumber number;
  TimestampMicros clock = 0;
  TimestampMicros watermark = kNoTimestamp;  // after the epoch
  Positions to;                              // next position of the partitions that advanced in it
};

/// Committed with the rows, as txn actions and commitInfo.
struct EpochRecord {
  EpochNumber number;
  TimestampMicros clock = 0;
  TimestampMicros watermark = kNoTimestamp;  // after the epoch: what the next one starts with
  Positions from;                // positions the epoch started from: the commit requires them
  Positions to;                  // next position per partition
  Positions replay_from;         // "#from": where a rebuild of open state starts reading
  EpochNumber replay_epoch{-1};  // the epoch that started there; -1 = nothing recorded
  std::map<std::string, int64_t>
      fingerprints;  // "#fp" per partition: hash of the last consumed record
  std::vector<EpochMark>
      merged;  // earlier epochs without output that are committed together with this one
};

/// Rows of one satellite table (quarantine, late rows) of the flow's target.
using SatelliteRows = std::map<std::string, std::vector<std::shared_ptr<arrow::RecordBatch>>>;

/// Counts of one expectation in one epoch.
struct ExpectationCount {
  int64_t passed = 0;
  int64_t failed = 0;
};

/// Everything an epoch made, in order; handed to the sink.
struct EpochOutput {
  EpochRecord record;
  std::vector<std::shared_ptr<arrow::RecordBatch>>
      rows;  // appended; or, for a merging sink, new rows of changed keys
  std::vector<std::shared_ptr<arrow::RecordBatch>>
      deletes;           // merging sink: key columns of rows to remove
  bool replace = false;  // the rows replace the whole table (recomputed view)
  SatelliteRows satellites;
  std::map<std::string, ExpectationCount> expectations;
  int64_t input_rows = 0;
  int64_t dropped_rows = 0;  // by DROP ROW
  int64_t late_rows = 0;
  int64_t duplicate_rows = 0;
};

}  // namespace sluice::flow
