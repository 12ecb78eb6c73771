#include "flow/hand_off.h"

#include <arrow/record_batch.h>

#include <chrono>

namespace sluice::flow {

void HandOff::AddReader() {
  MutexLock lock(mutex_);
  ++readers_;
}

void HandOff::Publish(HotVersion version) {
  MutexLock lock(mutex_);
  if (!versions_.empty() && versions_.back().version.Next() != version.version) {
    versions_.clear();
    bytes_ = 0;
  }
  newest_ = version.version;
  if (readers_ > 0) {
    bytes_ += version.bytes;
    versions_.push_back(std::move(version));
  }
  while (bytes_ > max_bytes_ && !versions_.empty()) {
    bytes_ -= versions_.front().bytes;
    versions_.pop_front();
  }
  changed_.notify_all();
}

std::optional<HotVersion> HandOff::Get(TableVersion version) {
  MutexLock lock(mutex_);
  if (versions_.empty() || version < versions_.front().version || version > versions_.back().version) return {};
  return versions_[static_cast<size_t>(version.value() - versions_.front().version.value())];
}

TableVersion HandOff::newest() {
  MutexLock lock(mutex_);
  return newest_;
}

void HandOff::WaitFor(TableVersion version, int64_t max_wait_micros) {
  MutexLock lock(mutex_);
  const int64_t wakes = wakes_;
  changed_.wait_for(lock.native(), std::chrono::microseconds(max_wait_micros),
                    [&] { return newest_ >= version || wakes_ != wakes; });
}

void HandOff::Wake() {
  MutexLock lock(mutex_);
  ++wakes_;
  changed_.notify_all();
}

void HandOff::Release(TableVersion version) {
  MutexLock lock(mutex_);
  while (!versions_.empty() && versions_.front().version < version) {
    bytes_ -= versions_.front().bytes;
    versions_.pop_front();
  }
}

}  // namespace sluice::flow
