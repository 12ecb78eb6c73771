#include "simulation.h"

#include "base/log.h"
#include "delta/upkeep/compaction.h"

namespace sluice::sim {
namespace {

Status Wrong(const std::string& what) { return MakeError("SIM_WRONG", what); }

WarehouseOptions Choose(Random& random, const std::string& spill_folder) {
  WarehouseOptions options;
  options.real_operators = random.OneIn(2);
  options.partitioned = random.OneIn(3);
  options.rewrite_whole = random.OneIn(2);
  options.deletion_vectors = random.OneIn(2);
  if (options.real_operators && random.OneIn(8)) options.spill_folder = spill_folder;
  return options;
}

}  // namespace

Simulation::Simulation(uint64_t seed, const SimOptions& options)
    : options_(options),
      random_(seed),
      quiet_(random_.OneIn(20)),
      clock_(kStartOfTime),
      storage_(clock_),
      topic_(random_.Next(), 1 + static_cast<int>(random_.Below(3)), kStartOfTime, kWatermarkDelay),
      warehouse_(Choose(random_, options.spill_folder), topic_, storage_, clock_, random_) {
  storage_.SetHook(
      [this](storage::StorageCall call, const std::string& path) { return Fault(call, path); });
}

Simulation::~Simulation() { storage_.SetHook({}); }

storage::StorageFault Simulation::Fault(storage::StorageCall call, const std::string& path) {
  storage::StorageFault fault;
  if (dead_) {
    fault.error = MakeError("STORAGE_IO", "the machine is down", "", Retry::kLater);
    return fault;
  }
  if (!faults_on_) return fault;
  if (calls_until_death_ >= 0 && calls_until_death_-- == 0) {
    dead_ = true;
    fault.error = MakeError("STORAGE_IO", "the machine went down at " + path, "", Retry::kLater);
    fault.after_effect = random_.OneIn(2);
    if (call == storage::StorageCall::kWrite && random_.OneIn(2))
      fault.torn_bytes = random_.Below(64);
    return fault;
  }
  if (random_.OneIn(150)) {
    ++report_.faults;
    fault.error = MakeError("STORAGE_IO", "injected at " + path, "", Retry::kLater);
    fault.after_effect = random_.OneIn(2);
  }
  return fault;
}

void Simulation::Start() {
  silver_.reset();
  gold_.reset();
  warehouse_.Start();
  silver_.emplace(warehouse_.silver(), random_);
  gold_.emplace(warehouse_.gold(), random_);
}

void Simulation::DamageState() {
  const auto files = storage_.ListRecursive("/state").ValueOrDie();
  for (const storage::FileInfo& file : files) {
    if (!random_.OneIn(3)) continue;
    if (random_.OneIn(2)) {
      SLUICE_CHECK(storage_.Delete(file.path).ok(), "state can be deleted");
    } else {
      std::string bytes = storage_.Read(file.path).ValueOrDie();
      if (!bytes.empty()) bytes[random_.Below(bytes.size())] ^= 0x10;
      SLUICE_CHECK(storage_.Put(file.path, bytes).ok(), "state can be damaged");
    }
  }
  for (const char* table : {kSilver, kGold}) {
    if (random_.OneIn(3))
      (void)storage_.Delete(std::string(table) + "/_delta_log/_last_checkpoint").ok();
  }
}

void Simulation::Crash() {
  ++report_.crashes;
  dead_ = true;
  silver_.reset();
  gold_.reset();
  warehouse_.Kill();
  storage_.Crash();
  dead_ = false;
  calls_until_death_ = -1;
  const bool faults = std::exchange(faults_on_, false);
  DamageState();
  faults_on_ = faults;
  clock_.Advance(static_cast<int64_t>(random_.Below(10'000'000)));
  Start();
  if (random_.OneIn(2)) calls_until_death_ = static_cast<int64_t>(random_.Below(300));
}

Status Simulation::ForeignCommit() {
  ++report_.foreign_commits;
  const bool faults = std::exchange(faults_on_, false);
  const char* path = random_.OneIn(3) ? kGold : kSilver;
  Status status;
  if (delta::Table::Exists(storage_, path).ValueOr(false)) {
    auto table = delta::Table::Open({storage_, clock_}, path, random_.Next());
    status = table.status();
    if (status.ok()) {
      switch (random_.Below(3)) {
        case 0: {
          delta::Transaction transaction = (*table)->NewTransaction();
          transaction.SetTxn("somebody else", clock_.NowMicros());
          status = transaction.Commit().status();
          break;
        }
        case 1: {
          delta::CompactionOptions compaction;
          compaction.min_files = 2;
          status = delta::Compact(**table, compaction).status();
          break;
        }
        default: status = (*table)->Checkpoint();
      }
    }
  }
  faults_on_ = faults;
  return WithContext(status, "foreign commit");
}

Status Simulation::StepFlow(SimFlow* flow) {
  const Status status = flow->Step();
  if (dead_) return Status::OK();  // the caller sees to it
  if (!status.ok()) log::Debug("{}: {}", flow->runner().name(), status.ToString());
  // Every record that a rebuild asks for exists: a source that stands still is our own fault.
  const bool stalled = HasCode(status, "FLOW_REPLAY_STALLED");
  if (status.ok() || (RetryClass(status) != Retry::kNever && !stalled)) return Status::OK();
  return status;
}

Status Simulation::Act() {
  clock_.Advance(static_cast<int64_t>(random_.Below(200'000)));
  if (random_.OneIn(6) && topic_.size() < options_.records)
    topic_.Produce(1 + static_cast<int64_t>(random_.Below(60)));
  if (!quiet_ && random_.OneIn(80)) SLUICE_RETURN_NOT_OK(ForeignCommit());
  SimFlow* flow = random_.OneIn(2) ? &*silver_ : &*gold_;
  if (random_.OneIn(25) && flow->started()) {
    const Status maintained = flow->runner().Maintain();
    if (!maintained.ok() && RetryClass(maintained) == Retry::kNever)
      return WithContext(maintained, "maintenance");
  } else {
    SLUICE_RETURN_NOT_OK(StepFlow(flow));
  }
  if (dead_) Crash();
  return Status::OK();
}

Status Simulation::Run() {
  Start();
  faults_on_ = !quiet_;
  if (!quiet_) calls_until_death_ = static_cast<int64_t>(random_.Below(400));
  int64_t steps = 0;
  while (topic_.size() < options_.records || report_.crashes < (quiet_ ? 0 : options_.crashes)) {
    if (++steps > 200'000) return Wrong("the run does not come to an end");
    if (!quiet_ && random_.OneIn(150) && report_.crashes < options_.crashes) Crash();
    SLUICE_RETURN_NOT_OK(Act());
    if (steps > 3000) calls_until_death_ = -1;
    if (steps > 3000 && report_.crashes < options_.crashes && !quiet_) Crash();
  }
  SLUICE_RETURN_NOT_OK(Drain());
  return warehouse_.Check();
}

/// Without further faults everything is consumed.
Status Simulation::Drain() {
  faults_on_ = false;
  calls_until_death_ = -1;
  for (int quiet_steps = 0, steps = 0; quiet_steps < 60; ++steps) {
    if (steps > 100'000) return Wrong("the flows do not become idle");
    clock_.Advance(1'000);
    SLUICE_RETURN_NOT_OK(StepFlow(&*silver_));
    SLUICE_RETURN_NOT_OK(StepFlow(&*gold_));
    quiet_steps = silver_->idle() && gold_->idle() ? quiet_steps + 1 : 0;
  }
  report_.epochs =
      silver_->runner().committed_epoch().value() + gold_->runner().committed_epoch().value() + 2;
  return Status::OK();
}

}  // namespace sluice::sim
