#include "sql/execution/query_runner.h"

#include <gtest/gtest.h>

#include "sql/execution/relations_for_test.h"
#include "sql/execution/spark_json_for_test.h"
#include "sql/parser/data_type_parser.h"

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

TEST_F(QueryRunnerTest, ScalarSubqueries) {
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM sales WHERE id > (SELECT avg(id) FROM sales)"),
            "{\"n\":5000}\n");
  EXPECT_EQ(
      Rows("SELECT (SELECT max(id) FROM sales) - 1 AS x, (SELECT name FROM kinds WHERE code = "
           "'z') AS y"),
      "{\"x\":9998}\n");
  EXPECT_EQ(Rows("SELECT kind, count(*) AS n FROM sales GROUP BY kind HAVING count(*) > (SELECT "
                 "count(*) / 3.0 FROM sales) ORDER BY kind"),
            "{\"kind\":\"a\",\"n\":3334}\n");
  EXPECT_EQ(Rows("SELECT sum((SELECT 1)) AS s FROM sales"),
            Rows("SELECT count(*) AS s FROM sales"));
  EXPECT_TRUE(
      Rows("SELECT (SELECT code FROM kinds) AS x").starts_with("SCALAR_SUBQUERY_TOO_MANY_ROWS"))
      << Rows("SELECT (SELECT code FROM kinds) AS x");
  EXPECT_NE(
      Rows("SELECT (SELECT code, name FROM kinds)").find("RETURN_MORE_THAN_ONE_OUTPUT_COLUMN"),
      std::string::npos);
}

TEST_F(QueryRunnerTest, CorrelatedSubqueries) {
  // The rows above the average of their kind.
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM sales s WHERE price > (SELECT avg(price) FROM sales t "
                 "WHERE t.kind = s.kind)"),
            Rows("SELECT count(*) AS n FROM sales s JOIN (SELECT kind, avg(price) AS a FROM sales "
                 "GROUP BY kind) t ON t.kind = s.kind WHERE s.price > t.a"));
  EXPECT_EQ(
      Rows("SELECT code, (SELECT count(*) FROM sales s WHERE s.kind = k.code AND s.id < 10) AS "
           "n, (SELECT max(id) FROM sales s WHERE s.kind = upper(k.code)) AS m FROM kinds k "
           "ORDER BY code"),
      "{\"code\":\"a\",\"n\":4}\n{\"code\":\"b\",\"n\":3}\n");
  EXPECT_EQ(
      Rows("SELECT upper(code) AS c, (SELECT count(*) FROM sales s WHERE s.kind = upper(k.code)) "
           "AS n FROM kinds k ORDER BY c"),
      "{\"c\":\"A\",\"n\":0}\n{\"c\":\"B\",\"n\":0}\n");
  EXPECT_EQ(Rows("SELECT kind, (SELECT max(name) FROM kinds WHERE code = kind) AS name FROM sales "
                 "GROUP BY kind ORDER BY kind"),
            "{\"kind\":\"a\",\"name\":\"Apple\"}\n{\"kind\":\"b\",\"name\":\"Bread\"}\n{"
            "\"kind\":\"c\"}\n");
  EXPECT_TRUE(Rows("SELECT (SELECT id FROM sales s WHERE s.kind = k.code) FROM kinds k")
                  .starts_with("SCALAR_SUBQUERY_TOO_MANY_ROWS"));
}

TEST_F(QueryRunnerTest, ExistsAndIn) {
  EXPECT_EQ(
      Rows("SELECT count(*) AS n FROM sales s WHERE EXISTS (SELECT 1 FROM kinds k WHERE k.code "
           "= s.kind)"),
      "{\"n\":6667}\n");
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM sales s WHERE NOT EXISTS (SELECT * FROM kinds k WHERE "
                 "k.code = s.kind AND length(k.name) > s.id)"),
            "{\"n\":9996}\n");
  EXPECT_EQ(
      Rows("SELECT count(*) AS n FROM sales WHERE NOT EXISTS (SELECT 1 FROM kinds WHERE code = "
           "'z')"),
      "{\"n\":10000}\n");
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM sales WHERE kind NOT IN (SELECT code FROM kinds)"),
            "{\"n\":3333}\n");
  // A NULL on either side is never TRUE.
  EXPECT_EQ(
      Rows("SELECT count(*) AS n FROM sales WHERE kind NOT IN (SELECT CASE WHEN code = 'a' THEN "
           "code END FROM kinds)"),
      "{\"n\":0}\n");
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM sales WHERE price NOT IN (SELECT 1e0)"),
            "{\"n\":7900}\n");
  EXPECT_EQ(
      Rows("SELECT count(*) AS n FROM sales s WHERE id IN (SELECT max(id) FROM sales t GROUP BY "
           "kind)"),
      "{\"n\":3}\n");
  EXPECT_EQ(
      Rows("SELECT count(*) AS n FROM sales s WHERE id NOT IN (SELECT t.id FROM sales t WHERE "
           "t.kind = s.kind AND t.id > 5)"),
      "{\"n\":6}\n");
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
