// Eight processes write one table on disk at once (append, merge, delete, OPTIMIZE, VACUUM and
// checkpoints) and are killed again and again. Each commit says in its user metadata what it meant
// to do; applied one after the other in the order of the log, to an empty table, that must give
// exactly the rows of every version that is looked at: no row lost, none doubled, none changed by a
// decision on stale rows.
//
// SLUICE_STRESS_SECONDS (default 12) is how long they write; `make stress MINUTES=n` sets it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "delta/commands/dml.h"
#include "delta/commands/merge.h"
#include "delta/commands/write_rows.h"
#include "delta/log/table_for_test.h"
#include "delta/upkeep/compaction.h"
#include "delta/upkeep/table_check.h"
#include "delta/upkeep/vacuum.h"
#include "storage/local_storage.h"

extern char** environ;

namespace sluice::delta {
namespace {

constexpr int kWriters = 8;
constexpr int64_t kIds = 400;  // merges and deletes meet below this id
constexpr int64_t kRowsPerAppend = 5;
constexpr int64_t kVacuumRetentionMs = 20000;  // above the longest commit in flight

/// What a commit did: "append writer sequence", "merge from count value", "delete from count".
struct Deed {
  std::string kind;
  int64_t a = 0;
  int64_t b = 0;
  int64_t c = 0;

  std::string Text() const {
    return kind + " " + std::to_string(a) + " " + std::to_string(b) + " " + std::to_string(c);
  }
  static Deed Parse(const std::string& text) {
    char kind[16];
    long long a = 0;
    long long b = 0;
    long long c = 0;
    SLUICE_CHECK(std::sscanf(text.c_str(), "%15s %lld %lld %lld", kind, &a, &b, &c) == 4, text);
    return {kind, a, b, c};
  }
  /// Ids of an append are the writer's own.
  int64_t FirstAppended() const { return (a + 1) * 1000000000 + b * kRowsPerAppend; }

  void Apply(std::map<int64_t, int64_t>* rows) const {
    if (kind == "append") {
      for (int64_t id = FirstAppended(); id < FirstAppended() + kRowsPerAppend; ++id) {
        EXPECT_FALSE(rows->contains(id)) << Text() << " is there twice";
        (*rows)[id] = a;
      }
    } else if (kind == "merge") {
      for (int64_t id = a; id < a + b; ++id) (*rows)[id] = c;
    } else {
      rows->erase(rows->lower_bound(a), rows->lower_bound(a + b));
    }
  }
};

/// One process that writes until it is killed.
class Writer {
 public:
  Writer(int number, const std::string& path)
      : number_(number), path_(path), random_(Random::FromSystem()) {}

  void Run() {
    while (true) {
      if (table_ == nullptr) {
        auto table = Table::Open({storage_, clock_}, path_, random_.Next());
        if (!table.ok()) Fail(table.status());
        table_ = *table;
      }
      const Status status = Once();
      if (!status.ok() && RetryClass(status) == Retry::kNever) Fail(status);
    }
  }

 private:
  [[noreturn]] void Fail(const Status& status) const {
    std::fprintf(stderr, "writer %d: %s\n", number_, status.ToString().c_str());
    std::_Exit(3);
  }

  Status Once() {
    switch (number_) {
      case 0:
      case 1:
      case 2: return Append();
      case 3:
      case 4: return Merge();
      case 5: return Delete();
      case 6: return Optimize();
      default: return Tidy();
    }
  }

  /// Merges and deletes keep to one partition, appends to another.
  static Predicate Shared() {
    return {{"day", CompareOp::kEqual, arrow::MakeScalar("shared"), {}}};
  }

  WriteOptions Options(const Deed& deed) const {
    WriteOptions options;
    options.user_metadata = deed.Text();
    return options;
  }

  Status Append() {
    const std::string app_id = "writer-" + std::to_string(number_);
    SLUICE_ASSIGN_OR_RETURN(const auto snapshot, table_->Update());
    const int64_t next = snapshot->TxnVersion(app_id).value_or(-1) + 1;
    const Deed deed{"append", number_, next, 0};
    TestRows rows;
    for (int64_t i = 0; i < kRowsPerAppend; ++i)
      rows.push_back({deed.FirstAppended() + i, number_, "own"});
    const auto batch = BatchOf(rows);
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            arrow::RecordBatchReader::Make({batch}, batch->schema()));
    WriteRequest request;
    request.rows = reader.get();
    WriteOptions options = Options(deed);
    options.txn = AppTxn{app_id, next};
    return WriteRows(*table_, request, options).status();
  }

  Status Merge() {
    const Deed deed{"merge", static_cast<int64_t>(random_.Below(kIds - 20)),
                    static_cast<int64_t>(1 + random_.Below(20)),
                    static_cast<int64_t>(random_.Below(1 << 30))};
    TestRows rows;
    for (int64_t id = deed.a; id < deed.a + deed.b; ++id) rows.push_back({id, deed.c, "shared"});
    MergeRequest request;
    request.source_schema = TestSchema();
    request.source = {BatchOf(rows)};
    request.keys = {{ColumnAt(0), ColumnAt(0), false, "id"}};
    request.prunes = Shared();
    request.matched = {{MergeClause::Kind::kUpdate, nullptr, {{{"v"}, ColumnAt(4)}}, ""}};
    request.not_matched = {{MergeClause::Kind::kInsert,
                            nullptr,
                            {{{"id"}, ColumnAt(0)}, {{"v"}, ColumnAt(1)}, {{"day"}, ColumnAt(2)}},
                            ""}};
    return MergeRows(*table_, request, Options(deed)).status();
  }

  Status Delete() {
    const Deed deed{"delete", static_cast<int64_t>(random_.Below(kIds - 10)),
                    static_cast<int64_t>(1 + random_.Below(10)), 0};
    RowCondition where;
    where.holds = Condition([deed](const TestRow& row) {
      return std::optional(*row.id >= deed.a && *row.id < deed.a + deed.b);
    });
    where.prunes = Shared();
    where.prunes.push_back({"id", CompareOp::kGreaterEqual, arrow::MakeScalar(deed.a), {}});
    where.prunes.push_back({"id", CompareOp::kLess, arrow::MakeScalar(deed.a + deed.b), {}});
    where.text = "id in range";
    return DeleteRows(*table_, where, Options(deed)).status();
  }

  Status Optimize() {
    SLUICE_RETURN_NOT_OK(table_->Update().status());
    CompactionOptions options;
    options.kind = random_.OneIn(4) ? CompactionKind::kPurge : CompactionKind::kOptimize;
    // What others merge into all the time is hardly ever left alone long enough.
    if (!random_.OneIn(3))
      options.predicate = {{"day", CompareOp::kEqual, arrow::MakeScalar("own"), {}}};
    if (options.kind == CompactionKind::kOptimize && random_.OneIn(3))
      options.z_order_by = {{"id"}};
    SLUICE_RETURN_NOT_OK(Compact(*table_, options).status());
    clock_.SleepMicros(100000);
    return Status::OK();
  }

  Status Tidy() {
    SLUICE_RETURN_NOT_OK(table_->Checkpoint());
    clock_.SleepMicros(200000);
    VacuumOptions options;
    options.retention_ms = kVacuumRetentionMs;
    options.check_retention = false;
    return Vacuum(*table_, options).status();
  }

  const int number_;
  const std::string path_;
  Clock& clock_ = SystemClock();
  storage::LocalStorage storage_{storage::LocalStorage::Options{false}};
  Random random_;
  std::shared_ptr<Table> table_;
};

/// Not a test: what the processes below are started with.
TEST(ConcurrentWriter, DISABLED_Runs) {
  const char* number = std::getenv("SLUICE_STRESS_WRITER");
  const char* path = std::getenv("SLUICE_STRESS_TABLE");
  ASSERT_TRUE(number != nullptr && path != nullptr) << "started by the test below";
  Writer(std::atoi(number), path).Run();
}

class ConcurrentWritersTest : public ::testing::Test {
 protected:
  ConcurrentWritersTest() {
    folder_ = std::filesystem::temp_directory_path() / ("sluice-writers-" + random_.Uuid());
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "t";
  }
  ~ConcurrentWritersTest() override { std::filesystem::remove_all(folder_); }

  pid_t Start(int number) const {
    std::vector<std::string> variables = {"SLUICE_STRESS_WRITER=" + std::to_string(number),
                                          "SLUICE_STRESS_TABLE=" + path_};
    for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);
    std::string program = "/proc/self/exe";
    std::string filter = "--gtest_filter=ConcurrentWriter.DISABLED_Runs";
    std::string disabled = "--gtest_also_run_disabled_tests";
    char* arguments[] = {program.data(), filter.data(), disabled.data(), nullptr};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int error =
        posix_spawn(&child, program.c_str(), &files, nullptr, arguments, environment.data());
    posix_spawn_file_actions_destroy(&files);
    EXPECT_EQ(error, 0);
    return child;
  }

  /// True when it was killed by us and not by a fault of its own.
  static void Kill(pid_t child) {
    ::kill(child, SIGKILL);
    int how = 0;
    ASSERT_EQ(::waitpid(child, &how, 0), child);
    EXPECT_TRUE(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL)
        << "a writer ended by itself, with status " << how;
  }

  std::map<int64_t, int64_t> RowsAt(TableVersion version) {
    std::map<int64_t, int64_t> rows;
    const auto snapshot = Snapshot::Load(storage_, path_, version).ValueOrDie();
    const auto scan = Scan::Make(storage_, snapshot).ValueOrDie();
    while (const auto batch = scan->Next().ValueOrDie()) {
      for (int64_t i = 0; i < batch->num_rows(); ++i) {
        const TestRow row = RowAt(*batch, i);
        EXPECT_TRUE(rows.emplace(*row.id, *row.v).second) << "doubled: " << row.Text();
      }
    }
    return rows;
  }

  Random random_ = Random::FromSystem();
  Clock& clock_ = SystemClock();
  std::filesystem::path folder_;
  std::string path_;
  storage::LocalStorage storage_{storage::LocalStorage::Options{false}};
};

TEST_F(ConcurrentWritersTest, HistoryIsSerialisable) {
  CreateOptions options;
  options.schema = TestSchema();
  options.partition_columns = {"day"};
  options.properties = {{"delta.enableDeletionVectors", "true"},
                        {"delta.enableExpiredLogCleanup", "false"}};
  ASSERT_TRUE(Table::Create({storage_, clock_}, path_, options, 1).ok());
  const char* given = std::getenv("SLUICE_STRESS_SECONDS");
  const int64_t end =
      clock_.SteadyMicros() + 1000000LL * (given == nullptr ? 12 : std::atoi(given));
  std::vector<pid_t> writers;
  for (int i = 0; i < kWriters; ++i) writers.push_back(Start(i));
  int kills = 0;
  while (clock_.SteadyMicros() < end) {
    clock_.SleepMicros(200000 + static_cast<int64_t>(random_.Below(600000)));
    const auto number = static_cast<int>(random_.Below(kWriters));
    Kill(writers[static_cast<size_t>(number)]);
    writers[static_cast<size_t>(number)] = Start(number);
    ++kills;
  }
  for (const pid_t writer : writers) Kill(writer);

  const auto table = Table::Open({storage_, clock_}, path_, 2).ValueOrDie();
  const TableVersion last = table->Current()->version();
  std::map<int64_t, int64_t> rows;
  std::map<int64_t, int64_t> sequences;
  std::map<std::string, int> operations;
  for (TableVersion version(0); version <= last; version = version.Next()) {
    const auto actions = table->ReadCommit(version).ValueOrDie();
    const auto& info = std::get<CommitInfo>(actions[0]);
    ++operations[info.operation];
    if (!info.user_metadata.has_value()) continue;
    const Deed deed = Deed::Parse(*info.user_metadata);
    deed.Apply(&rows);
    if (deed.kind == "append") {
      EXPECT_EQ(deed.b, sequences[deed.a]++) << "of writer " << deed.a;
    }
    const bool looked_at = last.value() - version.value() < 3;
    if (looked_at) {
      EXPECT_EQ(RowsAt(version), rows) << "at version " << version.ToString();
    }
  }
  EXPECT_EQ(RowsAt(last), rows);
  for (const Finding& finding : CheckTable(storage_, path_).ValueOrDie().findings)
    EXPECT_NE(finding.level, FindingLevel::kError)
        << finding.check << " " << finding.path << ": " << finding.detail;
  std::printf("%s versions, %d kills, %zu rows:", last.ToString().c_str(), kills, rows.size());
  for (const auto& [operation, count] : operations) std::printf(" %s %d", operation.c_str(), count);
  std::printf("\n");
  EXPECT_GT(operations["WRITE"], 0);
  EXPECT_GT(operations["MERGE"], 0);
  EXPECT_GT(operations["DELETE"], 0);
  // Among so many others OPTIMIZE may always have lost; alone it cannot.
  CompactionOptions alone;
  alone.kind = CompactionKind::kOptimize;
  const auto optimized = Compact(*table, alone);
  ASSERT_TRUE(optimized.ok()) << optimized.status();
  EXPECT_EQ(RowsAt(table->Current()->version()), rows);
}

}  // namespace
}  // namespace sluice::delta
