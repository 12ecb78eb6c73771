#include "state/snapshot_store.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "storage/memory_storage.h"

namespace sluice::state {
namespace {

class SnapshotStoreTest : public ::testing::Test {
 protected:
  Status Write(const SnapshotTag& tag, const std::vector<std::string>& sections) {
    SLUICE_ASSIGN_OR_RETURN(auto pending, store_.Create(tag));
    for (const std::string& section : sections) {
      SLUICE_ASSIGN_OR_RETURN(auto* out, pending->NextSection());
      SLUICE_RETURN_NOT_OK(out->Write(section.data(), static_cast<int64_t>(section.size())));
    }
    return pending->Finish();
  }

  ManualClock clock_{1'000'000};
  storage::MemoryStorage storage_{clock_};
  SnapshotStore store_{storage_, "/state/flow"};
};

TEST_F(SnapshotStoreTest, SectionsComeBack) {
  const std::string big(3 << 20, 'x');
  ASSERT_TRUE(Write({0, 7, 9}, {"abc", "", big}).ok());
  auto sections = store_.Load({0, 7, 9});
  ASSERT_TRUE(sections.ok()) << sections.status();
  ASSERT_EQ(sections->size(), 3U);
  EXPECT_EQ((*sections)[0]->ToString(), "abc");
  EXPECT_EQ((*sections)[1]->size(), 0);
  EXPECT_EQ((*sections)[2]->ToString(), big);
}

TEST_F(SnapshotStoreTest, NewestFirstAndOldOnesGo) {
  for (int64_t epoch : {3, 20, 100}) ASSERT_TRUE(Write({1, epoch, epoch}, {"s"}).ok());
  ASSERT_TRUE(Write({0, 500, 500}, {"s"}).ok());
  auto tags = store_.List().ValueOrDie();
  ASSERT_EQ(tags.size(), 4U);
  EXPECT_EQ(tags[0].epoch, 100);
  ASSERT_TRUE(store_.KeepNewest(2).ok());
  tags = store_.List().ValueOrDie();
  ASSERT_EQ(tags.size(), 2U);
  EXPECT_EQ(tags[1].epoch, 20);
}

TEST_F(SnapshotStoreTest, EveryDamageIsSeen) {
  ASSERT_TRUE(Write({0, 1, 1}, {"first", "second"}).ok());
  const std::string path = "/state/flow/0-1-1.state";
  const std::string good = storage_.Read(path).ValueOrDie();
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x40);
    ASSERT_TRUE(storage_.Put(path, bad).ok());
    EXPECT_TRUE(HasCode(store_.Load({0, 1, 1}).status(), "STATE_CORRUPT")) << i;
    ASSERT_TRUE(storage_.Put(path, good.substr(0, i)).ok());
    EXPECT_TRUE(HasCode(store_.Load({0, 1, 1}).status(), "STATE_CORRUPT")) << i;
  }
}

}  // namespace
}  // namespace sluice::state
