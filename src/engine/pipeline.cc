#include "engine/pipeline.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/thread_name.h"
#include "engine/flow_driver.h"
#include "state/snapshot_store.h"

namespace sluice::engine {
namespace {

constexpr int64_t kMaintainMicros = 250'000;

/// Indices of `flows` so that every flow comes after those it reads from.
Result<std::vector<size_t>> TopologicalOrder(const std::vector<Pipeline::Flow>& flows) {
  std::map<std::string, size_t> by_name;
  for (size_t i = 0; i < flows.size(); ++i) {
    if (!by_name.emplace(flows[i].spec.name, i).second) {
      return MakeError("FLOW_DEFINITION", "two flows have one name: " + flows[i].spec.name);
    }
  }
  std::vector<std::set<size_t>> waits_for(flows.size());
  for (size_t i = 0; i < flows.size(); ++i) {
    for (const FlowInput& input : flows[i].spec.inputs) {
      for (const std::string& upstream : input.upstream_flows) {
        const auto found = by_name.find(upstream);
        if (found == by_name.end()) {
          return MakeError("FLOW_DEFINITION",
                           "flow reads from a flow that does not exist: " + upstream);
        }
        waits_for[i].insert(found->second);
      }
    }
  }
  std::vector<size_t> order;
  std::vector<bool> placed(flows.size(), false);
  while (order.size() < flows.size()) {
    const size_t before = order.size();
    for (size_t i = 0; i < flows.size(); ++i) {
      if (placed[i]) continue;
      if (!std::all_of(waits_for[i].begin(), waits_for[i].end(),
                       [&](size_t up) { return placed[up]; }))
        continue;
      placed[i] = true;
      order.push_back(i);
    }
    if (order.size() == before)
      return MakeError("FLOW_DEFINITION", "flows read from each other in a circle");
  }
  return order;
}

}  // namespace

Pipeline::Pipeline(const PipelineOptions& options, Clock& clock, FlowListener* listener)
    : options_(options), clock_(clock), listener_(listener) {}

Pipeline::~Pipeline() {
  for (auto& driver : drivers_) driver->Abandon();
  for (auto& driver : drivers_) driver->Join();
}

Result<std::unique_ptr<Pipeline>> Pipeline::Make(std::vector<Flow> flows,
                                                 const PipelineOptions& options, Clock& clock,
                                                 FlowListener* listener) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<size_t> order, TopologicalOrder(flows));
  auto pipeline = std::unique_ptr<Pipeline>(new Pipeline(options, clock, listener));
  std::map<std::string, FlowDriver*> by_name;
  for (const size_t i : order) {
    FlowEnvironment environment{&clock, flows[i].snapshots.get(), options.workers};
    pipeline->snapshots_.push_back(std::move(flows[i].snapshots));
    SLUICE_ASSIGN_OR_RETURN(auto runner, FlowRunner::Make(std::move(flows[i].spec), environment));
    auto driver = std::make_unique<FlowDriver>(std::move(runner), options, clock, listener);
    const FlowSpec& spec = driver->runner().spec();
    for (size_t input = 0; input < spec.inputs.size(); ++input) {
      for (const std::string& upstream : spec.inputs[input].upstream_flows) {
        driver->AddUpstream(input, by_name.at(upstream));
        by_name.at(upstream)->AddDownstream(driver.get());
      }
    }
    by_name.emplace(driver->name(), driver.get());
    pipeline->drivers_.push_back(std::move(driver));
  }
  return pipeline;
}

sluice::Status Pipeline::Run() {
  std::thread maintenance([this] { MaintainLoop(); });
  for (auto& driver : drivers_) {
    driver->Start([this] {
      MutexLock lock(mutex_);
      changed_.notify_all();
    });
  }
  const auto all_ended = [this] {
    return std::all_of(drivers_.begin(), drivers_.end(),
                       [](const auto& driver) { return driver->ended(); });
  };
  {
    MutexLock lock(mutex_);
    changed_.wait(lock.native(), [&] { return stopping_ || all_ended(); });
  }
  if (!all_ended()) {
    for (auto& driver : drivers_) driver->RequestStop();
    MutexLock lock(mutex_);
    const bool in_time = changed_.wait_for(
        lock.native(), std::chrono::microseconds(options_.stop_timeout_micros), all_ended);
    if (!in_time) log::Warn("epochs in flight are dropped: they did not end in time");
  }
  for (auto& driver : drivers_) {
    if (!driver->ended()) driver->Abandon();
    driver->Join();
  }
  {
    MutexLock lock(mutex_);
    finished_ = true;
    changed_.notify_all();
  }
  maintenance.join();
  return sluice::Status::OK();
}

void Pipeline::MaintainLoop() {
  SetThreadName("maintain");
  MutexLock lock(mutex_);
  while (!finished_) {
    changed_.wait_for(lock.native(), std::chrono::microseconds(kMaintainMicros),
                      [&] { return finished_; });
    if (finished_) return;
    lock.native().unlock();
    for (auto& driver : drivers_) driver->Maintain();
    lock.native().lock();
  }
}

void Pipeline::RequestStop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

std::vector<FlowStatus> Pipeline::Statuses() const {
  std::vector<FlowStatus> statuses;
  for (const auto& driver : drivers_) statuses.push_back(driver->Status());
  return statuses;
}

Status Pipeline::FirstError() const {
  for (const auto& driver : drivers_) {
    const FlowStatus status = driver->Status();
    if (status.state == FlowState::kFailed) return status.error;
  }
  return sluice::Status::OK();
}

}  // namespace sluice::engine
