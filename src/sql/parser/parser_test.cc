#include "sql/parser/parser.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include "sql/analysis/ast_walk.h"
#include "sql/analysis/pipe_rewrite.h"
#include "sql/parser/data_type_name.h"
#include "sql/print/print.h"

namespace sluice::sql {
namespace {

Result<Expr> Parse(const std::string& text) { return ParseExpression(SourceText("", text)); }

std::string Form(const std::string& text) {
  const auto expr = Parse(text);
  return expr.ok() ? ColumnName(*expr) : ErrorCode(expr.status());
}

TEST(ParserTest, PrecedenceIsSparks) {
  EXPECT_EQ(Form("1 + 2 * 3 - 4"), "((1 + (2 * 3)) - 4)");
  EXPECT_EQ(Form("NOT a = b AND c OR d"), "(((NOT (a = b)) AND c) OR d)");
  EXPECT_EQ(Form("! a = b"), "(NOT (a = b))");
  EXPECT_EQ(Form("a = b IS NULL"), "((a = b) IS NULL)");
  EXPECT_EQ(Form("a | b ^ c & d << 1 + 2"), "(a | (b ^ (c & (d << (1 + 2)))))");
  EXPECT_EQ(Form("a >> 1 >>> 2"), "((a >> 1) >>> 2)");
  EXPECT_EQ(Form("-a * b"), "((- a) * b)");
  EXPECT_EQ(Form("a AND b AND c AND d"), "((a AND b) AND (c AND d))");
  EXPECT_EQ(Form("a || b || c"), "concat(concat(a, b), c)");
  EXPECT_EQ(Form("x NOT BETWEEN 1 AND 2 AND y"), "((NOT between(x, 1, 2)) AND y)");
  EXPECT_EQ(Form("a DIV b % c"), "((a div b) % c)");
}

TEST(ParserTest, NumbersHaveTheirTypes) {
  const auto type = [](const std::string& text) {
    const auto expr = Parse(text);
    return expr.ok() ? SparkTypeName(*expr->As<Literal>()->type) : ErrorCode(expr.status());
  };
  EXPECT_EQ(type("1"), "int");
  EXPECT_EQ(type("3000000000"), "bigint");
  EXPECT_EQ(type("-9223372036854775808"), "bigint");
  EXPECT_EQ(type("9223372036854775808"), "decimal(19,0)");
  EXPECT_EQ(type("1Y"), "tinyint");
  EXPECT_EQ(type("200Y"), "INVALID_NUMERIC_LITERAL_RANGE");
  EXPECT_EQ(type("0.10"), "decimal(2,2)");
  EXPECT_EQ(type("1.50"), "decimal(3,2)");
  EXPECT_EQ(type("1e3"), "double");
  EXPECT_EQ(type("1.5F"), "float");
  EXPECT_EQ(type("1E3BD"), "decimal(4,0)");
  EXPECT_EQ(type("1e400"), "INVALID_NUMERIC_LITERAL_RANGE");
  EXPECT_EQ(type("DATE'2024-02-29'"), "date");
  EXPECT_EQ(type("DATE'2023-02-29'"), "INVALID_TYPED_LITERAL");
  EXPECT_EQ(type("TIMESTAMP'2024-01-01 10:00:00+02:00'"), "timestamp");
  EXPECT_EQ(type("X'1F'"), "binary");
  EXPECT_EQ(Form("TIMESTAMP'2024-01-01 10:00:00.5+02:00'"), "TIMESTAMP '2024-01-01 08:00:00.5'");
}

TEST(ParserTest, Intervals) {
  EXPECT_EQ(Form("INTERVAL 10 MINUTES"), "INTERVAL '10' MINUTE");
  EXPECT_EQ(Form("INTERVAL '1-2' YEAR TO MONTH"), "INTERVAL '1-2' YEAR TO MONTH");
  EXPECT_EQ(Form("INTERVAL 5 days 3 hours 7 minutes"), "INTERVAL '5 03:07' DAY TO MINUTE");
  EXPECT_EQ(Form("INTERVAL '5 hours 30 seconds 1 millisecond'"),
            "INTERVAL '05:00:30.001' HOUR "
            "TO SECOND");
  EXPECT_EQ(Form("INTERVAL -1 DAY"), "INTERVAL '-1' DAY");
  EXPECT_EQ(Form("INTERVAL '1 month 2 days'"), "INVALID_INTERVAL_FORMAT");
  EXPECT_EQ(Form("interval + 1"), "(interval + 1)");
}

TEST(ParserTest, CallsWithTheirOwnSyntax) {
  EXPECT_EQ(Form("extract(year FROM ts)"), "extract(year FROM ts)");
  EXPECT_EQ(Form("substring(a FROM 2 FOR 3)"), "substring(a, 2, 3)");
  EXPECT_EQ(Form("position('a' IN b)"), "position(a, b, 1)");
  EXPECT_EQ(Form("trim(BOTH 'x' FROM a)"), "TRIM(BOTH x FROM a)");
  EXPECT_EQ(Form("trim(a)"), "trim(a)");
  EXPECT_EQ(Form("overlay(a PLACING 'b' FROM 2)"), "overlay(a, b, 2)");
  EXPECT_EQ(Form("timestampadd(MONTH, 1, ts)"), "timestampadd(MONTH, 1, ts)");
  EXPECT_EQ(Form("count(*)"), "count(1)");
  EXPECT_EQ(Form("count(DISTINCT a) FILTER (WHERE b > 1)"),
            "count(DISTINCT a) FILTER (WHERE (b "
            "> 1))");
  EXPECT_EQ(Form("transform(xs, x -> x + 1)"),
            "transform(xs, lambdafunction((namedlambdavariable() + 1), namedlambdavariable()))");
  EXPECT_EQ(Form("exists(xs, x -> x > 1)"),
            "exists(xs, lambdafunction((namedlambdavariable() > 1), namedlambdavariable()))");
  EXPECT_EQ(Form("CASE a WHEN 1 THEN end ELSE 2 END"), "PARSE_SYNTAX_ERROR");
  EXPECT_EQ(Form("start < end"), "(start < end)");
}

TEST(ParserTest, PathsAndCasts) {
  const auto expr = Parse("v:a.b[0]['c d']::decimal(12,2)");
  ASSERT_TRUE(expr.ok()) << expr.status();
  const auto* cast = expr->As<Cast>();
  ASSERT_NE(cast, nullptr);
  EXPECT_EQ(cast->type.sql, "DECIMAL(12,2)");
  const auto* path = cast->operand->As<VariantPath>();
  ASSERT_NE(path, nullptr);
  ASSERT_EQ(path->steps.size(), 4U);
  EXPECT_EQ(path->steps[2].index, 0);
  EXPECT_EQ(path->steps[3].field.text, "c d");
  EXPECT_EQ(Form("window(ts, '1 minute').start"), "window(ts, 1 minute).start");
  EXPECT_EQ(Form("properties['region']"), "properties[region]");
  EXPECT_EQ(Form("CAST(a.b AS INT)"), "b");
}

TEST(ParserTest, QueriesOfAllKinds) {
  for (const std::string sql : {
           "SELECT DISTINCT a, b AS c FROM t AS x WHERE a > 1 GROUP BY a, b HAVING count(*) > 1 "
           "ORDER BY 1 DESC "
           "NULLS LAST LIMIT 5 OFFSET 2",
           "WITH a AS (SELECT 1), b (x) AS (TABLE a) SELECT * FROM b UNION ALL SELECT 2 "
           "INTERSECT SELECT 3",
           "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
           "SELECT * FROM a JOIN b USING (id) LEFT JOIN c ON a.x = c.x NATURAL JOIN d CROSS "
           "JOIN e LEFT ANTI JOIN f "
           "ON TRUE",
           "SELECT * FROM a, b JOIN c ON b.x = c.x",
           "SELECT * FROM (a JOIN b ON a.x = b.x) AS y",
           "SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t (x, y)",
           "SELECT * FROM t LATERAL VIEW OUTER explode(xs) e AS x",
           "SELECT * FROM t, LATERAL (SELECT t.a) AS u",
           "SELECT * FROM range(0, 10, step => 2)",
           "SELECT * FROM t VERSION AS OF 3",
           "SELECT * FROM t TIMESTAMP AS OF '2024-01-01' TABLESAMPLE (10 PERCENT) REPEATABLE (5)",
           "SELECT * FROM t PIVOT (sum(a) AS s FOR b IN (1 AS one, 2)) AS p",
           "SELECT * FROM t UNPIVOT INCLUDE NULLS (v FOR n IN (a, b AS bee))",
           "SELECT a, sum(b) FROM t GROUP BY GROUPING SETS ((a, b), (a), ())",
           "SELECT a FROM t GROUP BY CUBE (a, (b, c)), ROLLUP (d)",
           "SELECT row_number() OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND "
           "CURRENT ROW) FROM t",
           "SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b)",
           "SELECT * FROM t WHERE a IN (SELECT b FROM u) AND EXISTS (SELECT 1) AND (a, b) IN "
           "(SELECT 1, 2)",
           "SELECT (SELECT max(a) FROM t) + 1 AS m, ((SELECT 1)) AS n",
           "SELECT t.* EXCEPT (a, b.c), struct(1 AS x, b) FROM t",
           "SELECT first(a) IGNORE NULLS, listagg(a, ',') WITHIN GROUP (ORDER BY b) FROM t",
           "SELECT * FROM STREAM s WITH ('a' = 'b') IDENTIFIED BY src WATERMARK ts DELAY OF "
           "INTERVAL '10' MINUTE AS x",
           "SELECT * FROM STREAM s CHANGES FROM VERSION 5 EXCLUSIVE",
           "SELECT * FROM STREAM read_kafka(bootstrapServers => 'x', `kafka.security.protocol` "
           "=> 'SSL') AS k",
           "SELECT * FROM (SELECT 1) WATERMARK f(a) AS ts DELAY OF INTERVAL '1' DAY",
           "FROM t |> WHERE a > 1 |> SELECT a |> AGGREGATE count(*) AS n GROUP BY a |> ORDER BY "
           "n LIMIT 3",
           "FROM t |> EXTEND a + 1 AS b |> DROP a |> AS x |> LEFT JOIN u ON x.b = u.b |> UNION "
           "ALL (SELECT 1)",
           "SELECT key, value, topic, partition, offset, timestamp AS kafka_ts, date, interval "
           "FROM t",
           "SELECT a FROM t DISTRIBUTE BY a SORT BY b",
           "SELECT * FROM event_log(TABLE(t))",
           "SELECT a LIKE ANY ('x%', 'y%'), b NOT ILIKE 'z' ESCAPE '!', c RLIKE '^[0-9]{10}$' "
           "FROM t",
           "SELECT left(a, 1), right(b, 2), if(a, b, c), `select`.`from x` FROM `a-b`.`c`",
       }) {
    const auto query = ParseQuery(SourceText("", sql));
    ASSERT_TRUE(query.ok()) << sql << "\n" << query.status();
    const std::string printed = ToSql(*query);
    const auto again = ParseQuery(SourceText("", printed));
    ASSERT_TRUE(again.ok()) << printed << "\n" << again.status();
    EXPECT_EQ(ToSql(*again), printed);
    const Query copy = *query;
    EXPECT_EQ(ToSql(copy), printed);
  }
}

TEST(ParserTest, PipesBecomePlainQueries) {
  const auto plain = [](const std::string& sql) {
    Query query = *ParseQuery(SourceText("", sql));
    EXPECT_TRUE(RewritePipes(&query).ok());
    return ToSql(query);
  };
  EXPECT_EQ(plain("FROM STREAM s |> WHERE x > 1 |> SELECT x"),
            "SELECT x FROM STREAM s WHERE x "
            "> 1");
  EXPECT_EQ(plain("FROM t |> AGGREGATE count(*) AS n GROUP BY a |> WHERE n > 1"),
            "SELECT * FROM (SELECT a, count(*) AS n FROM t GROUP BY a) WHERE n > 1");
  EXPECT_EQ(plain("FROM t |> JOIN u ON t.a = u.a |> ORDER BY t.a"),
            "SELECT * FROM t JOIN u ON t.a = u.a ORDER BY t.a");
}

TEST(ParserTest, ErrorsSayWhereAndWhat) {
  const Status status = ParseQuery(SourceText("q.sql", "SELECT a\nFROM t\nWHERE a >")).status();
  EXPECT_TRUE(HasCode(status, "PARSE_SYNTAX_ERROR"));
  EXPECT_NE(status.message().find("SQLSTATE: 42601 (q.sql:3:10)"), std::string::npos)
      << status.message();
  const Status form = ParseQuery(SourceText("", "SELECT a FROM t WHRE a > 1")).status();
  EXPECT_EQ(ErrorHint(form), "did you mean WHERE instead of WHRE?") << form.message();
  const Status comma = ParseQuery(SourceText("", "SELECT a, FROM t")).status();
  EXPECT_NE(comma.message().find("line 1:11"), std::string::npos) << comma.message();
  EXPECT_TRUE(HasCode(ParseQuery(SourceText("", "SELECT 'abc")).status(), "PARSE_SYNTAX_ERROR"));
  EXPECT_TRUE(
      HasCode(ParseQuery(SourceText("", "SELECT 1 /* x")).status(), "UNCLOSED_BRACKETED_COMMENT"));
  EXPECT_TRUE(HasCode(ParseQuery(SourceText("", " ")).status(), "PARSE_EMPTY_STATEMENT"));
}

TEST(ParserTest, KnownSyntaxIsRefusedByName) {
  const auto message = [](const std::string& sql) {
    const Status status = ParseQuery(SourceText("", sql)).status();
    return ErrorCode(status) + ": " + status.message().substr(0, status.message().find('.'));
  };
  EXPECT_EQ(message("SELECT * FROM a ASOF JOIN b MATCH_CONDITION (a.t >= b.t) ON a.k = b.k"),
            "NOT_SUPPORTED_YET: not supported yet: ASOF JOIN");
  EXPECT_EQ(message("SELECT * FROM a LEFT ASOF JOIN b MATCH_CONDITION (a.t >= b.t)"),
            "NOT_SUPPORTED_YET: not supported yet: ASOF JOIN");
  EXPECT_EQ(message("SELECT * FROM JSON_TABLE('[]', '$[*]' COLUMNS (a INT PATH '$.a')) AS t"),
            "NOT_SUPPORTED_YET: not supported yet: JSON_TABLE");
  EXPECT_EQ(message("SELECT * FROM UNNEST(array(1)) WITH ORDINALITY"),
            "NOT_SUPPORTED_YET: not supported yet: WITH ORDINALITY");
  EXPECT_TRUE(ParseQuery(SourceText("", "SELECT asof FROM t AS asof JOIN u ON TRUE")).ok());
}

TEST(ParserTest, DepthIsBounded) {
  const auto code = [](const std::string& text) {
    return ErrorCode(ParseExpression(SourceText("", text)).status());
  };
  const auto repeat = [](const std::string& text, int n) {
    std::string all;
    for (int i = 0; i < n; ++i) {
      all += text;
    }
    return all;
  };
  EXPECT_EQ(code(repeat("(", 100) + "1" + repeat(")", 100)), "OK");
  EXPECT_EQ(code(repeat("(", 100000)), "EXCEED_LIMIT_LENGTH");
  EXPECT_EQ(code(repeat("trim(", 100000)), "EXCEED_LIMIT_LENGTH");
  EXPECT_EQ(code(repeat("- ", 100000) + "a"), "EXCEED_LIMIT_LENGTH");
  EXPECT_EQ(code(repeat("NOT ", 100000) + "a"), "EXCEED_LIMIT_LENGTH");
  EXPECT_EQ(code(repeat("! ", 100000) + "a"), "EXCEED_LIMIT_LENGTH");
  EXPECT_EQ(code("a" + repeat(" + a", 1000)), "OK");
  EXPECT_EQ(code("a" + repeat(" + a", 100000)), "EXCEED_LIMIT_LENGTH");
  EXPECT_EQ(code("a" + repeat("[0]", 100000)), "EXCEED_LIMIT_LENGTH");
  EXPECT_EQ(code("a" + repeat(" OR a", 100000)), "OK");
  EXPECT_EQ(code(repeat("CASE WHEN ", 100000)), "EXCEED_LIMIT_LENGTH");
  EXPECT_EQ(code(repeat("(SELECT ", 100000)), "EXCEED_LIMIT_LENGTH");
  EXPECT_EQ(code("CAST(a AS " + repeat("array<", 100000)), "EXCEED_LIMIT_LENGTH");
}

TEST(ParserTest, WalksAndCompares) {
  const Expr expr = *Parse("f(a, b + c) > CASE WHEN d THEN e END");
  int columns = 0;
  VisitTree(expr, [&](const Expr& e) {
    columns += e.As<ColumnRef>() != nullptr ? 1 : 0;
    return true;
  });
  EXPECT_EQ(columns, 5);
  EXPECT_TRUE(SameExpression(*Parse("Upper(`A`)"), *Parse("upper( a )")));
  EXPECT_FALSE(SameExpression(*Parse("f('A')"), *Parse("f('a')")));
}

}  // namespace
}  // namespace sluice::sql
