#include "operators/static_join_operator.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "operators/test_collector.h"

namespace sluice::operators {
namespace {

const auto kStream =
    arrow::schema({arrow::field("k", arrow::utf8()), arrow::field("n", arrow::int32())});
const auto kStatic =
    arrow::schema({arrow::field("k2", arrow::utf8()), arrow::field("m", arrow::int32())});

std::shared_ptr<const StaticTable> Table(int64_t version, const std::string& keys,
                                         const std::string& values) {
  auto table = std::make_shared<StaticTable>();
  table->version = TableVersion(version);
  table->rows = BatchOf(kStatic, {keys, values}).rows;
  return table;
}

StaticJoinOptions Options(StaticJoinKind kind, std::shared_ptr<const StaticTable> table) {
  StaticJoinOptions options;
  options.stream_schema = kStream;
  options.static_schema = kStatic;
  options.kind = kind;
  options.stream_keys = {0};
  options.static_keys = {0};
  options.provider = [table] { return table; };
  return options;
}

/// The rows emitted as "n:m" or "n".
std::string Rows(StaticJoinOperator& join, const Batch& batch, int64_t epoch = 0) {
  TestCollector out;
  const Status status = join.ProcessBatch(EpochOf(epoch), batch, &out);
  EXPECT_TRUE(status.ok()) << status.ToString();
  std::string text;
  for (const Batch& emitted : out.batches) {
    EXPECT_TRUE(emitted.rows->ValidateFull().ok());
    EXPECT_TRUE(emitted.rows->schema()->Equals(*join.output_schema()));
    for (int64_t i = 0; i < emitted.num_rows(); ++i) {
      text += emitted.rows->column(1)->GetScalar(i).ValueOrDie()->ToString();
      if (emitted.rows->num_columns() == 4) {
        text += ":" + emitted.rows->column(3)->GetScalar(i).ValueOrDie()->ToString();
      }
      text += " ";
    }
  }
  return text;
}

const Batch kRows =
    WithOrigin(BatchOf(kStream, {R"(["a", "b", null, "c", "a"])", "[1, 2, 3, 4, 5]"}));

TEST(StaticJoin, KindsMatchSql) {
  const auto table = Table(1, R"(["a", "x", "a", null, "c"])", "[10, 20, 30, 40, 50]");
  const auto rows = [&](StaticJoinKind kind) {
    return Rows(*StaticJoinOperator::Make(Options(kind, table)).ValueOrDie(), kRows);
  };
  EXPECT_EQ(rows(StaticJoinKind::kInner), "1:10 1:30 4:50 5:10 5:30 ");
  EXPECT_EQ(rows(StaticJoinKind::kLeft), "1:10 1:30 2:null 3:null 4:50 5:10 5:30 ");
  EXPECT_EQ(rows(StaticJoinKind::kSemi), "1 4 5 ");
  EXPECT_EQ(rows(StaticJoinKind::kAnti), "2 3 ");
}

TEST(StaticJoin, NullSafeKeysMatchNulls) {
  auto options = Options(StaticJoinKind::kInner, Table(1, R"([null, "b"])", "[10, 20]"));
  options.null_safe = {true};
  EXPECT_EQ(Rows(*StaticJoinOperator::Make(options).ValueOrDie(), kRows), "2:20 3:10 ");
}

TEST(StaticJoin, EmptyStaticSide) {
  const auto table = Table(1, "[]", "[]");
  EXPECT_EQ(
      Rows(*StaticJoinOperator::Make(Options(StaticJoinKind::kInner, table)).ValueOrDie(), kRows),
      "");
  EXPECT_EQ(
      Rows(*StaticJoinOperator::Make(Options(StaticJoinKind::kLeft, table)).ValueOrDie(), kRows),
      "1:null 2:null 3:null 4:null 5:null ");
}

TEST(StaticJoin, ProvenanceFollowsFanOut) {
  const auto table = Table(1, R"(["a", "a"])", "[10, 20]");
  auto join = StaticJoinOperator::Make(Options(StaticJoinKind::kInner, table)).ValueOrDie();
  TestCollector out;
  ASSERT_TRUE(join->ProcessBatch(EpochOf(0), kRows, &out).ok());
  const auto& origins = *out.batches.at(0).origin_row;
  EXPECT_EQ(std::vector<uint32_t>(origins.raw_values(), origins.raw_values() + 4),
            (std::vector<uint32_t>{0, 0, 4, 4}));
}

TEST(StaticJoin, ANewVersionIsSeenAtTheNextEpoch) {
  auto table = Table(1, R"(["a"])", "[10]");
  int asked = 0;
  auto options = Options(StaticJoinKind::kInner, nullptr);
  options.provider = [&] {
    ++asked;
    return table;
  };
  auto join = StaticJoinOperator::Make(options).ValueOrDie();
  EXPECT_EQ(Rows(*join, kRows, 0), "1:10 5:10 ");
  table = Table(2, R"(["b"])", "[20]");
  EXPECT_EQ(Rows(*join, kRows, 0), "1:10 5:10 ");
  EXPECT_EQ(Rows(*join, kRows, 1), "2:20 ");
  EXPECT_EQ(asked, 2);
}

/// n < m - 15 over the pair's columns.
class CloseValues : public RowEvaluator {
 public:
  Result<arrow::ArrayVector> Evaluate(const arrow::RecordBatch& rows, TimestampMicros) override {
    const auto& left = static_cast<const arrow::Int32Array&>(*rows.column(1));
    const auto& right = static_cast<const arrow::Int32Array&>(*rows.column(3));
    arrow::BooleanBuilder builder;
    for (int64_t i = 0; i < rows.num_rows(); ++i) {
      SLUICE_RETURN_NOT_OK(builder.Append(left.Value(i) < right.Value(i) - 15));
    }
    SLUICE_ASSIGN_OR_RETURN(auto array, builder.Finish());
    return arrow::ArrayVector{array};
  }
};

TEST(StaticJoin, ResidualDecidesBeforeTheKind) {
  const auto rows = [&](StaticJoinKind kind) {
    auto options = Options(kind, Table(1, R"(["a", "a", "c"])", "[10, 30, 17]"));
    options.residual = []() -> Result<std::unique_ptr<RowEvaluator>> {
      return std::make_unique<CloseValues>();
    };
    return Rows(*StaticJoinOperator::Make(options).ValueOrDie(), kRows);
  };
  EXPECT_EQ(rows(StaticJoinKind::kInner), "1:30 5:30 ");
  EXPECT_EQ(rows(StaticJoinKind::kLeft), "1:30 2:null 3:null 4:null 5:30 ");
  EXPECT_EQ(rows(StaticJoinKind::kSemi), "1 5 ");
  EXPECT_EQ(rows(StaticJoinKind::kAnti), "2 3 4 ");
}

TEST(StaticJoin, FanOutInPiecesAgreesWithNestedLoops) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto list = [&](size_t rows, bool keys) {
      std::string json = "[";
      for (size_t i = 0; i < rows; ++i) {
        if (i != 0) json += ",";
        if (!keys)
          json += std::to_string(i);
        else
          json += random.OneIn(6) ? "null" : "\"k" + std::to_string(random.Below(20)) + "\"";
      }
      return json + "]";
    };
    const auto table = Table(1, list(60, true), list(60, false));
    const Batch batch = BatchOf(kStream, {list(80, true), list(80, false)});
    std::string inner;
    std::string anti;
    for (int64_t i = 0; i < 80; ++i) {
      bool matched = false;
      for (int64_t k = 0; k < 60; ++k) {
        const auto left = batch.rows->column(0)->GetScalar(i).ValueOrDie();
        if (!left->is_valid || !left->Equals(*table->rows->column(0)->GetScalar(k).ValueOrDie()))
          continue;
        matched = true;
        inner += std::to_string(i) + ":" + std::to_string(k) + " ";
      }
      if (!matched) anti += std::to_string(i) + " ";
    }
    for (const int64_t pairs : {1, 10, 1'000'000}) {
      auto options = Options(StaticJoinKind::kInner, table);
      options.max_pairs_per_batch = pairs;
      EXPECT_EQ(Rows(*StaticJoinOperator::Make(options).ValueOrDie(), batch), inner);
      options.kind = StaticJoinKind::kAnti;
      EXPECT_EQ(Rows(*StaticJoinOperator::Make(options).ValueOrDie(), batch), anti);
    }
  }
}

TEST(StaticJoin, ATableBeyondTheLimitIsAnError) {
  auto options = Options(StaticJoinKind::kInner, Table(1, R"(["a"])", "[10]"));
  options.max_static_bytes = 2;
  TestCollector out;
  const Status status =
      StaticJoinOperator::Make(options).ValueOrDie()->ProcessBatch(EpochOf(0), kRows, &out);
  EXPECT_TRUE(HasCode(status, "STATIC_TABLE_TOO_LARGE"));
}

}  // namespace
}  // namespace sluice::operators
