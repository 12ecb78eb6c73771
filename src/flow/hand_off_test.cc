#include "flow/hand_off.h"

#include <gtest/gtest.h>

namespace sluice::flow {
namespace {

HotVersion Version(int64_t number, int64_t bytes) {
  HotVersion version;
  version.version = TableVersion(number);
  version.bytes = bytes;
  return version;
}

TEST(HandOff, KeepsNothingWithoutReaders) {
  HandOff hand_off(100);
  hand_off.Publish(Version(0, 10));
  EXPECT_EQ(hand_off.newest(), TableVersion(0));
  EXPECT_FALSE(hand_off.Get(TableVersion(0)));
}

TEST(HandOff, TheOldestFallOutAboveTheBound) {
  HandOff hand_off(100);
  hand_off.AddReader();
  for (int64_t i = 0; i < 4; ++i) hand_off.Publish(Version(i, 40));
  EXPECT_FALSE(hand_off.Get(TableVersion(1)));
  EXPECT_TRUE(hand_off.Get(TableVersion(2)));
  EXPECT_EQ(hand_off.bytes(), 80);
}

TEST(HandOff, TheSlowestReaderHoldsVersions) {
  HandOff hand_off(100);
  const int fast = hand_off.AddReader();
  const int slow = hand_off.AddReader();
  for (int64_t i = 0; i < 2; ++i) hand_off.Publish(Version(i, 40));
  hand_off.Release(fast, TableVersion(2));
  EXPECT_TRUE(hand_off.Get(TableVersion(0)));
  hand_off.Release(slow, TableVersion(1));
  EXPECT_FALSE(hand_off.Get(TableVersion(0)));
  EXPECT_TRUE(hand_off.Get(TableVersion(1)));
  hand_off.RemoveReader(slow);
  EXPECT_FALSE(hand_off.Get(TableVersion(1)));
}

TEST(HandOff, TakesVersionsOutOfOrder) {
  HandOff hand_off(100);
  hand_off.AddReader();
  hand_off.Publish(Version(6, 1));
  hand_off.Publish(Version(5, 1));
  EXPECT_EQ(hand_off.newest(), TableVersion(6));
  EXPECT_TRUE(hand_off.Get(TableVersion(5)));
}

TEST(HandOff, WaitForRoomGivesUpWithoutProgress) {
  HandOff hand_off(100);
  const int reader = hand_off.AddReader();
  hand_off.Publish(Version(0, 80));
  EXPECT_FALSE(hand_off.WaitForRoom(1));
  hand_off.Release(reader, TableVersion(1));
  EXPECT_TRUE(hand_off.WaitForRoom(1));
}

}  // namespace
}  // namespace sluice::flow
