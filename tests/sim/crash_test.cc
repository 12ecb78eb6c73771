// Every storage call of one epoch of silver and one of gold, from the start of the process to
// maintenance: the machine loses power before it, after it or in the middle of a write; or the call
// fails, or its reply is lost, and the process lives on. Then the flows go on until everything is
// consumed, and the tables are compared with the ledger. What stands in the tables right after the
// loss of power is compared with the table of docs/internals/commit.md, "Recovery".
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "delta/log/snapshot.h"
#include "warehouse.h"

namespace sluice::sim {
namespace {

/// The steps of docs/internals/commit.md and what surrounds them.
enum class Step {
  kRecover,
  kRead,
  kProcess,
  kStage,
  kCommit,
  kSatellites,
  kApply,
  kReport,
  kSave,
  kMaintain,
  kEnd
};

const char* ToString(Step step) {
  switch (step) {
    case Step::kRecover: return "recovery";
    case Step::kRead: return "1-3 plan, clock, read";
    case Step::kProcess: return "3 process";
    case Step::kStage: return "4 stage";
    case Step::kCommit: return "5 commit";
    case Step::kSatellites: return "6 satellites";
    case Step::kApply: return "7 apply, hand over";
    case Step::kReport: return "8 report";
    case Step::kSave: return "saved state";
    case Step::kMaintain: return "maintenance";
    case Step::kEnd: return "end";
  }
  return "";
}

enum class Mode {
  kPowerLostBefore,
  kPowerLostAfter,
  kPowerLostTorn,  // half of the bytes got through
  kFails,
  kReplyLost,
  kReplyLostAndNextFails,  // what would tell about the lost one fails, too
};

constexpr Mode kModes[] = {Mode::kPowerLostBefore, Mode::kPowerLostAfter,
                           Mode::kPowerLostTorn,   Mode::kFails,
                           Mode::kReplyLost,       Mode::kReplyLostAndNextFails};

bool LosesPower(Mode mode) { return mode <= Mode::kPowerLostTorn; }

bool Writes(storage::StorageCall call) {
  return call != storage::StorageCall::kList && call != storage::StorageCall::kStat &&
         call != storage::StorageCall::kRead && call != storage::StorageCall::kOpenInput;
}

bool Applies(Mode mode, storage::StorageCall call) {
  switch (mode) {
    case Mode::kPowerLostBefore:
    case Mode::kFails: return true;
    case Mode::kPowerLostTorn: return call == storage::StorageCall::kWrite;
    default: return Writes(call);
  }
}

/// One storage call of the undisturbed run.
struct Call {
  bool gold = false;
  Step step = Step::kRecover;
  storage::StorageCall call = storage::StorageCall::kRead;
  std::string path;
};

/// What is done to the run: at storage call `call` (from 0), or when `after` of a flow is over.
struct Disturbance {
  int64_t call = -1;
  Mode mode = Mode::kPowerLostBefore;
  Step after = Step::kEnd;
  bool gold = false;
};

using Image = std::map<std::string, std::string>;

/// #epoch in a table; -1 where there is none.
int64_t EpochIn(storage::MemoryStorage& storage, const std::string& path) {
  if (!delta::Table::Exists(storage, path).ValueOrDie()) return -1;
  const auto snapshot = delta::Snapshot::Load(storage, path).ValueOrDie();
  for (const auto& [id, txn] : snapshot->txns()) {
    if (id.ends_with("/#epoch")) return txn.version;
  }
  return -1;
}

/// A topic, a storage and the process that works on them.
class Machine {
 public:
  Machine(const WarehouseOptions& options, const Image& image, uint64_t seed = 20)
      : random_(seed), warehouse_(options, topic_, storage_, clock_, random_) {
    topic_.Produce(80);
    for (const auto& [path, bytes] : image) SLUICE_CHECK(storage_.Put(path, bytes).ok(), "copied");
    storage_.SetHook(
        [this](storage::StorageCall call, const std::string& path) { return Fault(call, path); });
  }
  ~Machine() { storage_.SetHook({}); }

  /// Everything consumed so far, state saved; 80 more records to come.
  static Image Prepare(const WarehouseOptions& options, bool many_commits) {
    // Another seed: names of files are made of it.
    Machine machine(options, {}, 7);
    if (many_commits) machine.budget_.max_rows = 7;
    machine.warehouse_.Start();
    SLUICE_CHECK(machine.Drain().ok(), "an undisturbed run ends well");
    for (auto* flow : {&machine.warehouse_.silver(), &machine.warehouse_.gold()}) {
      SLUICE_CHECK(flow->SaveState().ok() && flow->FinishSave().ok(), "state can be saved");
    }
    machine.warehouse_.Kill();
    Image image;
    for (const char* folder : {"/wh", "/state"}) {
      for (const auto& file : machine.storage_.ListRecursive(folder).ValueOrDie())
        image[file.path] = machine.storage_.Read(file.path).ValueOrDie();
    }
    return image;
  }

  /// One epoch of silver, then one of gold, under `disturbance`. The calls are recorded.
  Status RunScript(const Disturbance& disturbance) {
    topic_.Produce(80);
    disturbance_ = disturbance;
    recording_ = true;
    warehouse_.Start();
    for (const bool gold : {false, true}) {
      gold_ = gold;
      engine::FlowRunner& flow = gold ? warehouse_.gold() : warehouse_.silver();
      const Status status = RunFlow(&flow);
      if (dead_) break;
      // The process lives: an error that may pass is followed by another try in Drain.
      if (!status.ok() && RetryClass(status) == Retry::kNever) return status;
    }
    recording_ = false;
    return Status::OK();
  }

  /// Power comes back; nothing runs yet.
  void PowerOn() {
    warehouse_.Kill();
    storage_.Crash();
    dead_ = false;
    disturbance_ = {};
    for (Needs& needs : needs_) needs = Needs{};
  }
  void DropSavedState() {
    for (const auto& file : storage_.ListRecursive("/state").ValueOrDie())
      SLUICE_CHECK(storage_.Delete(file.path).ok(), "state can be deleted");
  }
  void Restart() { warehouse_.Start(); }
  void Disturb(const Disturbance& disturbance) {
    disturbance_ = disturbance;
    calls_.clear();
    recording_ = true;
  }

  /// Epochs until there is nothing more to read.
  Status Drain() {
    recording_ = false;
    for (int idle = 0, rounds = 0; idle < 4; ++rounds) {
      if (rounds > 200) return MakeError("SIM_WRONG", "the flows do not become idle");
      bool any = false;
      for (const bool gold : {false, true}) {
        gold_ = gold;
        clock_.Advance(1'000);
        SLUICE_ASSIGN_OR_RETURN(const bool epoch,
                                RunEpoch(gold ? &warehouse_.gold() : &warehouse_.silver()));
        any = any || epoch;
      }
      idle = any ? 0 : idle + 1;
    }
    return warehouse_.Check();
  }
  Status Recover() {
    gold_ = false;
    step_ = Step::kRecover;
    SLUICE_RETURN_NOT_OK(warehouse_.silver().Recover());
    return warehouse_.silver().Restore();
  }

  bool dead() const { return dead_; }
  const std::vector<Call>& calls() const { return calls_; }
  storage::MemoryStorage& storage() { return storage_; }

 private:
  /// What a flow needs before its next epoch.
  struct Needs {
    bool start = true;
    bool reconcile = false;
  };

  storage::StorageFault Fault(storage::StorageCall call, const std::string& path) {
    storage::StorageFault fault;
    const auto error = [&](const char* what) {
      return MakeError("STORAGE_IO", std::string(what) + " at " + path, "", Retry::kLater);
    };
    if (dead_) {
      fault.error = error("no power");
      return fault;
    }
    if (!recording_) return fault;
    const auto index = static_cast<int64_t>(calls_.size());
    calls_.push_back({gold_, step_, call, path});
    const bool next_fails =
        disturbance_.mode == Mode::kReplyLostAndNextFails && index == disturbance_.call + 1;
    if (disturbance_.call < 0 || (index != disturbance_.call && !next_fails)) return fault;
    fault.error = error("disturbed");
    fault.after_effect = !next_fails && disturbance_.mode != Mode::kPowerLostBefore &&
                         disturbance_.mode != Mode::kPowerLostTorn &&
                         disturbance_.mode != Mode::kFails;
    if (disturbance_.mode == Mode::kPowerLostTorn) fault.torn_bytes = 100;
    dead_ = LosesPower(disturbance_.mode);
    return fault;
  }

  /// True when the power went with the end of this step.
  bool Over(Step step) {
    dead_ = dead_ || (disturbance_.after == step && disturbance_.gold == gold_);
    step_ = static_cast<Step>(static_cast<int>(step) + 1);
    return dead_;
  }

  Status Begin(engine::FlowRunner* flow) {
    Needs& needs = needs_[gold_];
    step_ = Step::kRecover;
    if (needs.start) {
      SLUICE_RETURN_NOT_OK(flow->Recover());
      SLUICE_RETURN_NOT_OK(flow->Restore());
      needs.start = false;
    } else if (needs.reconcile) {
      SLUICE_RETURN_NOT_OK(flow->Reconcile());
    }
    needs.reconcile = false;
    return Status::OK();
  }

  Status Finish(engine::FlowRunner* flow, engine::EpochWork* work, bool* committed) {
    SLUICE_RETURN_NOT_OK(flow->Stage(work));
    if (Over(Step::kStage)) return Status::OK();
    SLUICE_RETURN_NOT_OK(flow->Commit(work));
    *committed = true;
    if (Over(Step::kCommit)) return Status::OK();
    SLUICE_RETURN_NOT_OK(flow->CommitSatellites(work));
    if (Over(Step::kSatellites)) return Status::OK();
    flow->Publish(*work);
    return Status::OK();
  }

  /// One epoch; false when there was nothing to read. After an error that may pass: true, and the
  /// next call reconciles.
  Result<bool> RunEpoch(engine::FlowRunner* flow) {
    std::unique_ptr<engine::EpochWork> work;
    bool committed = false;
    const auto run = [&]() -> Status {
      SLUICE_RETURN_NOT_OK(Begin(flow));
      if (Over(Step::kRecover)) return Status::OK();
      SLUICE_ASSIGN_OR_RETURN(work, flow->ReadEpoch(budget_));
      if (Over(Step::kRead) || work == nullptr) return Status::OK();
      SLUICE_RETURN_NOT_OK(flow->Process(work.get()));
      if (Over(Step::kProcess)) return Status::OK();
      return Finish(flow, work.get(), &committed);
    };
    Status status = run();
    if (dead_) return true;
    if (committed) {
      // Also when its satellites failed: an epoch that is committed is applied.
      const Status applied = flow->Apply(*work);
      if (status.ok()) status = applied;
      if (Over(Step::kApply)) return true;
      flow->Report(*work);
      Over(Step::kReport);
    }
    if (status.ok()) return work != nullptr;
    if (RetryClass(status) == Retry::kNever) return status;
    needs_[gold_].reconcile = true;
    return true;
  }

  /// The script: one epoch and what a flow does around it.
  Status RunFlow(engine::FlowRunner* flow) {
    SLUICE_RETURN_NOT_OK(RunEpoch(flow).status());
    if (dead_ || needs_[gold_].start) return Status::OK();
    step_ = Step::kSave;
    Status status = flow->SaveState();
    if (status.ok()) status = flow->FinishSave();
    if (Over(Step::kSave)) return Status::OK();
    if (status.ok()) status = flow->Maintain();
    Over(Step::kMaintain);
    return status;
  }

  ManualClock clock_{kStartOfTime};
  storage::MemoryStorage storage_{clock_};
  Random random_;
  ScriptedTopic topic_{19, 2, kStartOfTime, kWatermarkDelay};
  Warehouse warehouse_;
  engine::ReadBudget budget_;
  Needs needs_[2];
  Disturbance disturbance_;
  bool recording_ = false;
  bool dead_ = false;
  bool gold_ = false;
  Step step_ = Step::kRecover;
  std::vector<Call> calls_;
};

/// What is expected of the tables, from the calls of the undisturbed run.
class Expectation {
 public:
  Expectation(std::vector<Call> calls, const Image& image, const WarehouseOptions& options)
      : calls_(std::move(calls)) {
    Machine before(options, image);
    for (const char* table : kTables) epoch_before_[table] = EpochIn(before.storage(), table);
  }

  /// Index of the call that decides the epoch of `table`.
  int64_t PutOf(const std::string& table) const {
    for (size_t i = 0; i < calls_.size(); ++i) {
      const Call& call = calls_[i];
      if (call.call == storage::StorageCall::kPutIfAbsent &&
          (call.step == Step::kCommit || call.step == Step::kSatellites) &&
          call.path.starts_with(table + "/_delta_log/"))
        return static_cast<int64_t>(i);
    }
    return -1;
  }
  bool Durable(const std::string& table, const Disturbance& by) const {
    const int64_t put = PutOf(table);
    if (by.call >= 0) return by.call > put || (by.call == put && by.mode == Mode::kPowerLostAfter);
    const Call& call = calls_[static_cast<size_t>(put)];
    return call.gold == by.gold ? call.step <= by.after : by.gold;
  }
  /// OK when the tables of a machine that lost power hold what they must.
  Status Check(storage::MemoryStorage& storage, const Disturbance& by) const {
    for (const char* table : kTables) {
      const int64_t found = EpochIn(storage, table);
      const bool is_new = found > epoch_before_.at(table);
      if (is_new == Durable(table, by)) continue;
      return MakeError("SIM_WRONG",
                       std::string(table) + " stands at epoch " + std::to_string(found));
    }
    return Status::OK();
  }
  /// The row of the recovery table that the disturbance is an example of; empty for none.
  std::string Row(const Disturbance& by) const {
    const bool gold = by.call >= 0 ? calls_[static_cast<size_t>(by.call)].gold : by.gold;
    const Step step = by.call >= 0 ? calls_[static_cast<size_t>(by.call)].step : by.after;
    const std::string table = gold ? kGold : kSilver;
    if (by.call >= 0 && !LosesPower(by.mode))
      return by.call == PutOf(table) && by.mode != Mode::kFails ? "5, reply lost" : "";
    if (!Durable(table, by)) return step < Step::kStage ? "1-3" : "4";
    if (!gold && !(Durable(kQuarantine, by) && Durable(kLate, by))) return "5";
    return step > Step::kSatellites ? "7, 8" : "6";
  }
  const std::vector<Call>& calls() const { return calls_; }

  static constexpr const char* kTables[] = {kSilver, kGold, kQuarantine, kLate};

 private:
  const std::vector<Call> calls_;
  std::map<std::string, int64_t> epoch_before_;
};

struct Variant {
  const char* name;
  bool many_commits;  // before: compaction and a checkpoint are due
  WarehouseOptions options;
};

class CrashTest : public ::testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    log::SetLevel(log::Level::kError);
    image_ = Machine::Prepare(options(), GetParam().many_commits);
    Machine plain(options(), image_);
    ASSERT_TRUE(plain.RunScript({}).ok());
    ASSERT_TRUE(plain.Drain().ok());
    expected_.emplace(plain.calls(), image_, options());
    for (const char* table : Expectation::kTables) {
      ASSERT_GE(expected_->PutOf(table), 0) << "the script commits to " << table;
    }
  }
  const WarehouseOptions& options() const { return GetParam().options; }

  /// Runs the script under `by` and what comes after it.
  Status Run(const Disturbance& by, bool drop_state) {
    Machine machine(options(), image_);
    SLUICE_RETURN_NOT_OK(machine.RunScript(by));
    if (machine.dead()) {
      machine.PowerOn();
      SLUICE_RETURN_NOT_OK(expected_->Check(machine.storage(), by));
      if (drop_state) machine.DropSavedState();
      machine.Restart();
    } else if (by.call < 0 || LosesPower(by.mode)) {
      return MakeError("SIM_WRONG", "the run was not disturbed");
    }
    return machine.Drain();
  }
  void Count(const Disturbance& by) {
    if (const std::string row = expected_->Row(by); !row.empty()) ++rows_[row];
  }
  void PrintTable() const {
    for (const auto& [step, count] : steps_) std::printf("%-24s %4d\n", ToString(step), count);
    for (const auto& [row, count] : rows_)
      std::printf("killed after %-11s %4d\n", row.c_str(), count);
  }

  Image image_;
  std::optional<Expectation> expected_;
  std::map<Step, int> steps_;        // disturbances by the step they fell into
  std::map<std::string, int> rows_;  // and by row of the recovery table
};

TEST_P(CrashTest, EveryCallOfAnEpochAndTheEndOfEveryStep) {
  int failures = 0;
  for (size_t i = 0; i < expected_->calls().size() && failures < 5; ++i) {
    const Call& call = expected_->calls()[i];
    for (const Mode mode : kModes) {
      if (!Applies(mode, call.call)) continue;
      const Disturbance by{static_cast<int64_t>(i), mode, Step::kEnd, false};
      const Status status = Run(by, i % 2 == 0);
      ++steps_[call.step];
      Count(by);
      EXPECT_TRUE(status.ok()) << (call.gold ? "gold, " : "silver, ") << ToString(call.step)
                               << ", mode " << static_cast<int>(mode) << " at call " << i << ": "
                               << storage::ToString(call.call) << " " << call.path << ": "
                               << status;
      failures += !status.ok();
    }
  }
  for (const bool gold : {false, true}) {
    for (int step = 0; step < static_cast<int>(Step::kEnd); ++step) {
      const Disturbance by{-1, Mode::kPowerLostBefore, static_cast<Step>(step), gold};
      const Status status = Run(by, step % 2 == 0);
      ++steps_[by.after];
      Count(by);
      EXPECT_TRUE(status.ok()) << "after " << ToString(by.after) << ": " << status;
    }
  }
  PrintTable();
  // Steps without storage calls have their end alone, of silver and of gold.
  for (const Step step : {Step::kProcess, Step::kApply, Step::kReport}) EXPECT_EQ(steps_[step], 2);
  for (const Step step :
       {Step::kRecover, Step::kRead, Step::kStage, Step::kCommit, Step::kSatellites, Step::kSave}) {
    EXPECT_GT(steps_[step], 6) << ToString(step);
  }
  EXPECT_GE(steps_[Step::kMaintain], GetParam().many_commits ? 30 : 2);
  for (const char* row : {"1-3", "4", "5, reply lost", "5", "6", "7, 8"})
    EXPECT_GT(rows_[row], 0) << "killed after " << row;
}

// The recovery that redoes the satellites and rebuilds the state is itself cut short at every call.
TEST_P(CrashTest, EveryCallOfARecovery) {
  const Disturbance first{expected_->PutOf(kSilver), Mode::kPowerLostAfter, Step::kEnd, false};
  int64_t disturbed = 0;
  bool more = true;
  for (int64_t i = 0; more; ++i) {
    more = false;
    for (const Mode mode : kModes) {
      Machine machine(options(), image_);
      ASSERT_TRUE(machine.RunScript(first).ok());
      machine.PowerOn();
      machine.DropSavedState();
      machine.Restart();
      machine.Disturb({i, mode, Step::kEnd, false});
      const Status recovered = machine.Recover();
      if (i >= static_cast<int64_t>(machine.calls().size())) continue;
      more = true;
      const Call call = machine.calls()[static_cast<size_t>(i)];
      if (!Applies(mode, call.call)) continue;
      ++disturbed;
      if (machine.dead()) {
        machine.PowerOn();
        machine.Restart();
      } else if (!recovered.ok()) {
        EXPECT_NE(RetryClass(recovered), Retry::kNever) << recovered;
      }
      const Status status = machine.Drain();
      EXPECT_TRUE(status.ok()) << "mode " << static_cast<int>(mode) << " at call " << i << ": "
                               << storage::ToString(call.call) << " " << call.path << ": "
                               << status;
    }
  }
  std::printf("%lld disturbances of the recovery\n", static_cast<long long>(disturbed));
  EXPECT_GT(disturbed, 30);
}

INSTANTIATE_TEST_SUITE_P(
    Warehouses, CrashTest,
    ::testing::Values(Variant{"plain_operators_whole_view", false, {.rewrite_whole = true}},
                      Variant{"plain_operators_rewritten_files", false, {.partitioned = true}},
                      Variant{"real_operators_deletion_vectors",
                              true,
                              {.real_operators = true, .deletion_vectors = true}}),
    [](const auto& variant) { return std::string(variant.param.name); });

}  // namespace
}  // namespace sluice::sim
