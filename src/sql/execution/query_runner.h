// Runs a bounded query: expressions by the evaluator, joins, aggregates, sorts and windows by
// DuckDB over Arrow. Used for ad hoc SQL, for views that are recomputed, for the static side of
// stream-static joins. A runner may be used from several threads; a result reader from one. The
// runner outlives its readers.
#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/named_type.h"
#include "base/status.h"
#include "sql/analysis/logical_plan.h"
#include "sql/functions/evaluator.h"

namespace sluice::sql {

/// Opens a table of the query. The reader yields exactly `columns` (positions in `scan.schema`,
/// maybe none: then only row counts matter) with their types; rows that fail `predicates` may be
/// left out (positions in `scan.schema`).
using ScanOpener = std::function<Result<std::shared_ptr<arrow::RecordBatchReader>>(
    const LogicalPlan& scan, const std::vector<int>& columns,
    const std::vector<SimplePredicate>& predicates)>;

struct QueryRunnerOptions {
  int threads = 2;
  int64_t memory_bytes = 1LL << 30;
  std::string temp_directory;  // spilling; empty = none
  NativeFunctions native_functions;
};

class QueryRunner {
 public:
  static std::unique_ptr<QueryRunner> Make(QueryRunnerOptions options = {});
  ~QueryRunner();

  /// Rows with the plan's schema. A plan that reads a stream is refused. Errors may also come while
  /// reading.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Run(const PlanPtr& plan,
                                                        const ScanOpener& open_scan,
                                                        TimestampMicros clock);
  Result<std::shared_ptr<arrow::Table>> RunToTable(const PlanPtr& plan, const ScanOpener& open_scan,
                                                   TimestampMicros clock);

 private:
  struct Impl;
  explicit QueryRunner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::sql
