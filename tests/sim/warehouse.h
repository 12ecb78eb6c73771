// The world of the simulation: a silver table fed from a topic (gate, late rows, dedup, two
// satellites) and a gold view over it, with real sinks and sources over a storage in memory; and
// the ledger: what the tables must hold once everything is consumed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "delta/log/table.h"
#include "engine/flow_runner.h"
#include "scripted_topic.h"
#include "state/snapshot_store.h"
#include "storage/memory_storage.h"

namespace sluice::sim {

inline constexpr char kSilver[] = "/wh/silver";
inline constexpr char kGold[] = "/wh/gold";
inline constexpr char kQuarantine[] = "/wh/quarantine";
inline constexpr char kLate[] = "/wh/late";
inline constexpr int64_t kWatermarkDelay = 60'000'000;
inline constexpr int64_t kStartOfTime = 1'700'000'000'000'000;

struct WarehouseOptions {
  /// Dedup and aggregates of src/operators; false = plain maps, where a wrong answer is the
  /// engine's fault, with groups that leave the view again.
  bool real_operators = false;
  bool partitioned = false;       // silver has files per partition of the topic
  bool rewrite_whole = false;     // the view is one file that each epoch replaces
  bool deletion_vectors = false;  // of the view, when it is not
  /// Local folder for keys that do not fit into memory (real operators only; next to none do);
  /// empty = all fit.
  std::string spill_folder = {};
};

/// One process at a time works in it: Start makes its parts, Kill takes them away; only `storage`
/// and `topic` stay.
class Warehouse {
 public:
  /// All outlive it. `random` seeds names and cuts polls.
  Warehouse(const WarehouseOptions& options, const ScriptedTopic& topic,
            storage::MemoryStorage& storage, Clock& clock, Random& random);
  ~Warehouse();

  void Start();
  void Kill();
  engine::FlowRunner& silver() { return *silver_; }
  engine::FlowRunner& gold() { return *gold_; }

  /// OK when the tables agree with the ledger: each record is in silver, quarantine, late rows or a
  /// duplicate of one in silver, once; gold is a recomputation from silver; no version is missing.
  Status Check() const;

 private:
  std::unique_ptr<engine::FlowRunner> MakeSilver();
  std::unique_ptr<engine::FlowRunner> MakeGold();
  Status AddSilverOperators(engine::FlowSpec* spec) const;
  Status AddGoldOperators(engine::FlowSpec* spec) const;
  Status CheckSilver(const arrow::RecordBatch* silver) const;
  Status CheckGold(const arrow::RecordBatch* silver) const;
  Status CheckVersions(const std::string& table) const;
  Result<std::shared_ptr<arrow::RecordBatch>> ReadTable(const std::string& path) const;

  const WarehouseOptions options_;
  const ScriptedTopic& topic_;
  storage::MemoryStorage& storage_;
  Clock& clock_;
  Random& random_;
  // Of one process.
  std::unique_ptr<delta::TableRegistry> tables_;
  std::unique_ptr<state::SnapshotStore> silver_states_;
  std::unique_ptr<state::SnapshotStore> gold_states_;
  std::shared_ptr<flow::HandOff> hand_off_;
  std::unique_ptr<engine::FlowRunner> silver_;
  std::unique_ptr<engine::FlowRunner> gold_;
};

}  // namespace sluice::sim
