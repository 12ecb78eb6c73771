#include "delta/upkeep/compute_statistics.h"

#include "delta/commands/alter.h"
#include "delta/commands/table_fixture_for_test.h"
#include "delta/upkeep/table_check.h"

namespace sluice::delta {
namespace {

class ComputeStatisticsTest : public TableFixture {
 protected:
  static std::set<std::string> Statistics(const Table& table) {
    std::set<std::string> all;
    table.Current()->ForEachFile([&](const AddFile& file) { all.insert(file.stats); });
    return all;
  }
};

TEST_F(ComputeStatisticsTest, FollowTheColumnsChosen) {
  const auto table = Create({{"delta.columnMapping.mode", "name"},
                             {"delta.enableRowTracking", "true"},
                             {"delta.enableDeletionVectors", "true"}});
  const auto files = Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b")});
  const auto full = Statistics(*table);
  Mask(*table, files[0], {1});
  ASSERT_TRUE(SetProperties(*table, {{"delta.dataSkippingNumIndexedCols", "1"}}).ok());
  const auto report = ComputeStatistics(*table).ValueOrDie();
  EXPECT_EQ(report.files_changed, 2);
  EXPECT_EQ(table->Current()->last_commit_info()->operation, "COMPUTE STATS");
  for (const std::string& statistics : Statistics(*table)) {
    EXPECT_NE(statistics.find("\"numRecords\":5"), std::string::npos);
    EXPECT_EQ(statistics.find("row "), std::string::npos) << statistics;
    EXPECT_NE(statistics.find("minValues\":{\""), std::string::npos) << statistics;
  }
  EXPECT_EQ(Ids(table->Current()).size(), 9U);
  EXPECT_EQ(table->Current()->num_files(), 2);
  // The second time there is nothing to change.
  EXPECT_FALSE(ComputeStatistics(*table).ValueOrDie().version.has_value());
  ASSERT_TRUE(SetProperties(*table, {{"delta.dataSkippingNumIndexedCols", "32"}}).ok());
  RemoveFiles(*table, {*table->Current()->Files()[0]});
  ASSERT_TRUE(ComputeStatistics(*table).ValueOrDie().version.has_value());
  EXPECT_TRUE(full.contains(*Statistics(*table).begin()) ||
              Statistics(*table).begin()->find("tightBounds\":false") != std::string::npos);
  for (const Finding& finding : CheckTable(storage_, "/t").ValueOrDie().findings)
    EXPECT_NE(finding.level, FindingLevel::kError) << finding.path << ": " << finding.detail;
}

}  // namespace
}  // namespace sluice::delta
