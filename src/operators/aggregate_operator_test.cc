#include "operators/aggregate_operator.h"

#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/random.h"
#include "operators/test_collector.h"

namespace sluice::operators {
namespace {

const auto kSchema =
    arrow::schema({arrow::field("hour", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                   arrow::field("type", arrow::utf8()), arrow::field("x", arrow::int32()),
                   arrow::field("d", arrow::decimal128(10, 2)), arrow::field("f", arrow::float64()),
                   arrow::field("s", arrow::utf8()), arrow::field("b", arrow::boolean())});
enum Column { kHour, kType, kX, kD, kF, kS, kB };

AggregateSpec Spec(AggregateKind kind, std::vector<int> arguments, bool distinct = false,
                   int filter = -1) {
  AggregateSpec spec;
  spec.kind = kind;
  spec.name = "a" + std::to_string(static_cast<int>(kind));
  spec.arguments = std::move(arguments);
  spec.distinct = distinct;
  spec.filter = filter;
  return spec;
}

std::unique_ptr<AggregateOperator> MakeOperator(std::vector<int> keys,
                                                std::vector<AggregateSpec> specs,
                                                std::shared_ptr<arrow::Schema> schema = kSchema) {
  AggregateOptions options;
  options.flow_name = "gold";
  options.input_schema = std::move(schema);
  options.key_columns = std::move(keys);
  options.aggregates = std::move(specs);
  options.max_rows_per_batch = 7;
  auto made = AggregateOperator::Make(std::move(options));
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  return std::move(made).ValueOrDie();
}

struct Row {
  std::optional<int64_t> hour;
  std::optional<std::string> type;
  std::optional<int> x;
  std::optional<int64_t> d;  // hundredths
  std::optional<double> f;
  std::optional<std::string> s;
  std::optional<bool> b;
};
using Key = std::pair<std::optional<int64_t>, std::optional<std::string>>;

template <typename T>
std::optional<T> Maybe(Random& random, T value) {
  if (random.OneIn(8)) return {};
  return value;
}

Row RandomRow(Random& random) {
  Row row;
  row.hour = Maybe(random, static_cast<int64_t>(random.Below(4)) * 3'600'000'000);
  row.type = Maybe(random, "type" + std::to_string(random.Below(3)));
  row.x = Maybe(random, static_cast<int>(random.Below(2'000'000'000)) - 1'000'000'000);
  row.d = Maybe(random, static_cast<int64_t>(random.Below(1'999'999'999)) - 999'999'999);
  row.f = Maybe(random, (static_cast<double>(random.Below(1'000'000)) - 3e5) * 1e-3);
  row.s = Maybe(random, "s" + std::to_string(random.Below(30)));
  row.b = Maybe(random, random.OneIn(2));
  return row;
}

Batch ToBatch(const std::vector<Row>& rows) {
  arrow::TimestampBuilder hour(kSchema->field(0)->type(), arrow::default_memory_pool());
  arrow::StringBuilder type;
  arrow::Int32Builder x;
  arrow::Decimal128Builder d(kSchema->field(3)->type());
  arrow::DoubleBuilder f;
  arrow::StringBuilder s;
  arrow::BooleanBuilder b;
  const auto append = [](auto& builder, const auto& value) {
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  };
  for (const Row& row : rows) {
    append(hour, row.hour);
    append(type, row.type);
    append(x, row.x);
    append(d, row.d ? std::optional(arrow::Decimal128(*row.d)) : std::nullopt);
    append(f, row.f);
    append(s, row.s);
    append(b, row.b);
  }
  arrow::ArrayVector columns;
  for (arrow::ArrayBuilder* builder :
       std::initializer_list<arrow::ArrayBuilder*>{&hour, &type, &x, &d, &f, &s, &b}) {
    columns.push_back(builder->Finish().ValueOrDie());
  }
  auto batch =
      arrow::RecordBatch::Make(kSchema, static_cast<int64_t>(rows.size()), std::move(columns));
  return {.rows = batch, .origin = nullptr, .origin_row = nullptr};
}

// ---- the naive model: every function over the rows of a group ----

constexpr char kNull[] = "null";

std::string Decimal(__int128 value, int scale) {
  return arrow::Decimal128(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value))
      .ToString(scale);
}

struct Expected {
  std::string text;   // exact results
  double number = 0;  // of doubles
  bool is_number = false;
};
Expected Number(double value) { return {"", value, true}; }

template <typename T, typename Member>
std::vector<T> Values(const std::vector<Row>& rows, Member member) {
  std::vector<T> values;
  for (const Row& row : rows) {
    if (row.*member) values.push_back(static_cast<T>(*(row.*member)));
  }
  return values;
}

std::vector<AggregateSpec> AllSpecs() {
  AggregateSpec median = Spec(AggregateKind::kPercentileApprox, {kF});
  median.percentages = {0.5};
  AggregateSpec quartiles = Spec(AggregateKind::kPercentileApprox, {kX});
  quartiles.percentages = {0.25, 0.75};
  quartiles.percentages_is_array = true;
  return {
      Spec(AggregateKind::kCountAll, {}),
      Spec(AggregateKind::kCount, {kX}),
      Spec(AggregateKind::kCount, {kX, kS}),
      Spec(AggregateKind::kCount, {kX}, false, kB),
      Spec(AggregateKind::kCount, {kS}, true),
      Spec(AggregateKind::kCount, {kS, kB}, true),
      Spec(AggregateKind::kSum, {kX}),
      Spec(AggregateKind::kSum, {kD}),
      Spec(AggregateKind::kSum, {kF}),
      Spec(AggregateKind::kAvg, {kX}),
      Spec(AggregateKind::kAvg, {kD}),
      Spec(AggregateKind::kAvg, {kF}),
      Spec(AggregateKind::kMin, {kX}),
      Spec(AggregateKind::kMax, {kD}),
      Spec(AggregateKind::kMax, {kF}),
      Spec(AggregateKind::kMin, {kS}),
      Spec(AggregateKind::kMax, {kS}),
      Spec(AggregateKind::kBoolAnd, {kB}),
      Spec(AggregateKind::kMax, {kB}),
      Spec(AggregateKind::kVarianceSample, {kF}),
      median,
      quartiles,
      Spec(AggregateKind::kApproxCountDistinct, {kS}),
      Spec(AggregateKind::kCollectList, {kX}),
      Spec(AggregateKind::kCollectSet, {kS}),
  };
}

std::string Ranked(std::vector<int> values, std::initializer_list<double> percentages) {
  std::sort(values.begin(), values.end());
  std::string text;
  for (const double p : percentages) {
    const auto rank = static_cast<size_t>(std::ceil(p * static_cast<double>(values.size())));
    text += std::to_string(values[std::max<size_t>(rank, 1) - 1]) + ",";
  }
  return text;
}

std::string Sorted(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  std::string text;
  for (const std::string& value : values) text += value + ",";
  return text;
}

std::vector<Expected> Model(const std::vector<Row>& rows) {
  const auto x = Values<int>(rows, &Row::x);
  const auto d = Values<int64_t>(rows, &Row::d);
  auto f = Values<double>(rows, &Row::f);
  const auto s = Values<std::string>(rows, &Row::s);
  const auto b = Values<bool>(rows, &Row::b);
  const std::set<std::string> distinct(s.begin(), s.end());
  std::set<std::pair<std::string, bool>> pairs;
  int64_t both = 0;
  int64_t filtered = 0;
  for (const Row& row : rows) {
    if (row.s && row.b) pairs.insert({*row.s, *row.b});
    both += row.x && row.s;
    filtered += row.x && row.b && *row.b;
  }
  int64_t sum_x = 0;
  for (const int value : x) sum_x += value;
  int64_t sum_d = 0;
  for (const int64_t value : d) sum_d += value;
  long double sum_f = 0;
  for (const double value : f) sum_f += value;
  const auto mean = sum_f / static_cast<long double>(f.size());
  long double squares = 0;
  for (const double value : f) squares += (value - mean) * (value - mean);
  const auto count = [](int64_t n) { return Expected{std::to_string(n)}; };
  const auto text = [](bool empty, auto make) {
    return empty ? Expected{kNull} : Expected{make()};
  };
  const auto number = [](bool empty, auto make) {
    return empty ? Expected{kNull} : Number(static_cast<double>(make()));
  };
  const auto avg_d = [&] {
    const auto rows_d = static_cast<__int128>(d.size());
    const __int128 wide = static_cast<__int128>(sum_d) * 10000;
    const __int128 half = wide < 0 ? -rows_d / 2 : rows_d / 2;
    return Decimal((wide + half) / rows_d, 6);
  };
  std::sort(f.begin(), f.end());
  std::vector<std::string> list;
  for (const int value : x) list.push_back(std::to_string(value));
  return {
      count(static_cast<int64_t>(rows.size())),
      count(static_cast<int64_t>(x.size())),
      count(both),
      count(filtered),
      count(static_cast<int64_t>(distinct.size())),
      count(static_cast<int64_t>(pairs.size())),
      text(x.empty(), [&] { return std::to_string(sum_x); }),
      text(d.empty(), [&] { return Decimal(sum_d, 2); }),
      number(f.empty(), [&] { return sum_f; }),
      number(x.empty(), [&] { return static_cast<double>(sum_x) / static_cast<double>(x.size()); }),
      text(d.empty(), avg_d),
      number(f.empty(), [&] { return mean; }),
      text(x.empty(), [&] { return std::to_string(*std::min_element(x.begin(), x.end())); }),
      text(d.empty(), [&] { return Decimal(*std::max_element(d.begin(), d.end()), 2); }),
      number(f.empty(), [&] { return f.back(); }),
      text(s.empty(), [&] { return *distinct.begin(); }),
      text(s.empty(), [&] { return *distinct.rbegin(); }),
      text(b.empty(),
           [&] { return std::count(b.begin(), b.end(), false) == 0 ? "true" : "false"; }),
      text(b.empty(), [&] { return std::count(b.begin(), b.end(), true) > 0 ? "true" : "false"; }),
      number(f.size() < 2, [&] { return squares / static_cast<long double>(f.size() - 1); }),
      number(f.empty(), [&] { return f[(f.size() + 1) / 2 - 1]; }),
      text(x.empty(),
           [&] {
             return Ranked(x, {0.25, 0.75});
           }),
      Number(static_cast<double>(distinct.size())),
      Expected{Sorted(list)},
      Expected{Sorted({distinct.begin(), distinct.end()})},
  };
}

std::string ListText(const arrow::Array& column, int64_t i, bool sort) {
  const auto& lists = static_cast<const arrow::ListArray&>(column);
  const auto values = lists.value_slice(i);
  std::vector<std::string> texts;
  std::string plain;
  for (int64_t k = 0; k < values->length(); ++k) {
    texts.push_back(values->GetScalar(k).ValueOrDie()->ToString());
    plain += texts.back() + ",";
  }
  return sort ? Sorted(texts) : plain;
}

void ExpectCell(const arrow::Array& column, int64_t i, const Expected& expected,
                const AggregateSpec& spec) {
  SCOPED_TRACE(spec.name);
  if (column.IsNull(i)) {
    EXPECT_EQ(expected.text, kNull);
  } else if (column.type_id() == arrow::Type::LIST) {
    EXPECT_EQ(ListText(column, i, spec.kind != AggregateKind::kPercentileApprox), expected.text);
  } else if (spec.kind == AggregateKind::kApproxCountDistinct) {
    const auto estimate =
        static_cast<double>(static_cast<const arrow::Int64Array&>(column).Value(i));
    EXPECT_NEAR(estimate, expected.number, 2);
  } else if (expected.is_number) {
    const double value = static_cast<const arrow::DoubleArray&>(column).Value(i);
    EXPECT_NEAR(value, expected.number, 1e-9 * std::max(1.0, std::abs(expected.number)));
  } else {
    EXPECT_EQ(column.GetScalar(i).ValueOrDie()->ToString(), expected.text);
  }
}

using GroupRows = std::map<Key, std::vector<Row>>;

Key KeyAt(const arrow::RecordBatch& rows, int64_t i) {
  const auto& hours = static_cast<const arrow::TimestampArray&>(*rows.column(0));
  const auto& types = static_cast<const arrow::StringArray&>(*rows.column(1));
  return {hours.IsNull(i) ? std::nullopt : std::optional(hours.Value(i)),
          types.IsNull(i) ? std::nullopt : std::optional(types.GetString(i))};
}

class Harness {
 public:
  explicit Harness(uint64_t seed)
      : random_(seed), operator_(MakeOperator({kHour, kType}, AllSpecs())) {}

  void RunEpoch() {
    TestCollector out;
    GroupRows& delta = in_flight_[next_epoch_];
    for (uint64_t batch = random_.Below(3); batch > 0; --batch) {
      std::vector<Row> rows(random_.Below(60));
      for (Row& row : rows) {
        row = RandomRow(random_);
        delta[{row.hour, row.type}].push_back(row);
      }
      ASSERT_TRUE(operator_->ProcessBatch(EpochOf(next_epoch_), ToBatch(rows), &out).ok());
    }
    const Status status = operator_->OnEpochEnd(EpochOf(next_epoch_), &out);
    ASSERT_TRUE(status.ok()) << status.ToString();
    ASSERT_EQ(out.num_rows(), static_cast<int64_t>(delta.size()));
    for (const Batch& batch : out.batches) {
      ASSERT_TRUE(batch.rows->ValidateFull().ok());
      for (int64_t i = 0; i < batch.num_rows(); ++i) ExpectRow(*batch.rows, i);
    }
    ++next_epoch_;
  }
  void Commit() {
    if (in_flight_.empty()) return;
    const int64_t epoch = in_flight_.begin()->first;
    for (const auto& [key, rows] : in_flight_.begin()->second) {
      committed_[key].insert(committed_[key].end(), rows.begin(), rows.end());
    }
    in_flight_.erase(epoch);
    ASSERT_TRUE(operator_->OnCommit(EpochNumber(epoch), TableVersion(epoch), kNoTimestamp).ok());
  }
  void Abort() {
    if (in_flight_.empty()) return;
    const int64_t epoch = in_flight_.begin()->first + static_cast<int64_t>(random_.Below(2));
    in_flight_.erase(in_flight_.lower_bound(epoch), in_flight_.end());
    next_epoch_ = std::min(next_epoch_, epoch);
    ASSERT_TRUE(operator_->OnAbort(EpochNumber(epoch)).ok());
  }
  void SaveAndLoad() {
    auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
    ASSERT_TRUE(operator_->SaveState(out.get()).ok());
    arrow::io::BufferReader in(out->Finish().ValueOrDie());
    operator_ = MakeOperator({kHour, kType}, AllSpecs());
    const Status status = operator_->LoadState(&in);
    ASSERT_TRUE(status.ok()) << status.ToString();
    in_flight_.clear();
  }
  void Step() {
    switch (random_.Below(8)) {
      case 0: return Abort();
      case 1: return SaveAndLoad();
      case 2:
      case 3:
      case 4: return Commit();
      default: return RunEpoch();
    }
  }

 private:
  void ExpectRow(const arrow::RecordBatch& rows, int64_t i) {
    const Key key = KeyAt(rows, i);
    std::vector<Row> all = committed_[key];
    for (const auto& [epoch, groups] : in_flight_) {
      if (auto found = groups.find(key); found != groups.end()) {
        all.insert(all.end(), found->second.begin(), found->second.end());
      }
    }
    const std::vector<Expected> expected = Model(all);
    const std::vector<AggregateSpec> specs = AllSpecs();
    ASSERT_EQ(specs.size(), expected.size());
    for (size_t a = 0; a < specs.size(); ++a) {
      ExpectCell(*rows.column(static_cast<int>(2 + a)), i, expected[a], specs[a]);
    }
  }

  Random random_;
  std::unique_ptr<AggregateOperator> operator_;
  GroupRows committed_;
  std::map<int64_t, GroupRows> in_flight_;
  int64_t next_epoch_ = 0;
};

TEST(Aggregate, AgreesWithAModelOverRandomEpochs) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Harness harness(seed);
    for (int step = 0; step < 60 && !::testing::Test::HasFailure(); ++step) harness.Step();
  }
}

Status RunOne(AggregateOperator& aggregate, const Batch& batch, TestCollector* out) {
  SLUICE_RETURN_NOT_OK(aggregate.ProcessBatch(EpochOf(0), batch, out));
  return aggregate.OnEpochEnd(EpochOf(0), out);
}

TEST(Aggregate, WithoutKeysThereIsOneRowOverNothing) {
  auto aggregate =
      MakeOperator({}, {Spec(AggregateKind::kCountAll, {}), Spec(AggregateKind::kSum, {kX})});
  TestCollector out;
  ASSERT_TRUE(aggregate->OnEpochEnd(EpochOf(0), &out).ok());
  ASSERT_EQ(out.num_rows(), 1);
  EXPECT_EQ(out.Column(0)->GetScalar(0).ValueOrDie()->ToString(), "0");
  EXPECT_TRUE(out.Column(1)->IsNull(0));
}

TEST(Aggregate, SumOverflowNamesTheGroup) {
  const auto schema =
      arrow::schema({arrow::field("k", arrow::utf8()), arrow::field("n", arrow::int64())});
  auto aggregate = MakeOperator({0}, {Spec(AggregateKind::kSum, {1})}, schema);
  TestCollector out;
  const Batch fits = BatchOf(schema, {R"(["a", "b", "b"])", "[1, 9223372036854775807, -5]"});
  ASSERT_TRUE(RunOne(*aggregate, fits, &out).ok());
  const Batch bursts = BatchOf(schema, {R"(["a", "b"])", "[1, 9223372036854775807]"});
  const Status status = RunOne(*aggregate, bursts, &out);
  EXPECT_TRUE(HasCode(status, "ARITHMETIC_OVERFLOW"));
  EXPECT_NE(status.message().find("k = b"), std::string::npos) << status.message();
}

TEST(Aggregate, DecimalSumsBeyondTheirTypeOverflow) {
  const auto schema = arrow::schema({arrow::field("n", arrow::decimal128(38, 0))});
  const std::string most(38, '9');
  for (const char* second : {"\"1\"", "\"-1\""}) {
    auto aggregate = MakeOperator({}, {Spec(AggregateKind::kSum, {0})}, schema);
    TestCollector out;
    const Status status =
        RunOne(*aggregate, BatchOf(schema, {"[\"" + most + "\", " + second + "]"}), &out);
    EXPECT_EQ(ErrorCode(status), std::string(second) == "\"1\"" ? "ARITHMETIC_OVERFLOW" : "OK");
  }
}

TEST(Aggregate, ResultTypesAreSparks) {
  auto aggregate =
      MakeOperator({}, {Spec(AggregateKind::kSum, {kD}), Spec(AggregateKind::kAvg, {kD}),
                        Spec(AggregateKind::kSum, {kX}), Spec(AggregateKind::kAvg, {kX})});
  const auto& schema = *aggregate->output_schema();
  EXPECT_TRUE(schema.field(0)->type()->Equals(*arrow::decimal128(20, 2)));
  EXPECT_TRUE(schema.field(1)->type()->Equals(*arrow::decimal128(14, 6)));
  EXPECT_TRUE(schema.field(2)->type()->Equals(*arrow::int64()));
  EXPECT_TRUE(schema.field(3)->type()->Equals(*arrow::float64()));
}

TEST(Aggregate, RefusesWhatCannotBeMerged) {
  for (const AggregateSpec& spec :
       {Spec(AggregateKind::kFirst, {kX}), Spec(AggregateKind::kSum, {kX}, true),
        Spec(AggregateKind::kSum, {kS}), Spec(AggregateKind::kBoolAnd, {kX})}) {
    AggregateOptions options;
    options.input_schema = kSchema;
    options.aggregates = {spec};
    options.aggregates[0].result_type = arrow::int64();
    EXPECT_TRUE(HasCode(AggregateOperator::Make(options).status(), "UNSUPPORTED_AGGREGATE"));
  }
}

TEST(Aggregate, LimitsNameFlowAndGroup) {
  AggregateOptions options;
  options.flow_name = "gold_customers";
  options.input_schema = kSchema;
  options.key_columns = {kType};
  options.aggregates = {Spec(AggregateKind::kCollectList, {kX})};
  options.max_collected = 3;
  const Batch batch = ToBatch(std::vector<Row>(
      4, Row{.hour = 1, .type = "click", .x = 7, .d = {}, .f = {}, .s = {}, .b = {}}));
  TestCollector out;
  const Status collected = RunOne(*AggregateOperator::Make(options).ValueOrDie(), batch, &out);
  EXPECT_TRUE(HasCode(collected, "COLLECT_LIMIT_EXCEEDED"));
  EXPECT_NE(collected.message().find("type = click"), std::string::npos) << collected.message();
  options.max_collected = 100;
  options.state_limit_bytes = 1000;
  const Status limited = RunOne(*AggregateOperator::Make(options).ValueOrDie(), batch, &out);
  EXPECT_TRUE(HasCode(limited, "STATE_LIMIT_EXCEEDED"));
  EXPECT_NE(limited.message().find("gold_customers"), std::string::npos);
}

TEST(Aggregate, StateOfAnotherQueryOrTornIsRefused) {
  auto aggregate = MakeOperator({kType}, AllSpecs());
  TestCollector out;
  Random random(1);
  std::vector<Row> rows(50);
  for (Row& row : rows) row = RandomRow(random);
  ASSERT_TRUE(RunOne(*aggregate, ToBatch(rows), &out).ok());
  ASSERT_TRUE(aggregate->OnCommit(EpochNumber(0), TableVersion(0), kNoTimestamp).ok());
  auto stream = arrow::io::BufferOutputStream::Create().ValueOrDie();
  ASSERT_TRUE(aggregate->SaveState(stream.get()).ok());
  const auto bytes = stream->Finish().ValueOrDie();
  const auto load = [](AggregateOperator& into, std::shared_ptr<arrow::Buffer> from) {
    arrow::io::BufferReader in(std::move(from));
    return into.LoadState(&in);
  };
  EXPECT_TRUE(load(*aggregate, bytes).ok());
  EXPECT_TRUE(HasCode(load(*MakeOperator({kType}, {AllSpecs()[0]}), bytes), "STATE_CORRUPT"));
  for (int64_t size = 0; size < bytes->size(); size += 101) {
    EXPECT_TRUE(HasCode(load(*aggregate, arrow::SliceBuffer(bytes, 0, size)), "STATE_CORRUPT"));
    EXPECT_EQ(aggregate->num_groups(), 0);
  }
}

/// A view over more groups than memory may hold gives what it gives with memory to spare, through
/// commits, aborts, and a restart from saved state.
TEST(Aggregate, SpilledGroupsComeBack) {
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("sluice-groups-" + std::to_string(::getpid())))
          .string();
  const auto make = [&](int64_t limit, const std::string& spill) {
    AggregateOptions options;
    options.input_schema = kSchema;
    options.key_columns = {kX};
    options.aggregates = AllSpecs();
    options.state_limit_bytes = limit;
    options.spill_folder = spill;
    return AggregateOperator::Make(options).ValueOrDie();
  };
  const auto roomy = make(1LL << 30, "");
  auto spilling = make(4 << 20, folder + "/a");
  Random random(11);
  const auto rows_of = [](const TestCollector& out) {
    std::vector<std::string> rows;
    for (const Batch& batch : out.batches) {
      for (int64_t i = 0; i < batch.num_rows(); ++i)
        rows.push_back(batch.rows->Slice(i, 1)->ToString());
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  };
  bool spilled = false;
  for (int64_t epoch = 0; epoch < 40; ++epoch) {
    std::vector<Row> rows(300);
    for (Row& row : rows) {
      row = RandomRow(random);
      row.x = static_cast<int>(random.Below(3000));
    }
    const Batch batch = ToBatch(rows);
    const bool abort = random.OneIn(8);
    for (int attempt = abort ? 0 : 1; attempt < 2; ++attempt) {
      TestCollector expected;
      TestCollector found;
      for (const auto& [op, out] : {std::pair(roomy.get(), &expected), {spilling.get(), &found}}) {
        ASSERT_TRUE(op->ProcessBatch(EpochOf(epoch), batch, out).ok());
        const Status ended = op->OnEpochEnd(EpochOf(epoch), out);
        ASSERT_TRUE(ended.ok()) << ended;
        const Status done =
            attempt == 0 ? op->OnAbort(EpochNumber(epoch))
                         : op->OnCommit(EpochNumber(epoch), TableVersion(epoch), kNoTimestamp);
        ASSERT_TRUE(done.ok()) << done;
      }
      ASSERT_EQ(rows_of(found), rows_of(expected)) << "epoch " << epoch;
    }
    ASSERT_EQ(spilling->num_groups(), roomy->num_groups());
    spilled = spilled || spilling->StateBytes() > (64 << 20);  // RocksDB's own memory counts
    if (epoch % 10 != 9) continue;
    auto stream = arrow::io::BufferOutputStream::Create().ValueOrDie();
    ASSERT_TRUE(spilling->SaveState(stream.get()).ok());
    arrow::io::BufferReader in(stream->Finish().ValueOrDie());
    spilling.reset();  // one user of a folder at a time
    auto next = make(4 << 20, folder + "/a");
    const Status loaded = next->LoadState(&in);
    ASSERT_TRUE(loaded.ok()) << loaded;
    ASSERT_EQ(next->num_groups(), roomy->num_groups());
    spilling = std::move(next);
  }
  EXPECT_TRUE(spilled);
  spilling.reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sluice::operators
