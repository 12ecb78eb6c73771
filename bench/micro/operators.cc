// bench_operators [EVENTS [STEP]]: what stateful operators reach on generated events, on one thread
// (default 4 million). One JSON line each, "us_per_row" of CPU: "seen_probe" = lookups in a set of
// that many keys; "dedup_unique", "dedup_repeats" = deduplication by a 36-character id and a
// timestamp, all new or three of four repeated; "aggregate" = count, avg and decimal sum by (hour,
// type, region) in 3,000 groups; "join" = lookup of 1,000 static rows.
#include <arrow/api.h>
#include <arrow/compute/initialize.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/random.h"
#include "operators/aggregate_operator.h"
#include "operators/dedup_operator.h"
#include "operators/static_join_operator.h"
#include "operators/test_collector.h"
#include "state/seen_set.h"

namespace sluice::bench {
namespace {

using operators::AggregateKind;
using operators::TestCollector;

constexpr int64_t kBatchRows = 100'000;
constexpr int kBatchesPerEpoch = 5;
constexpr int64_t kHourMicros = 3'600'000'000;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void Report(const char* step, int64_t rows, double cpu_seconds, int64_t state_bytes) {
  std::printf(
      "{\"step\":\"%s\",\"rows\":%lld,\"cpu_seconds\":%.3f,\"us_per_row\":%.4f,"
      "\"state_mb\":%.1f}\n",
      step, static_cast<long long>(rows), cpu_seconds,
      cpu_seconds * 1e6 / static_cast<double>(rows), static_cast<double>(state_bytes) / (1 << 20));
}

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

const auto kMicros = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");

/// Ids and times; row r of the stream is event r / repeats, the repeats far apart.
std::vector<Batch> Events(int64_t rows, int64_t repeats) {
  const auto schema =
      arrow::schema({arrow::field("id", arrow::utf8()), arrow::field("time", kMicros)});
  std::vector<Batch> batches;
  const int64_t events = rows / repeats;
  for (int64_t begin = 0; begin < rows; begin += kBatchRows) {
    arrow::StringBuilder id;
    arrow::TimestampBuilder time(kMicros, arrow::default_memory_pool());
    for (int64_t row = begin; row < std::min(rows, begin + kBatchRows); ++row) {
      const int64_t event = row % events;
      Random random(static_cast<uint64_t>(event));
      Check(id.Append(random.Uuid()));
      Check(time.Append(1'700'000'000'000'000 + event * 1000));
    }
    arrow::ArrayVector columns = {id.Finish().ValueOrDie(), time.Finish().ValueOrDie()};
    const int64_t count = columns[0]->length();
    batches.push_back({.rows = arrow::RecordBatch::Make(schema, count, std::move(columns)),
                       .origin = nullptr,
                       .origin_row = nullptr});
  }
  return batches;
}

/// Runs batches in epochs of a few, committed one epoch behind. Returns CPU seconds.
double RunEpochs(flow::Operator& op, const std::vector<Batch>& batches) {
  TestCollector out;
  int64_t epoch = 0;
  const double start = CpuSeconds();
  for (size_t i = 0; i < batches.size(); ++i) {
    Check(op.ProcessBatch(operators::EpochOf(epoch), batches[i], &out));
    out.batches.clear();
    if ((i + 1) % kBatchesPerEpoch != 0 && i + 1 != batches.size()) continue;
    Check(op.OnEpochEnd(operators::EpochOf(epoch), &out));
    if (epoch > 0) Check(op.OnCommit(EpochNumber(epoch - 1), TableVersion(epoch), kNoTimestamp));
    out.batches.clear();
    ++epoch;
  }
  return CpuSeconds() - start;
}

void BenchProbe(int64_t keys) {
  state::SeenSet set;
  uint32_t* found = nullptr;
  std::vector<Hash128> hashes(static_cast<size_t>(keys));
  Random random(1);
  for (Hash128& hash : hashes) hash = {random.Next(), random.Next()};
  double start = CpuSeconds();
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (i + 24 < hashes.size()) set.Prefetch(hashes[i + 24]);
    set.Insert(hashes[i], 9, &found);
  }
  Report("seen_insert", keys, CpuSeconds() - start, set.memory_bytes());
  start = CpuSeconds();
  int64_t hits = 0;
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (i + 24 < hashes.size()) set.Prefetch(hashes[i + 24]);
    hits += set.Find(hashes[i]) != nullptr;
  }
  Report("seen_probe", hits, CpuSeconds() - start, set.memory_bytes());
}

void BenchDedup(const char* step, int64_t rows, int64_t repeats) {
  const std::vector<Batch> batches = Events(rows, repeats);
  operators::DedupOptions options;
  options.input_schema = batches[0].rows->schema();
  options.key_columns = {0, 1};
  options.event_time_column = 1;
  auto dedup = operators::DedupOperator::Make(options).ValueOrDie();
  const double seconds = RunEpochs(*dedup, batches);
  Report(step, rows, seconds, dedup->StateBytes());
}

std::vector<Batch> Metrics(int64_t rows) {
  const auto schema = arrow::schema(
      {arrow::field("hour", kMicros), arrow::field("type", arrow::utf8()),
       arrow::field("region", arrow::utf8()), arrow::field("response", arrow::float64()),
       arrow::field("revenue", arrow::decimal128(18, 2))});
  const char* const types[] = {"PAGE_VIEW", "CLICK", "PURCHASE", "SEARCH", "LOGIN"};
  const char* const regions[] = {"eu-west-1", "us-east-1", "ap-south-1", "us-west-2", "sa-east-1"};
  std::vector<Batch> batches;
  Random random(2);
  for (int64_t begin = 0; begin < rows; begin += kBatchRows) {
    arrow::TimestampBuilder hour(kMicros, arrow::default_memory_pool());
    arrow::StringBuilder type;
    arrow::StringBuilder region;
    arrow::DoubleBuilder response;
    arrow::Decimal128Builder revenue(schema->field(4)->type());
    for (int64_t i = 0; i < kBatchRows; ++i) {
      Check(hour.Append(static_cast<int64_t>(random.Below(120)) * kHourMicros));
      Check(type.Append(types[random.Below(5)]));
      Check(random.OneIn(50) ? region.AppendNull() : region.Append(regions[random.Below(5)]));
      Check(response.Append(static_cast<double>(random.Below(100'000)) * 0.01));
      Check(random.OneIn(5)
                ? revenue.Append(arrow::Decimal128(static_cast<int64_t>(random.Below(100'000))))
                : revenue.AppendNull());
    }
    arrow::ArrayVector columns = {hour.Finish().ValueOrDie(), type.Finish().ValueOrDie(),
                                  region.Finish().ValueOrDie(), response.Finish().ValueOrDie(),
                                  revenue.Finish().ValueOrDie()};
    batches.push_back({.rows = arrow::RecordBatch::Make(schema, kBatchRows, std::move(columns)),
                       .origin = nullptr,
                       .origin_row = nullptr});
  }
  return batches;
}

operators::AggregateSpec Spec(AggregateKind kind, std::vector<int> arguments) {
  operators::AggregateSpec spec;
  spec.kind = kind;
  spec.name = "a" + std::to_string(static_cast<int>(kind));
  spec.arguments = std::move(arguments);
  return spec;
}

void BenchAggregate(int64_t rows) {
  const std::vector<Batch> batches = Metrics(rows);
  operators::AggregateOptions options;
  options.input_schema = batches[0].rows->schema();
  options.key_columns = {0, 1, 2};
  options.aggregates = {Spec(AggregateKind::kCountAll, {}), Spec(AggregateKind::kAvg, {3}),
                        Spec(AggregateKind::kSum, {4})};
  auto aggregate = operators::AggregateOperator::Make(options).ValueOrDie();
  double seconds = RunEpochs(*aggregate, batches);
  Report("aggregate", rows, seconds, aggregate->StateBytes());
  options.aggregates.push_back(Spec(AggregateKind::kPercentileApprox, {3}));
  options.aggregates.back().percentages = {0.95};
  options.aggregates.push_back(Spec(AggregateKind::kCount, {3}));
  options.aggregates.back().distinct = true;
  aggregate = operators::AggregateOperator::Make(options).ValueOrDie();
  seconds = RunEpochs(*aggregate, batches);
  Report("aggregate_p95_distinct", rows, seconds, aggregate->StateBytes());
}

void BenchJoin(int64_t rows) {
  const std::vector<Batch> batches = Metrics(rows);
  operators::StaticJoinOptions options;
  auto table = std::make_shared<operators::StaticTable>();
  arrow::StringBuilder key;
  arrow::Int32Builder value;
  for (int i = 0; i < 1000; ++i) {
    Check(key.Append(i == 0 ? "eu-west-1" : "region-" + std::to_string(i)));
    Check(value.Append(i));
  }
  options.stream_schema = batches[0].rows->schema();
  options.static_schema =
      arrow::schema({arrow::field("k", arrow::utf8()), arrow::field("v", arrow::int32())});
  table->rows = arrow::RecordBatch::Make(options.static_schema, 1000,
                                         {key.Finish().ValueOrDie(), value.Finish().ValueOrDie()});
  options.kind = operators::StaticJoinKind::kLeft;
  options.stream_keys = {2};
  options.static_keys = {0};
  options.provider = [&] { return table; };
  auto join = operators::StaticJoinOperator::Make(options).ValueOrDie();
  const double seconds = RunEpochs(*join, batches);
  Report("join", rows, seconds, 0);
}

int Main(int argc, char** argv) {
  const int64_t rows = argc > 1 ? std::atoll(argv[1]) : 4'000'000;
  Check(arrow::compute::Initialize());
  const std::string only = argc > 2 ? argv[2] : "";
  const auto wanted = [&](const char* step) { return only.empty() || only == step; };
  if (wanted("seen_probe")) BenchProbe(rows);
  if (wanted("dedup_unique")) BenchDedup("dedup_unique", rows, 1);
  if (wanted("dedup_repeats")) BenchDedup("dedup_repeats", rows, 4);
  if (wanted("aggregate")) BenchAggregate(rows);
  if (wanted("join")) BenchJoin(rows);
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Main(argc, argv); }
