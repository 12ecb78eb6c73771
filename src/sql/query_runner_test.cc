#include "sql/query_runner.h"

#include <gtest/gtest.h>

#include "sql/data_type_parser.h"
#include "sql/relations_for_test.h"
#include "sql/spark_json_for_test.h"

namespace sluice::sql {
namespace {

class QueryRunnerTest : public ::testing::Test {
 protected:
  QueryRunnerTest() {
    arrow::Int64Builder id;
    arrow::StringBuilder kind;
    arrow::DoubleBuilder price;
    for (int64_t i = 0; i < 10'000; ++i) {
      EXPECT_TRUE(id.Append(i).ok() && kind.Append(i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c").ok());
      EXPECT_TRUE(
          (i % 5 == 0 ? price.AppendNull() : price.Append(static_cast<double>(i % 100))).ok());
    }
    relations_.Add("sales", arrow::Table::Make(*ParseSchema("id BIGINT, kind STRING, price DOUBLE"),
                                               {*id.Finish(), *kind.Finish(), *price.Finish()}));
    arrow::StringBuilder code;
    arrow::StringBuilder name;
    EXPECT_TRUE(code.AppendValues({"a", "b"}).ok() && name.AppendValues({"Apple", "Bread"}).ok());
    relations_.Add("kinds", arrow::Table::Make(*ParseSchema("code STRING, name STRING"),
                                               {*code.Finish(), *name.Finish()}));
    runner_ = QueryRunner::Make();
  }

  std::string Rows(const std::string& sql) {
    auto plan = relations_.Plan(sql);
    if (!plan.ok()) return plan.status().ToString();
    auto table = runner_->RunToTable(*plan, relations_.Opener(), 0);
    if (!table.ok()) return ErrorCode(table.status()) + " " + table.status().ToString();
    std::string text;
    for (const std::string& row : SparkJsonRows(**table)) text += row + "\n";
    return text;
  }

  TestRelations relations_;
  std::unique_ptr<QueryRunner> runner_;
};

TEST_F(QueryRunnerTest, AggregatesAndPrunes) {
  EXPECT_EQ(Rows("SELECT kind, count(*) AS n, sum(id) AS s FROM sales WHERE id >= 9000 GROUP BY "
                 "kind ORDER BY kind"),
            "{\"kind\":\"a\",\"n\":334,\"s\":3172833}\n{\"kind\":\"b\",\"n\":333,\"s\":3163167}\n{"
            "\"kind\":\"c\",\"n\":333,\"s\":3163500}\n");
  EXPECT_EQ(relations_.last_columns, (std::vector<int>{0, 1}));
  ASSERT_EQ(relations_.last_predicates.size(), 1u);
  EXPECT_EQ(relations_.last_predicates[0].column, 0);
  EXPECT_EQ(relations_.last_predicates[0].op, ">=");
}

TEST_F(QueryRunnerTest, Joins) {
  EXPECT_EQ(Rows("SELECT s.id, k.name FROM sales s LEFT JOIN kinds k ON s.kind = k.code WHERE s.id "
                 "< 3 ORDER BY s.id"),
            "{\"id\":0,\"name\":\"Apple\"}\n{\"id\":1,\"name\":\"Bread\"}\n{\"id\":2}\n");
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM sales s LEFT ANTI JOIN kinds k ON s.kind = k.code"),
            "{\"n\":3333}\n");
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM sales WHERE kind IN (SELECT code FROM kinds WHERE name "
                 "LIKE 'A%')"),
            "{\"n\":3334}\n");
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM kinds a CROSS JOIN kinds b"), "{\"n\":4}\n");
}

TEST_F(QueryRunnerTest, WindowsSortsLimitsAndSets) {
  EXPECT_EQ(Rows("SELECT id FROM sales QUALIFY row_number() OVER (PARTITION BY kind ORDER BY id "
                 "DESC) = 1 ORDER BY id"),
            "{\"id\":9997}\n{\"id\":9998}\n{\"id\":9999}\n");
  EXPECT_EQ(Rows("SELECT id FROM sales ORDER BY id DESC LIMIT 2 OFFSET 1"),
            "{\"id\":9998}\n{\"id\":9997}\n");
  EXPECT_EQ(Rows("SELECT DISTINCT kind FROM sales EXCEPT SELECT code FROM kinds"),
            "{\"kind\":\"c\"}\n");
  EXPECT_EQ(Rows("SELECT 1 AS x UNION ALL SELECT 2.5 ORDER BY x DESC"),
            "{\"x\":2.5}\n{\"x\":1.0}\n");
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM sales LIMIT 1"), "{\"n\":10000}\n");
  EXPECT_EQ(Rows("SELECT kind FROM sales ORDER BY id + 1 LIMIT 1"), "{\"kind\":\"a\"}\n");
}

TEST_F(QueryRunnerTest, DecimalAverageIsSparks) {
  EXPECT_EQ(Rows("SELECT avg(CAST(id AS DECIMAL(10, 2))) AS a FROM sales WHERE id IN (1, 2, 4)"),
            "{\"a\":2.333333}\n");
}

TEST_F(QueryRunnerTest, ErrorsKeepTheirCode) {
  EXPECT_TRUE(Rows("SELECT sum(1 / (id - 5)) FROM sales").starts_with("DIVIDE_BY_ZERO"))
      << Rows("SELECT sum(1 / (id - 5)) FROM sales");
  EXPECT_TRUE(Rows("SELECT * FROM STREAM sales").starts_with("UNSUPPORTED_STREAMING_OPERATOR"));
}

}  // namespace
}  // namespace sluice::sql
