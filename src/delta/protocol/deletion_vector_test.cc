#include "delta/protocol/deletion_vector.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "storage/memory_storage.h"

namespace sluice::delta {
namespace {

TEST(DeletionVectorTest, RoundTripsAcrossBitmaps) {
  DeletionVector vector;
  vector.AddAll({0, 5, 4294967295ULL, 4294967296ULL, 4294967300ULL});
  auto copy = DeletionVector::Deserialize(vector.Serialize()).ValueOrDie();
  EXPECT_EQ(copy.ToRows(), vector.ToRows());
  EXPECT_EQ(copy.cardinality(), 5);
  EXPECT_TRUE(copy.Contains(4294967296ULL));
  EXPECT_FALSE(copy.Contains(1));
  std::vector<uint32_t> live;
  copy.AppendLive(4294967294ULL, 5, &live);  // crosses the border of two bitmaps
  EXPECT_EQ(live, (std::vector<uint32_t>{0, 3, 4}));
}

TEST(DeletionVectorTest, LiveRowsMatchContains) {
  Random random(11);
  DeletionVector vector;
  for (int i = 0; i < 5000; ++i) vector.Add(random.Below(20000));
  for (uint64_t begin = 0; begin < 20000; begin += 777) {
    std::vector<uint32_t> live;
    vector.AppendLive(begin, 1000, &live);
    std::vector<uint32_t> expected;
    for (uint32_t i = 0; i < 1000; ++i) {
      if (!vector.Contains(begin + i)) expected.push_back(i);
    }
    ASSERT_EQ(live, expected);
  }
}

TEST(DeletionVectorTest, FilesAndInlineFormsReadBack) {
  ManualClock clock(1);
  storage::MemoryStorage storage(clock);
  DeletionVector small;
  small.Add(3);
  DeletionVector large;
  for (uint64_t row = 0; row < 1000; row += 2) large.Add(row * 7);
  const auto descriptors =
      WriteDeletionVectors(storage, "/t", "d2c639aa-8816-431a-aaf6-d3fe2512ff61",
                           {&small, &large, &small}, 64)
          .ValueOrDie();
  EXPECT_EQ(descriptors[0].storage_type, 'i');
  EXPECT_EQ(descriptors[1].storage_type, 'u');
  EXPECT_EQ(descriptors[1].path_or_inline, "^-aqEH.-t@S}K{vb[*k^");  // the protocol's own example
  for (size_t i = 0; i < descriptors.size(); ++i) {
    const auto read = ReadDeletionVector(storage, "/t", descriptors[i]).ValueOrDie();
    EXPECT_EQ(read.ToRows(), (i == 1 ? large : small).ToRows());
  }
  std::string bytes =
      storage.Read("/t/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin").ValueOrDie();
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  ASSERT_TRUE(
      storage.Put("/t/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin", bytes).ok());
  EXPECT_TRUE(HasCode(ReadDeletionVector(storage, "/t", descriptors[1]).status(),
                      "DELTA_DELETION_VECTOR_CORRUPT"));
}

TEST(DeletionVectorTest, DamagedBytesAreRefused) {
  DeletionVector vector;
  vector.AddAll({1, 2, 3, 70000});
  const std::string bytes = vector.Serialize();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(DeletionVector::Deserialize(bytes.substr(0, size)).ok());
  EXPECT_FALSE(Z85Decode("abc").ok());
  EXPECT_FALSE(Z85Decode("ab\x01 c").ok());
  EXPECT_EQ(Z85Encode("\x86\x4F\xD2\x6F\xB5\x59\xF7\x5B"), "HelloWorld");
}

}  // namespace
}  // namespace sluice::delta
