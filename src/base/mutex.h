// A std::mutex that clang's thread-safety analysis understands: mark members GUARDED_BY(mutex_).
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SLUICE_TSA(x) __attribute__((x))
#else
#define SLUICE_TSA(x)
#endif
#define GUARDED_BY(m) SLUICE_TSA(guarded_by(m))
#define REQUIRES_LOCK(...) SLUICE_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES_LOCK(...) SLUICE_TSA(locks_excluded(__VA_ARGS__))

namespace sluice {

class SLUICE_TSA(capability("mutex")) Mutex {
 public:
  void lock() SLUICE_TSA(acquire_capability()) { mutex_.lock(); }
  void unlock() SLUICE_TSA(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class SLUICE_TSA(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SLUICE_TSA(acquire_capability(mutex)) : lock_(mutex) {}
  ~MutexLock() SLUICE_TSA(release_capability()) = default;
  std::unique_lock<Mutex>& native() { return lock_; }

 private:
  std::unique_lock<Mutex> lock_;
};

/// Waits under a MutexLock.
using ConditionVariable = std::condition_variable_any;

}  // namespace sluice
