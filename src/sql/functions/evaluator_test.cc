#include "sql/functions/evaluator.h"

#include <gtest/gtest.h>

#include "sql/execution/relations_for_test.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

// Evaluates `expression` over one batch of (s STRING, n INT, m MAP, t TIMESTAMP).
class EvaluatorTest : public ::testing::Test {
 protected:
  EvaluatorTest() : schema_(*ParseSchema("s STRING, n INT, d DOUBLE")) {}

  Result<std::shared_ptr<arrow::Array>> Eval(const std::string& expression) {
    const SourceText source("", expression);
    SLUICE_ASSIGN_OR_RETURN(auto parsed, ParseExpression(source));
    TestRelations none;
    SLUICE_ASSIGN_OR_RETURN(auto bound, Analyzer(none, source).AnalyzeExpression(parsed, *schema_));
    SLUICE_ASSIGN_OR_RETURN(auto evaluator, Evaluator::Make(schema_, {bound}));
    SLUICE_ASSIGN_OR_RETURN(auto results, evaluator->Evaluate(*Rows(), 1'700'000'000'000'000));
    return results[0];
  }
  std::shared_ptr<arrow::RecordBatch> Rows() {
    arrow::StringBuilder s;
    arrow::Int32Builder n;
    arrow::DoubleBuilder d;
    EXPECT_TRUE(s.AppendValues({" click ", "0123456789", "x"}).ok() && s.AppendNull().ok());
    EXPECT_TRUE(n.AppendValues({1, 2, 0}).ok() && n.AppendNull().ok());
    EXPECT_TRUE(d.AppendValues({1.5, -2.0, 0.0, 4.0}).ok());
    return arrow::RecordBatch::Make(schema_, 4, {*s.Finish(), *n.Finish(), *d.Finish()});
  }
  std::string Text(const std::string& expression) {
    auto result = Eval(expression);
    if (!result.ok()) return ErrorCode(result.status());
    std::string text;
    for (int64_t i = 0; i < (*result)->length(); ++i)
      text += (i == 0 ? "" : ",") + (*(*result)->GetScalar(i))->ToString();
    return text;
  }

  std::shared_ptr<arrow::Schema> schema_;
};

TEST_F(EvaluatorTest, EverydayFunctions) {
  EXPECT_EQ(Text("upper(trim(s))"), "CLICK,0123456789,X,null");
  EXPECT_EQ(Text("s RLIKE '^[0-9]{10}$'"), "false,true,false,null");
  EXPECT_EQ(Text("s RLIKE 'cl+'"), "true,false,false,null");
  EXPECT_EQ(Text("regexp_replace(s, '[0-9]+', '{id}')"), " click ,{id},x,null");
  EXPECT_EQ(Text("coalesce(n, 7) + 1"), "2,3,1,8");
  EXPECT_EQ(Text("n IS NOT NULL AND n > 0"), "true,true,false,false");
}

TEST_F(EvaluatorTest, AnsiErrorsNameTheValue) {
  EXPECT_EQ(Text("CAST(s AS INT)"), "CAST_INVALID_INPUT");
  EXPECT_NE(Eval("CAST(s AS INT)").status().message().find("click"), std::string::npos);
  EXPECT_EQ(Text("1 / n"), "DIVIDE_BY_ZERO");
  EXPECT_EQ(Text("n + 2147483647"), "ARITHMETIC_OVERFLOW");
  EXPECT_EQ(Text("TRY_CAST(s AS BIGINT)"), "null,123456789,null,null");
}

TEST_F(EvaluatorTest, BranchesNotTakenRaiseNothing) {
  EXPECT_EQ(Text("CASE WHEN n > 0 THEN 10 DIV n ELSE -1 END"), "10,5,-1,-1");
  EXPECT_EQ(Text("if(s RLIKE '^[0-9]+$', CAST(s AS BIGINT), 0)"), "0,123456789,0,0");
  EXPECT_EQ(Text("n <> 0 AND 10 DIV n > 5"), "true,false,false,null");
}

TEST_F(EvaluatorTest, ColumnsAreNotCopied) {
  const auto rows = Rows();
  auto evaluator = Evaluator::Make(schema_, {MakeColumn(1, *schema_->field(1))});
  ASSERT_TRUE(evaluator.ok());
  auto results = (*evaluator)->Evaluate(*rows, 0);
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0]->data()->buffers[1].get(), rows->column(1)->data()->buffers[1].get());
}

TEST_F(EvaluatorTest, ClockIsTheEpochs) {
  EXPECT_EQ(Text("unix_micros(current_timestamp())"),
            "1700000000000000,1700000000000000,1700000000000000,1700000000000000");
}

TEST_F(EvaluatorTest, JavaRegexDollarAllowsALineEnd) {
  const SourceText source("", R"('1234567890\n' RLIKE '^[0-9]{10}$')");
  auto parsed = ParseExpression(source);
  ASSERT_TRUE(parsed.ok());
  TestRelations none;
  auto bound = Analyzer(none, source).AnalyzeExpression(*parsed, *arrow::schema({}));
  ASSERT_TRUE(bound.ok()) << bound.status().ToString();
  auto value = Evaluator::EvaluateConstant(*bound, 0);
  ASSERT_TRUE(value.ok()) << value.status().ToString();
  EXPECT_EQ((*value)->ToString(), "true");
  EXPECT_EQ(Text("s RLIKE '(?<=a)b'"), "NOT_SUPPORTED_YET");
  EXPECT_EQ(Text("s RLIKE '\\\\bx'"), "NOT_SUPPORTED_YET");
}

}  // namespace
}  // namespace sluice::sql
