#include "engine/watermark_tracker.h"

#include <gtest/gtest.h>

namespace sluice::engine {
namespace {

flow::Positions At(int64_t offset) { return {{"s/p", offset}}; }

TEST(WatermarkTracker, FollowsTheMaximumAndNeverGoesBack) {
  WatermarkTracker tracker({100});
  EXPECT_EQ(tracker.Advance(EpochNumber(0), At(0), {1000}), 900);
  EXPECT_EQ(tracker.Advance(EpochNumber(1), At(10), {1000}), 900);
  tracker.Reset(2000, {});
  EXPECT_EQ(tracker.Advance(EpochNumber(2), At(20), {1500}), 2000);
}

TEST(WatermarkTracker, TakesTheSmallestOfItsInputs) {
  WatermarkTracker tracker({100, 50, std::nullopt});
  EXPECT_EQ(tracker.Advance(EpochNumber(0), At(0), {1000, kNoTimestamp, 5}), kNoTimestamp);
  EXPECT_EQ(tracker.Advance(EpochNumber(1), At(1), {1000, 700, 5}), 650);
}

TEST(WatermarkTracker, RebuildStartsAtTheOldestOpenEpoch) {
  WatermarkTracker tracker({100});
  tracker.Advance(EpochNumber(0), At(0), {1000});
  tracker.Advance(EpochNumber(1), At(10), {1050});
  EXPECT_EQ(tracker.Oldest()->from, At(0));
  tracker.Advance(EpochNumber(2), At(20), {1120});
  EXPECT_EQ(tracker.Oldest()->from, At(10));
  // Not committed: the first epoch is open again.
  tracker.Rollback(EpochNumber(1), 950);
  EXPECT_EQ(tracker.Oldest()->number, EpochNumber(0));
  tracker.Advance(EpochNumber(2), At(20), {1200});
  tracker.Forget(1100);
  EXPECT_EQ(tracker.open().size(), 1U);
}

TEST(WatermarkTracker, KeepsABoundedNumberOfEpochs) {
  WatermarkTracker tracker({1'000'000});
  for (int64_t i = 0; i < 10'000; ++i) tracker.Advance(EpochNumber(i), At(i), {i});
  EXPECT_LE(tracker.open().size(), 1025U);
  EXPECT_EQ(tracker.Oldest()->from, At(0));
}

TEST(WatermarkTracker, JoinedEpochsStayOpenAsLongAsTheNewestRowOfBoth) {
  WatermarkTracker tracker({1'000'000});
  tracker.Reset(0, {{EpochNumber(0), At(0), 5'000'000}});
  // What a restarted process has seen is older.
  for (int64_t i = 1; i < 2'000; ++i) tracker.Advance(EpochNumber(i), At(i), {i});
  tracker.Advance(EpochNumber(2'000), At(2'000), {5'000'000});
  EXPECT_EQ(tracker.watermark(), 4'000'000);
  EXPECT_EQ(tracker.Oldest()->from, At(0));
}

TEST(WatermarkTracker, WithoutWatermarkEverythingStaysOpen) {
  WatermarkTracker tracker({std::nullopt});
  EXPECT_EQ(tracker.Advance(EpochNumber(0), At(0), {1000}), kNoTimestamp);
  tracker.Advance(EpochNumber(1), At(10), {9'000'000});
  EXPECT_EQ(tracker.Oldest()->number, EpochNumber(0));
}

}  // namespace
}  // namespace sluice::engine
