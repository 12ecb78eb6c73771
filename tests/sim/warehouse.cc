#include "warehouse.h"

#include <arrow/api.h>

#include <utility>

#include "operators/aggregate_operator.h"
#include "operators/dedup_operator.h"
#include "operators/watermark_operator.h"
#include "sinks/delta_append_sink.h"
#include "sinks/delta_merge_sink.h"
#include "sources/table/table_source.h"
#include "test_operators.h"

namespace sluice::sim {
namespace {

sinks::UpkeepOptions FrequentUpkeep() {
  sinks::UpkeepOptions upkeep;
  upkeep.max_small_files = 6;
  upkeep.checkpoint_min_micros = 0;
  return upkeep;
}

operators::AggregateSpec Aggregate(operators::AggregateKind kind, const char* name,
                                   const char* argument, bool distinct = false) {
  operators::AggregateSpec spec;
  spec.kind = kind;
  spec.name = name;
  if (argument != nullptr) spec.arguments = {TopicSchema()->GetFieldIndex(argument)};
  spec.distinct = distinct;
  return spec;
}

}  // namespace

Warehouse::Warehouse(const WarehouseOptions& options, const ScriptedTopic& topic,
                     storage::MemoryStorage& storage, Clock& clock, Random& random)
    : options_(options), topic_(topic), storage_(storage), clock_(clock), random_(random) {}

Warehouse::~Warehouse() = default;

void Warehouse::Start() {
  Kill();
  tables_ = std::make_unique<delta::TableRegistry>(storage_, clock_, random_.Next());
  silver_states_ = std::make_unique<state::SnapshotStore>(storage_, "/state/silver");
  gold_states_ = std::make_unique<state::SnapshotStore>(storage_, "/state/gold");
  hand_off_ = std::make_shared<flow::HandOff>(static_cast<int64_t>(random_.Below(40'000)));
  silver_ = MakeSilver();
  gold_ = MakeGold();
}

void Warehouse::Kill() {
  silver_.reset();
  gold_.reset();
  tables_.reset();
}

std::unique_ptr<engine::FlowRunner> Warehouse::MakeSilver() {
  sinks::DeltaSinkOptions sink;
  sink.flow_name = "silver";
  sink.table_path = kSilver;
  sink.schema = TopicSchema();
  if (options_.partitioned) sink.partition_columns = {"partition"};
  sink.satellites["quarantine"] = {kQuarantine, {}, {}};
  sink.satellites["late"] = {kLate, {}, {}};
  sink.upkeep = FrequentUpkeep();
  engine::FlowSpec spec;
  spec.name = "silver";
  spec.target = "silver";
  spec.state_rebuild = engine::StateRebuild::kFromReplay;
  spec.hand_off = hand_off_;
  engine::FlowInput input;
  input.source = std::make_unique<ScriptedSource>(topic_, random_);
  input.watermark_delay_micros = kWatermarkDelay;
  spec.inputs.push_back(std::move(input));
  SLUICE_CHECK(AddSilverOperators(&spec).ok(), "silver can be built");
  spec.sink = sinks::DeltaAppendSink::Make(sink, *tables_, random_.Next()).ValueOrDie();
  return engine::FlowRunner::Make(std::move(spec), {&clock_, silver_states_.get(), nullptr})
      .ValueOrDie();
}

Status Warehouse::AddSilverOperators(engine::FlowSpec* spec) const {
  spec->operators.push_back(std::make_unique<GateOperator>());
  if (!options_.real_operators) {
    spec->operators.push_back(std::make_unique<TestDedup>());
    return Status::OK();
  }
  operators::WatermarkOptions watermark;
  watermark.input_schema = TopicSchema();
  watermark.event_time_column = TopicSchema()->GetFieldIndex("event_time");
  watermark.late_table = "late";
  watermark.build_late_rows = [](const flow::EpochContext&, const Batch& late) {
    return Result<std::shared_ptr<arrow::RecordBatch>>(late.rows);
  };
  spec->operators.push_back(std::make_unique<operators::WatermarkOperator>(std::move(watermark)));
  operators::DedupOptions dedup;
  dedup.input_schema = TopicSchema();
  dedup.key_columns = {TopicSchema()->GetFieldIndex("id")};
  dedup.event_time_column = TopicSchema()->GetFieldIndex("event_time");
  dedup.state.flow_name = "silver";
  if (!options_.spill_folder.empty()) {
    dedup.state.spill_folder = options_.spill_folder;
    dedup.state.memory_limit_bytes = 1;
  }
  SLUICE_ASSIGN_OR_RETURN(auto made, operators::DedupOperator::Make(std::move(dedup)));
  spec->operators.push_back(std::move(made));
  return Status::OK();
}

std::unique_ptr<engine::FlowRunner> Warehouse::MakeGold() {
  sinks::DeltaSinkOptions sink;
  sink.flow_name = "gold";
  sink.table_path = kGold;
  sink.properties["delta.enableDeletionVectors"] = options_.deletion_vectors ? "true" : "false";
  sink.upkeep = FrequentUpkeep();
  sinks::MergeOptions merge;
  merge.key_columns = {"grp"};
  merge.rewrite_whole_rows = options_.rewrite_whole ? 1000 : 0;
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
  SLUICE_CHECK(AddGoldOperators(&spec).ok(), "gold can be built");
  sink.schema = spec.operators.back()->output_schema();
  spec.sink = sinks::DeltaMergeSink::Make(sink, merge, *tables_, random_.Next()).ValueOrDie();
  return engine::FlowRunner::Make(std::move(spec), {&clock_, gold_states_.get(), nullptr})
      .ValueOrDie();
}

Status Warehouse::AddGoldOperators(engine::FlowSpec* spec) const {
  if (!options_.real_operators) {
    spec->operators.push_back(std::make_unique<TestAggregate>());
    return Status::OK();
  }
  using operators::AggregateKind;
  operators::AggregateOptions aggregate;
  aggregate.flow_name = "gold";
  aggregate.input_schema = TopicSchema();
  aggregate.key_columns = {TopicSchema()->GetFieldIndex("grp")};
  aggregate.aggregates = {Aggregate(AggregateKind::kCountAll, "n", nullptr),
                          Aggregate(AggregateKind::kSum, "total", "value"),
                          Aggregate(AggregateKind::kMin, "lowest", "value"),
                          Aggregate(AggregateKind::kMax, "highest", "value"),
                          Aggregate(AggregateKind::kCount, "ids", "id", true)};
  SLUICE_ASSIGN_OR_RETURN(auto made, operators::AggregateOperator::Make(std::move(aggregate)));
  spec->operators.push_back(std::move(made));
  return Status::OK();
}

}  // namespace sluice::sim
