#include "delta/commands/restore.h"

#include "delta/commands/clone.h"
#include "delta/commands/table_fixture_for_test.h"
#include "delta/upkeep/compaction.h"
#include "delta/upkeep/table_check.h"
#include "delta/upkeep/vacuum.h"

namespace sluice::delta {
namespace {

class RestoreTest : public TableFixture {
 protected:
  void ExpectSound(const std::string& path = "/t") {
    const auto report = CheckTable(storage_, path).ValueOrDie();
    for (const Finding& finding : report.findings)
      EXPECT_NE(finding.level, FindingLevel::kError) << finding.path << ": " << finding.detail;
  }
};

TEST_F(RestoreTest, BringsBackFilesVectorsMetadataAndTxns) {
  const auto table = Create({{"delta.enableDeletionVectors", "true"}});
  const auto files = Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b")});
  Mask(*table, files[0], {1});
  Transaction positions = table->NewTransaction();
  positions.SetTxn("flow/position", 10);
  ASSERT_TRUE(positions.Commit().ok());
  const auto wanted = table->Current();  // version 3
  clock_.Advance(1000000);

  Mask(*table, *wanted->FindFile(FileKey(*wanted->Files()[0])), {1, 2});
  RemoveFiles(*table, {files[1]});
  const auto more = Append(*table, {Rows(100, 5, "c")});
  Transaction later = table->NewTransaction();
  later.SetTxn("flow/position", 20);
  later.SetTxn("flow/new", 1);
  Metadata metadata = table->Current()->metadata();
  metadata.configuration["note"] = "later";
  later.SetMetadata(metadata);
  ASSERT_TRUE(later.Commit().ok());

  const auto report = RestoreTable(*table, {TableVersion(3), std::nullopt}).ValueOrDie();
  EXPECT_EQ(report.version->value(), 8);
  EXPECT_EQ(report.metrics.at("numRestoredFiles"), 2);
  EXPECT_EQ(report.metrics.at("numRemovedFiles"), 2);
  EXPECT_EQ(report.metrics.at("numOfFilesAfterRestore"), 2);
  for (const auto& snapshot : {table->Current(), Reopen()->Current()}) {
    EXPECT_EQ(Ids(snapshot), (std::multiset<int64_t>{0, 2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_EQ(snapshot->TxnVersion("flow/position"), 10);
    EXPECT_EQ(snapshot->TxnVersion("flow/new"), std::nullopt);
    EXPECT_FALSE(snapshot->metadata().configuration.contains("note"));
  }
  const auto history = table->History(1).ValueOrDie();
  EXPECT_EQ(history[0].info.operation, "RESTORE");
  EXPECT_EQ(history[0].info.operation_parameters.at("version"), "3");

  // What was forgotten stays so beyond a checkpoint, and can be set again.
  ASSERT_TRUE(table->Checkpoint().ok());
  const auto reopened = Reopen();
  EXPECT_EQ(reopened->Current()->TxnVersion("flow/new"), std::nullopt);
  Transaction again = reopened->NewTransaction();
  again.RequireTxn("flow/new", std::nullopt);
  again.SetTxn("flow/new", 5);
  ASSERT_TRUE(again.Commit().ok());
  EXPECT_EQ(reopened->Current()->TxnVersion("flow/new"), 5);
  ExpectSound();
}

TEST_F(RestoreTest, TakesATimestamp) {
  const auto table = Create();
  clock_.Advance(1000000);
  Append(*table, {Rows(0, 1, "a")});
  clock_.Advance(1000000);
  Append(*table, {Rows(1, 1, "a")});
  ASSERT_TRUE(RestoreTable(*table, {std::nullopt, 1700000001500}).ok());
  EXPECT_EQ(Ids(table->Current()), std::multiset<int64_t>{0});
  ASSERT_TRUE(RestoreTable(*table, {std::nullopt, 1900000000000}).ok());
  EXPECT_EQ(Ids(table->Current()), std::multiset<int64_t>{0});
  EXPECT_TRUE(HasCode(RestoreTable(*table, {std::nullopt, 1600000000000}).status(),
                      "DELTA_TIMESTAMP_OUT_OF_RANGE"));
  EXPECT_TRUE(HasCode(RestoreTable(*table, {TableVersion(99), std::nullopt}).status(),
                      "DELTA_VERSION_NOT_FOUND"));
}

TEST_F(RestoreTest, RefusesAVersionWhoseFilesAreGone) {
  const auto table = Create();
  const auto files = Append(*table, {Rows(0, 5, "a")});
  RemoveFiles(*table, files);
  clock_.Advance(8 * kDayMicros);
  ASSERT_EQ(Vacuum(*table)->files_deleted, 1);
  const auto before = table->Current()->version();
  EXPECT_TRUE(HasCode(RestoreTable(*table, {TableVersion(1), std::nullopt}).status(),
                      "DELTA_RESTORE_FILES_MISSING"));
  EXPECT_EQ(table->Current()->version(), before);
}

TEST_F(RestoreTest, ACloneReadsTheSourcesFilesAndWritesItsOwn) {
  const auto source = Create({{"delta.enableDeletionVectors", "true"}});
  const auto files = Append(*source, {Rows(0, 5, "a b"), Rows(5, 5, "c")});
  Mask(*source, files[0], {0});
  Random random(3);
  CloneOptions options;
  options.properties = {{"note", "copy"}};
  const auto report =
      ShallowClone({storage_, clock_}, *source->Current(), "/clone", options, random).ValueOrDie();
  EXPECT_EQ(report.metrics.at("sourceNumOfFiles"), 2);
  const auto clone = Reopen("/clone");
  EXPECT_EQ(Ids(clone->Current()), (std::multiset<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_NE(clone->Current()->metadata().id, source->Current()->metadata().id);
  EXPECT_EQ(clone->Current()->metadata().configuration.at("note"), "copy");
  EXPECT_EQ(clone->History(1).ValueOrDie()[0].info.operation, "CLONE");
  ExpectSound("/clone");

  // VACUUM of the clone leaves the source alone; what is removed from the clone stays there.
  RemoveFiles(*clone, {*clone->Current()->Files()[0]});
  Append(*clone, {Rows(50, 2, "d")});
  clock_.Advance(8 * kDayMicros);
  EXPECT_EQ(Vacuum(*clone)->files_deleted, 0);
  EXPECT_EQ(Ids(source->Current()).size(), 9U);
  const auto second =
      ShallowClone({storage_, clock_}, *clone->Current(), "/second", {}, random).ValueOrDie();
  EXPECT_EQ(Ids(Reopen("/second")->Current()), Ids(clone->Current()));
  EXPECT_TRUE(
      HasCode(ShallowClone({storage_, clock_}, *source->Current(), "/clone", {}, random).status(),
              "DELTA_TABLE_EXISTS"));
}

TEST_F(RestoreTest, PurgeRewritesOnlyFilesWithVectors) {
  const auto table = Create({{"delta.enableDeletionVectors", "true"}});
  const auto files = Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b")});
  Mask(*table, files[0], {0, 1});
  CompactionOptions purge;
  purge.kind = CompactionKind::kPurge;
  const auto report = Compact(*table, purge).ValueOrDie();
  EXPECT_EQ(report.files_removed, 1);
  EXPECT_EQ(report.vectors_removed, 1);
  EXPECT_EQ(Ids(table->Current()).size(), 8U);
  for (const auto& file : table->Current()->Files())
    EXPECT_FALSE(file->deletion_vector.has_value());
  const auto history = table->History(1).ValueOrDie();
  EXPECT_EQ(history[0].info.operation, "REORG");
  EXPECT_EQ(history[0].info.operation_metrics.at("numDeletionVectorsRemoved"), "1");
  EXPECT_FALSE(Compact(*table, purge)->version.has_value());
  ExpectSound();
}

TEST_F(RestoreTest, OptimizePacksAllSmallFilesAndKeepsRowIds) {
  const auto table = Create({{"delta.enableRowTracking", "true"}});
  for (int i = 0; i < 3; ++i) Append(*table, {Rows(i * 10, 2, "a")});
  Append(*table, {Rows(50, 2, "b")});
  const auto ids_of = [&] {
    std::map<int64_t, std::pair<int64_t, int64_t>> ids;
    ScanOptions options;
    options.with_row_ids = true;
    const auto all = ReadAll(storage_, table->Current(), options).ValueOrDie()->CombineChunks();
    const auto column = [&](const char* name) {
      return std::static_pointer_cast<arrow::Int64Array>((*all)->GetColumnByName(name)->chunk(0));
    };
    for (int64_t i = 0; i < (*all)->num_rows(); ++i) {
      ids[column("id")->Value(i)] = {column("__row_id")->Value(i),
                                     column("__row_commit_version")->Value(i)};
    }
    return ids;
  };
  const auto before = ids_of();
  ASSERT_EQ(before.size(), 8U);
  CompactionOptions optimize;
  optimize.kind = CompactionKind::kOptimize;
  const auto report = Compact(*table, optimize).ValueOrDie();
  EXPECT_EQ(report.files_removed, 3);
  EXPECT_EQ(report.files_added, 1);
  EXPECT_EQ(ids_of(), before);
  const auto history = table->History(1).ValueOrDie();
  EXPECT_EQ(history[0].info.operation_parameters.at("auto"), "false");
  EXPECT_EQ(history[0].info.operation_metrics.at("numRemovedFiles"), "3");
  EXPECT_TRUE(history[0].info.operation_metrics.contains("p50FileSize"));
}

}  // namespace
}  // namespace sluice::delta
