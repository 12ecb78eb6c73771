// The operators of a flow in order: pushes batches through them depth-first and gathers what comes
// out. The stateless operators at the head of an input may run batch-parallel. One thread at a
// time.
#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "flow/operator.h"

namespace sluice {
class Workers;
}

namespace sluice::engine {

class OperatorChain {
 public:
  using Operators = std::vector<std::unique_ptr<flow::Operator>>;
  /// Per input its own operators, then those of the flow. All outlive the chain. `workers` may be
  /// null.
  OperatorChain(std::vector<Operators*> inputs, Operators* shared, Workers* workers);

  Status Open();
  /// Rows of one input, in order.
  Status Process(const flow::EpochContext& epoch, size_t input,
                 const std::vector<std::shared_ptr<const SourceRows>>& rows,
                 flow::EpochOutput* out);
  /// After the rows of all inputs.
  Status EndEpoch(const flow::EpochContext& epoch, flow::EpochOutput* out);
  /// Of the input's own operators, else (with one input) of any; kNoTimestamp when none has seen
  /// one.
  TimestampMicros MaxEventTime(size_t input) const;

  Status OnCommit(EpochNumber epoch, TableVersion version, TimestampMicros watermark);
  Status OnAbort(EpochNumber epoch);
  Status ClearState();
  int64_t StateBytes() const;
  /// Operators that keep state, in an order that is the same for the same flow.
  std::vector<flow::Operator*> Stateful() const;

 private:
  struct Path {
    std::vector<flow::Operator*> operators;
    size_t parallel = 0;  // so many at the head are stateless
  };
  template <typename Function>
  Status ForEach(Function&& function) const;

  std::vector<Path> paths_;
  std::vector<flow::Operator*> all_;  // each once: inputs in order, then shared
  size_t num_shared_ = 0;
  Workers* const workers_;
};

}  // namespace sluice::engine
