#include "engine/operator_chain.h"

#include <algorithm>
#include <utility>

#include "base/workers.h"

namespace sluice::engine {
namespace {

// Larger batches are cut so that the parallel steps have work for every thread.
constexpr int64_t kParallelRows = 65'536;

void AddCounters(flow::EpochOutput* from, flow::EpochOutput* to) {
  for (auto& [table, rows] : from->satellites) {
    auto& all = to->satellites[table];
    std::move(rows.begin(), rows.end(), std::back_inserter(all));
  }
  for (const auto& [rule, count] : from->expectations) {
    to->expectations[rule].passed += count.passed;
    to->expectations[rule].failed += count.failed;
  }
  std::move(from->deletes.begin(), from->deletes.end(), std::back_inserter(to->deletes));
  to->replace = to->replace || from->replace;
  to->input_rows += from->input_rows;
  to->dropped_rows += from->dropped_rows;
  to->late_rows += from->late_rows;
  to->duplicate_rows += from->duplicate_rows;
}

/// Passes rows to the operator at `next`, or to the end: `gathered` when set, else the output's
/// rows.
class ChainCollector : public flow::Collector {
 public:
  ChainCollector(const flow::EpochContext& epoch, const std::vector<flow::Operator*>& operators,
                 size_t next, size_t end, flow::EpochOutput* out, std::vector<Batch>* gathered)
      : epoch_(epoch),
        operators_(operators),
        next_(next),
        end_(end),
        out_(out),
        gathered_(gathered) {}

  Status Emit(Batch batch) override {
    if (batch.num_rows() == 0) return Status::OK();
    if (next_ < end_) {
      ChainCollector further(epoch_, operators_, next_ + 1, end_, out_, gathered_);
      return operators_[next_]->ProcessBatch(epoch_, batch, &further);
    }
    if (gathered_ != nullptr) {
      gathered_->push_back(std::move(batch));
    } else {
      out_->rows.push_back(std::move(batch.rows));
    }
    return Status::OK();
  }
  Status EmitDeletes(std::shared_ptr<arrow::RecordBatch> keys) override {
    if (keys->num_rows() > 0) out_->deletes.push_back(std::move(keys));
    return Status::OK();
  }
  Status EmitSatellite(const std::string& table,
                       std::shared_ptr<arrow::RecordBatch> rows) override {
    if (rows->num_rows() > 0) out_->satellites[table].push_back(std::move(rows));
    return Status::OK();
  }
  flow::EpochOutput& counters() override { return *out_; }

 private:
  const flow::EpochContext& epoch_;
  const std::vector<flow::Operator*>& operators_;
  const size_t next_;
  const size_t end_;
  flow::EpochOutput* const out_;
  std::vector<Batch>* const gathered_;
};

Batch BatchOf(std::shared_ptr<const SourceRows> rows) {
  Batch batch;
  batch.rows = rows->rows;
  batch.origin = std::move(rows);
  return batch;
}

std::vector<Batch> Cut(const std::vector<std::shared_ptr<const SourceRows>>& rows) {
  std::vector<Batch> batches;
  for (const auto& part : rows) {
    const int64_t count = part->rows->num_rows();
    if (count <= kParallelRows + kParallelRows / 2) {
      batches.push_back(BatchOf(part));
      continue;
    }
    for (int64_t at = 0; at < count; at += kParallelRows) {
      auto slice = std::make_shared<SourceRows>(*part);
      slice->rows = part->rows->Slice(at, kParallelRows);
      batches.push_back(BatchOf(std::move(slice)));
    }
  }
  return batches;
}

}  // namespace

OperatorChain::OperatorChain(std::vector<Operators*> inputs, Operators* shared, Workers* workers)
    : num_shared_(shared->size()), workers_(workers) {
  for (Operators* own : inputs) {
    Path path;
    for (const auto& op : *own) {
      path.operators.push_back(op.get());
      all_.push_back(op.get());
    }
    for (const auto& op : *shared) path.operators.push_back(op.get());
    while (path.parallel < path.operators.size() && path.operators[path.parallel]->stateless()) {
      ++path.parallel;
    }
    paths_.push_back(std::move(path));
  }
  for (const auto& op : *shared) all_.push_back(op.get());
}

template <typename Function>
Status OperatorChain::ForEach(Function&& function) const {
  for (flow::Operator* op : all_) {
    Status status = function(op);
    if (!status.ok()) return status;
  }
  return Status::OK();
}

Status OperatorChain::Open() {
  return ForEach([](flow::Operator* op) { return op->Open(); });
}

Status OperatorChain::Process(const flow::EpochContext& epoch, size_t input,
                              const std::vector<std::shared_ptr<const SourceRows>>& rows,
                              flow::EpochOutput* out) {
  const Path& path = paths_[input];
  const size_t end = path.operators.size();
  const std::vector<Batch> batches = Cut(rows);
  if (workers_ == nullptr || path.parallel == 0 || batches.size() < 2) {
    ChainCollector first(epoch, path.operators, 0, end, out, nullptr);
    for (const Batch& batch : batches) SLUICE_RETURN_NOT_OK(first.Emit(batch));
    return Status::OK();
  }
  struct Part {
    std::vector<Batch> batches;
    flow::EpochOutput counters;
  };
  std::vector<Part> parts(batches.size());
  SLUICE_RETURN_NOT_OK(workers_->Run(batches.size(), [&](size_t i) {
    ChainCollector first(epoch, path.operators, 0, path.parallel, &parts[i].counters,
                         &parts[i].batches);
    return first.Emit(batches[i]);
  }));
  ChainCollector rest(epoch, path.operators, path.parallel, end, out, nullptr);
  for (Part& part : parts) {
    AddCounters(&part.counters, out);
    for (Batch& batch : part.batches) SLUICE_RETURN_NOT_OK(rest.Emit(std::move(batch)));
  }
  return Status::OK();
}

Status OperatorChain::EndEpoch(const flow::EpochContext& epoch, flow::EpochOutput* out) {
  for (size_t p = 0; p < paths_.size(); ++p) {
    const std::vector<flow::Operator*>& operators = paths_[p].operators;
    // The shared operators end once, after the own ones of every input.
    const bool last = p + 1 == paths_.size();
    const size_t count = last ? operators.size() : operators.size() - num_shared_;
    for (size_t i = 0; i < count; ++i) {
      ChainCollector further(epoch, operators, i + 1, operators.size(), out, nullptr);
      SLUICE_RETURN_NOT_OK(operators[i]->OnEpochEnd(epoch, &further));
    }
  }
  return Status::OK();
}

TimestampMicros OperatorChain::MaxEventTime(size_t input) const {
  const Path& path = paths_[input];
  const size_t own =
      paths_.size() == 1 ? path.operators.size() : path.operators.size() - num_shared_;
  TimestampMicros max = kNoTimestamp;
  for (size_t i = 0; i < own; ++i) max = std::max(max, path.operators[i]->MaxEventTime());
  return max;
}

Status OperatorChain::OnCommit(EpochNumber epoch, TableVersion version, TimestampMicros watermark) {
  return ForEach([&](flow::Operator* op) { return op->OnCommit(epoch, version, watermark); });
}

Status OperatorChain::OnAbort(EpochNumber epoch) {
  return ForEach([&](flow::Operator* op) { return op->OnAbort(epoch); });
}

Status OperatorChain::ClearState() {
  return ForEach([](flow::Operator* op) { return op->ClearState(); });
}

int64_t OperatorChain::StateBytes() const {
  int64_t bytes = 0;
  for (const flow::Operator* op : all_) bytes += op->StateBytes();
  return bytes;
}

std::vector<flow::Operator*> OperatorChain::Stateful() const {
  std::vector<flow::Operator*> stateful;
  for (flow::Operator* op : all_) {
    if (op->has_state()) stateful.push_back(op);
  }
  return stateful;
}

}  // namespace sluice::engine
