#include "plan/column_lineage.h"

#include <gtest/gtest.h>

#include "sql/execution/relations_for_test.h"

namespace sluice::plan {
namespace {

std::string Text(const std::set<ColumnOrigin>& origins) {
  std::string text;
  for (const ColumnOrigin& origin : origins) {
    text += (text.empty() ? "" : ", ") + origin.dataset + "." + origin.column + " " +
            std::string(DerivationName(origin.how));
  }
  return text;
}

/// "x: t.a IDENTITY; y: ..; rows: .."; rows only where there is something to say.
std::string Lineage(const std::string& sql) {
  sql::TestRelations relations;
  relations.Add("t",
                arrow::schema({arrow::field("a", arrow::int32()), arrow::field("b", arrow::int32()),
                               arrow::field("s", arrow::utf8()),
                               arrow::field("xs", arrow::list(arrow::int32()))}));
  relations.Add(
      "u", arrow::schema({arrow::field("a", arrow::int32()), arrow::field("c", arrow::int32()),
                          arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))}));
  const auto plan = relations.Plan(sql);
  if (!plan.ok()) return plan.status().message();
  const ColumnLineage lineage = FindColumnLineage(**plan);
  EXPECT_EQ(lineage.columns.size(), static_cast<size_t>((*plan)->schema->num_fields())) << sql;
  std::string text;
  for (size_t i = 0; i < lineage.columns.size(); ++i) {
    text += (i == 0 ? "" : "; ") + (*plan)->schema->field(static_cast<int>(i))->name() + ": " +
            Text(lineage.columns[i]);
  }
  return lineage.rows.empty() ? text : text + "; rows: " + Text(lineage.rows);
}

TEST(ColumnLineageTest, Expressions) {
  EXPECT_EQ(Lineage("SELECT a AS x, a + b AS y, 1 AS z FROM t"),
            "x: t.a IDENTITY; y: t.a TRANSFORMATION, t.b TRANSFORMATION; z: ");
  EXPECT_EQ(Lineage("SELECT CAST(a AS STRING) AS x FROM t"), "x: t.a TRANSFORMATION");
  EXPECT_EQ(Lineage("SELECT CASE WHEN a > 1 THEN b ELSE 0 END AS x FROM t"),
            "x: t.a CONDITIONAL, t.b TRANSFORMATION");
  EXPECT_EQ(Lineage("SELECT if(a > 1, b, c) AS x FROM t JOIN (SELECT 1 AS c) ON TRUE"),
            "x: t.a CONDITIONAL, t.b TRANSFORMATION");
  EXPECT_EQ(Lineage("SELECT transform(xs, x -> x + b) AS y FROM t"),
            "y: t.b TRANSFORMATION, t.xs TRANSFORMATION");
  EXPECT_EQ(Lineage("SELECT named_struct('p', a, 'q', b).q AS x FROM t"), "x: t.b IDENTITY");
}

TEST(ColumnLineageTest, ThroughNestedQueries) {
  EXPECT_EQ(Lineage("WITH w AS (SELECT a + 1 AS x, b FROM t WHERE s = 'k') SELECT x, b AS y FROM w "
                    "WHERE b > 0"),
            "x: t.a TRANSFORMATION; y: t.b IDENTITY; rows: t.b FILTER, t.s FILTER");
  EXPECT_EQ(Lineage("SELECT y FROM (SELECT x * 2 AS y FROM (SELECT a AS x FROM t))"),
            "y: t.a TRANSFORMATION");
  EXPECT_EQ(Lineage("SELECT col AS e FROM (SELECT explode(xs) AS col FROM t)"),
            "e: t.xs TRANSFORMATION");
}

TEST(ColumnLineageTest, JoinsAndSubqueries) {
  EXPECT_EQ(Lineage("SELECT t.b, u.c FROM t JOIN u ON t.a = u.a"),
            "b: t.b IDENTITY; c: u.c IDENTITY; rows: t.a JOIN, u.a JOIN");
  EXPECT_EQ(Lineage("SELECT b FROM t LEFT ANTI JOIN u ON t.a = u.a AND u.c > t.b"),
            "b: t.b IDENTITY; rows: t.a JOIN, t.b JOIN, u.a JOIN, u.c JOIN");
  EXPECT_EQ(Lineage("SELECT b FROM t WHERE a IN (SELECT a FROM u WHERE c = 1)"),
            "b: t.b IDENTITY; rows: t.a JOIN, u.a JOIN, u.c FILTER");
}

TEST(ColumnLineageTest, AggregatesWindowsAndSets) {
  EXPECT_EQ(Lineage("SELECT s, sum(a + b) AS n, count(*) AS k FROM t GROUP BY s HAVING max(b) > 1"),
            "s: t.s IDENTITY; n: t.a AGGREGATION, t.b AGGREGATION; k: ; rows: t.b FILTER, t.s "
            "GROUP_BY");
  EXPECT_EQ(Lineage("SELECT sum(a) FILTER (WHERE b > 1) AS n FROM t"),
            "n: t.a AGGREGATION, t.b FILTER");
  EXPECT_EQ(Lineage("SELECT a, sum(b) OVER (PARTITION BY s ORDER BY a) AS n FROM t"),
            "a: t.a IDENTITY; n: t.a WINDOW, t.b AGGREGATION, t.s WINDOW");
  EXPECT_EQ(Lineage("SELECT a FROM t UNION ALL SELECT c FROM u"), "a: t.a IDENTITY, u.c IDENTITY");
  EXPECT_EQ(Lineage("SELECT a FROM t EXCEPT SELECT c FROM u"),
            "a: t.a IDENTITY; rows: t.a GROUP_BY, u.c JOIN");
  EXPECT_EQ(Lineage("SELECT DISTINCT a FROM t"), "a: t.a IDENTITY; rows: t.a GROUP_BY");
  EXPECT_EQ(Lineage("SELECT a FROM t ORDER BY b LIMIT 3"), "a: t.a IDENTITY; rows: t.b SORT");
}

TEST(ColumnLineageTest, Sources) {
  EXPECT_EQ(Lineage("SELECT CAST(value AS STRING) AS v FROM STREAM read_kafka(bootstrapServers => "
                    "'b', subscribe => 'orders')"),
            "v: read_kafka(orders).value TRANSFORMATION");
  EXPECT_EQ(Lineage("SELECT c FROM STREAM u WATERMARK ts DELAY OF INTERVAL 1 MINUTE"),
            "c: u.c IDENTITY; rows: u.ts FILTER");
}

}  // namespace
}  // namespace sluice::plan
