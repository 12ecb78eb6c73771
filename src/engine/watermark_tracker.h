// The watermark of a flow and, for rebuildable state, where a rebuild would have to start reading.
// One thread at a time; `watermark` may be read from any.
#pragma once

#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/named_type.h"
#include "flow/positions.h"

namespace sluice::engine {

class WatermarkTracker {
 public:
  /// Delay per input; nullopt = the input has no watermark.
  explicit WatermarkTracker(std::vector<std::optional<int64_t>> delays);

  struct OpenEpoch {
    EpochNumber number;
    flow::Positions from;
    TimestampMicros max_event_time = kNoTimestamp;
  };

  /// Goes on from what is committed; `open` are the epochs whose rows may still be open.
  void Reset(TimestampMicros watermark, std::deque<OpenEpoch> open);

  /// An epoch was processed: `max_event_times` per input, over all rows so far. Returns the
  /// watermark after it: the smallest over the inputs of (max - delay); it never goes back.
  /// kNoTimestamp while an input has seen nothing.
  TimestampMicros Advance(EpochNumber number, const flow::Positions& from,
                          const std::vector<TimestampMicros>& max_event_times);
  /// The oldest epoch that may hold rows not older than the watermark; null when none does.
  const OpenEpoch* Oldest() const;
  /// The watermark is committed: epochs that ended before it are closed for good.
  void Forget(TimestampMicros watermark);
  /// Epochs after `last` are discarded; `watermark` is that after `last`.
  void Rollback(EpochNumber last, TimestampMicros watermark);

  TimestampMicros watermark() const { return watermark_.load(); }
  bool has_watermark() const;

  const std::deque<OpenEpoch>& open() const { return open_; }

 private:
  void Join();

  const std::vector<std::optional<int64_t>> delays_;
  std::atomic<TimestampMicros> watermark_{kNoTimestamp};
  std::deque<OpenEpoch> open_;
};

}  // namespace sluice::engine
