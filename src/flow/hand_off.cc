#include "flow/hand_off.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <chrono>

namespace sluice::flow {

int HandOff::AddReader() {
  MutexLock lock(mutex_);
  readers_.emplace(next_reader_, TableVersion(-1));
  return next_reader_++;
}

void HandOff::RemoveReader(int reader) {
  MutexLock lock(mutex_);
  readers_.erase(reader);
  DropBelowReaders();
}

void HandOff::Publish(HotVersion version) {
  MutexLock lock(mutex_);
  newest_ = std::max(newest_, version.version);
  if (!readers_.empty()) {
    const int64_t bytes = version.bytes;
    if (versions_.emplace(version.version, std::move(version)).second) bytes_ += bytes;
  }
  while (bytes_ > max_bytes_ && !versions_.empty()) {
    bytes_ -= versions_.begin()->second.bytes;
    versions_.erase(versions_.begin());
  }
  changed_.notify_all();
}

std::optional<HotVersion> HandOff::Get(TableVersion version) {
  MutexLock lock(mutex_);
  auto found = versions_.find(version);
  if (found == versions_.end()) return {};
  return found->second;
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

void HandOff::Release(int reader, TableVersion version) {
  MutexLock lock(mutex_);
  auto found = readers_.find(reader);
  if (found == readers_.end() || found->second >= version) return;
  found->second = version;
  DropBelowReaders();
}

bool HandOff::WaitForRoom(int64_t max_wait_micros) {
  MutexLock lock(mutex_);
  const int64_t wakes = wakes_;
  while (bytes_ > max_bytes_ / 2) {
    const int64_t releases = releases_;
    const bool moved = changed_.wait_for(lock.native(), std::chrono::microseconds(max_wait_micros),
                                         [&] { return releases_ != releases || wakes_ != wakes; });
    if (!moved || wakes_ != wakes) return false;
  }
  return true;
}

int64_t HandOff::bytes() {
  MutexLock lock(mutex_);
  return bytes_;
}

void HandOff::DropBelowReaders() {
  TableVersion wanted(std::numeric_limits<int64_t>::max());
  for (const auto& [reader, oldest] : readers_) wanted = std::min(wanted, oldest);
  while (!versions_.empty() && versions_.begin()->first < wanted) {
    bytes_ -= versions_.begin()->second.bytes;
    versions_.erase(versions_.begin());
  }
  ++releases_;
  changed_.notify_all();
}

}  // namespace sluice::flow
