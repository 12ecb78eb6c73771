#include "delta/log/snapshot_files.h"

#include "base/workers.h"
#include "delta/commands/table_fixture_for_test.h"
#include "delta/log/checkpoint_file_internal.h"
#include "delta/log/checkpoint_files.h"
#include "delta/log/log_segment.h"
#include "delta/protocol/action_json.h"

namespace sluice::delta {
namespace {

class SnapshotFilesTest : public TableFixture {
 protected:
  /// Everything a snapshot says of files, but for what checkpoints do not keep.
  static std::multiset<std::string> Contents(const Snapshot& snapshot) {
    std::multiset<std::string> contents;
    snapshot.ForEachFile([&](const AddFile& file) {
      AddFile plain = file;
      plain.data_change = false;
      std::string json;
      AppendActionJson(plain, &json);
      contents.insert(json);
    });
    snapshot.ForEachTombstone([&](const RemoveFile& file) {
      RemoveFile plain = file;
      plain.data_change = false;
      plain.stats.clear();
      plain.tags.clear();
      std::string json;
      AppendActionJson(plain, &json);
      contents.insert(json);
    });
    return contents;
  }
  void ForgetCheckpoints() {
    for (const auto& file : storage_.ListRecursive("/t/_delta_log").ValueOrDie()) {
      if (file.path.find("checkpoint") == std::string::npos) continue;
      ASSERT_TRUE(storage_.Delete(file.path).ok());
    }
  }
  static AddFile FileOf(int64_t number, int64_t size) {
    AddFile file;
    file.path = "part-" + std::to_string(number) + ".parquet";
    file.size = size;
    file.stats = "{\"numRecords\":" + std::to_string(size) + "}";
    return file;
  }
  /// A checkpoint of version 0 that names `files`.
  void PutCheckpoint(const std::vector<AddFile>& files) {
    const auto table = Create({}, {});
    CheckpointFile checkpoint(CheckpointFile::Content::kAll);
    ASSERT_TRUE(checkpoint.Add(table->Current()->protocol()).ok());
    ASSERT_TRUE(checkpoint.Add(table->Current()->metadata()).ok());
    for (const AddFile& file : files) ASSERT_TRUE(checkpoint.Add(file).ok());
    const auto bytes = checkpoint.Finish().ValueOrDie();
    ASSERT_TRUE(storage_.Put(CheckpointPath("/t", TableVersion(0)), std::string_view(*bytes)).ok());
  }
};

TEST_F(SnapshotFilesTest, AreTheSameFromACheckpointAndFromCommits) {
  const auto table = Create({{"delta.enableDeletionVectors", "true"}});
  const auto files =
      Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b"), Rows(10, 5, ""), Rows(15, 5, "d")});
  Mask(*table, files[0], {1});
  RemoveFiles(*table, {files[3]});
  ASSERT_TRUE(table->Checkpoint().ok());
  const auto opened = Snapshot::Load(storage_, "/t").ValueOrDie();
  ASSERT_EQ(opened->checkpoint_version(), opened->version());

  // What commits do to files of a checkpoint: mask, remove, name again, bring back.
  Mask(*table, files[1], {0, 2});
  RemoveFiles(*table, {files[2]});
  Append(*table, {Rows(20, 5, "a")});
  Transaction again = table->NewTransaction();
  again.Add(std::vector<AddFile>{files[3]});
  ASSERT_TRUE(again.Commit().ok());
  const auto updated = opened->Update(storage_).ValueOrDie();
  const auto loaded = Snapshot::Load(storage_, "/t").ValueOrDie();
  ForgetCheckpoints();
  const auto replayed = Snapshot::Load(storage_, "/t").ValueOrDie();
  ASSERT_EQ(replayed->checkpoint_version().value(), -1);
  for (const auto& snapshot : {updated, loaded}) {
    EXPECT_EQ(snapshot->version(), replayed->version());
    EXPECT_EQ(Contents(*snapshot), Contents(*replayed));
    EXPECT_EQ(snapshot->num_files(), replayed->num_files());
    EXPECT_EQ(snapshot->total_bytes(), replayed->total_bytes());
    EXPECT_EQ(Ids(snapshot), Ids(replayed));
  }
  for (const auto& file : replayed->Files()) {
    ASSERT_NE(updated->FindFile(FileKey(*file)), nullptr);
    EXPECT_EQ(updated->FindFile(FileKey(*file))->stats, file->stats);
  }
  // The one before is what it was.
  EXPECT_EQ(opened->num_files(), 3);
  EXPECT_TRUE(opened->HasFile(FileKey(files[2])));
  EXPECT_FALSE(updated->HasFile(FileKey(files[2])));
}

TEST_F(SnapshotFilesTest, OfTwoRowsWithOneKeyTheLaterCounts) {
  PutCheckpoint({FileOf(1, 10), FileOf(2, 20), FileOf(1, 30), FileOf(1, 40)});
  const auto snapshot = Snapshot::Load(storage_, "/t").ValueOrDie();
  EXPECT_EQ(snapshot->num_files(), 2);
  EXPECT_EQ(snapshot->total_bytes(), 60);
  EXPECT_EQ(snapshot->FindFile("part-1.parquet")->size, 40);
  const auto next = snapshot->Apply({RemoveOf(FileOf(1, 40), 1, true)}).ValueOrDie();
  EXPECT_EQ(next->num_files(), 1);
  EXPECT_EQ(next->total_bytes(), 20);
}

TEST_F(SnapshotFilesTest, ManyAreDecodedByManyThreads) {
  constexpr int64_t kFiles = 70'000;  // more than four row groups, and than two blocks of RowMask
  std::vector<AddFile> files;
  for (int64_t i = 0; i < kFiles; ++i) files.push_back(FileOf(i, i));
  PutCheckpoint(files);
  Workers workers(2);
  const auto snapshot = Snapshot::Load(storage_, "/t", std::nullopt, &workers).ValueOrDie();
  EXPECT_EQ(snapshot->num_files(), kFiles);
  EXPECT_EQ(snapshot->total_bytes(), kFiles * (kFiles - 1) / 2);
  std::vector<Action> removes;
  for (int64_t i = 0; i < kFiles; i += 7) removes.emplace_back(RemoveOf(files[i], 1, true));
  const auto fewer = snapshot->Apply(removes).ValueOrDie();
  for (int64_t i = 0; i < kFiles; ++i) {
    ASSERT_EQ(fewer->HasFile(FileKey(files[i])), i % 7 != 0) << i;
    ASSERT_TRUE(snapshot->HasFile(FileKey(files[i]))) << i;
  }
  const auto large =
      fewer->FilesWhere([](const AddFile& file) { return file.size >= kFiles - 10; });
  ASSERT_EQ(large.size(), 9U);
  EXPECT_EQ(large[0]->path, "part-69990.parquet");
  EXPECT_EQ(large[0]->stats, "{\"numRecords\":69990}");
  // Until none is left of the columns.
  removes.clear();
  for (const AddFile& file : files) removes.emplace_back(RemoveOf(file, 1, true));
  removes.emplace_back(FileOf(1, 5));
  const auto replaced = fewer->Apply(removes).ValueOrDie();
  EXPECT_EQ(replaced->num_files(), 1);
  EXPECT_EQ(replaced->total_bytes(), 5);
}

TEST_F(SnapshotFilesTest, OldTombstonesAreForgotten) {
  const auto table = Create();
  const auto files = Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b"), Rows(10, 5, "c")});
  RemoveFiles(*table, {files[0]});
  clock_.Advance(1'000'000);
  const int64_t between_ms = clock_.NowMicros() / 1000;
  RemoveFiles(*table, {files[1]});
  ASSERT_TRUE(table->Checkpoint().ok());
  const auto loaded = Snapshot::Load(storage_, "/t").ValueOrDie();
  clock_.Advance(1'000'000);
  const auto later =
      loaded->Apply({RemoveOf(files[2], clock_.NowMicros() / 1000, true)}).ValueOrDie();
  const auto tombstones = [](const Snapshot& snapshot) {
    std::set<std::string> paths;
    snapshot.ForEachTombstone([&](const RemoveFile& file) { paths.insert(file.path); });
    return paths;
  };
  EXPECT_EQ(tombstones(*later->WithCheckpoint(later->version(), between_ms)),
            (std::set<std::string>{files[1].path, files[2].path}));
  EXPECT_EQ(tombstones(*later->WithCheckpoint(later->version(), between_ms + 500)),
            (std::set<std::string>{files[2].path}));
  EXPECT_EQ(tombstones(*later).size(), 3U);
}

TEST_F(SnapshotFilesTest, ABrokenCheckpointIsFoundWhenTheTableIsOpened) {
  const auto table = Create();
  Append(*table, {Rows(0, 5, "a")});
  ASSERT_TRUE(table->Checkpoint().ok());
  const std::string path = CheckpointPath("/t", TableVersion(1));
  std::string bytes = storage_.Read(path).ValueOrDie();
  // The page of the statistics: whoever reads only paths and sizes would not notice.
  const size_t stats = bytes.find("numRecords");
  ASSERT_NE(stats, std::string::npos);
  bytes.replace(stats - 20, 60, std::string(60, '\xff'));
  ASSERT_TRUE(storage_.Put(path, bytes).ok());
  const auto snapshot = Snapshot::Load(storage_, "/t").ValueOrDie();
  EXPECT_EQ(snapshot->checkpoint_version().value(), -1);
  EXPECT_EQ(Ids(snapshot).size(), 5U);
}

}  // namespace
}  // namespace sluice::delta
