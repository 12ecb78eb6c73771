// Stream-static equi join: each row of the stream looks up a table held in memory. The table may
// change between epochs: the provider is asked once an epoch and a newer version is indexed then.
// NULL keys never match (unless null_safe). Stateless: ProcessBatch may run on several threads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "flow/operator.h"
#include "operators/row_evaluator.h"

namespace sluice::operators {

/// A version of the static side. Immutable.
struct StaticTable {
  TableVersion version{-1};  // the same version = the same rows
  std::shared_ptr<arrow::RecordBatch> rows;
};
/// The newest version. Called at the first batch of each epoch, one thread at a time.
using StaticTableProvider = std::function<Result<std::shared_ptr<const StaticTable>>()>;

enum class StaticJoinKind { kInner, kLeft, kSemi, kAnti };

struct StaticJoinOptions {
  std::string name = "static join";
  std::shared_ptr<arrow::Schema> stream_schema;
  std::shared_ptr<arrow::Schema> static_schema;
  StaticJoinKind kind = StaticJoinKind::kInner;
  std::vector<int> stream_keys;  // pairwise with static_keys, of equal types; none = every pair
  std::vector<int> static_keys;
  std::vector<bool> null_safe;  // empty = all false
  StaticTableProvider provider;
  /// One BOOLEAN expression over stream columns then static columns; a pair matches when it is
  /// TRUE. May be null.
  RowEvaluatorFactory residual;
  int64_t max_static_bytes = 1LL << 30;  // a larger table fails with STATIC_TABLE_TOO_LARGE
  int64_t max_pairs_per_batch =
      1 << 20;  // a batch that fans out is emitted in pieces of about this size
};

/// Output: stream columns, then static columns (none for semi and anti; nullable for left).
/// Provenance follows the stream's row, also where it fans out.
class StaticJoinOperator : public flow::Operator {
 public:
  static Result<std::unique_ptr<StaticJoinOperator>> Make(StaticJoinOptions options);
  ~StaticJoinOperator() override;

  std::string_view name() const override { return options_.name; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return schema_; }
  bool stateless() const override { return true; }
  Status Open() override;
  Status ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                      flow::Collector* out) override;

 private:
  class Index;
  struct Pairs;
  explicit StaticJoinOperator(StaticJoinOptions options);
  Result<std::shared_ptr<const Index>> IndexFor(EpochNumber epoch) EXCLUDES_LOCK(mutex_);
  Status ApplyResidual(const flow::EpochContext& epoch, const Index& index, const Batch& batch,
                       Pairs* pairs);
  void FinishRows(int64_t begin, int64_t end, Pairs* pairs) const;
  Result<Batch> Combine(const Index& index, const Batch& batch, const Pairs& pairs) const;

  const StaticJoinOptions options_;
  std::shared_ptr<arrow::Schema> pair_schema_;  // what the residual sees
  std::shared_ptr<arrow::Schema> schema_;
  EvaluatorPool residual_;
  Mutex mutex_;
  std::map<EpochNumber, std::shared_ptr<const Index>> indexes_
      GUARDED_BY(mutex_);  // of the newest epochs
};

}  // namespace sluice::operators
