#include "delta/upkeep/vacuum.h"

#include "base/workers.h"
#include "delta/commands/table_fixture_for_test.h"
#include "delta/log/log_segment.h"

namespace sluice::delta {
namespace {

using storage::StorageCall;
using storage::StorageFault;

class VacuumTest : public TableFixture {
 protected:
  static std::string PathOf(const AddFile& file) { return "/t/" + file.path; }
  void PutFile(const std::string& path) { ASSERT_TRUE(storage_.Put(path, "x").ok()); }
};

TEST_F(VacuumTest, DeletesWhatNoVersionWithinTheRetentionNeeds) {
  const auto table = Create();
  const auto first = Append(*table, {Rows(0, 5, "a")});
  const auto second = Append(*table, {Rows(5, 5, "b")});
  const auto third = Append(*table, {Rows(10, 5, "c")});
  RemoveFiles(*table, first);
  PutFile("/t/orphan.parquet");
  PutFile("/t/_other/kept.parquet");
  PutFile("/t/.dot");
  PutFile("/t/_change_data/cdc.parquet");
  clock_.Advance(6 * kDayMicros);
  RemoveFiles(*table, second);
  PutFile("/t/young.parquet");
  clock_.Advance(2 * kDayMicros);

  VacuumOptions dry;
  dry.dry_run = true;
  const auto listed = Vacuum(*table, dry).ValueOrDie();
  EXPECT_EQ(listed.files, (std::vector<std::string>{"/t/_change_data/cdc.parquet", PathOf(first[0]),
                                                    "/t/orphan.parquet"}));
  EXPECT_EQ(listed.files_deleted, 0);
  EXPECT_EQ(table->Current()->version().value(), 5);
  EXPECT_TRUE(Exists(PathOf(first[0])));

  Workers workers(2);
  VacuumOptions options;
  options.workers = &workers;
  const auto done = Vacuum(*table, options).ValueOrDie();
  EXPECT_EQ(done.files, listed.files);
  EXPECT_EQ(done.bytes, first[0].size + 2);
  EXPECT_EQ(done.files_deleted, 3);
  EXPECT_EQ(done.version->value(), 7);
  for (const std::string& path : done.files) EXPECT_FALSE(Exists(path)) << path;
  for (const std::string path : {"/t/young.parquet", "/t/_other/kept.parquet", "/t/.dot"})
    EXPECT_TRUE(Exists(path)) << path;
  EXPECT_TRUE(Exists(PathOf(second[0])));
  EXPECT_EQ(Ids(Reopen()->Current()).size(), 5U);

  const auto history = table->History(2).ValueOrDie();
  EXPECT_EQ(history[0].info.operation, "VACUUM END");
  EXPECT_EQ(history[0].info.operation_metrics.at("numDeletedFiles"), "3");
  EXPECT_EQ(history[0].info.operation_parameters.at("status"), "COMPLETED");
  EXPECT_EQ(history[1].info.operation, "VACUUM START");
  EXPECT_EQ(history[1].info.operation_metrics.at("numFilesToDelete"), "3");
  EXPECT_EQ(history[1].info.operation_parameters.at("defaultRetentionMillis"), "604800000");
}

TEST_F(VacuumTest, RefusesAShortRetentionUnlessToldOtherwise) {
  const auto table = Create();
  const auto files = Append(*table, {Rows(0, 5, "a")});
  RemoveFiles(*table, files);
  clock_.Advance(kHourMicros);
  VacuumOptions options;
  options.retention_ms = 0;
  const Status refused = Vacuum(*table, options).status();
  EXPECT_TRUE(HasCode(refused, "DELTA_VACUUM_RETENTION_TOO_SHORT"));
  EXPECT_NE(ErrorHint(refused).find("168 hours"), std::string::npos);
  EXPECT_TRUE(Exists(PathOf(files[0])));
  EXPECT_EQ(table->Current()->version().value(), 2);
  options.check_retention = false;
  options.log_commits = false;
  EXPECT_EQ(Vacuum(*table, options)->files_deleted, 1);
  EXPECT_EQ(table->Current()->version().value(), 2);
  options.retention_ms = -1;
  EXPECT_TRUE(HasCode(Vacuum(*table, options).status(), "DELTA_VACUUM_RETENTION_TOO_SHORT"));
}

TEST_F(VacuumTest, KeepsDeletionVectorsInUse) {
  const auto table = Create({{"delta.enableDeletionVectors", "true"}});
  const auto files = Append(*table, {Rows(0, 5, "a")});
  Mask(*table, files[0], {1});
  const auto masked = *table->Current()->Files()[0];
  Mask(*table, masked, {1, 2});
  clock_.Advance(8 * kDayMicros);
  const auto report = Vacuum(*table).ValueOrDie();
  EXPECT_EQ(report.files, std::vector<std::string>{
                              DeletionVectorPath("/t", *masked.deletion_vector).ValueOrDie()});
  EXPECT_EQ(Ids(table->Current()), (std::multiset<int64_t>{0, 3, 4}));
}

TEST_F(VacuumTest, KeepsFilesThatTheLogNamesByAbsolutePath) {
  const auto table = Create({}, {});
  const auto files = Append(*table, {Rows(0, 5, "a")});
  Transaction transaction = table->NewTransaction();
  transaction.Remove(files[0], false);
  AddFile absolute = files[0];
  absolute.path = "file:/another/name/of/t/" + files[0].path;
  absolute.data_change = false;
  transaction.Add({absolute});
  ASSERT_TRUE(transaction.Commit().ok());
  clock_.Advance(8 * kDayMicros);
  EXPECT_TRUE(Vacuum(*table)->files.empty());
}

TEST_F(VacuumTest, LiteAsksTheLogAlone) {
  const auto table = Create();
  const auto first = Append(*table, {Rows(0, 5, "a")});
  const auto second = Append(*table, {Rows(5, 5, "a")});
  RemoveFiles(*table, first);
  PutFile("/t/orphan.parquet");
  clock_.Advance(8 * kDayMicros);
  RemoveFiles(*table, second);
  storage_.SetHook([](StorageCall call, const std::string& path) {
    EXPECT_FALSE(call == StorageCall::kList && path == "/t");
    return StorageFault{};
  });
  VacuumOptions lite;
  lite.type = VacuumType::kLite;
  const auto report = Vacuum(*table, lite).ValueOrDie();
  storage_.SetHook({});
  EXPECT_EQ(report.files, std::vector<std::string>{PathOf(first[0])});
  EXPECT_TRUE(Exists("/t/orphan.parquet"));
  EXPECT_EQ(storage_.Read("/t/_delta_log/_last_vacuum_info").ValueOrDie(),
            "{\"latestCommitVersionOutsideOfRetentionWindow\":3}\n");

  // What was looked at need not be in the log any more; what was not, must.
  ASSERT_TRUE(table->Checkpoint().ok());
  for (int version = 0; version <= 3; ++version)
    ASSERT_TRUE(storage_.Delete(CommitPath("/t", TableVersion(version))).ok());
  clock_.Advance(8 * kDayMicros);
  EXPECT_EQ(Vacuum(*table, lite)->files, std::vector<std::string>{PathOf(second[0])});
  ASSERT_TRUE(storage_.Delete("/t/_delta_log/_last_vacuum_info").ok());
  EXPECT_TRUE(HasCode(Vacuum(*table, lite).status(), "DELTA_CANNOT_VACUUM_LITE"));
  EXPECT_EQ(Vacuum(*table)->files, std::vector<std::string>{"/t/orphan.parquet"});
  EXPECT_TRUE(Vacuum(*table, lite)->files.empty());
}

TEST_F(VacuumTest, SaysInTheHistoryThatItFailed) {
  const auto table = Create();
  const auto files = Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b")});
  RemoveFiles(*table, files);
  clock_.Advance(8 * kDayMicros);
  storage_.SetHook([&](StorageCall call, const std::string& path) {
    StorageFault fault;
    if (call == StorageCall::kDelete && path == PathOf(files[0]))
      fault.error = MakeError("STORAGE_IO", "no", "", Retry::kLater);
    return fault;
  });
  EXPECT_TRUE(HasCode(Vacuum(*table).status(), "STORAGE_IO"));
  storage_.SetHook({});
  EXPECT_FALSE(Exists(PathOf(files[1])));
  const auto history = table->History(1).ValueOrDie();
  EXPECT_EQ(history[0].info.operation_parameters.at("status"), "FAILED");
  EXPECT_EQ(history[0].info.operation_metrics.at("numDeletedFiles"), "1");
  EXPECT_EQ(Vacuum(*table)->files_deleted, 1);
}

}  // namespace
}  // namespace sluice::delta
