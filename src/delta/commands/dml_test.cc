#include "delta/commands/dml.h"

#include "delta/log/row_ids.h"
#include "delta/log/table_for_test.h"
#include "delta/upkeep/compaction.h"

namespace sluice::delta {
namespace {

const StringMap kVectors = {{"delta.enableDeletionVectors", "true"}};
const StringMap kFeed = {{"delta.enableChangeDataFeed", "true"}};

RowCondition IdIn(int64_t low, int64_t high) {
  RowCondition condition;
  condition.holds = Condition([low, high](const TestRow& row) -> std::optional<bool> {
    if (!row.id.has_value()) return std::nullopt;
    return *row.id >= low && *row.id <= high;
  });
  condition.prunes = {{"id", CompareOp::kGreaterEqual, arrow::MakeScalar(low), {}},
                      {"id", CompareOp::kLessEqual, arrow::MakeScalar(high), {}}};
  condition.columns = std::vector<std::string>{"id"};
  condition.text = "id between";
  return condition;
}

TestRows Sample(int64_t first, int64_t count, const std::string& day) {
  TestRows rows;
  for (int64_t id = first; id < first + count; ++id) rows.push_back({id, id * 10, day});
  return rows;
}

class DmlTest : public ChangedTableTest {};

TEST_F(DmlTest, DeleteCopiesWhatStays) {
  const auto table = Create();
  Append(*table, Sample(0, 5, "a"));
  Append(*table, Sample(5, 5, "b"));
  const auto report = DeleteRows(*table, IdIn(3, 3)).ValueOrDie();
  EXPECT_EQ(report.version, TableVersion(3));
  TestRows left = Sample(0, 10, "a");
  left.erase(left.begin() + 3);
  for (size_t i = 4; i < left.size(); ++i) left[i].day = "b";
  EXPECT_EQ(Contents(), Texts(left));
  const CommitInfo info = LastCommit(*table);
  EXPECT_EQ(info.operation, "DELETE");
  EXPECT_EQ(info.operation_parameters.at("predicate"), "[\"id between\"]");
  EXPECT_EQ(info.operation_metrics.at("numDeletedRows"), "1");
  EXPECT_EQ(info.operation_metrics.at("numCopiedRows"), "4");
  EXPECT_EQ(info.operation_metrics.at("numRemovedFiles"), "1");
  EXPECT_EQ(info.operation_metrics.at("numAddedFiles"), "1");
  EXPECT_EQ(info.operation_metrics.at("numDeletionVectorsAdded"), "0");
  EXPECT_FALSE(*info.is_blind_append);
}

TEST_F(DmlTest, NothingMeantCommitsNothing) {
  const auto table = Create(kVectors);
  Append(*table, Sample(0, 5, "a"));
  const auto report = DeleteRows(*table, IdIn(77, 78)).ValueOrDie();
  EXPECT_FALSE(report.version.has_value());
  EXPECT_EQ(report.metrics.at("numDeletedRows"), 0);
  EXPECT_EQ(table->Current()->version().value(), 1);
}

TEST_F(DmlTest, DeleteMasksRowsAndDropsEmptyFiles) {
  const auto table = Create(kVectors);
  Append(*table, Sample(0, 5, "a"));
  ASSERT_TRUE(DeleteRows(*table, IdIn(1, 2)).ok());
  EXPECT_EQ(Contents(), Texts({{0, 0, "a"}, {3, 30, "a"}, {4, 40, "a"}}));
  const auto file = table->Current()->Files()[0];
  EXPECT_EQ(file->deletion_vector->cardinality, 2);
  EXPECT_NE(file->stats.find("\"tightBounds\":false"), std::string::npos) << file->stats;
  EXPECT_EQ(RecordsOf(*file), 5);
  EXPECT_EQ(LastCommit(*table).operation_metrics.at("numDeletionVectorsAdded"), "1");
  EXPECT_EQ(LastCommit(*table).operation_metrics.at("numRemovedFiles"), "0");
  ASSERT_TRUE(DeleteRows(*table, IdIn(3, 3)).ok());
  EXPECT_EQ(LastCommit(*table).operation_metrics.at("numDeletionVectorsUpdated"), "1");
  EXPECT_EQ(Contents(), Texts({{0, 0, "a"}, {4, 40, "a"}}));
  ASSERT_TRUE(DeleteRows(*table, IdIn(0, 9)).ok());
  EXPECT_EQ(table->Current()->num_files(), 0);
  EXPECT_EQ(LastCommit(*table).operation_metrics.at("numRemovedFiles"), "1");
  EXPECT_EQ(LastCommit(*table).operation_metrics.at("numDeletionVectorsRemoved"), "1");
}

TEST_F(DmlTest, PartitionsGoWithoutBeingRead) {
  const auto table = Create(kVectors, {"day"});
  Append(*table, Sample(0, 3, "a"));
  Append(*table, Sample(3, 3, "b"));
  for (const auto& file : table->Current()->Files())
    ASSERT_TRUE(storage_.Delete("/t/" + file->path).ok());
  RowCondition where;
  where.holds = Condition([](const TestRow& row) { return std::optional<bool>(row.day == "a"); });
  where.columns = std::vector<std::string>{"day"};
  const auto report = DeleteRows(*table, where).ValueOrDie();
  EXPECT_EQ(report.metrics.at("numDeletedRows"), 3);
  EXPECT_EQ(table->Current()->num_files(), 1);
  ASSERT_TRUE(DeleteRows(*table, RowCondition::Always()).ok());
  EXPECT_EQ(table->Current()->num_files(), 0);
  EXPECT_EQ(LastCommit(*table).operation_parameters.at("predicate"), "[]");
}

TEST_F(DmlTest, OnlyFilesThatMayMatchAreRead) {
  const auto table = Create();
  Append(*table, Sample(0, 3, "a"));
  Append(*table, Sample(3, 3, "b"));
  const auto files = table->Current()->Files();
  for (const auto& file : files) {
    if (file->stats.find("\"id\":3") != std::string::npos) {
      ASSERT_TRUE(storage_.Delete("/t/" + file->path).ok());
    }
  }
  EXPECT_TRUE(DeleteRows(*table, IdIn(1, 1)).ok());
  EXPECT_TRUE(HasCode(DeleteRows(*table, IdIn(4, 4)).status(), "DELTA_FILE_NOT_FOUND"));
}

class DmlModesTest : public DmlTest, public ::testing::WithParamInterface<std::tuple<bool, bool>> {
 protected:
  StringMap Properties() const {
    StringMap properties = kFeed;
    properties["delta.enableRowTracking"] = "true";
    if (std::get<0>(GetParam())) properties.insert(kVectors.begin(), kVectors.end());
    return properties;
  }
  std::vector<std::string> Partitions() const {
    return std::get<1>(GetParam()) ? std::vector<std::string>{"day"} : std::vector<std::string>{};
  }
};

TEST_P(DmlModesTest, UpdateKeepsIdsAndTellsChanges) {
  const auto table = Create(Properties(), Partitions());
  Append(*table, Sample(0, 4, "a"));
  Append(*table, {{4, std::nullopt, "b"}, {5, 50, std::nullopt}});
  const auto before = RowIds();
  const Assignment v{{"v"}, Number([](const TestRow& row) -> std::optional<int64_t> {
                       if (!row.v.has_value()) return std::nullopt;
                       return *row.v + 1;
                     })};
  const Assignment day{
      {"day"},
      [](const std::shared_ptr<arrow::RecordBatch>& rows) -> Result<std::shared_ptr<arrow::Array>> {
        return arrow::MakeArrayFromScalar(arrow::StringScalar("z"), rows->num_rows());
      }};
  const auto report = UpdateRows(*table, IdIn(2, 4), {v, day}).ValueOrDie();
  EXPECT_EQ(report.metrics.at("numUpdatedRows"), 3);
  EXPECT_EQ(Contents(), Texts({{0, 0, "a"},
                               {1, 10, "a"},
                               {2, 21, "z"},
                               {3, 31, "z"},
                               {4, std::nullopt, "z"},
                               {5, 50, std::nullopt}}));
  EXPECT_EQ(Changes(*table),
            (std::vector<std::string>{"update_postimage 2 21 z", "update_postimage 3 31 z",
                                      "update_postimage 4 null z", "update_preimage 2 20 a",
                                      "update_preimage 3 30 a", "update_preimage 4 null b"}));
  const auto after = RowIds();
  for (int64_t id = 0; id < 6; ++id) {
    EXPECT_EQ(after.at(id).first, before.at(id).first) << id;
    EXPECT_EQ(after.at(id).second, id >= 2 && id <= 4 ? 3 : before.at(id).second) << id;
  }
  EXPECT_EQ(LastCommit(*table).operation, "UPDATE");
}

TEST_P(DmlModesTest, DeleteTellsChangesAndKeepsIds) {
  const auto table = Create(Properties(), Partitions());
  Append(*table, Sample(0, 4, "a"));
  Append(*table, Sample(4, 2, "b"));
  const auto before = RowIds();
  ASSERT_TRUE(DeleteRows(*table, IdIn(3, 9)).ok());
  EXPECT_EQ(Contents(), Texts(Sample(0, 3, "a")));
  EXPECT_EQ(Changes(*table),
            (std::vector<std::string>{"delete 3 30 a", "delete 4 40 b", "delete 5 50 b"}));
  const auto after = RowIds();
  for (int64_t id = 0; id < 3; ++id) EXPECT_EQ(after.at(id), before.at(id)) << id;
  // Rows that come later get ids never given before.
  Append(*table, Sample(10, 1, "c"));
  for (const auto& [id, ids] : before) EXPECT_NE(RowIds().at(10).first, ids.first);
}

INSTANTIATE_TEST_SUITE_P(Modes, DmlModesTest,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool()),
                         [](const auto& mode) {
                           return std::string(std::get<0>(mode.param) ? "Vectors" : "Copies") +
                                  (std::get<1>(mode.param) ? "Partitioned" : "Plain");
                         });

TEST_F(DmlTest, CompactionKeepsRowIds) {
  const auto table = Create({{"delta.enableRowTracking", "true"}});
  for (int64_t id = 0; id < 4; ++id) Append(*table, Sample(id, 1, "a"));
  ASSERT_TRUE(DeleteRows(*table, IdIn(2, 2)).ok());
  const auto before = RowIds();
  CompactionOptions options;
  options.min_files = 2;
  ASSERT_TRUE(Compact(*table, options).ValueOrDie().version.has_value());
  EXPECT_EQ(table->Current()->num_files(), 1);
  EXPECT_EQ(RowIds(), before);
}

TEST_F(DmlTest, AppendOnlyTablesRefuse) {
  const auto table = Create({{"delta.appendOnly", "true"}});
  Append(*table, Sample(0, 2, "a"));
  EXPECT_TRUE(HasCode(DeleteRows(*table, RowCondition::Always()).status(), "DELTA_APPEND_ONLY"));
  EXPECT_EQ(table->Current()->version().value(), 1);
}

TEST_F(DmlTest, AnApplicationsBatchIsWrittenOnce) {
  const auto table = Create();
  Append(*table, Sample(0, 4, "a"));
  WriteOptions options;
  options.txn = AppTxn{"app", 3};
  ASSERT_TRUE(DeleteRows(*table, IdIn(0, 0), options).ok());
  const auto again = DeleteRows(*table, IdIn(0, 1), options).ValueOrDie();
  EXPECT_TRUE(again.skipped);
  EXPECT_EQ(Contents().size(), 3U);
  options.txn->version = 4;
  ASSERT_TRUE(DeleteRows(*table, IdIn(0, 1), options).ok());
  EXPECT_EQ(Contents().size(), 2U);
}

TEST_F(DmlTest, AnotherWritersChangeConflictsAndLeavesNoFiles) {
  const auto table = Create();
  Append(*table, Sample(0, 4, "a"));
  const auto other = Table::Open({storage_, clock_}, "/t", 99).ValueOrDie();
  // The other writer comes in while the condition is being evaluated.
  RowCondition where = IdIn(1, 1);
  bool once = false;
  where.holds = [&, holds = where.holds](const std::shared_ptr<arrow::RecordBatch>& rows) {
    if (!once) {
      once = true;
      EXPECT_TRUE(DeleteRows(*other, IdIn(2, 2)).ok());
    }
    return holds(rows);
  };
  const auto files = storage_.ListRecursive("/t").ValueOrDie().size();
  EXPECT_TRUE(HasCode(DeleteRows(*table, where).status(), "DELTA_COMMIT_CONFLICT"));
  // One commit and one data file of the other writer.
  EXPECT_EQ(storage_.ListRecursive("/t").ValueOrDie().size(), files + 2);
  EXPECT_EQ(Contents(), Texts({{0, 0, "a"}, {1, 10, "a"}, {3, 30, "a"}}));
}

}  // namespace
}  // namespace sluice::delta
