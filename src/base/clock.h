// Time enters every part through this interface, so that tests and the simulation set it.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/named_type.h"

namespace sluice {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, microseconds since 1970 UTC.
  virtual TimestampMicros NowMicros() = 0;
  /// Steady clock, microseconds from an arbitrary start; only differences mean something.
  virtual int64_t SteadyMicros() = 0;
  /// Waits. The simulation's clock advances instead.
  virtual void SleepMicros(int64_t micros) = 0;
};

/// The machine's clock. One per process, never destroyed.
Clock& SystemClock();

/// A clock that moves only when told.
class ManualClock : public Clock {
 public:
  explicit ManualClock(TimestampMicros now) : now_(now) {}
  TimestampMicros NowMicros() override { return now_.load(); }
  int64_t SteadyMicros() override { return now_.load(); }
  void SleepMicros(int64_t micros) override { now_ += micros; }
  void Advance(int64_t micros) { now_ += micros; }

 private:
  std::atomic<int64_t> now_;
};

}  // namespace sluice
