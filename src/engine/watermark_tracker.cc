#include "engine/watermark_tracker.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice::engine {
namespace {

// More open epochs than this are joined in pairs: a rebuild then starts a little earlier than it
// must.
constexpr size_t kMaxOpen = 1024;

}  // namespace

WatermarkTracker::WatermarkTracker(std::vector<std::optional<int64_t>> delays)
    : delays_(std::move(delays)) {}

bool WatermarkTracker::has_watermark() const {
  return std::any_of(delays_.begin(), delays_.end(), [](const auto& d) { return d.has_value(); });
}

void WatermarkTracker::Reset(TimestampMicros watermark, std::deque<OpenEpoch> open) {
  watermark_ = watermark;
  open_ = std::move(open);
}

TimestampMicros WatermarkTracker::Advance(EpochNumber number, const flow::Positions& from,
                                          const std::vector<TimestampMicros>& max_event_times) {
  TimestampMicros newest = kNoTimestamp;
  TimestampMicros smallest = std::numeric_limits<int64_t>::max();
  for (size_t i = 0; i < delays_.size(); ++i) {
    newest = std::max(newest, max_event_times[i]);
    if (!delays_[i].has_value()) continue;
    const TimestampMicros max = max_event_times[i];
    smallest = std::min(smallest, max == kNoTimestamp ? kNoTimestamp : max - *delays_[i]);
  }
  if (has_watermark()) {
    watermark_ = std::max(watermark_.load(), smallest);
  } else {
    newest = std::numeric_limits<int64_t>::max();  // open for ever
  }
  if (open_.size() >= kMaxOpen) Join();
  open_.push_back(OpenEpoch{number, from, newest});
  return watermark_;
}

void WatermarkTracker::Join() {
  std::deque<OpenEpoch> joined;
  for (size_t i = 0; i < open_.size(); i += 2) {
    joined.push_back(std::move(open_[i]));
    // After a restart the maximum starts anew: a later epoch may report less than an older one.
    if (i + 1 < open_.size()) {
      joined.back().max_event_time =
          std::max(joined.back().max_event_time, open_[i + 1].max_event_time);
    }
  }
  open_ = std::move(joined);
}

const WatermarkTracker::OpenEpoch* WatermarkTracker::Oldest() const {
  const TimestampMicros watermark = watermark_;
  for (const OpenEpoch& epoch : open_) {
    if (epoch.max_event_time != kNoTimestamp && epoch.max_event_time >= watermark) return &epoch;
  }
  return nullptr;
}

void WatermarkTracker::Forget(TimestampMicros watermark) {
  while (!open_.empty() && open_.front().max_event_time < watermark) open_.pop_front();
}

void WatermarkTracker::Rollback(EpochNumber last, TimestampMicros watermark) {
  watermark_ = watermark;
  while (!open_.empty() && open_.back().number > last) open_.pop_back();
}

}  // namespace sluice::engine
