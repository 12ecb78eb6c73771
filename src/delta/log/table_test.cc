#include "delta/log/table.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "base/workers.h"
#include "delta/commands/table_fixture_for_test.h"
#include "delta/files/parquet_writer.h"
#include "delta/files/scan.h"
#include "delta/log/log_segment.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/deletion_vector.h"
#include "delta/upkeep/compaction.h"
#include "storage/memory_storage.h"

namespace sluice::delta {
namespace {

using storage::MemoryStorage;
using storage::StorageCall;
using storage::StorageFault;

class TableTest : public TableFixture {
 protected:
  static Result<CommitResult> Append(
      Table& table, const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
    auto files = WriteFiles(table, batches);
    Transaction transaction = table.NewTransaction();
    transaction.Add(std::move(files));
    return transaction.Commit();
  }
};

TEST_F(TableTest, CreatesAppendsReadsBack) {
  const auto table = Create();
  EXPECT_EQ(table->Current()->protocol().min_writer_version, 2);
  CreateOptions again;
  again.schema = Rows(0, 0, "")->schema();
  EXPECT_TRUE(
      HasCode(Table::Create({storage_, clock_}, "/t", again, 1).status(), "DELTA_TABLE_EXISTS"));
  const auto result = Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b/c %")}).ValueOrDie();
  EXPECT_EQ(result.version.value(), 1);
  const auto reopened = Reopen();
  EXPECT_EQ(reopened->Current()->num_files(), 2);
  const auto all = ReadAll(storage_, reopened->Current()).ValueOrDie();
  EXPECT_EQ(all->num_rows(), 10);
  EXPECT_EQ(all->schema()->field(2)->name(), "day");
  std::set<std::string> days;
  for (const auto& file : reopened->Current()->Files())
    days.insert(*file->partition_values.at("day"));
  EXPECT_EQ(days, (std::set<std::string>{"a", "b/c %"}));
  EXPECT_EQ(Ids(reopened->Current()).size(), 10U);
}

TEST_F(TableTest, EmptyTextPartitionIsNull) {
  const auto table = Create();
  ASSERT_TRUE(Append(*table, {Rows(0, 2, "")}).ok());
  const auto all = ReadAll(storage_, table->Current()).ValueOrDie();
  EXPECT_EQ(all->GetColumnByName("day")->null_count(), 2);
  const auto hot = AsTableReturns(Rows(0, 2, ""), *table->Current()).ValueOrDie();
  EXPECT_EQ(hot->GetColumnByName("day")->null_count(), 2);
}

TEST_F(TableTest, InterleavedPartitionsAreSplit) {
  const auto table = Create();
  std::vector<std::shared_ptr<arrow::RecordBatch>> pieces;
  for (int i = 0; i < 60; ++i) pieces.push_back(Rows(i, 1, i % 3 == 0 ? "x" : "y"));
  const auto mixed = arrow::ConcatenateRecordBatches(pieces).ValueOrDie();
  ASSERT_TRUE(Append(*table, {mixed}).ok());
  EXPECT_EQ(table->Current()->num_files(), 2);
  ScanOptions only_x;
  only_x.predicate = {{"day", CompareOp::kEqual, arrow::MakeScalar("x"), {}}};
  EXPECT_EQ(Ids(table->Current(), only_x).size(), 20U);
  EXPECT_EQ(Ids(table->Current()).size(), 60U);
}

TEST_F(TableTest, RequiredTxnIsCheckedAtEveryAttempt) {
  const auto mine = Create();
  const auto other = Reopen();
  Transaction first = mine->NewTransaction();
  first.RequireTxn("app", std::nullopt);
  first.SetTxn("app", 10);
  ASSERT_TRUE(first.Commit().ok());
  // A foreign advance that this process has not seen.
  ASSERT_TRUE(other->Update().ok());
  Transaction foreign = other->NewTransaction();
  foreign.RequireTxn("app", 10);
  foreign.SetTxn("app", 20);
  ASSERT_TRUE(foreign.Commit().ok());
  Transaction second = mine->NewTransaction();
  second.RequireTxn("app", 10);
  second.SetTxn("app", 15);
  second.Add(WriteFiles(*mine, {Rows(0, 1, "a")}));
  const auto result = second.Commit();
  EXPECT_TRUE(HasCode(result.status(), "DELTA_TXN_CHANGED"));
  EXPECT_EQ(RetryClass(result.status()), Retry::kReplan);
  EXPECT_EQ(mine->Update().ValueOrDie()->version().value(), 2);
  EXPECT_EQ(mine->Current()->TxnVersion("app"), 20);
  EXPECT_EQ(mine->Current()->num_files(), 0);
}

TEST_F(TableTest, BlindAppendsRebase) {
  const auto mine = Create();
  const auto other = Reopen();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Append(*other, {Rows(i, 1, "a")}).ok());
  const auto result = Append(*mine, {Rows(100, 1, "a")}).ValueOrDie();
  EXPECT_EQ(result.version.value(), 4);
  EXPECT_EQ(result.attempts, 2);
  EXPECT_EQ(result.snapshot->num_files(), 4);
  EXPECT_TRUE(*result.snapshot->last_commit_info()->is_blind_append);
}

TEST_F(TableTest, LostReplyIsRecognised) {
  const auto table = Create();
  int failures = 1;
  storage_.SetHook([&](StorageCall call, const std::string&) {
    StorageFault fault;
    if (call == StorageCall::kPutIfAbsent && failures-- > 0) {
      fault.error = MakeError("STORAGE_IO", "timed out", "", Retry::kLater);
      fault.after_effect = true;
    }
    return fault;
  });
  const auto result = Append(*table, {Rows(0, 1, "a")}).ValueOrDie();
  EXPECT_EQ(result.version.value(), 1);
  EXPECT_EQ(Reopen()->Current()->version().value(), 1);
  // Failing before the effect: nothing is there and the error comes through.
  failures = 0;
  storage_.SetHook([&](StorageCall call, const std::string&) {
    StorageFault fault;
    if (call == StorageCall::kPutIfAbsent)
      fault.error = MakeError("STORAGE_NO_SPACE", "full", "", Retry::kLater);
    return fault;
  });
  EXPECT_TRUE(HasCode(Append(*table, {Rows(0, 1, "a")}).status(), "STORAGE_NO_SPACE"));
  storage_.SetHook({});
  EXPECT_EQ(Append(*table, {Rows(1, 1, "a")}).ValueOrDie().version.value(), 2);
}

TEST_F(TableTest, UnknownOutcomeIsSaid) {
  const auto table = Create();
  storage_.SetHook([&](StorageCall call, const std::string&) {
    StorageFault fault;
    if (call == StorageCall::kPutIfAbsent)
      fault = {MakeError("STORAGE_IO", "timed out", "", Retry::kLater), true, {}};
    if (call == StorageCall::kRead)
      fault.error = MakeError("STORAGE_IO", "down", "", Retry::kLater);
    return fault;
  });
  Transaction transaction = table->NewTransaction();
  transaction.SetTxn("app", 1);
  EXPECT_TRUE(HasCode(transaction.Commit().status(), "DELTA_COMMIT_UNKNOWN"));
  storage_.SetHook({});
  EXPECT_EQ(table->Update().ValueOrDie()->TxnVersion("app"), 1);
}

TEST_F(TableTest, CheckpointRoundTrip) {
  const auto table =
      Create({{"delta.checkpointInterval", "4"}, {"delta.enableDeletionVectors", "true"}});
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(Append(*table, {Rows(i * 10, 10, i % 2 == 0 ? "a" : "b")}).ok());
  Transaction change = table->NewTransaction();
  const auto files = table->Current()->Files();
  DeletionVector vector;
  vector.AddAll({1, 3});
  const auto descriptors =
      WriteDeletionVectors(storage_, "/t", table->NewUuid(), {&vector}).ValueOrDie();
  change.SetDeletionVector(*files[0], descriptors[0]);
  change.Remove(*files[1]);
  change.SetTxn("app", 42);
  ASSERT_TRUE(change.Commit().ok());
  EXPECT_EQ(table->Maintain().ValueOrDie().checkpoint->value(), 6);
  EXPECT_FALSE(table->Maintain().ValueOrDie().checkpoint.has_value());

  const auto before = table->Current();
  for (int version = 0; version <= 5; ++version)
    ASSERT_TRUE(storage_.Delete(CommitPath("/t", TableVersion(version))).ok());
  ASSERT_TRUE(storage_.Delete(CommitPath("/t", TableVersion(6))).ok());
  const auto after = Reopen()->Current();
  EXPECT_EQ(after->version(), before->version());
  EXPECT_EQ(after->metadata(), before->metadata());
  EXPECT_EQ(after->protocol(), before->protocol());
  EXPECT_EQ(after->TxnVersion("app"), 42);
  ASSERT_EQ(after->num_files(), before->num_files());
  const auto left = after->Files();
  const auto right = before->Files();
  for (size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(FileKey(*left[i]), FileKey(*right[i]));
    EXPECT_EQ(left[i]->stats, right[i]->stats);
    EXPECT_EQ(left[i]->partition_values, right[i]->partition_values);
  }
  int tombstones = 0;
  after->ForEachTombstone([&](const RemoveFile&) { ++tombstones; });
  EXPECT_EQ(tombstones, 2);
  EXPECT_EQ(Ids(after).size(), 38U);
}

TEST_F(TableTest, BadCheckpointAndHintAreSteppedOver) {
  const auto table = Create();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Append(*table, {Rows(i, 1, "a")}).ok());
  ASSERT_TRUE(table->Checkpoint().ok());
  ASSERT_TRUE(Append(*table, {Rows(9, 1, "a")}).ok());
  ASSERT_TRUE(storage_.Put(LastCheckpointPath("/t"), "{not json").ok());
  EXPECT_EQ(Ids(Reopen()->Current()).size(), 4U);
  ASSERT_TRUE(storage_.Put(LastCheckpointPath("/t"), R"({"version":77,"size":1})").ok());
  EXPECT_EQ(Reopen()->Update().ValueOrDie()->version().value(), 4);
  ASSERT_TRUE(storage_.Put(CheckpointPath("/t", TableVersion(3)), "PAR1 not really").ok());
  EXPECT_EQ(Ids(Reopen()->Current()).size(), 4U);
  ASSERT_TRUE(storage_.Put(CheckpointPath("/t", TableVersion(3)), "").ok());
  ASSERT_TRUE(storage_.Delete(LastCheckpointPath("/t")).ok());
  EXPECT_EQ(Ids(Reopen()->Current()).size(), 4U);
}

TEST_F(TableTest, LogCleanupKeepsWhatVersionsNeed) {
  const auto table = Create(
      {{"delta.checkpointInterval", "2"}, {"delta.logRetentionDuration", "interval 1 days"}});
  int64_t deleted = 0;
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(6LL * 3600 * 1000000);
    ASSERT_TRUE(Append(*table, {Rows(i, 1, "a")}).ok());
    deleted += table->Maintain().ValueOrDie().log_files_deleted;
  }
  EXPECT_GT(deleted, 0);
  EXPECT_FALSE(storage_.Stat(CommitPath("/t", TableVersion(0))).ok());
  const auto reopened = Reopen();
  EXPECT_EQ(Ids(reopened->Current()).size(), 10U);
  EXPECT_EQ(reopened->SnapshotAt(TableVersion(8)).ValueOrDie()->num_files(), 8);
  EXPECT_TRUE(HasCode(reopened->SnapshotAt(TableVersion(0)).status(), "DELTA_VERSION_NOT_FOUND") ||
              HasCode(reopened->SnapshotAt(TableVersion(0)).status(), "DELTA_LOG_CORRUPT"));
  // A reader that slept through the cleanup finds its way.
  EXPECT_EQ(table->Update().ValueOrDie()->version().value(), 10);
}

TEST_F(TableTest, StaleReaderBelowCleanedLogLoadsAnew) {
  const auto table = Create(
      {{"delta.checkpointInterval", "2"}, {"delta.logRetentionDuration", "interval 1 hours"}});
  const auto sleeper = Reopen();
  for (int i = 0; i < 6; ++i) {
    clock_.Advance(2LL * 3600 * 1000000);
    ASSERT_TRUE(Append(*table, {Rows(i, 1, "a")}).ok());
    ASSERT_TRUE(table->Maintain().ok());
  }
  EXPECT_EQ(sleeper->Update().ValueOrDie()->version().value(), 6);
}

TEST_F(TableTest, CompactionKeepsRowsAndDoesNotDisturbAppends) {
  const auto table = Create({{"delta.enableDeletionVectors", "true"}});
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(Append(*table, {Rows(i * 10, 10, i % 2 == 0 ? "a" : "b")}).ok());
  Transaction change = table->NewTransaction();
  DeletionVector vector;
  vector.Add(0);
  const auto descriptors =
      WriteDeletionVectors(storage_, "/t", table->NewUuid(), {&vector}).ValueOrDie();
  change.SetDeletionVector(*table->Current()->Files()[0], descriptors[0]);
  ASSERT_TRUE(change.Commit().ok());
  const auto expected = Ids(table->Current());
  CompactionOptions options;
  options.min_files = 2;
  const auto report = Compact(*table, options).ValueOrDie();
  EXPECT_EQ(report.files_removed, 10);
  EXPECT_EQ(report.files_added, 2);
  EXPECT_EQ(Ids(Reopen()->Current()), expected);
  const auto changes = ReadVersionChanges(*table, *report.version).ValueOrDie();
  EXPECT_TRUE(changes.added.empty());
  EXPECT_FALSE(changes.removed_rows);
  EXPECT_FALSE(Compact(*table, options).ValueOrDie().version.has_value());
}

TEST_F(TableTest, AppendOnlyAndNotNullAreHonoured) {
  const auto table = Create({{"delta.appendOnly", "true"}});
  ASSERT_TRUE(Append(*table, {Rows(0, 1, "a")}).ok());
  Transaction remove = table->NewTransaction();
  remove.Remove(*table->Current()->Files()[0]);
  EXPECT_TRUE(HasCode(remove.Commit().status(), "DELTA_APPEND_ONLY"));
  CreateOptions options;
  options.schema = arrow::schema({arrow::field("id", arrow::int64(), false)});
  const auto strict = Table::Create({storage_, clock_}, "/strict", options, 3).ValueOrDie();
  arrow::Int64Builder builder;
  ASSERT_TRUE(builder.AppendNull().ok());
  const auto nulls = arrow::RecordBatch::Make(arrow::schema({arrow::field("id", arrow::int64())}),
                                              1, {*builder.Finish()});
  auto writer = DataFileWriter::Make(*strict, strict->Current()).ValueOrDie();
  EXPECT_TRUE(HasCode(writer->Write(nulls), "DELTA_NOT_NULL_VIOLATION"));
}

TEST_F(TableTest, HistoryAndTimeTravel) {
  const auto table = Create();
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(1000000);
    ASSERT_TRUE(Append(*table, {Rows(i, 1, "a")}).ok());
  }
  const auto history = table->History(10).ValueOrDie();
  ASSERT_EQ(history.size(), 4U);
  EXPECT_EQ(history[0].version.value(), 3);
  EXPECT_EQ(history[3].info.operation, "CREATE TABLE");
  EXPECT_EQ(table->VersionAt(1700000001500).ValueOrDie().value(), 1);
  EXPECT_TRUE(HasCode(table->VersionAt(1600000000000).status(), "DELTA_TIMESTAMP_OUT_OF_RANGE"));
}

TEST_F(TableTest, InCommitTimestampsAreMonotonic) {
  const auto table = Create({{"delta.enableInCommitTimestamps", "true"}});
  int64_t last = 0;
  for (int i = 0; i < 3; ++i) {
    const auto result = Append(*table, {Rows(i, 1, "a")}).ValueOrDie();
    const int64_t now = *result.snapshot->last_commit_info()->in_commit_timestamp_ms;
    EXPECT_GT(now, last);
    last = now;
  }
}

TEST_F(TableTest, AbandonedWriterLeavesNothing) {
  const auto table = Create();
  const auto before = storage_.ListRecursive("/t").ValueOrDie().size();
  {
    auto writer = DataFileWriter::Make(*table, table->Current()).ValueOrDie();
    ASSERT_TRUE(writer->Write(Rows(0, 3, "a")).ok());
  }
  EXPECT_EQ(storage_.ListRecursive("/t").ValueOrDie().size(), before);
}

TEST_F(TableTest, RegistryHandsOutOneTable) {
  TableRegistry registry(storage_, clock_, 5);
  CreateOptions options;
  options.schema = Rows(0, 0, "")->schema();
  const auto table = registry.Create("/r/", options).ValueOrDie();
  EXPECT_EQ(registry.Open("/r").ValueOrDie(), table);
  EXPECT_TRUE(registry.Exists("/r").ValueOrDie());
  EXPECT_FALSE(registry.Exists("/q").ValueOrDie());
  EXPECT_TRUE(HasCode(registry.Open("/q").status(), "DELTA_TABLE_NOT_FOUND"));
}

TEST_F(TableTest, WorkersWriteTheSameRowsIntoFilesOfBoundedSize) {
  const auto table = Create();
  Workers workers(2);
  DataFileOptions options;
  options.workers = &workers;
  options.split_bytes = 4'000;
  options.max_pending_bytes = 40'000;
  options.max_row_group_bytes = 2'000;
  auto writer = DataFileWriter::Make(*table, table->Current(), options).ValueOrDie();
  std::multiset<int64_t> written;
  for (int64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(writer->Write(Rows(i * 50, 50, i % 3 == 0 ? "monday" : "tuesday")).ok());
    for (int64_t id = i * 50; id < i * 50 + 50; ++id) written.insert(id);
  }
  auto files = writer->Finish().ValueOrDie();
  EXPECT_GT(files.size(), 20U);
  std::set<std::string> paths;
  for (const AddFile& file : files) {
    paths.insert(file.path);
    EXPECT_EQ(storage_.Read("/t/" + file.path).ValueOrDie().size(), static_cast<size_t>(file.size));
  }
  EXPECT_EQ(paths.size(), files.size());
  Transaction transaction = table->NewTransaction();
  transaction.Add(std::move(files));
  ASSERT_TRUE(transaction.Commit().ok());
  EXPECT_EQ(Ids(table->Current()), written);
}

TEST_F(TableTest, WorkersThatFailLeaveNothingBehind) {
  const auto table = Create();
  Workers workers(2);
  DataFileOptions options;
  options.workers = &workers;
  options.split_bytes = 1'000;
  auto writer = DataFileWriter::Make(*table, table->Current(), options).ValueOrDie();
  for (int64_t i = 0; i < 20; ++i) ASSERT_TRUE(writer->Write(Rows(i * 50, 50, "monday")).ok());
  std::atomic<int> writes = 0;
  storage_.SetHook([&](StorageCall call, const std::string&) {
    StorageFault fault;
    if (call == StorageCall::kWrite && ++writes == 7)
      fault.error = MakeError("STORAGE_NO_SPACE", "the disk is full", "", Retry::kLater);
    return fault;
  });
  const auto files = writer->Finish();
  storage_.SetHook({});
  EXPECT_TRUE(HasCode(files.status(), "STORAGE_NO_SPACE")) << files.status();
  writer.reset();
  for (const auto& file : storage_.ListRecursive("/t").ValueOrDie())
    EXPECT_TRUE(file.path.find("_delta_log") != std::string::npos) << file.path;
}

}  // namespace
}  // namespace sluice::delta
