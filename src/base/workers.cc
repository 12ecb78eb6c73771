#include "base/workers.h"

#include <algorithm>
#include <csignal>
#include <memory>

#include "base/thread_name.h"

namespace sluice {

struct Workers::Job {
  size_t count = 0;
  const std::function<Status(size_t)>* task = nullptr;
  size_t next = 0;  // first index nobody took; all members are guarded by Workers::mutex_
  size_t done = 0;
  size_t failed_at = 0;
  Status error;
};

Workers::Workers(int threads) {
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, &before);  // threads begin with the mask of their maker
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Workers::~Workers() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

namespace {

/// Takes one index of `job` and runs it. REQUIRES: the lock is held, and an index is left.
template <typename Job>
void RunOne(Job* job, std::unique_lock<Mutex>* lock) {
  const size_t index = job->next++;
  lock->unlock();
  Status status = (*job->task)(index);
  lock->lock();
  if (!status.ok() && (job->error.ok() || index < job->failed_at)) {
    job->error = std::move(status);
    job->failed_at = index;
  }
  ++job->done;
}

}  // namespace

Status Workers::Run(size_t count, const std::function<Status(size_t)>& task) {
  auto job = std::make_shared<Job>();
  job->count = count;
  job->task = &task;
  MutexLock lock(mutex_);
  if (count > 1) {
    jobs_.push_back(job);
    changed_.notify_all();
  }
  while (job->next < count) RunOne(job.get(), &lock.native());
  std::erase(jobs_, job);
  changed_.wait(lock.native(), [&] { return job->done == count; });
  return job->error;
}

void Workers::Loop() {
  SetThreadName("worker");
  MutexLock lock(mutex_);
  while (true) {
    changed_.wait(lock.native(), [&] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    const std::shared_ptr<Job> job = jobs_.front();
    if (job->next >= job->count) {
      jobs_.pop_front();
      continue;
    }
    RunOne(job.get(), &lock.native());
    if (job->done == job->count) changed_.notify_all();
  }
}

}  // namespace sluice
