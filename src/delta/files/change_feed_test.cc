#include "delta/files/change_feed.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "delta/files/parquet_writer.h"
#include "delta/protocol/deletion_vector.h"
#include "storage/memory_storage.h"

namespace sluice::delta {
namespace {

class ChangeFeedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CreateOptions options;
    options.schema = arrow::schema({arrow::field("id", arrow::int64())});
    options.properties = {{"delta.enableChangeDataFeed", "true"},
                          {"delta.enableDeletionVectors", "true"}};
    table_ = Table::Create({storage_, clock_}, "/t", options, 7).ValueOrDie();
  }
  void Append(int64_t first, int64_t count) {
    arrow::Int64Builder ids;
    for (int64_t i = 0; i < count; ++i) ASSERT_TRUE(ids.Append(first + i).ok());
    const auto writer = DataFileWriter::Make(*table_, table_->Current()).ValueOrDie();
    const auto rows =
        arrow::RecordBatch::Make(table_->Current()->schema(), count, {ids.Finish().ValueOrDie()});
    ASSERT_TRUE(writer->Write(rows).ok());
    Transaction transaction = table_->NewTransaction();
    transaction.Add(writer->Finish().ValueOrDie());
    ASSERT_TRUE(transaction.Commit().ok());
  }
  void Mask(const std::vector<uint64_t>& rows) {
    DeletionVector vector;
    vector.AddAll(rows);
    const auto written =
        WriteDeletionVectors(storage_, "/t", table_->NewUuid(), {&vector}).ValueOrDie();
    Transaction transaction = table_->NewTransaction();
    transaction.SetDeletionVector(*table_->Current()->Files()[0], written[0]);
    transaction.SetRulesChecked();
    ASSERT_TRUE(transaction.Commit().ok());
  }
  /// "version change id" per row.
  std::vector<std::string> Changes(int64_t from, int64_t to) {
    const auto feed = ChangeFeed::Make(*table_, TableVersion(from), TableVersion(to)).ValueOrDie();
    std::vector<std::string> changes;
    while (const auto batch = feed->Next().ValueOrDie()) {
      EXPECT_TRUE(batch->schema()->Equals(*feed->schema()));
      for (int64_t row = 0; row < batch->num_rows(); ++row) {
        changes.push_back(
            batch->GetColumnByName("_commit_version")->GetScalar(row).ValueOrDie()->ToString() +
            " " + batch->GetColumnByName("_change_type")->GetScalar(row).ValueOrDie()->ToString() +
            " " + batch->column(0)->GetScalar(row).ValueOrDie()->ToString());
      }
    }
    return changes;
  }

  ManualClock clock_{1700000000000000};
  storage::MemoryStorage storage_{clock_};
  std::shared_ptr<Table> table_;
};

TEST_F(ChangeFeedTest, TellsInsertsMaskedRowsAndRemovedFiles) {
  Append(10, 4);
  Mask({1});
  Mask({1, 3});
  Transaction transaction = table_->NewTransaction();
  transaction.Remove(*table_->Current()->Files()[0]);
  ASSERT_TRUE(transaction.Commit().ok());
  EXPECT_EQ(Changes(0, 1),
            (std::vector<std::string>{"1 insert 10", "1 insert 11", "1 insert 12", "1 insert 13"}));
  EXPECT_EQ(Changes(2, 3), (std::vector<std::string>{"2 delete 11", "3 delete 13"}));
  EXPECT_EQ(Changes(4, 99), (std::vector<std::string>{"4 delete 10", "4 delete 12"}));
}

TEST_F(ChangeFeedTest, RowsThatComeBackAreInserts) {
  Append(10, 4);
  Mask({0, 1});
  Mask({1});
  EXPECT_EQ(Changes(3, 3), (std::vector<std::string>{"3 insert 10"}));
}

TEST_F(ChangeFeedTest, RefusesWhatIsNoRange) {
  const auto make = [&](int64_t from, std::optional<int64_t> to) {
    std::optional<TableVersion> end;
    if (to.has_value()) end = TableVersion(*to);
    return ChangeFeed::Make(*table_, TableVersion(from), end).status();
  };
  EXPECT_TRUE(HasCode(make(1, 1), "DELTA_CHANGE_FEED_RANGE"));
  EXPECT_TRUE(HasCode(make(-1, 0), "DELTA_CHANGE_FEED_RANGE"));
  Append(0, 1);
  EXPECT_TRUE(HasCode(make(1, 0), "DELTA_CHANGE_FEED_RANGE"));
  EXPECT_TRUE(make(0, std::nullopt).ok());
  Metadata metadata = table_->Current()->metadata();
  metadata.configuration.erase("delta.enableChangeDataFeed");
  Transaction transaction = table_->NewTransaction();
  transaction.SetMetadata(metadata);
  ASSERT_TRUE(transaction.Commit().ok());
  EXPECT_TRUE(HasCode(make(0, 2), "DELTA_CHANGE_FEED_DISABLED"));
  EXPECT_TRUE(make(0, 1).ok());
}

}  // namespace
}  // namespace sluice::delta
