#include "delta/columns/predicate.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace sluice::delta {
namespace {

class PredicateTest : public ::testing::Test {
 protected:
  bool May(const std::string& column, CompareOp op,
           const std::shared_ptr<arrow::Scalar>& value) const {
    return FilePruner({{column, op, value, {}}}, *schema_, {"p"}).MayMatch(file_);
  }
  std::shared_ptr<arrow::Schema> schema_ =
      arrow::schema({arrow::field("i", arrow::int64()), arrow::field("s", arrow::utf8()),
                     arrow::field("p", arrow::int32()),
                     arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                     arrow::field("z", arrow::int64()),
                     arrow::field("st", arrow::struct_({arrow::field("x", arrow::int32())}))});
  AddFile file_ = [] {
    AddFile file;
    file.partition_values = {{"p", "4"}};
    file.stats =
        R"({"numRecords":10,"minValues":{"i":5,"s":"b","t":"2024-01-01T00:00:00.000Z","st":{"x":1}},)"
        R"("maxValues":{"i":9,"s":"d","t":"2024-01-02T00:00:00.123Z","st":{"x":2}},"nullCount":{"i":0,"s":2,"z":10,"st":{"x":0}}})";
    return file;
  }();
};

TEST_F(PredicateTest, BoundsDecide) {
  EXPECT_FALSE(May("i", CompareOp::kEqual, arrow::MakeScalar(int64_t{4})));
  EXPECT_TRUE(May("i", CompareOp::kEqual, arrow::MakeScalar(int32_t{9})));
  EXPECT_FALSE(May("i", CompareOp::kLess, arrow::MakeScalar(int64_t{5})));
  EXPECT_TRUE(May("i", CompareOp::kLessEqual, arrow::MakeScalar(int64_t{5})));
  EXPECT_FALSE(May("i", CompareOp::kGreater, arrow::MakeScalar(int64_t{9})));
  EXPECT_TRUE(May("i", CompareOp::kGreaterEqual, arrow::MakeScalar(int64_t{9})));
  EXPECT_FALSE(May("s", CompareOp::kEqual, arrow::MakeScalar("e")));
  EXPECT_FALSE(May("st.x", CompareOp::kGreater, arrow::MakeScalar(int32_t{2})));
  EXPECT_FALSE(May("p", CompareOp::kEqual, arrow::MakeScalar(int32_t{5})));
  EXPECT_TRUE(May("p", CompareOp::kNotEqual, arrow::MakeScalar(int32_t{5})));
  EXPECT_FALSE(May("p", CompareOp::kNotEqual, arrow::MakeScalar(int32_t{4})));
}

TEST_F(PredicateTest, NullsDecide) {
  EXPECT_FALSE(May("i", CompareOp::kIsNull, nullptr));
  EXPECT_TRUE(May("s", CompareOp::kIsNull, nullptr));
  EXPECT_FALSE(May("z", CompareOp::kIsNotNull, nullptr));
  EXPECT_FALSE(May("z", CompareOp::kEqual, arrow::MakeScalar(int64_t{1})));
  EXPECT_FALSE(May("p", CompareOp::kIsNull, nullptr));
}

TEST_F(PredicateTest, LostDigitsAndUnknownsKeepTheFile) {
  const auto time = [](int64_t micros) {
    return std::make_shared<arrow::TimestampScalar>(
        micros, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
  };
  const int64_t last = 1704153600123000;  // the maximum as written, rounded down to milliseconds
  EXPECT_TRUE(May("t", CompareOp::kEqual, time(last + 999)));
  EXPECT_FALSE(May("t", CompareOp::kEqual, time(last + 1000)));
  EXPECT_TRUE(May("unknown", CompareOp::kEqual, arrow::MakeScalar(int64_t{4})));
  EXPECT_TRUE(May("i", CompareOp::kEqual, arrow::MakeScalar(5.5)));  // not castable without loss
  file_.stats = "{broken";
  EXPECT_TRUE(May("i", CompareOp::kEqual, arrow::MakeScalar(int64_t{4})));
}

TEST_F(PredicateTest, ListsAndConjunctions) {
  ColumnPredicate in{
      "i", CompareOp::kIn, nullptr, {arrow::MakeScalar(int64_t{1}), arrow::MakeScalar(int64_t{6})}};
  EXPECT_TRUE(FilePruner({in}, *schema_, {"p"}).MayMatch(file_));
  in.in_list.pop_back();
  EXPECT_FALSE(FilePruner({in}, *schema_, {"p"}).MayMatch(file_));
  const ColumnPredicate yes{"p", CompareOp::kEqual, arrow::MakeScalar(int32_t{4}), {}};
  EXPECT_TRUE(FilePruner({yes}, *schema_, {"p"}).MayMatch(file_));
  EXPECT_FALSE(FilePruner({yes, in}, *schema_, {"p"}).MayMatch(file_));
}

}  // namespace
}  // namespace sluice::delta
