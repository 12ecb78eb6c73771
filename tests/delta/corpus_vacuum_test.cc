// VACUUM: the corpus' cases, by the files that are left.
#include <gtest/gtest.h>

#include <cstdio>

#include "corpus.h"
#include "delta/files/scan.h"
#include "delta/log/log_segment.h"
#include "delta/protocol/action_json.h"
#include "delta/upkeep/vacuum.h"
#include "storage/local_storage.h"
#include "storage/memory_storage.h"

namespace sluice::delta {
namespace {

constexpr int64_t kDayMicros = 24LL * 3600 * 1000 * 1000;

/// The table as it was before, in memory, with the ages the case asks for.
void Load(storage::LocalStorage& files, const std::string& folder, const Json& one, Clock& clock,
          storage::MemoryStorage* memory) {
  for (const auto& file : files.ListRecursive(folder).ValueOrDie()) {
    const std::string relative = file.path.substr(folder.size() + 1);
    ASSERT_TRUE(memory->Put("/t/" + relative, files.Read(file.path).ValueOrDie()).ok());
    const int64_t days = one.value("mtime_age_days", Json::object()).value(relative, int64_t{0});
    const int64_t age = one.contains("mtime_age_days") ? days * kDayMicros : kDayMicros / 24;
    memory->SetModified("/t/" + relative, clock.NowMicros() - age);
  }
}

/// Dates the removes of `version` at `ms`.
void DateRemoves(int64_t version, int64_t ms, storage::MemoryStorage* memory) {
  const std::string path = CommitPath("/t", TableVersion(version));
  std::string text;
  for (Action& action : ParseCommitJson(memory->Read(path).ValueOrDie(), path).ValueOrDie()) {
    if (auto* remove = std::get_if<RemoveFile>(&action)) remove->deletion_timestamp_ms = ms;
    AppendActionJson(action, &text);
  }
  ASSERT_TRUE(memory->Put(path, text).ok());
}

std::set<std::string> FilesLeft(storage::MemoryStorage& memory) {
  std::set<std::string> left;
  for (const auto& file : memory.ListRecursive("/t").ValueOrDie()) {
    if (file.path.find("/_delta_log/") == std::string::npos) left.insert(file.path.substr(3));
  }
  return left;
}

VacuumOptions OptionsOf(const std::string& sql) {
  VacuumOptions options;
  options.log_commits = false;
  const size_t retain = sql.find("RETAIN ");
  if (retain == std::string::npos) return options;
  options.retention_ms = std::stoll(sql.substr(retain + 7)) * 3600 * 1000;
  options.check_retention = false;
  return options;
}

TEST(CorpusVacuumTest, LeavesTheFilesOfTheReference) {
  storage::LocalStorage files{storage::LocalStorage::Options{false}};
  const Corpus corpus(files, SLUICE_DELTA_CORPUS);
  if (corpus.empty()) GTEST_SKIP() << "the conformance corpus is not beside this checkout";
  int passed = 0;
  for (const std::string& name : corpus.names()) {
    const Json one = corpus.Case(name);
    for (const Json& op : one.value("ops", Json::array())) {
      if (op["kind"] != "vacuum") continue;
      SCOPED_TRACE(name);
      ManualClock clock(SystemClock().NowMicros());
      storage::MemoryStorage memory(clock);
      Load(files, corpus.FolderOf(name) + "/" + op["table_before"].get<std::string>(), one, clock,
           &memory);
      if (one.contains("mtime_age_days")) {
        DateRemoves(4, (clock.NowMicros() - 5 * kDayMicros) / 1000, &memory);
        DateRemoves(5, clock.NowMicros() / 1000, &memory);
      }
      const auto table = Table::Open({memory, clock}, "/t", 1).ValueOrDie();
      const auto report = Vacuum(*table, OptionsOf(op["sql"]));
      ASSERT_TRUE(report.ok()) << report.status();
      std::set<std::string> kept;
      for (const Json& file : op["files_kept"]) kept.insert(file.get<std::string>());
      EXPECT_EQ(FilesLeft(memory), kept);
      EXPECT_EQ(report->files.size(), op["files_deleted"].size());
      EXPECT_EQ(ReadAll(memory, table->Current()).ValueOrDie()->num_rows(),
                one["reads"][0]["rows"].get<int64_t>());
      ++passed;
    }
  }
  EXPECT_GT(passed, 0);
  std::printf("vacuum: %d as the reference\n", passed);
}

}  // namespace
}  // namespace sluice::delta
