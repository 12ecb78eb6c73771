// Contract of an operator (after Arroyo's): rows in, rows out, with memory of the past that changes
// only when an epoch is committed. Call order: Open, then per epoch { ProcessBatch* OnEpochEnd }
// and later OnCommit or OnAbort of that epoch; epochs are processed in order, and OnCommit calls
// come in epoch order, possibly after the processing of later epochs began (pending changes are
// visible to later epochs of the same flow). One thread at a time.
#pragma once

#include <arrow/io/interfaces.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "batch/batch.h"
#include "flow/epoch.h"

namespace sluice::flow {

/// Where an operator puts what it makes. The collector of the last operator fills the EpochOutput.
class Collector {
 public:
  virtual ~Collector() = default;
  virtual Status Emit(Batch batch) = 0;
  /// Keys of rows to remove from a merging target.
  virtual Status EmitDeletes(std::shared_ptr<arrow::RecordBatch> keys) = 0;
  /// Rows for a satellite table of the target.
  virtual Status EmitSatellite(const std::string& table,
                               std::shared_ptr<arrow::RecordBatch> rows) = 0;
  /// The epoch's counters (expectations, late, duplicates, dropped).
  virtual EpochOutput& counters() = 0;
};

class Operator {
 public:
  virtual ~Operator() = default;
  virtual std::string_view name() const = 0;
  virtual const std::shared_ptr<arrow::Schema>& output_schema() const = 0;
  /// A stateless operator may be given the batches of one epoch on several threads at once
  /// (ProcessBatch only).
  virtual bool stateless() const { return false; }
  virtual Status Open() { return Status::OK(); }
  virtual Status ProcessBatch(const EpochContext& epoch, const Batch& batch, Collector* out) = 0;
  /// Flushes what the epoch gathered (aggregates emit their changed groups here).
  virtual Status OnEpochEnd(const EpochContext& epoch, Collector* out);
  /// Largest event time seen by ProcessBatch so far (over rows not beyond
  /// EpochContext::max_event_time), or kNoTimestamp: feeds the watermark. Read after OnEpochEnd,
  /// before the next epoch's rows come in.
  virtual TimestampMicros MaxEventTime() const { return kNoTimestamp; }
  /// The epoch is committed as `version` of the target: its pending changes become the state.
  virtual Status OnCommit(EpochNumber epoch, TableVersion version, TimestampMicros watermark);
  /// This epoch and all later ones are discarded.
  virtual Status OnAbort(EpochNumber epoch);
  /// State of the last committed epoch. Load replaces all; Clear empties (before a rebuild).
  virtual Status SaveState(arrow::io::OutputStream* out);
  virtual Status LoadState(arrow::io::InputStream* in);
  virtual Status ClearState();
  /// Bytes held, for limits and metrics.
  virtual int64_t StateBytes() const { return 0; }
  /// True when lost state makes wrong answers until it is rebuilt (dedup, aggregates).
  virtual bool has_state() const { return false; }
};

}  // namespace sluice::flow
