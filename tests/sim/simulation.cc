#include "simulation.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <map>
#include <set>

#include "base/log.h"
#include "delta/compaction.h"
#include "delta/scan.h"
#include "sinks/delta_append_sink.h"
#include "sinks/delta_merge_sink.h"
#include "sources/table/table_source.h"
#include "test_operators.h"

namespace sluice::sim {
namespace {

constexpr char kSilver[] = "/wh/silver";
constexpr char kGold[] = "/wh/gold";
constexpr char kQuarantine[] = "/wh/quarantine";
constexpr char kLate[] = "/wh/late";
constexpr int64_t kForeignOffset = -1;  // rows that somebody else appended

Status Wrong(const std::string& what) { return MakeError("SIM_WRONG", what); }

int64_t Int(const arrow::RecordBatch& rows, const char* name, int64_t row) {
  const auto column = rows.GetColumnByName(name);
  if (column->type_id() == arrow::Type::INT32)
    return static_cast<const arrow::Int32Array&>(*column).Value(row);
  return static_cast<const arrow::Int64Array&>(*column).Value(row);
}

}  // namespace

Simulation::Simulation(uint64_t seed, const SimOptions& options)
    : options_(options),
      random_(seed),
      rewrite_whole_(random_.OneIn(2)),
      deletion_vectors_(random_.OneIn(2)),
      quiet_(random_.OneIn(20)),
      clock_(1'700'000'000'000'000),
      storage_(clock_),
      topic_(random_.Next(), 1 + static_cast<int>(random_.Below(3)), 1'700'000'000'000'000,
             kDelay) {
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

void Simulation::Build() {
  silver_.reset();
  gold_.reset();
  tables_ = std::make_unique<delta::TableRegistry>(storage_, clock_, random_.Next());
  silver_states_ = std::make_unique<state::SnapshotStore>(storage_, "/state/silver");
  gold_states_ = std::make_unique<state::SnapshotStore>(storage_, "/state/gold");
  hand_off_ = std::make_shared<flow::HandOff>(static_cast<int64_t>(random_.Below(40'000)));
  silver_ = std::make_unique<SimFlow>(MakeSilver(), random_);
  gold_ = std::make_unique<SimFlow>(MakeGold(), random_);
}

std::unique_ptr<engine::FlowRunner> Simulation::MakeSilver() {
  sinks::DeltaSinkOptions sink;
  sink.flow_name = "silver";
  sink.table_path = kSilver;
  sink.schema = TopicSchema();
  sink.partition_columns = {"partition"};
  sink.satellites["quarantine"] = {kQuarantine, {}, {}};
  sink.satellites["late"] = {kLate, {}, {}};
  sink.upkeep.max_small_files = 6;
  sink.upkeep.checkpoint_min_micros = 0;
  engine::FlowSpec spec;
  spec.name = "silver";
  spec.target = "silver";
  spec.state_rebuild = engine::StateRebuild::kFromReplay;
  spec.hand_off = hand_off_;
  engine::FlowInput input;
  input.source = std::make_unique<ScriptedSource>(topic_, random_);
  input.watermark_delay_micros = kDelay;
  spec.inputs.push_back(std::move(input));
  spec.operators.push_back(std::make_unique<GateOperator>());
  spec.operators.push_back(std::make_unique<TestDedup>());
  spec.sink = sinks::DeltaAppendSink::Make(sink, *tables_, random_.Next()).ValueOrDie();
  return engine::FlowRunner::Make(std::move(spec), {&clock_, silver_states_.get(), nullptr})
      .ValueOrDie();
}

std::unique_ptr<engine::FlowRunner> Simulation::MakeGold() {
  sinks::DeltaSinkOptions sink;
  sink.flow_name = "gold";
  sink.table_path = kGold;
  sink.schema = TestAggregate::Schema();
  sink.properties["delta.enableDeletionVectors"] = deletion_vectors_ ? "true" : "false";
  sink.upkeep.max_small_files = 6;
  sink.upkeep.checkpoint_min_micros = 0;
  sinks::MergeOptions merge;
  merge.key_columns = {"grp"};
  merge.rewrite_whole_rows = rewrite_whole_ ? 1000 : 0;
  sources::TableSourceOptions source;
  source.id = "silver";
  source.table_path = kSilver;
  source.schema = TopicSchema();
  source.poll_interval_micros = 1;
  engine::FlowSpec spec;
  spec.name = "gold";
  spec.target = "gold";
  spec.state_rebuild = engine::StateRebuild::kFromStart;
  engine::FlowInput input;
  input.source = sources::TableSource::Make(source, *tables_, hand_off_, clock_).ValueOrDie();
  input.upstream_flows = {"silver"};
  spec.inputs.push_back(std::move(input));
  spec.operators.push_back(std::make_unique<TestAggregate>());
  spec.sink = sinks::DeltaMergeSink::Make(sink, merge, *tables_, random_.Next()).ValueOrDie();
  return engine::FlowRunner::Make(std::move(spec), {&clock_, gold_states_.get(), nullptr})
      .ValueOrDie();
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
  tables_.reset();
  storage_.Crash();
  dead_ = false;
  calls_until_death_ = -1;
  const bool faults = std::exchange(faults_on_, false);
  DamageState();
  faults_on_ = faults;
  clock_.Advance(static_cast<int64_t>(random_.Below(10'000'000)));
  Build();
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
  if (status.ok() || RetryClass(status) != Retry::kNever) return Status::OK();
  return status;
}

Status Simulation::Act() {
  clock_.Advance(static_cast<int64_t>(random_.Below(200'000)));
  if (random_.OneIn(6) && topic_.size() < options_.records)
    topic_.Produce(1 + static_cast<int64_t>(random_.Below(60)));
  if (!quiet_ && random_.OneIn(80)) SLUICE_RETURN_NOT_OK(ForeignCommit());
  SimFlow* flow = random_.OneIn(2) ? silver_.get() : gold_.get();
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
  Build();
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
  return Check();
}

/// Without further faults everything is consumed.
Status Simulation::Drain() {
  faults_on_ = false;
  calls_until_death_ = -1;
  for (int quiet_steps = 0, steps = 0; quiet_steps < 60; ++steps) {
    if (steps > 100'000) return Wrong("the flows do not become idle");
    clock_.Advance(1'000);
    SLUICE_RETURN_NOT_OK(StepFlow(silver_.get()));
    SLUICE_RETURN_NOT_OK(StepFlow(gold_.get()));
    quiet_steps = silver_->idle() && gold_->idle() ? quiet_steps + 1 : 0;
  }
  report_.epochs =
      silver_->runner().committed_epoch().value() + gold_->runner().committed_epoch().value() + 2;
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> Simulation::ReadTable(const std::string& path) {
  if (!delta::Table::Exists(storage_, path).ValueOr(false)) return nullptr;
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, delta::Snapshot::Load(storage_, path));
  SLUICE_ASSIGN_OR_RETURN(const auto table, delta::ReadAll(storage_, snapshot));
  return table->CombineChunksToBatch();
}

Status Simulation::CheckVersions(const std::string& table) {
  SLUICE_ASSIGN_OR_RETURN(const auto files, storage_.List(table + "/_delta_log"));
  int64_t expected = 0;
  for (const storage::FileInfo& file : files) {
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    if (name.size() != 25 || !name.ends_with(".json")) continue;
    if (std::stoll(name) != expected++)
      return Wrong("versions of " + table + " have a gap before " + name);
  }
  return Status::OK();
}

Status Simulation::CheckSilver() {
  std::map<std::pair<int64_t, int64_t>, std::string> place;
  std::set<int64_t> silver_ids;
  for (const char* path : {kSilver, kQuarantine, kLate}) {
    SLUICE_ASSIGN_OR_RETURN(const auto rows, ReadTable(path));
    if (rows == nullptr) continue;
    for (int64_t i = 0; i < rows->num_rows(); ++i) {
      const int64_t partition = Int(*rows, "partition", i);
      const int64_t offset = Int(*rows, "offset", i);
      if (offset == kForeignOffset) continue;
      const auto [at, fresh] = place.emplace(std::pair(partition, offset), path);
      if (!fresh)
        return Wrong(
            fmt::format("record {}/{} is in {} and in {}", partition, offset, at->second, path));
      if (path != kSilver) continue;
      if (!silver_ids.insert(Int(*rows, "id", i)).second) {
        return Wrong(fmt::format("id {} is twice in silver", Int(*rows, "id", i)));
      }
    }
  }
  for (int p = 0; p < topic_.partitions(); ++p) {
    for (const Record& record : topic_.records(p)) {
      const auto found = place.find({record.partition, record.offset});
      const std::string at = found == place.end() ? "" : found->second;
      if (record.bad != (at == kQuarantine)) {
        return Wrong(fmt::format("record {}/{} (bad={}) is in '{}'", record.partition,
                                 record.offset, record.bad, at));
      }
      if (!record.bad && at.empty() && !silver_ids.contains(record.id)) {
        return Wrong(fmt::format("record {}/{} with id {} is lost", record.partition, record.offset,
                                 record.id));
      }
    }
  }
  return Status::OK();
}

Status Simulation::CheckGold() {
  SLUICE_ASSIGN_OR_RETURN(const auto silver, ReadTable(kSilver));
  SLUICE_ASSIGN_OR_RETURN(const auto gold, ReadTable(kGold));
  std::map<int64_t, std::pair<int64_t, int64_t>> expected;
  for (int64_t i = 0; silver != nullptr && i < silver->num_rows(); ++i) {
    auto& group = expected[Int(*silver, "grp", i)];
    ++group.first;
    group.second += Int(*silver, "value", i);
  }
  std::erase_if(expected, [](const auto& entry) { return entry.second.second % 7 == 0; });
  std::map<int64_t, std::pair<int64_t, int64_t>> found;
  for (int64_t i = 0; gold != nullptr && i < gold->num_rows(); ++i) {
    if (!found.emplace(Int(*gold, "grp", i), std::pair(Int(*gold, "n", i), Int(*gold, "total", i)))
             .second) {
      return Wrong(fmt::format("group {} is twice in gold", Int(*gold, "grp", i)));
    }
  }
  if (found == expected) return Status::OK();
  std::string text;
  for (const auto& [key, value] : expected) {
    const auto it = found.find(key);
    if (it != found.end() && it->second == value) continue;
    text += fmt::format(" [{}: expected {}/{}, found {}/{}]", key, value.first, value.second,
                        it == found.end() ? -1 : it->second.first,
                        it == found.end() ? -1 : it->second.second);
  }
  return Wrong(fmt::format("gold differs from a recomputation ({} groups, expected {}):{}",
                           found.size(), expected.size(), text));
}

Status Simulation::Check() {
  for (const char* table : {kSilver, kGold, kQuarantine, kLate})
    SLUICE_RETURN_NOT_OK(CheckVersions(table));
  SLUICE_RETURN_NOT_OK(CheckSilver());
  return CheckGold();
}

}  // namespace sluice::sim
