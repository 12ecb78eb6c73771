// A fault at a call to the storage, one per run and every call in its turn (`make stress`; the
// usual run takes one in five): whatever fails, the writer that tries again (on, or after a
// restart) ends with the rows of the run without faults, and with a sound table.
#include <cstdlib>
#include <functional>
#include <set>

#include "delta/commands/alter.h"
#include "delta/commands/dml.h"
#include "delta/commands/merge.h"
#include "delta/commands/write_rows.h"
#include "delta/log/log_segment.h"
#include "delta/log/table_for_test.h"
#include "delta/upkeep/compaction.h"
#include "delta/upkeep/table_check.h"
#include "delta/upkeep/vacuum.h"

namespace sluice::delta {
namespace {

using storage::StorageCall;
using storage::StorageFault;

enum class FaultKind {
  kBefore,        // the call fails and has no effect
  kLostReply,     // it takes effect and fails all the same
  kNoSpace,       // writes fail
  kTornWrite,     // half of the bytes get through
  kStaleListing,  // the newest file is not listed yet
};

bool Writes(StorageCall call) {
  return call == StorageCall::kOpenOutput || call == StorageCall::kWrite ||
         call == StorageCall::kClose || call == StorageCall::kPut ||
         call == StorageCall::kPutIfAbsent;
}

bool Applies(FaultKind kind, StorageCall call) {
  switch (kind) {
    case FaultKind::kBefore: return true;
    case FaultKind::kLostReply: return Writes(call) || call == StorageCall::kDelete;
    case FaultKind::kNoSpace: return Writes(call);
    case FaultKind::kTornWrite: return call == StorageCall::kWrite;
    case FaultKind::kStaleListing: return call == StorageCall::kList;
  }
  return false;
}

/// Leaves the newest file out of one listing.
class StaleStorage : public storage::Storage {
 public:
  explicit StaleStorage(storage::MemoryStorage& below) : below_(below) {}
  void GoStale() { stale_ = true; }

  Result<std::vector<storage::FileInfo>> List(const std::string& folder) override {
    auto files = below_.List(folder);
    if (files.ok() && stale_ && !files->empty()) files->pop_back();
    stale_ = false;
    return files;
  }
  Result<std::vector<storage::FileInfo>> ListRecursive(const std::string& folder) override {
    auto files = below_.ListRecursive(folder);
    if (files.ok() && stale_ && !files->empty()) files->pop_back();
    stale_ = false;
    return files;
  }
  Result<storage::FileInfo> Stat(const std::string& path) override { return below_.Stat(path); }
  Result<std::string> Read(const std::string& path) override { return below_.Read(path); }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInput(const std::string& path) override {
    return below_.OpenInput(path);
  }
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutput(const std::string& path) override {
    return below_.OpenOutput(path);
  }
  Status Put(const std::string& path, std::string_view bytes) override {
    return below_.Put(path, bytes);
  }
  Status PutIfAbsent(const std::string& path, std::string_view bytes) override {
    return below_.PutIfAbsent(path, bytes);
  }
  Status Delete(const std::string& path) override { return below_.Delete(path); }

 private:
  storage::MemoryStorage& below_;
  bool stale_ = false;
};

/// One writer's life, from an empty storage.
class Scenario {
 public:
  /// The fault of `kind` at call number `at` (-1 = none).
  Scenario(FaultKind kind, int64_t at) : kind_(kind), at_(at) {
    memory_.SetHook([this](StorageCall call, const std::string&) { return OnCall(call); });
  }

  void Run() {
    const std::vector<std::function<Status()>> steps = {
        [this] { return Open(); },
        [this] { return AppendRows(1, 0, 24); },
        [this] {
          return UpdateRows(*table_, Where([](int64_t id) { return id % 3 == 0; }),
                            {{{"v"}, Number([](const TestRow& row) { return *row.v + 1; })}},
                            Options(2))
              .status();
        },
        [this] {
          return DeleteRows(*table_, Where([](int64_t id) { return id % 5 == 0; }), Options(3))
              .status();
        },
        [this] { return Upsert(4); },
        [this] { return table_->Checkpoint(); },
        [this] { return Optimize({}); },
        [this] { return AppendRows(5, 100, 8); },
        [this] {
          return Optimize({{"v"}, {"id"}});
        },
        [this] {
          return SetProperties(*table_, {{"note", "kept"}}).status();
        },
        [this] { return RunVacuum(); },
        [this] { return AppendRows(6, 200, 4); },
        [this] { return table_->Maintain().status(); },
    };
    for (size_t i = 0; i < steps.size(); ++i) Persist(i, steps[i]);
    memory_.SetHook({});
  }

  bool struck() const { return struck_; }
  const std::vector<StorageCall>& calls() const { return calls_; }

  std::vector<std::string> Rows() {
    std::vector<std::string> rows;
    const auto snapshot = Snapshot::Load(memory_, "/t").ValueOrDie();
    EXPECT_EQ(snapshot->metadata().configuration.count("note"), 1U);
    const auto scan = Scan::Make(memory_, snapshot).ValueOrDie();
    while (const auto batch = scan->Next().ValueOrDie()) {
      for (int64_t i = 0; i < batch->num_rows(); ++i) rows.push_back(RowAt(*batch, i).Text());
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  std::string Unsound() {
    std::string text;
    for (const Finding& finding : CheckTable(memory_, "/t").ValueOrDie().findings) {
      if (finding.level == FindingLevel::kError)
        text += finding.check + " " + finding.path + ": " + finding.detail + "\n";
    }
    return text;
  }

 private:
  StorageFault OnCall(StorageCall call) {
    const auto number = static_cast<int64_t>(calls_.size());
    calls_.push_back(call);
    StorageFault fault;
    if (number != at_) return fault;
    struck_ = true;
    if (kind_ == FaultKind::kStaleListing) {
      storage_.GoStale();
      return fault;
    }
    fault.error = kind_ == FaultKind::kNoSpace
                      ? MakeError("STORAGE_NO_SPACE", "no space left", "", Retry::kLater)
                      : MakeError("STORAGE_IO", "input/output error", "", Retry::kLater);
    fault.after_effect = kind_ == FaultKind::kLostReply;
    if (kind_ == FaultKind::kTornWrite) fault.torn_bytes = 1;
    return fault;
  }

  /// Does a step until it succeeds. Every other fault is taken for the end of the process.
  void Persist(size_t index, const std::function<Status()>& step) {
    Status status;
    for (int attempt = 0; attempt < 4; ++attempt) {
      clock_.Advance(1000000);
      status = step();
      if (status.ok()) return;
      if (at_ % 2 == 0 || table_ == nullptr) continue;
      memory_.Crash();
      table_.reset();
      const Status reopened = Open();
      EXPECT_TRUE(reopened.ok()) << reopened;
      if (table_ == nullptr) return;
    }
    ADD_FAILURE() << "step " << index << " goes on failing: " << status;
  }

  Status Open() {
    SLUICE_ASSIGN_OR_RETURN(const bool exists, Table::Exists(storage_, "/t"));
    if (exists) {
      SLUICE_ASSIGN_OR_RETURN(table_, Table::Open({storage_, clock_}, "/t", ++seed_));
      return Status::OK();
    }
    CreateOptions options;
    options.schema = TestSchema();
    options.partition_columns = {"day"};
    options.properties = {{"delta.enableDeletionVectors", "true"},
                          {"delta.enableRowTracking", "true"},
                          {"delta.checkpointInterval", "4"}};
    SLUICE_ASSIGN_OR_RETURN(table_, Table::Create({storage_, clock_}, "/t", options, ++seed_));
    return Status::OK();
  }

  static RowCondition Where(bool (*test)(int64_t)) {
    RowCondition where;
    where.holds = Condition([test](const TestRow& row) { return std::optional(test(*row.id)); });
    where.text = "test";
    return where;
  }
  WriteOptions Options(int64_t version) {
    WriteOptions options;
    options.txn = AppTxn{"writer", version};
    return options;
  }
  static TestRows SomeRows(int64_t first, int64_t count) {
    TestRows rows;
    for (int64_t id = first; id < first + count; ++id)
      rows.push_back({id, id * 10, id % 2 == 0 ? "even" : "odd"});
    return rows;
  }
  Status AppendRows(int64_t version, int64_t first, int64_t count) {
    const auto rows = BatchOf(SomeRows(first, count));
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            arrow::RecordBatchReader::Make({rows}, rows->schema()));
    WriteRequest request;
    request.rows = reader.get();
    return WriteRows(*table_, request, Options(version)).status();
  }
  Status Upsert(int64_t version) {
    MergeRequest request;
    request.source_schema = TestSchema();
    request.source = {BatchOf(SomeRows(20, 12))};
    request.keys = {{ColumnAt(0), ColumnAt(0), false, "id"}};
    request.matched = {{MergeClause::Kind::kDelete, nullptr, {}, ""}};
    request.not_matched = {{MergeClause::Kind::kInsert,
                            nullptr,
                            {{{"id"}, ColumnAt(0)}, {{"v"}, ColumnAt(1)}, {{"day"}, ColumnAt(2)}},
                            ""}};
    return MergeRows(*table_, request, Options(version)).status();
  }
  Status Optimize(std::vector<std::vector<std::string>> z_order_by) {
    CompactionOptions options;
    options.kind = CompactionKind::kOptimize;
    options.z_order_by = std::move(z_order_by);
    options.sort_memory_bytes = 1;  // spills
    return Compact(*table_, options).status();
  }
  Status RunVacuum() {
    VacuumOptions options;
    options.retention_ms = 0;
    options.check_retention = false;
    return Vacuum(*table_, options).status();
  }

  const FaultKind kind_;
  const int64_t at_;
  ManualClock clock_{1700000000000000};
  storage::MemoryStorage memory_{clock_};
  StaleStorage storage_{memory_};
  std::shared_ptr<Table> table_;
  uint64_t seed_ = 1;
  std::vector<StorageCall> calls_;
  bool struck_ = false;
};

/// One call in so many is struck (each in its turn when it is 1): SLUICE_FAULT_STRIDE.
size_t Stride() {
  constexpr size_t kUsual = 5;
  const char* given = std::getenv("SLUICE_FAULT_STRIDE");
  const int stride = given == nullptr ? 0 : std::atoi(given);
  return stride > 0 ? static_cast<size_t>(stride) : kUsual;
}

class StorageFaultTest : public ::testing::TestWithParam<FaultKind> {};

TEST_P(StorageFaultTest, NoCallMayFailForTheWorse) {
  Scenario sound(GetParam(), -1);
  sound.Run();
  const auto expected = sound.Rows();
  ASSERT_EQ(sound.Unsound(), "");
  ASSERT_GT(expected.size(), 20U);
  int64_t struck = 0;
  std::vector<size_t> strikes;
  for (size_t at = 0; at < sound.calls().size(); ++at) {
    if (Applies(GetParam(), sound.calls()[at])) strikes.push_back(at);
  }
  constexpr size_t kFew = 40;  // all of them are struck
  const size_t stride = strikes.size() < kFew ? 1 : Stride();
  // Each kind strikes other calls.
  for (size_t i = static_cast<size_t>(GetParam()) % stride; i < strikes.size(); i += stride) {
    const size_t at = strikes[i];
    SCOPED_TRACE("call " + std::to_string(at) + ": " + ToString(sound.calls()[at]));
    Scenario scenario(GetParam(), static_cast<int64_t>(at));
    scenario.Run();
    struck += scenario.struck() ? 1 : 0;
    EXPECT_EQ(scenario.Rows(), expected);
    EXPECT_EQ(scenario.Unsound(), "");
    if (HasFailure()) return;
  }
  EXPECT_GT(struck, 0);
  std::printf("%lld faults in runs of %zu calls\n", static_cast<long long>(struck),
              sound.calls().size());
}

std::string NameOf(const ::testing::TestParamInfo<FaultKind>& info) {
  constexpr const char* kNames[] = {"before", "lostreply", "nospace", "tornwrite", "stalelisting"};
  return kNames[static_cast<size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Faults, StorageFaultTest,
                         ::testing::Values(FaultKind::kBefore, FaultKind::kLostReply,
                                           FaultKind::kNoSpace, FaultKind::kTornWrite,
                                           FaultKind::kStaleListing),
                         NameOf);

}  // namespace
}  // namespace sluice::delta
