#include "delta/log/checkpoint.h"

#include <algorithm>

#include "delta/commands/table_fixture_for_test.h"
#include "delta/log/checkpoint_reader.h"
#include "delta/log/log_cleanup.h"
#include "delta/log/log_segment.h"
#include "delta/log/table_state.h"
#include "delta/log/version_checksum.h"
#include "delta/protocol/action_json.h"
#include "delta/upkeep/table_check.h"

namespace sluice::delta {
namespace {

using storage::StorageCall;
using storage::StorageFault;

class CheckpointTest : public TableFixture {
 protected:
  CheckpointOptions Options() {
    return {clock_.NowMicros() / 1000, [this] { return random_.Uuid(); }};
  }
  /// A table with what a checkpoint has to keep: files, vectors, tombstones, txns, a domain.
  std::shared_ptr<Table> Fill(StringMap properties) {
    properties["delta.enableDeletionVectors"] = "true";
    const auto table = Create(std::move(properties));
    const auto files = Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b"), Rows(10, 5, "c")});
    Mask(*table, files[0], {1});
    RemoveFiles(*table, {files[2]});
    Transaction transaction = table->NewTransaction();
    transaction.SetTxn("app", 3);
    transaction.SetDomainMetadata({"x.y", "{\"a\":1}", false});
    EXPECT_TRUE(transaction.Commit().ok());
    return table;
  }
  /// Only the checkpoint is left to read the table from.
  void ForgetCommits(TableVersion upto) {
    for (TableVersion version(0); version <= upto; version = version.Next()) {
      ASSERT_TRUE(storage_.Delete(CommitPath("/t", version)).ok());
      ASSERT_TRUE(storage_.Delete(ChecksumPath("/t", version)).ok());
    }
  }
  static std::set<std::string> Keys(const Snapshot& snapshot) {
    std::set<std::string> keys;
    snapshot.ForEachFile([&](const AddFile& file) { keys.insert(FileKey(file)); });
    snapshot.ForEachTombstone(
        [&](const RemoveFile& remove) { keys.insert("removed " + FileKey(remove)); });
    return keys;
  }
  static void ExpectSame(const Snapshot& a, const Snapshot& b) {
    EXPECT_EQ(a.version(), b.version());
    EXPECT_EQ(Keys(a), Keys(b));
    EXPECT_EQ(a.total_bytes(), b.total_bytes());
    EXPECT_EQ(a.TxnVersion("app"), b.TxnVersion("app"));
    EXPECT_EQ(a.domain_metadata().size(), b.domain_metadata().size());
    EXPECT_EQ(a.metadata(), b.metadata());
    EXPECT_EQ(a.protocol(), b.protocol());
  }
  std::vector<std::string> LogFiles(const std::string& ending) {
    std::vector<std::string> found;
    for (const auto& file : storage_.ListRecursive("/t/_delta_log").ValueOrDie()) {
      if (file.path.ends_with(ending)) found.push_back(file.path);
    }
    return found;
  }
  Random random_{5};
};

TEST_F(CheckpointTest, FromTheLogIsTheSameAsFromASnapshot) {
  const auto table = Fill({});
  const auto before = table->Current();
  EXPECT_EQ(WriteCheckpointFromLog(storage_, "/t", Options())->value(), 4);
  EXPECT_EQ(WriteCheckpointFromLog(storage_, "/t", Options())->value(), -1);
  // Commits after a checkpoint: files of it go, vectors change.
  const auto more = Append(*table, {Rows(20, 5, "a"), Rows(25, 5, "b")});
  RemoveFiles(*table, {*before->Files()[0], more[1]});
  const auto now = table->Current();
  EXPECT_EQ(WriteCheckpointFromLog(storage_, "/t", Options())->value(), 6);
  ForgetCommits(TableVersion(6));
  const auto reopened = Reopen()->Current();
  EXPECT_EQ(reopened->checkpoint_version().value(), 6);
  ExpectSame(*reopened, *now);
  EXPECT_EQ(Ids(reopened), Ids(now));
}

TEST_F(CheckpointTest, LeavesOutOldTombstones) {
  const auto table = Fill({});
  clock_.Advance(8 * kDayMicros);
  ASSERT_TRUE(WriteCheckpointFromLog(storage_, "/t", Options()).ok());
  ForgetCommits(TableVersion(4));
  int64_t tombstones = 0;
  Reopen()->Current()->ForEachTombstone([&](const RemoveFile&) { ++tombstones; });
  EXPECT_EQ(tombstones, 0);
}

TEST_F(CheckpointTest, V2HasAManifestAndSidecars) {
  const auto table = Fill({{"delta.checkpointPolicy", "v2"}});
  const auto now = table->Current();
  ASSERT_TRUE(now->protocol().HasReaderFeature("v2Checkpoint"));
  ASSERT_TRUE(table->Checkpoint().ok());
  const auto sidecars = LogFiles(".parquet");
  ASSERT_EQ(sidecars.size(), 1U);
  EXPECT_NE(sidecars[0].find("/_sidecars/"), std::string::npos);
  const auto segment = ListLog(storage_, "/t", std::nullopt).ValueOrDie();
  ASSERT_EQ(segment.checkpoints.size(), 1U);
  EXPECT_TRUE(segment.checkpoints[0].paths[0].ends_with(".json"));
  EXPECT_EQ(ReadSidecars(storage_, "/t", segment.checkpoints[0]).ValueOrDie(), sidecars);
  const std::string manifest = storage_.Read(segment.checkpoints[0].paths[0]).ValueOrDie();
  EXPECT_TRUE(manifest.starts_with("{\"checkpointMetadata\":{\"version\":4}}\n"));
  ForgetCommits(TableVersion(4));
  ExpectSame(*Reopen()->Current(), *now);
  EXPECT_FALSE(CheckTable(storage_, "/t").ValueOrDie().HasErrors());

  // The next one from the log, and the sidecars of the one before go with it.
  const auto reopened = Reopen();
  Append(*reopened, {Rows(30, 1, "z")});
  clock_.Advance(40 * kDayMicros);
  ASSERT_TRUE(WriteCheckpointFromLog(storage_, "/t", Options()).ok());
  ASSERT_EQ(LogFiles(".parquet").size(), 2U);
  ASSERT_TRUE(CleanUpLog(storage_, "/t", clock_.NowMicros() / 1000 - 1000).ok());
  const auto left = LogFiles(".parquet");
  ASSERT_EQ(left.size(), 1U);
  EXPECT_NE(left[0], sidecars[0]);
  EXPECT_EQ(Ids(Reopen()->Current()), Ids(reopened->Current()));
}

TEST_F(CheckpointTest, StateWithoutFilesIsThatOfTheSnapshot) {
  for (const char* policy : {"classic", "v2"}) {
    const std::string path = std::string("/t");
    const auto table = Fill({{"delta.checkpointPolicy", policy}});
    const auto expect_same = [&] {
      const auto state = TableState::Load(storage_, path).ValueOrDie();
      const auto snapshot = table->Current();
      EXPECT_EQ(state.version, snapshot->version());
      EXPECT_EQ(state.protocol, snapshot->protocol());
      EXPECT_EQ(state.metadata, snapshot->metadata());
      EXPECT_EQ(state.TxnVersion("app"), snapshot->TxnVersion("app"));
      EXPECT_EQ(state.domains.size(), 1U);
      return state;
    };
    WriteChecksum(storage_, *table->Current());
    EXPECT_EQ(expect_same().num_files, 2);  // by the checksum
    for (const std::string& crc : LogFiles(".crc")) ASSERT_TRUE(storage_.Delete(crc).ok());
    EXPECT_EQ(expect_same().num_files, std::nullopt);  // by the commits
    ASSERT_TRUE(table->Checkpoint().ok());
    ForgetCommits(TableVersion(4));
    storage_.SetHook([](StorageCall, const std::string& read) {
      EXPECT_EQ(read.find("_sidecars"), std::string::npos) << read;
      return StorageFault{};
    });
    expect_same();  // by the checkpoint
    storage_.SetHook({});
    for (const auto& file : storage_.ListRecursive("/t").ValueOrDie())
      ASSERT_TRUE(storage_.Delete(file.path).ok());
  }
  EXPECT_TRUE(HasCode(TableState::Load(storage_, "/t").status(), "DELTA_TABLE_NOT_FOUND"));
}

TEST_F(CheckpointTest, ManyFilesMakeParts) {
  // More actions than one part holds, without their data files.
  const auto table = Create({}, {});
  constexpr int64_t kFiles = 101'000;
  std::string commit = "{\"commitInfo\":{\"operation\":\"WRITE\"}}\n";
  for (int64_t i = 0; i < kFiles; ++i) {
    AddFile file;
    file.path = "part-" + std::to_string(i) + ".parquet";
    file.size = i;
    AppendActionJson(file, &commit);
  }
  ASSERT_TRUE(storage_.PutIfAbsent(CommitPath("/t", TableVersion(1)), commit).ok());
  ASSERT_TRUE(WriteCheckpointFromLog(storage_, "/t", Options()).ok());
  EXPECT_EQ(LogFiles(".parquet").size(), 2U);
  ForgetCommits(TableVersion(1));
  const auto reopened = Reopen()->Current();
  EXPECT_EQ(reopened->num_files(), kFiles);
  EXPECT_EQ(reopened->total_bytes(), kFiles * (kFiles - 1) / 2);
  EXPECT_EQ(TableState::Load(storage_, "/t")->version.value(), 1);
}

/// A listing that was made while others wrote: it lacks one commit and shows later ones.
class TornListing : public storage::MemoryStorage {
 public:
  explicit TornListing(Clock& clock) : MemoryStorage(clock) {}
  Result<std::vector<storage::FileInfo>> List(const std::string& folder) override {
    auto files = MemoryStorage::List(folder);
    std::erase_if(*files, [](const auto& file) { return file.path.ends_with("0002.json"); });
    return files;
  }
};

TEST_F(CheckpointTest, CommitsThatAListingMissedAreFound) {
  TornListing torn(clock_);
  const auto table = Create();
  for (int64_t i = 0; i < 4; ++i) Append(*table, {Rows(i, 1, "a")});
  for (const auto& file : storage_.ListRecursive("/t").ValueOrDie())
    ASSERT_TRUE(torn.Put(file.path, storage_.Read(file.path).ValueOrDie()).ok());
  const auto snapshot = Snapshot::Load(torn, "/t");
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ((*snapshot)->version().value(), 4);
  EXPECT_EQ((*snapshot)->num_files(), 4);
  ASSERT_TRUE(torn.Delete(CommitPath("/t", TableVersion(2))).ok());
  EXPECT_EQ(ErrorCode(Snapshot::Load(torn, "/t").status()), "DELTA_LOG_CORRUPT");
}

}  // namespace
}  // namespace sluice::delta
