#include "base/clock.h"

#include <chrono>
#include <thread>

namespace sluice {
namespace {

class MachineClock : public Clock {
 public:
  TimestampMicros NowMicros() override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  int64_t SteadyMicros() override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  void SleepMicros(int64_t micros) override {
    std::this_thread::sleep_for(std::chrono::microseconds(micros));
  }
};

}  // namespace

Clock& SystemClock() {
  static MachineClock* const clock = new MachineClock();
  return *clock;
}

}  // namespace sluice
