// WITH RECURSIVE of the query runner: level by level, each made when it is asked for.
#include <fmt/format.h>

#include "sql/execution/query_compiler_internal.h"

namespace sluice::sql {
namespace {

PlanPtr TableOf(std::shared_ptr<arrow::Table> rows, bool streaming) {
  auto made = std::make_shared<TableNode>();
  made->schema = rows->schema();
  made->table = std::move(rows);
  made->is_streaming = streaming;
  return made;
}

/// `plan` with `rows` where it reads the rows made last.
PlanPtr Over(const PlanPtr& plan, int recursion, const std::shared_ptr<arrow::Table>& rows) {
  if (!ReadsRecursion(*plan, recursion)) return plan;
  if (plan->kind == PlanKind::kTable) return TableOf(rows, false);
  std::vector<PlanPtr> inputs;
  for (const PlanPtr& input : plan->inputs) inputs.push_back(Over(input, recursion, rows));
  return WithInputs(*plan, std::move(inputs));
}

class RecursionReader : public arrow::RecordBatchReader {
 public:
  RecursionReader(DuckDbRuntime& runtime, const NativeFunctions& functions, TimestampMicros clock,
                  RecursionNode node, PlanPtr step, ReaderPtr anchor)
      : runtime_(runtime),
        functions_(functions),
        clock_(clock),
        node_(std::move(node)),
        step_(std::move(step)),
        level_(std::move(anchor)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return node_.schema; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    for (;;) {
      SLUICE_RETURN_NOT_OK(level_->ReadNext(out));
      if (*out != nullptr) {
        rows_ += (*out)->num_rows();
        if (rows_ > node_.most_rows)
          return MakeError("RECURSION_ROW_LIMIT_EXCEEDED",
                           fmt::format("[RECURSION_ROW_LIMIT_EXCEEDED] recursion made more than "
                                       "{} rows",
                                       node_.most_rows));
        if ((*out)->num_rows() == 0) continue;
        last_.push_back(*out);
        return Status::OK();
      }
      if (last_.empty()) return Status::OK();
      SLUICE_RETURN_NOT_OK(NextLevel());
    }
  }

 private:
  Status NextLevel() {
    if (++levels_ > node_.most_levels)
      return MakeError("RECURSION_LEVEL_LIMIT_EXCEEDED",
                       fmt::format("[RECURSION_LEVEL_LIMIT_EXCEEDED] recursion level limit {} "
                                   "reached but query has not exhausted",
                                   node_.most_levels));
    SLUICE_ASSIGN_OR_RETURN(auto rows,
                            arrow::Table::FromRecordBatches(node_.schema, std::move(last_)));
    last_.clear();
    const ScanOpener no_scans = [](const auto&, const auto&, const auto&) -> Result<ReaderPtr> {
      return MakeError("QUERY_FAILED", "a scan within a recursion");
    };
    QueryCompiler compiler(runtime_, no_scans, functions_, clock_);
    SLUICE_ASSIGN_OR_RETURN(level_, compiler.Compile(Over(step_, node_.id, rows)));
    level_ = MakeRenamingReader(std::move(level_), node_.schema);
    return Status::OK();
  }

  DuckDbRuntime& runtime_;
  const NativeFunctions& functions_;
  const TimestampMicros clock_;
  const RecursionNode node_;
  const PlanPtr step_;
  ReaderPtr level_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> last_;  // rows of the level so far
  int64_t levels_ = 0;
  int64_t rows_ = 0;
};

}  // namespace

Result<PlanPtr> QueryCompiler::ComputeOnce(const PlanPtr& plan, int recursion) {
  if (plan->kind == PlanKind::kTable) return plan;
  if (!ReadsRecursion(*plan, recursion)) {
    if (AnyNode(*plan, [](const LogicalPlan& node) {
          return node.kind == PlanKind::kTable && As<TableNode>(node).table == nullptr;
        })) {
      return MakeError("NOT_SUPPORTED_YET", "not supported yet: recursion within a recursion");
    }
    SLUICE_ASSIGN_OR_RETURN(auto fragment, Build(plan));
    SLUICE_ASSIGN_OR_RETURN(auto reader, ToReader(std::move(fragment)));
    SLUICE_ASSIGN_OR_RETURN(auto rows, reader->ToTable());
    return TableOf(std::move(rows), plan->is_streaming);
  }
  std::vector<PlanPtr> inputs;
  for (const PlanPtr& input : plan->inputs) {
    SLUICE_ASSIGN_OR_RETURN(auto computed, ComputeOnce(input, recursion));
    inputs.push_back(std::move(computed));
  }
  return WithInputs(*plan, std::move(inputs));
}

Result<Fragment> QueryCompiler::BuildRecursion(const RecursionNode& node) {
  SLUICE_ASSIGN_OR_RETURN(auto fragment, Build(NarrowPlan(node.inputs[0])));
  SLUICE_ASSIGN_OR_RETURN(auto anchor, ToReader(std::move(fragment)));
  SLUICE_ASSIGN_OR_RETURN(auto step, ComputeOnce(NarrowPlan(node.inputs[1]), node.id));
  return FromReader(
      std::make_shared<RecursionReader>(runtime_, functions_, clock_, node, std::move(step),
                                        MakeRenamingReader(std::move(anchor), node.schema)));
}

}  // namespace sluice::sql
