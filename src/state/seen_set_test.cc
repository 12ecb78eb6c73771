#include "state/seen_set.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"

namespace sluice::state {
namespace {

using Model = std::map<Hash128, uint32_t>;

void ExpectSame(SeenSet& set, const Model& model) {
  ASSERT_EQ(set.size(), static_cast<int64_t>(model.size()));
  for (const auto& [key, expiry] : model) {
    const uint32_t* found = set.Find(key);
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(*found, expiry);
  }
  uint64_t last = 0;
  int64_t visited = 0;
  set.ForEach([&](const Hash128& key, uint32_t expiry) {
    EXPECT_GE(key.low, last);
    last = key.low;
    ++visited;
    EXPECT_EQ(model.at(key), expiry);
  });
  EXPECT_EQ(visited, set.size());
}

// Few distinct `low` values and crowded ranges: long clusters, equal `low`, the end of the table.
Hash128 CrowdedKey(Random& random) {
  switch (random.Below(4)) {
    case 0: return {random.Below(50), random.Below(3)};
    case 1: return {~random.Below(200), random.Below(2)};
    case 2: return {0x8000000000000000ULL + random.Below(300), 1};
    default: return {random.Next(), random.Next()};
  }
}

TEST(SeenSet, AgreesWithAMapOverRandomWork) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    SeenSet set;
    Model model;
    uint32_t bound = 1;
    for (int step = 0; step < 6000; ++step) {
      const Hash128 key = CrowdedKey(random);
      if (random.OneIn(4)) {
        EXPECT_EQ(set.Erase(key), model.erase(key) == 1);
      } else if (random.OneIn(200)) {
        bound += static_cast<uint32_t>(random.Below(20));
        set.Sweep(set.num_slots(), bound);  // to the end of the round, and a whole one
        set.Sweep(set.num_slots(), bound);
        std::erase_if(model, [&](const auto& entry) { return entry.second < bound; });
      } else {
        const uint32_t expiry = bound + static_cast<uint32_t>(random.Below(100));
        uint32_t* found = nullptr;
        const bool added = set.Insert(key, expiry, &found);
        EXPECT_EQ(added, model.emplace(key, expiry).second);
        if (!added) {
          EXPECT_EQ(*found, model.at(key));
        }
      }
    }
    ExpectSame(set, model);
  }
}

TEST(SeenSet, SweepInSmallStepsKeepsWhatLives) {
  Random random(7);
  SeenSet set;
  Model model;
  uint32_t* found = nullptr;
  for (int i = 0; i < 5000; ++i) {
    const Hash128 key = CrowdedKey(random);
    const auto expiry = static_cast<uint32_t>(1 + random.Below(100));
    if (set.Insert(key, expiry, &found)) model[key] = expiry;
  }
  for (int i = 0; i < 2000; ++i) {
    set.Sweep(97, 50);
    for (int k = 0; k < 3; ++k) {
      const Hash128 key = CrowdedKey(random);
      const bool there = set.Find(key) != nullptr;
      if (model.contains(key) && model[key] >= 50) {
        ASSERT_TRUE(there);
      }
    }
  }
  std::erase_if(model, [](const auto& entry) { return entry.second < 50; });
  ExpectSame(set, model);
}

TEST(SeenSet, GrowingReclaimsExpiredKeysFirst) {
  SeenSet set;
  Random random(3);
  uint32_t* found = nullptr;
  for (uint32_t i = 0; i < 200'000; ++i) {
    set.SetGrowthSweepBound(i > 1000 ? i - 1000 : 1);
    set.Insert({random.Next(), random.Next()}, i + 1, &found);
  }
  EXPECT_LT(set.num_slots(), 8000);
}

TEST(SeenSet, MemoryOfManyKeys) {
  SeenSet set;
  Random random(5);
  uint32_t* found = nullptr;
  for (int i = 0; i < 1'000'000; ++i) set.Insert({random.Next(), random.Next()}, 9, &found);
  EXPECT_LE(set.memory_bytes() / set.size(), 43);
}

}  // namespace
}  // namespace sluice::state
