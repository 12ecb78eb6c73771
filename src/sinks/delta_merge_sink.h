// Keeps a materialized view: upserts and deletes by key, one commit an epoch with the source
// positions in it. Old rows are hidden by deletion vectors or, with
// delta.enableDeletionVectors=false, their files are rewritten; a small view is rewritten whole.
// Where the live row of each key is, is an index in memory, read from the table by the first change
// and after one that failed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/hash128.h"
#include "base/mutex.h"
#include "delta/log/table.h"
#include "flow/sink.h"
#include "sinks/delta_sink_options.h"

namespace sluice::sinks {

struct MergeOptions {
  std::vector<std::string> key_columns;  // empty = the view has one row
  /// A view of at most so many rows (not partitioned) is rewritten whole by an epoch that changes
  /// it: cheaper than deletion vectors and many small files. Its rows are kept in memory.
  int64_t rewrite_whole_rows = 20'000;
};

class FlowTable;
class MergeStaged;
class RowIndex;

/// Rows of an epoch replace the rows with their keys; EpochOutput::deletes removes keys;
/// EpochOutput::replace replaces the whole table. Within an epoch the last row of a key wins, and
/// rows win over deletes.
class DeltaMergeSink : public flow::Sink {
 public:
  /// `tables` outlives the sink. Touches no storage. FLOW_DEFINITION when a key is not a column.
  static Result<std::unique_ptr<DeltaMergeSink>> Make(DeltaSinkOptions options, MergeOptions merge,
                                                      delta::TableRegistry& tables, uint64_t seed);
  ~DeltaMergeSink() override;

  Result<flow::RecoveredFlow> Recover() override;
  Result<std::unique_ptr<flow::StagedEpoch>> Stage(flow::EpochOutput output) override;
  Result<flow::CommittedEpoch> Commit(flow::StagedEpoch* staged) override;
  Status CommitSatellites(flow::StagedEpoch* staged) override;
  Result<std::vector<TableVersion>> Maintain() override;
  Result<std::vector<flow::EpochMark>> History(EpochNumber after) override;

 private:
  /// All rows of a small view, and the hashes of their keys.
  struct Whole {
    std::shared_ptr<arrow::RecordBatch> rows;
    std::vector<Hash128> keys;
  };

  DeltaMergeSink(std::unique_ptr<FlowTable> table, MergeOptions merge);
  /// Brings whole_ or index_ to the newest version known in this process, which is returned.
  Result<std::shared_ptr<const delta::Snapshot>> LoadRows() REQUIRES_LOCK(mutex_);
  bool MayRewriteWhole(const delta::Snapshot& snapshot, int64_t rows) const;
  // An epoch's changes as actions of a transaction. What memory knows of the table is void until
  // AfterCommit.
  Status Replace(MergeStaged* staged, delta::Transaction* transaction) REQUIRES_LOCK(mutex_);
  Status RewriteWhole(MergeStaged* staged, delta::Transaction* transaction) REQUIRES_LOCK(mutex_);
  Status MergeByIndex(MergeStaged* staged, delta::Transaction* transaction) REQUIRES_LOCK(mutex_);
  Status HideRows(const std::vector<std::string>& touched, delta::Transaction* transaction)
      REQUIRES_LOCK(mutex_);
  Status RewriteFiles(const std::vector<std::string>& touched, MergeStaged* staged,
                      delta::Transaction* transaction) REQUIRES_LOCK(mutex_);
  Status AfterCommit(MergeStaged* staged, const delta::CommitResult& result) REQUIRES_LOCK(mutex_);

  std::unique_ptr<FlowTable> table_;
  const MergeOptions merge_;
  Mutex mutex_;  // held while rows move: by Commit, Recover and compaction
  TableVersion known_ GUARDED_BY(mutex_){
      -1};  // version that whole_ or index_ describe; -1 = neither does
  std::string known_table_ GUARDED_BY(mutex_);  // ... of the table with this id
  std::optional<Whole> whole_ GUARDED_BY(mutex_);
  std::unique_ptr<RowIndex> index_ GUARDED_BY(mutex_);
};

}  // namespace sluice::sinks
