#include "sql/execution/query_runner.h"

#include "sql/execution/query_compiler_internal.h"

namespace sluice::sql {

struct QueryRunner::Impl {
  QueryRunnerOptions options;
  std::unique_ptr<DuckDbRuntime> runtime;
};

QueryRunner::QueryRunner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
QueryRunner::~QueryRunner() = default;

std::unique_ptr<QueryRunner> QueryRunner::Make(QueryRunnerOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->runtime =
      DuckDbRuntime::Make({options.threads, options.memory_bytes, options.temp_directory});
  impl->options = std::move(options);
  return std::unique_ptr<QueryRunner>(new QueryRunner(std::move(impl)));
}

Result<std::shared_ptr<arrow::RecordBatchReader>> QueryRunner::Run(const PlanPtr& plan,
                                                                   const ScanOpener& open_scan,
                                                                   TimestampMicros clock) {
  if (plan->is_streaming) {
    return MakeError("UNSUPPORTED_STREAMING_OPERATOR",
                     "a query that reads a stream can only be the query of a flow",
                     "leave STREAM out to read the table as it is now");
  }
  QueryCompiler compiler(*impl_->runtime, open_scan, impl_->options.native_functions, clock);
  return compiler.Compile(NarrowPlan(plan));
}

Result<std::shared_ptr<arrow::Table>> QueryRunner::RunToTable(const PlanPtr& plan,
                                                              const ScanOpener& open_scan,
                                                              TimestampMicros clock) {
  SLUICE_ASSIGN_OR_RETURN(auto reader, Run(plan, open_scan, clock));
  return reader->ToTable();
}

}  // namespace sluice::sql
