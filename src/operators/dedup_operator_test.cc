#include "operators/dedup_operator.h"

#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"
#include "operators/test_collector.h"

namespace sluice::operators {
namespace {

const std::shared_ptr<arrow::DataType> kMicros = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
const auto kSchema =
    arrow::schema({arrow::field("id", arrow::utf8()), arrow::field("time", kMicros),
                   arrow::field("n", arrow::int32())});

std::unique_ptr<DedupOperator> MakeDedup(std::vector<int> keys, std::vector<OrderColumn> order = {},
                                         int event_time = -1) {
  DedupOptions options;
  options.input_schema = kSchema;
  options.key_columns = std::move(keys);
  options.order_by = std::move(order);
  options.event_time_column = event_time;
  return DedupOperator::Make(std::move(options)).ValueOrDie();
}

std::vector<int> Numbers(const TestCollector& out) {
  std::vector<int> numbers;
  for (const Batch& batch : out.batches) {
    const auto& column = static_cast<const arrow::Int32Array&>(*batch.rows->column(2));
    for (int64_t i = 0; i < column.length(); ++i) numbers.push_back(column.Value(i));
  }
  return numbers;
}

std::vector<int> RunEpoch(DedupOperator& dedup, const flow::EpochContext& epoch,
                          const std::vector<Batch>& batches) {
  TestCollector out;
  for (const Batch& batch : batches) EXPECT_TRUE(dedup.ProcessBatch(epoch, batch, &out).ok());
  EXPECT_TRUE(dedup.OnEpochEnd(epoch, &out).ok());
  int64_t rows = 0;
  for (const Batch& batch : batches) rows += batch.num_rows();
  EXPECT_EQ(out.output.duplicate_rows, rows - out.num_rows());
  return Numbers(out);
}

TEST(Dedup, FirstByArrivalAndNullsAreEqual) {
  auto dedup = MakeDedup({0});
  const Batch batch =
      BatchOf(kSchema, {R"(["a", null, "a", null, "b"])", "[1, 2, 3, 4, 5]", "[1, 2, 3, 4, 5]"});
  EXPECT_EQ(RunEpoch(*dedup, EpochOf(0), {batch}), (std::vector<int>{1, 2, 5}));
  EXPECT_EQ(RunEpoch(*dedup, EpochOf(1), {batch}), (std::vector<int>{}));
  ASSERT_TRUE(dedup->OnAbort(EpochNumber(0)).ok());
  EXPECT_EQ(RunEpoch(*dedup, EpochOf(0), {batch}), (std::vector<int>{1, 2, 5}));
}

TEST(Dedup, OrderByChoosesWithinTheEpochAndTheCommittedOneWinsAfter) {
  auto dedup = MakeDedup({0}, {{.column = 1, .ascending = false, .nulls_first = false}});
  const Batch one = BatchOf(kSchema, {R"(["a", "b", "a"])", "[1, 9, 3]", "[1, 2, 3]"});
  const Batch two =
      BatchOf(kSchema, {R"(["a", "b", "c", "c"])", "[3, null, null, null]", "[4, 5, 6, 7]"});
  EXPECT_EQ(RunEpoch(*dedup, EpochOf(0), {one, two}), (std::vector<int>{2, 3, 6}));
  EXPECT_EQ(
      RunEpoch(*dedup, EpochOf(1), {BatchOf(kSchema, {R"(["a", "d"])", "[99, 1]", "[8, 9]"})}),
      (std::vector<int>{9}));
}

TEST(Dedup, OrderByKeyColumnsIsArrival) {
  auto dedup = MakeDedup({0, 1}, {{.column = 1}});
  TestCollector out;
  const Batch batch = BatchOf(kSchema, {R"(["a", "a"])", "[1, 1]", "[1, 2]"});
  ASSERT_TRUE(dedup->ProcessBatch(EpochOf(0), batch, &out).ok());
  EXPECT_EQ(Numbers(out), (std::vector<int>{1}));
}

TEST(Dedup, LateRowsPassUnchecked) {
  for (const bool ordered : {false, true}) {
    auto dedup = MakeDedup(
        {0}, ordered ? std::vector<OrderColumn>{{.column = 2}} : std::vector<OrderColumn>{}, 1);
    const Batch batch = BatchOf(kSchema, {R"(["a", "a", "a", "a"])",
                                          "[1000000, 9000000, 1000000, 9000000]", "[1, 2, 3, 4]"});
    EXPECT_EQ(RunEpoch(*dedup, EpochOf(0, 5'000'000), {batch}), (std::vector<int>{1, 2, 3}));
  }
}

TEST(Dedup, KeysAreForgottenBehindTheWatermark) {
  auto dedup = MakeDedup({0}, {}, 1);
  const auto at = [](int second, int n) {
    return BatchOf(kSchema, {R"(["a"])", "[" + std::to_string(second) + "000000]",
                             "[" + std::to_string(n) + "]"});
  };
  EXPECT_EQ(RunEpoch(*dedup, EpochOf(0, 0), {at(10, 1)}).size(), 1U);
  EXPECT_EQ(RunEpoch(*dedup, EpochOf(1, 10'000'000), {at(20, 2)}).size(), 0U);
  EXPECT_EQ(RunEpoch(*dedup, EpochOf(2, 11'000'000), {at(20, 3)}).size(), 1U);
  ASSERT_TRUE(dedup->OnAbort(EpochNumber(2)).ok());
  EXPECT_EQ(RunEpoch(*dedup, EpochOf(2, 10'000'000), {at(20, 3)}).size(), 0U);
}

TEST(Dedup, ProvenanceFollows) {
  auto dedup = MakeDedup({0});
  TestCollector out;
  const Batch batch =
      WithOrigin(BatchOf(kSchema, {R"(["a", "a", "b"])", "[1, 1, 1]", "[1, 2, 3]"}));
  ASSERT_TRUE(dedup->ProcessBatch(EpochOf(0), batch, &out).ok());
  ASSERT_EQ(out.batches.size(), 1U);
  EXPECT_EQ(out.batches[0].origin, batch.origin);
  EXPECT_EQ(out.batches[0].origin_row->Value(1), 2U);
}

Batch RandomBatch(Random& random, int* next) {
  arrow::StringBuilder id;
  arrow::TimestampBuilder time(kMicros, arrow::default_memory_pool());
  arrow::Int32Builder n;
  for (uint64_t i = random.Below(200); i > 0; --i) {
    EXPECT_TRUE(
        (random.OneIn(20) ? id.AppendNull() : id.Append("id-" + std::to_string(random.Below(500))))
            .ok());
    EXPECT_TRUE(
        (random.OneIn(20) ? time.AppendNull() : time.Append(static_cast<int64_t>(random.Below(2))))
            .ok());
    EXPECT_TRUE(n.Append((*next)++).ok());
  }
  arrow::ArrayVector columns = {id.Finish().ValueOrDie(), time.Finish().ValueOrDie(),
                                n.Finish().ValueOrDie()};
  const int64_t rows = columns[0]->length();
  return {.rows = arrow::RecordBatch::Make(kSchema, rows, std::move(columns)),
          .origin = nullptr,
          .origin_row = nullptr};
}

std::string KeyOf(const Batch& batch, int64_t i) {
  return batch.rows->column(0)->GetScalar(i).ValueOrDie()->ToString() + "|" +
         batch.rows->column(1)->GetScalar(i).ValueOrDie()->ToString();
}

// Epochs cut at random, aborted, committed late, saved and loaded, against a naive model.
// `descending`: the last row of a key within an epoch wins.
void RandomWork(uint64_t seed, bool descending) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  const std::vector<OrderColumn> order =
      descending ? std::vector<OrderColumn>{{.column = 2, .ascending = false}}
                 : std::vector<OrderColumn>{};
  auto dedup = MakeDedup({0, 1}, order);
  std::set<std::string> committed;
  std::map<int64_t, std::set<std::string>> in_flight;
  int64_t next_epoch = 0;
  int next_row = 0;
  const auto seen = [&](const std::string& key) {
    if (committed.contains(key)) return true;
    for (const auto& [epoch, keys] : in_flight) {
      if (keys.contains(key)) return true;
    }
    return false;
  };
  for (int step = 0; step < 120; ++step) {
    if (random.OneIn(2)) {
      std::vector<Batch> batches(1 + random.Below(3));
      for (Batch& batch : batches) batch = RandomBatch(random, &next_row);
      std::map<std::string, int> winners;
      for (const Batch& batch : batches) {
        const auto& numbers = static_cast<const arrow::Int32Array&>(*batch.rows->column(2));
        for (int64_t i = 0; i < batch.num_rows(); ++i) {
          const std::string key = KeyOf(batch, i);
          if (seen(key)) continue;
          const auto [winner, added] = winners.emplace(key, numbers.Value(i));
          if (!added && descending) winner->second = numbers.Value(i);
        }
      }
      std::vector<int> expected;
      for (const auto& [key, number] : winners) {
        expected.push_back(number);
        in_flight[next_epoch].insert(key);
      }
      std::sort(expected.begin(), expected.end());
      ASSERT_EQ(RunEpoch(*dedup, EpochOf(next_epoch++), batches), expected);
    } else if (!in_flight.empty() && random.OneIn(2)) {
      const int64_t epoch = in_flight.begin()->first;
      committed.insert(in_flight.begin()->second.begin(), in_flight.begin()->second.end());
      in_flight.erase(epoch);
      ASSERT_TRUE(dedup->OnCommit(EpochNumber(epoch), TableVersion(epoch), kNoTimestamp).ok());
    } else if (!in_flight.empty() && random.OneIn(2)) {
      const int64_t epoch = in_flight.begin()->first + static_cast<int64_t>(random.Below(2));
      ASSERT_TRUE(dedup->OnAbort(EpochNumber(epoch)).ok());
      in_flight.erase(in_flight.lower_bound(epoch), in_flight.end());
      next_epoch = std::min(next_epoch, epoch);
    } else if (random.OneIn(3)) {
      auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
      ASSERT_TRUE(dedup->SaveState(out.get()).ok());
      arrow::io::BufferReader in(out->Finish().ValueOrDie());
      dedup = MakeDedup({0, 1}, order);
      ASSERT_TRUE(dedup->LoadState(&in).ok());
      in_flight.clear();
    }
  }
}

TEST(Dedup, AgreesWithAModelOverRandomEpochs) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    RandomWork(seed, false);
    RandomWork(seed, true);
  }
}

}  // namespace
}  // namespace sluice::operators
