// A few threads shared by everything that may run in parallel: decoding, encoding. Thread-safe.
// They take none of the signals that end a process: those are for whoever waits for them.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace sluice {

class Workers {
 public:
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Calls `task` for 0 .. count-1, the caller's thread helping; returns when all are done, with
  /// the error of the lowest index that failed. `task` must not call Run.
  Status Run(size_t count, const std::function<Status(size_t)>& task);

 private:
  struct Job;
  void Loop();

  Mutex mutex_;
  ConditionVariable changed_;
  std::deque<std::shared_ptr<Job>> jobs_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace sluice
