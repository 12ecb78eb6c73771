#include "delta/files/row_sorter.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/clock.h"
#include "base/random.h"
#include "storage/memory_storage.h"

namespace sluice::delta {
namespace {

class RowSorterTest : public ::testing::Test {
 protected:
  struct Row {
    uint64_t key;
    int64_t id;
    bool operator==(const Row&) const = default;
  };

  static std::shared_ptr<arrow::RecordBatch> Ids(int64_t first, int64_t count) {
    arrow::Int64Builder ids;
    arrow::StringBuilder texts;
    for (int64_t id = first; id < first + count; ++id) {
      EXPECT_TRUE(ids.Append(id).ok());
      EXPECT_TRUE(texts.Append(std::string(static_cast<size_t>(id % 50), 'x')).ok());
    }
    return arrow::RecordBatch::Make(
        arrow::schema({arrow::field("id", arrow::int64()), arrow::field("text", arrow::utf8())}),
        count, {*ids.Finish(), *texts.Finish()});
  }

  /// Sorts `batches` of random keys below `keys` and compares with a stable sort in memory.
  void Check(int batches, int64_t rows, uint64_t keys, int64_t memory_bytes, bool spills) {
    Random random(11);
    std::vector<Row> expected;
    RowSorterOptions options{&storage_, "/spill", memory_bytes, 100};
    RowSorter sorter(Ids(0, 0)->schema(), options);
    for (int i = 0; i < batches; ++i) {
      std::vector<uint64_t> batch_keys;
      for (int64_t row = 0; row < rows; ++row) {
        batch_keys.push_back(random.Below(keys));
        expected.push_back({batch_keys.back(), i * rows + row});
      }
      ASSERT_TRUE(sorter.Add(Ids(i * rows, rows), std::move(batch_keys)).ok());
    }
    std::stable_sort(expected.begin(), expected.end(),
                     [](const Row& a, const Row& b) { return a.key < b.key; });
    std::vector<int64_t> ids;
    const auto take = [&](const std::shared_ptr<arrow::RecordBatch>& out) {
      EXPECT_LE(out->num_rows(), 100);
      EXPECT_EQ(out->num_columns(), 2);
      const auto& column = static_cast<const arrow::Int64Array&>(*out->column(0));
      const auto& texts = static_cast<const arrow::StringArray&>(*out->column(1));
      for (int64_t row = 0; row < out->num_rows(); ++row) {
        ids.push_back(column.Value(row));
        EXPECT_EQ(texts.value_length(row), column.Value(row) % 50);
      }
      return Status::OK();
    };
    ASSERT_TRUE(sorter.Finish(take).ok());
    ASSERT_EQ(ids.size(), expected.size());
    for (size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(ids[i], expected[i].id) << "row " << i;
    EXPECT_EQ(sorter.runs_written() > 0, spills);
  }

  ManualClock clock_{0};
  storage::MemoryStorage storage_{clock_};
};

TEST_F(RowSorterTest, SortsInMemory) {
  Check(0, 0, 1, 1 << 20, false);
  Check(3, 700, 1000, 64 << 20, false);
}

TEST_F(RowSorterTest, SpillsAndMergesStably) {
  Check(20, 300, 1000, 1 << 17, true);
  Check(20, 300, 3, 1 << 17, true);  // many rows of one key
  EXPECT_EQ(storage_.ListRecursive("/spill").ValueOrDie().size(), 0U);
}

TEST_F(RowSorterTest, MergesManyRunsInSteps) {
  Check(150, 20, 500, 1, true);
  EXPECT_EQ(storage_.ListRecursive("/spill").ValueOrDie().size(), 0U);
}

TEST_F(RowSorterTest, ErrorsLeaveNoRuns) {
  {
    RowSorter sorter(Ids(0, 0)->schema(), {&storage_, "/spill", 1, 100});
    for (uint64_t i = 0; i < 5; ++i)
      ASSERT_TRUE(sorter.Add(Ids(0, 1), std::vector<uint64_t>{i}).ok());
    storage_.SetHook([](storage::StorageCall call, const std::string&) {
      storage::StorageFault fault;
      if (call == storage::StorageCall::kOpenInput)
        fault.error = MakeError("STORAGE_IO", "disk is gone", "", Retry::kLater);
      return fault;
    });
    const auto ignore = [](const auto&) { return Status::OK(); };
    EXPECT_FALSE(sorter.Finish(ignore).ok());
    storage_.SetHook({});
  }
  EXPECT_EQ(storage_.ListRecursive("/spill").ValueOrDie().size(), 0U);
}

}  // namespace
}  // namespace sluice::delta
