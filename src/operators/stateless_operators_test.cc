#include <gtest/gtest.h>

#include <thread>

#include "operators/decode_operator.h"
#include "operators/filter_operator.h"
#include "operators/generate_operator.h"
#include "operators/project_operator.h"
#include "operators/test_collector.h"
#include "operators/watermark_operator.h"

namespace sluice::operators {
namespace {

const auto kSchema =
    arrow::schema({arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8())});

using Function = std::function<Result<arrow::ArrayVector>(const arrow::RecordBatch&)>;

class TestEvaluator : public RowEvaluator {
 public:
  explicit TestEvaluator(Function function) : function_(std::move(function)) {}
  Result<arrow::ArrayVector> Evaluate(const arrow::RecordBatch& rows, TimestampMicros) override {
    return function_(rows);
  }

 private:
  Function function_;
};

RowEvaluatorFactory Factory(Function function) {
  return [function]() -> Result<std::unique_ptr<RowEvaluator>> {
    return std::make_unique<TestEvaluator>(function);
  };
}

const arrow::Int32Array& Ints(const arrow::RecordBatch& rows, int column) {
  return static_cast<const arrow::Int32Array&>(*rows.column(column));
}

/// Column 0 plus one.
Result<arrow::ArrayVector> PlusOne(const arrow::RecordBatch& rows) {
  arrow::Int32Builder builder;
  for (int64_t i = 0; i < rows.num_rows(); ++i)
    SLUICE_RETURN_NOT_OK(builder.Append(Ints(rows, 0).Value(i) + 1));
  SLUICE_ASSIGN_OR_RETURN(auto array, builder.Finish());
  return arrow::ArrayVector{array};
}

/// a > 1, and a mask with NULLs.
Result<arrow::ArrayVector> TwoPredicates(const arrow::RecordBatch& rows) {
  arrow::BooleanBuilder above;
  arrow::BooleanBuilder odd;
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    const int value = Ints(rows, 0).Value(i);
    SLUICE_RETURN_NOT_OK(above.Append(value > 1));
    SLUICE_RETURN_NOT_OK(value == 5 ? odd.AppendNull() : odd.Append(value % 2 == 1));
  }
  return arrow::ArrayVector{above.Finish().ValueOrDie(), odd.Finish().ValueOrDie()};
}

const Batch kBatch =
    WithOrigin(BatchOf(kSchema, {"[1, 2, 3, 5, 7]", R"(["p", "q", "r", "s", "t"])"}));

TEST(Project, PassesOnAndComputes) {
  ProjectOptions options;
  options.columns = {OutputColumn::PassOn(arrow::field("bb", arrow::utf8()), 1),
                     OutputColumn::Compute(arrow::field("c", arrow::int32()), 0)};
  options.evaluator = Factory(PlusOne);
  ProjectOperator project(options);
  ASSERT_TRUE(project.Open().ok());
  TestCollector out;
  ASSERT_TRUE(project.ProcessBatch(EpochOf(0), kBatch, &out).ok());
  EXPECT_EQ(out.batches[0].rows->column(0), kBatch.rows->column(1));
  EXPECT_EQ(Ints(*out.batches[0].rows, 1).Value(4), 8);
  EXPECT_EQ(out.batches[0].origin, kBatch.origin);
}

TEST(Project, SeveralThreadsShareTheOperator) {
  ProjectOptions options;
  options.columns = {OutputColumn::Compute(arrow::field("c", arrow::int32()), 0)};
  options.evaluator = Factory(PlusOne);
  ProjectOperator project(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        TestCollector out;
        ASSERT_TRUE(project.ProcessBatch(EpochOf(0), kBatch, &out).ok());
        ASSERT_EQ(Ints(*out.batches[0].rows, 0).Value(0), 2);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(Project, AColumnOfAnotherTypeIsAnError) {
  ProjectOptions options;
  options.columns = {OutputColumn::PassOn(arrow::field("a", arrow::int64()), 0)};
  ProjectOperator project(options);
  TestCollector out;
  EXPECT_TRUE(HasCode(project.ProcessBatch(EpochOf(0), kBatch, &out), "INTERNAL_ERROR"));
}

TEST(Project, NestedFieldsTakeTheNamesOfThePlan) {
  const auto made = arrow::list(arrow::field("item", arrow::utf8()));
  const auto planned = arrow::list(arrow::field("element", arrow::utf8(), false));
  const auto schema = arrow::schema({arrow::field("l", made)});
  ProjectOptions options;
  options.columns = {OutputColumn::PassOn(arrow::field("l", planned), 0)};
  ProjectOperator project(options);
  TestCollector out;
  ASSERT_TRUE(project.ProcessBatch(EpochOf(0), BatchOf(schema, {R"([["a"], null])"}), &out).ok());
  EXPECT_TRUE(out.batches[0].rows->column(0)->type()->Equals(*planned));
  EXPECT_TRUE(out.batches[0].rows->ValidateFull().ok());
}

/// Lists of 0 .. a-1; NULL for a = 5.
Result<arrow::ArrayVector> Counts(const arrow::RecordBatch& rows) {
  auto items = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), items);
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    const int value = Ints(rows, 0).Value(i);
    SLUICE_RETURN_NOT_OK(value == 5 ? lists.AppendNull() : lists.Append());
    for (int k = 0; value < 4 && k < value; ++k) SLUICE_RETURN_NOT_OK(items->Append(k));
  }
  return arrow::ArrayVector{lists.Finish().ValueOrDie()};
}

GenerateOptions CountOptions(bool outer) {
  GenerateOptions options;
  options.input_schema = kSchema;
  options.list = Factory(Counts);
  options.kept_columns = {1};
  options.made_columns = {arrow::field("pos", arrow::int32()), arrow::field("x", arrow::int32())};
  options.shape.positions = true;
  options.shape.outer = outer;
  return options;
}

TEST(Generate, MakesARowPerElementAndKnowsItsOrigin) {
  GenerateOperator generate(CountOptions(false));
  TestCollector out;
  ASSERT_TRUE(generate.ProcessBatch(EpochOf(0), kBatch, &out).ok());
  const Batch& made = out.batches[0];
  ASSERT_EQ(made.num_rows(), 6);  // 1 + 2 + 3; none of the NULL and of the empty list
  EXPECT_TRUE(made.rows->ValidateFull().ok());
  const auto expected = BatchOf(arrow::schema({arrow::field("b", arrow::utf8())}),
                                {R"(["p", "q", "q", "r", "r", "r"])"});
  EXPECT_TRUE(made.rows->column(0)->Equals(expected.rows->column(0)));
  EXPECT_EQ(Ints(*made.rows, 2).Value(5), 2);
  ASSERT_NE(made.origin_row, nullptr);
  EXPECT_EQ(made.origin_row->Value(5), 2u);
}

TEST(Generate, OuterKeepsRowsWithoutElements) {
  GenerateOperator generate(CountOptions(true));
  TestCollector out;
  ASSERT_TRUE(generate.ProcessBatch(EpochOf(0), kBatch, &out).ok());
  ASSERT_EQ(out.batches[0].num_rows(), 8);
  EXPECT_TRUE(out.batches[0].rows->column(1)->IsNull(6));
  EXPECT_TRUE(out.batches[0].rows->column(2)->IsNull(7));
}

TEST(Filter, KeepsRowsWhereAllPredicatesAreTrue) {
  FilterOptions options;
  options.input_schema = kSchema;
  options.predicates = Factory(TwoPredicates);
  FilterOperator filter(options);
  TestCollector out;
  ASSERT_TRUE(filter.ProcessBatch(EpochOf(0), kBatch, &out).ok());
  ASSERT_EQ(out.num_rows(), 2);
  EXPECT_EQ(out.batches[0].origin_row->Value(1), 4U);
  TestCollector of_slice;
  const Batch slice{.rows = kBatch.rows->Slice(2), .origin = nullptr, .origin_row = nullptr};
  ASSERT_TRUE(filter.ProcessBatch(EpochOf(0), slice, &of_slice).ok());
  EXPECT_EQ(of_slice.num_rows(), 2);
}

TEST(Filter, ComputesOnSurvivorsOnly) {
  for (const bool pruned : {false, true}) {
    FilterOptions options;
    options.input_schema = kSchema;
    options.predicates = Factory(TwoPredicates);
    options.columns = {OutputColumn::Compute(arrow::field("c", arrow::int32()), 0),
                       OutputColumn::PassOn(arrow::field("b", arrow::utf8()), 1)};
    if (pruned) options.computed_inputs = {0};
    options.computed = Factory([pruned](const arrow::RecordBatch& rows) {
      EXPECT_EQ(rows.num_rows(), 2);
      EXPECT_EQ(rows.num_columns(), pruned ? 1 : 2);
      return PlusOne(rows);
    });
    FilterOperator filter(options);
    TestCollector out;
    ASSERT_TRUE(filter.ProcessBatch(EpochOf(0), kBatch, &out).ok());
    EXPECT_TRUE(out.batches[0].rows->column(0)->Equals(*ArrayOf(arrow::int32(), "[4, 8]")));
    EXPECT_TRUE(out.batches[0].rows->column(1)->Equals(*ArrayOf(arrow::utf8(), R"(["r", "t"])")));
    EXPECT_EQ(out.batches[0].origin_row->Value(0), 2U);
  }
}

TEST(Decode, AddsTheFieldsOfTheStruct) {
  const auto type =
      arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("y", arrow::utf8())});
  DecodeOptions options;
  options.input_schema = kSchema;
  options.input_column = 1;
  options.kept_columns = {0};
  options.decoded_type = std::static_pointer_cast<arrow::StructType>(type);
  options.decode = [type](const std::shared_ptr<arrow::Array>&) {
    return std::static_pointer_cast<arrow::StructArray>(
        ArrayOf(type, R"([[1, "a"], null, [3, null], [4, "d"], null])"));
  };
  DecodeOperator flat(options);
  TestCollector out;
  ASSERT_TRUE(flat.ProcessBatch(EpochOf(0), kBatch, &out).ok());
  ASSERT_EQ(out.batches[0].rows->schema()->ToString(), "a: int32\nx: int32\ny: string");
  EXPECT_TRUE(
      out.batches[0].rows->column(1)->Equals(*ArrayOf(arrow::int32(), "[1, null, 3, 4, null]")));

  options.drop_null = true;
  options.struct_column = "e";
  DecodeOperator dropping(options);
  TestCollector fewer;
  ASSERT_TRUE(dropping.ProcessBatch(EpochOf(0), kBatch, &fewer).ok());
  EXPECT_EQ(fewer.num_rows(), 3);
  EXPECT_EQ(fewer.output.dropped_rows, 2);
  EXPECT_EQ(fewer.batches[0].origin_row->Value(1), 2U);
}

const auto kTimes =
    arrow::schema({arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))});

WatermarkOptions TimesOptions(LatePolicy policy) {
  WatermarkOptions options;
  options.input_schema = kTimes;
  options.policy = policy;
  options.late_table = "late";
  options.build_late_rows = [](const flow::EpochContext&, const Batch& late) { return late.rows; };
  return options;
}

TEST(Watermark, SplitsLateRowsByPolicy) {
  const Batch batch = BatchOf(kTimes, {"[10, 99, null, 100, 250, 20]"});
  for (const LatePolicy policy : {LatePolicy::kQuarantine, LatePolicy::kDrop, LatePolicy::kKeep}) {
    WatermarkOperator watermark(TimesOptions(policy));
    TestCollector out;
    ASSERT_TRUE(watermark.ProcessBatch(EpochOf(0, 100), batch, &out).ok());
    EXPECT_EQ(out.output.late_rows, 3);
    EXPECT_EQ(out.num_rows(), policy == LatePolicy::kKeep ? 6 : 3);
    EXPECT_EQ(out.output.satellites.count("late"), policy == LatePolicy::kQuarantine ? 1U : 0U);
    if (policy == LatePolicy::kQuarantine) {
      EXPECT_EQ(out.output.satellites["late"][0]->num_rows(), 3);
    }
  }
}

TEST(Watermark, FollowsTheGreatestEventTimeOverEpochs) {
  WatermarkOperator watermark(TimesOptions(LatePolicy::kDrop));
  TestCollector out;
  EXPECT_EQ(watermark.MaxEventTime(), kNoTimestamp);
  auto epoch = EpochOf(0);
  epoch.max_event_time = 1000;
  ASSERT_TRUE(watermark.ProcessBatch(epoch, BatchOf(kTimes, {"[10, 5000, null]"}), &out).ok());
  EXPECT_EQ(watermark.MaxEventTime(), 10);
  EXPECT_EQ(out.num_rows(), 3);
  epoch.number = EpochNumber(1);
  ASSERT_TRUE(watermark.ProcessBatch(epoch, BatchOf(kTimes, {"[700]"}), &out).ok());
  EXPECT_EQ(watermark.MaxEventTime(), 700);
  ASSERT_TRUE(watermark.OnCommit(EpochNumber(0), TableVersion(0), 0).ok());
  ASSERT_TRUE(watermark.OnAbort(EpochNumber(1)).ok());
  EXPECT_EQ(watermark.MaxEventTime(), 10);
}

}  // namespace
}  // namespace sluice::operators
