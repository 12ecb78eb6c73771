// A bounded queue between two threads of a flow, with a second, unbounded lane whose items come out
// first. Thread-safe.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>

#include "base/mutex.h"
#include "engine/flow_runner.h"

namespace sluice::engine {

class EpochQueue {
 public:
  explicit EpochQueue(size_t capacity) : capacity_(capacity) {}

  struct Item {
    std::unique_ptr<EpochWork> work;
    bool urgent = false;
  };

  /// Waits for room. False when the queue was closed: `work` is dropped.
  bool Push(std::unique_ptr<EpochWork> work) EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    changed_.wait(lock.native(), [&] { return closed_ || works_.size() < capacity_; });
    if (closed_) return false;
    works_.push_back(std::move(work));
    changed_.notify_all();
    return true;
  }
  /// The lane that comes first; never waits, never dropped.
  void PushUrgent(std::unique_ptr<EpochWork> work) EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    urgent_.push_back(std::move(work));
    changed_.notify_all();
  }
  /// The next item; nothing (work == null) when `max_wait_micros` passed, or when the queue was
  /// closed and is empty.
  Item Pop(int64_t max_wait_micros) EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    changed_.wait_for(lock.native(), std::chrono::microseconds(max_wait_micros),
                      [&] { return closed_ || !works_.empty() || !urgent_.empty(); });
    Item item;
    auto& lane = urgent_.empty() ? works_ : urgent_;
    item.urgent = !urgent_.empty();
    if (lane.empty()) return item;
    item.work = std::move(lane.front());
    lane.pop_front();
    changed_.notify_all();
    return item;
  }
  /// No more is pushed; what is inside comes out still, unless `discard`.
  void Close(bool discard) EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    closed_ = true;
    if (discard) works_.clear();
    changed_.notify_all();
  }
  /// Closed, and nothing is left but urgent items.
  bool drained() EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    return closed_ && works_.empty() && urgent_.empty();
  }

 private:
  const size_t capacity_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::deque<std::unique_ptr<EpochWork>> works_ GUARDED_BY(mutex_);
  std::deque<std::unique_ptr<EpochWork>> urgent_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace sluice::engine
