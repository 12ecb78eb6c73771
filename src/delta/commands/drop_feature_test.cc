#include "delta/commands/drop_feature.h"

#include "delta/commands/alter.h"
#include "delta/commands/table_fixture_for_test.h"
#include "delta/log/checkpoint.h"
#include "delta/log/log_segment.h"
#include "delta/upkeep/clustering.h"
#include "delta/upkeep/table_check.h"
#include "delta/upkeep/vacuum.h"

namespace sluice::delta {
namespace {

class DropFeatureTest : public TableFixture {
 protected:
  std::shared_ptr<Table> WithVector() {
    const auto table = Create({{"delta.enableDeletionVectors", "true"}});
    const auto files = Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b")});
    Mask(*table, files[0], {1});
    return table;
  }
  void ExpectSound() {
    for (const Finding& finding : CheckTable(storage_, "/t").ValueOrDie().findings)
      EXPECT_NE(finding.level, FindingLevel::kError) << finding.path << ": " << finding.detail;
  }
};

TEST_F(DropFeatureTest, DeletionVectorsLeaveAGuardedHistory) {
  const auto table = WithVector();
  const auto dropped = DropFeature(*table, "deletionvectors");
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  const auto now = Reopen()->Current();
  EXPECT_EQ(now->version(), dropped->version);
  EXPECT_EQ(now->protocol().min_reader_version, 1);
  EXPECT_FALSE(now->protocol().HasWriterFeature("deletionVectors"));
  EXPECT_TRUE(now->protocol().HasWriterFeature("checkpointProtection"));
  EXPECT_EQ(now->metadata().configuration.at("delta.requireCheckpointProtectionBeforeVersion"),
            dropped->version.ToString());
  EXPECT_FALSE(now->metadata().configuration.contains("delta.enableDeletionVectors"));
  now->ForEachFile([](const AddFile& file) { EXPECT_FALSE(file.deletion_vector.has_value()); });
  EXPECT_EQ(Ids(now), (std::multiset<int64_t>{0, 2, 3, 4, 5, 6, 7, 8, 9}));
  // The older versions can be read, and cleanup leaves them while it cannot delete them all.
  EXPECT_EQ(Ids(table->SnapshotAt(TableVersion(2)).ValueOrDie()).size(), 9U);
  EXPECT_EQ(now->last_commit_info()->operation, "DROP FEATURE");
  EXPECT_EQ(ErrorCode(DropFeature(*table, "deletionVectors").status()),
            "DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT");
  ExpectSound();
  // VACUUM of any writer keeps the file of the vector: a tombstone names it.
  int vectors = 0;
  now->ForEachTombstone([&](const RemoveFile& remove) {
    vectors += remove.path.ends_with(".bin") && Exists("/t/" + remove.path) ? 1 : 0;
  });
  EXPECT_EQ(vectors, 1);
}

TEST_F(DropFeatureTest, TruncatedHistoryNeedsNoGuard) {
  const auto table = WithVector();
  DropFeatureOptions options;
  options.truncate_history = true;
  EXPECT_EQ(ErrorCode(DropFeature(*table, "deletionVectors", options).status()),
            "DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD");
  table->Current()->ForEachFile(
      [](const AddFile& file) { EXPECT_FALSE(file.deletion_vector.has_value()); });
  clock_.Advance(2 * kDayMicros);
  Append(*table, {Rows(10, 1, "a")});
  const auto dropped = DropFeature(*table, "deletionVectors", options);
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  EXPECT_EQ(dropped->snapshot->protocol(), (Protocol{1, 2, std::nullopt, std::nullopt}));
  EXPECT_EQ(Ids(Reopen()->Current()).size(), 10U);
  ExpectSound();
}

TEST_F(DropFeatureTest, V2CheckpointsBecomeClassic) {
  const auto table = Create({{"delta.checkpointPolicy", "v2"}});
  Append(*table, {Rows(0, 5, "a")});
  ASSERT_TRUE(table->Checkpoint().ok());
  ASSERT_TRUE(DropFeature(*table, "v2Checkpoint").ok());
  const auto segment = ListLog(storage_, "/t", std::nullopt).ValueOrDie();
  EXPECT_TRUE(segment.checkpoints[0].paths[0].ends_with(".checkpoint.parquet"));
  EXPECT_FALSE(table->Current()->protocol().HasReaderFeature("v2Checkpoint"));
  EXPECT_EQ(Ids(Reopen()->Current()).size(), 5U);
}

TEST_F(DropFeatureTest, WriterFeaturesGoAtOnce) {
  const auto table = Create({{"delta.enableInCommitTimestamps", "true"},
                             {"delta.feature.materializePartitionColumns", "supported"}});
  ASSERT_TRUE(DropFeature(*table, "inCommitTimestamp").ok());
  EXPECT_FALSE(table->Current()->properties().enable_in_commit_timestamps);
  ASSERT_TRUE(DropFeature(*table, "materializePartitionColumns").ok());
  EXPECT_EQ(table->Current()->protocol(), (Protocol{1, 2, std::nullopt, std::nullopt}));
  Append(*table, {Rows(0, 3, "a")});
  const auto clustered = Create({}, {}, "/c");
  ASSERT_TRUE(SetClustering(*clustered, {{"id"}}).ok());
  ASSERT_TRUE(DropFeature(*clustered, "clustering").ok());
  EXPECT_FALSE(IsClustered(*clustered->Current()));
  EXPECT_FALSE(clustered->Current()->domain_metadata().contains("delta.clustering"));
}

TEST_F(DropFeatureTest, MappedColumnsGetTheirNamesInFiles) {
  const auto table =
      Create({{"delta.columnMapping.mode", "name"}, {"delta.enableDeletionVectors", "true"}});
  const auto files = Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b")});
  Mask(*table, files[0], {1});
  const auto dropped = DropFeature(*table, "columnMapping");
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  const auto now = Reopen()->Current();
  EXPECT_EQ(now->metadata().schema_string.find("columnMapping"), std::string::npos);
  EXPECT_FALSE(now->metadata().configuration.contains("delta.columnMapping.mode"));
  EXPECT_FALSE(now->protocol().HasReaderFeature("columnMapping"));
  EXPECT_TRUE(now->protocol().HasWriterFeature("checkpointProtection"));
  EXPECT_EQ(Ids(now).size(), 9U);
  now->ForEachFile([](const AddFile& file) {
    EXPECT_NE(file.stats.find("\"id\""), std::string::npos) << file.stats;
  });
  Append(*table, {Rows(20, 2, "c")});
  EXPECT_EQ(Ids(Reopen()->Current()).size(), 11U);
  ExpectSound();
}

TEST_F(DropFeatureTest, WidenedColumnsAreOfOneTypeInFiles) {
  const auto table = Create({{"delta.enableTypeWidening", "true"}});
  Append(*table, {Rows(0, 5, "a")});
  ASSERT_TRUE(AddColumns(*table, {{{}, arrow::field("n", arrow::int32()), std::nullopt}}).ok());
  Append(*table, {Rows(5, 5, "b")});
  ColumnChange change;
  change.path = {"n"};
  change.type = arrow::int64();
  ASSERT_TRUE(ChangeColumn(*table, change).ok());
  const auto dropped = DropFeature(*table, "typeWidening");
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  const auto now = Reopen()->Current();
  EXPECT_EQ(now->metadata().schema_string.find("typeChanges"), std::string::npos);
  EXPECT_FALSE(now->protocol().HasReaderFeature("typeWidening"));
  EXPECT_FALSE(now->metadata().configuration.contains("delta.enableTypeWidening"));
  EXPECT_EQ(Ids(now).size(), 10U);
  ExpectSound();
}

TEST_F(DropFeatureTest, RowIdsAreForgotten) {
  const auto table = Create({{"delta.enableRowTracking", "true"}});
  Append(*table, {Rows(0, 5, "a")});
  const auto dropped = DropFeature(*table, "rowTracking");
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  const auto now = Reopen()->Current();
  now->ForEachFile([](const AddFile& file) { EXPECT_FALSE(file.base_row_id.has_value()); });
  EXPECT_FALSE(now->protocol().HasWriterFeature("rowTracking"));
  EXPECT_FALSE(now->domain_metadata().contains("delta.rowTracking"));
  for (const auto& [key, value] : now->metadata().configuration)
    EXPECT_EQ(key.find("owTracking"), std::string::npos) << key;
  Append(*table, {Rows(5, 5, "b")});
  EXPECT_EQ(Ids(Reopen()->Current()).size(), 10U);
  ExpectSound();
}

TEST_F(DropFeatureTest, RefusesWhatIsInUseOrCannotGo) {
  const auto table = Create({{"delta.minWriterVersion", "3"}});
  EXPECT_EQ(ErrorCode(DropFeature(*table, "appendOnly").status()),
            "DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE");
  EXPECT_EQ(ErrorCode(DropFeature(*table, "nonsense").status()),
            "DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT");
  ASSERT_TRUE(DropFeature(*table, "checkConstraints").ok());
  EXPECT_EQ(table->Current()->protocol().min_writer_version, 2);
}

}  // namespace
}  // namespace sluice::delta
