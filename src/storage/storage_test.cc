#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "storage/folders.h"
#include "storage/local_storage.h"
#include "storage/memory_storage.h"

namespace sluice::storage {
namespace {

/// Runs each contract test on both implementations.
class StorageTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      char folder[] = "/tmp/sluice_storage_XXXXXX";
      ASSERT_NE(::mkdtemp(folder), nullptr);
      root_ = folder;
      storage_ = std::make_unique<LocalStorage>();
    } else {
      root_ = "/root";
      storage_ = std::make_unique<MemoryStorage>(clock_);
    }
  }
  void TearDown() override {
    for (const FileInfo& file : storage_->ListRecursive(root_).ValueOrDie())
      EXPECT_TRUE(storage_->Delete(file.path).ok());
  }
  std::string Path(const std::string& name) const { return JoinPath(root_, name); }

  ManualClock clock_{1000000};
  std::string root_;
  std::unique_ptr<Storage> storage_;
};

TEST_P(StorageTest, PutIfAbsentCreatesOnce) {
  EXPECT_TRUE(storage_->PutIfAbsent(Path("log/0.json"), "one").ok());
  EXPECT_TRUE(HasCode(storage_->PutIfAbsent(Path("log/0.json"), "two"), "STORAGE_ALREADY_EXISTS"));
  EXPECT_EQ(storage_->Read(Path("log/0.json")).ValueOrDie(), "one");
  EXPECT_TRUE(storage_->Put(Path("log/0.json"), "three").ok());
  EXPECT_EQ(storage_->Read(Path("log/0.json")).ValueOrDie(), "three");
  EXPECT_EQ(storage_->Stat(Path("log/0.json")).ValueOrDie().size, 5);
}

TEST_P(StorageTest, FoldersAreThoseOfFiles) {
  for (const char* name : {"w/b/t/1", "w/b/u/2", "w/a/3", "w/file", "wide/x/4"})
    ASSERT_TRUE(storage_->Put(Path(name), "x").ok());
  using Names = std::vector<std::string>;
  EXPECT_EQ(ListFolders(*storage_, Path("w")).ValueOrDie(), (Names{"a", "b"}));
  EXPECT_EQ(ListFolders(*storage_, Path("w/b")).ValueOrDie(), (Names{"t", "u"}));
  EXPECT_EQ(ListFolders(*storage_, Path("w/a")).ValueOrDie(), Names());
  EXPECT_EQ(ListFolders(*storage_, Path("w/file")).ValueOrDie(), Names());
  EXPECT_EQ(ListFolders(*storage_, Path("nowhere")).ValueOrDie(), Names());
}

TEST_P(StorageTest, MissingFilesSayso) {
  EXPECT_TRUE(HasCode(storage_->Read(Path("none")).status(), "STORAGE_NOT_FOUND"));
  EXPECT_TRUE(HasCode(storage_->Stat(Path("none")).status(), "STORAGE_NOT_FOUND"));
  EXPECT_TRUE(HasCode(storage_->OpenInput(Path("none")).status(), "STORAGE_NOT_FOUND"));
  EXPECT_TRUE(storage_->Delete(Path("none")).ok());
  EXPECT_TRUE(storage_->List(Path("nowhere")).ValueOrDie().empty());
}

TEST_P(StorageTest, ListsSortedWithAndWithoutFolders) {
  for (const char* name : {"b", "a", "sub/c", "sub/deep/d"})
    ASSERT_TRUE(storage_->Put(Path(name), name).ok());
  const auto flat = storage_->List(root_).ValueOrDie();
  ASSERT_EQ(flat.size(), 2U);
  EXPECT_EQ(flat[0].path, Path("a"));
  const auto deep = storage_->ListRecursive(root_).ValueOrDie();
  ASSERT_EQ(deep.size(), 4U);
  EXPECT_EQ(deep[3].path, Path("sub/deep/d"));
}

TEST_P(StorageTest, StreamsWriteAndRead) {
  auto out = storage_->OpenOutput(Path("data/part")).ValueOrDie();
  ASSERT_TRUE(out->Write("hello ").ok());
  ASSERT_TRUE(out->Write("world").ok());
  EXPECT_EQ(out->Tell().ValueOrDie(), 11);
  ASSERT_TRUE(out->Close().ok());
  auto in = storage_->OpenInput(Path("data/part")).ValueOrDie();
  EXPECT_EQ(in->GetSize().ValueOrDie(), 11);
  EXPECT_EQ(in->ReadAt(6, 5).ValueOrDie()->ToString(), "world");
}

TEST_P(StorageTest, FoldersMoveWithAllInThem) {
  for (const char* name : {"a/t/log/0", "a/t/data", "a/u/data"})
    ASSERT_TRUE(storage_->Put(Path(name), name).ok());
  EXPECT_TRUE(HasCode(MoveFolder(*storage_, Path("a/t"), Path("a/u")), "STORAGE_ALREADY_EXISTS"));
  EXPECT_TRUE(HasCode(MoveFolder(*storage_, Path("a/no"), Path("b/no")), "STORAGE_NOT_FOUND"));
  ASSERT_TRUE(MoveFolder(*storage_, Path("a/t"), Path("b/v")).ok());
  EXPECT_EQ(storage_->Read(Path("b/v/log/0")).ValueOrDie(), "a/t/log/0");
  EXPECT_TRUE(storage_->ListRecursive(Path("a/t")).ValueOrDie().empty());
  // Folders that a deleted table left are no files.
  ASSERT_TRUE(storage_->Delete(Path("a/u/data")).ok());
  ASSERT_TRUE(MoveFolder(*storage_, Path("b/v"), Path("a/u")).ok());
  EXPECT_EQ(storage_->ListRecursive(root_).ValueOrDie().size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Both, StorageTest, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "Local" : "Memory"; });

TEST(LocalStorageTest, ReadOnlyFolderIsSaid) {
  if (::geteuid() == 0) GTEST_SKIP() << "the superuser may write everywhere";
  char folder[] = "/tmp/sluice_storage_XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  ASSERT_EQ(::chmod(folder, 0555), 0);
  LocalStorage storage;
  EXPECT_TRUE(HasCode(storage.Put(JoinPath(folder, "x"), ""), "STORAGE_READ_ONLY"));
}

TEST(MemoryStorageTest, CrashDropsUnsyncedFiles) {
  ManualClock clock(5);
  MemoryStorage storage(clock);
  auto synced = storage.OpenOutput("/t/synced").ValueOrDie();
  ASSERT_TRUE(synced->Write("x").ok());
  ASSERT_TRUE(synced->Close().ok());
  auto unsynced = storage.OpenOutput("/t/unsynced").ValueOrDie();
  ASSERT_TRUE(unsynced->Write("y").ok());
  storage.Crash();
  EXPECT_EQ(storage.ListRecursive("/t").ValueOrDie().size(), 1U);
  EXPECT_FALSE(unsynced->Close().ok());
  EXPECT_EQ(storage.Read("/t/synced").ValueOrDie(), "x");
}

TEST(MemoryStorageTest, HookFailsBeforeOrAfter) {
  ManualClock clock(5);
  MemoryStorage storage(clock);
  bool after = false;
  storage.SetHook([&](StorageCall call, const std::string&) {
    StorageFault fault;
    if (call == StorageCall::kPutIfAbsent) {
      fault.error = MakeError("STORAGE_IO", "lost", "", Retry::kLater);
      fault.after_effect = after;
    }
    return fault;
  });
  EXPECT_FALSE(storage.PutIfAbsent("/a", "1").ok());
  EXPECT_FALSE(storage.Read("/a").ok());
  after = true;
  EXPECT_FALSE(storage.PutIfAbsent("/a", "1").ok());
  EXPECT_EQ(storage.Read("/a").ValueOrDie(), "1");
}

}  // namespace
}  // namespace sluice::storage
