// Mutations of statements: whatever comes, the parser answers,
// and what it accepts prints and parses again.
#include <gtest/gtest.h>

#include "base/random.h"
#include "sql/data_type_parser.h"
#include "sql/lexer.h"
#include "sql/pipeline_parser.h"
#include "sql/print.h"
#include "sql/substitute.h"

namespace sluice::sql {
namespace {

const std::vector<std::string>& Seeds() {
  static const std::vector<std::string> seeds{
      "CREATE OR REFRESH STREAMING TABLE a.b (id INT NOT NULL COMMENT 'x', CONSTRAINT c EXPECT "
      "(id > 0) ON VIOLATION "
      "QUARANTINE INTO q) PARTITIONED BY (d) TBLPROPERTIES ('k'='v') AS SELECT "
      "value::string:a.b[0], count(*) FROM "
      "STREAM read_kafka(bootstrapServers => '${b}', subscribe => 't') WATERMARK ts DELAY OF "
      "INTERVAL 10 MINUTES AS x",
      "CREATE FLOW f AS AUTO CDC INTO t FROM STREAM(s) KEYS (id, k2) SEQUENCE BY STRUCT(ts, "
      "seq) APPLY AS DELETE WHEN "
      "op = 'DELETE' COLUMNS * EXCEPT (op) STORED AS SCD TYPE 2 TRACK HISTORY ON (a)",
      "WITH a AS (SELECT 1 AS x), b AS (TABLE a) SELECT DISTINCT a.*, CASE WHEN x IS NULL THEN "
      "-1.5e3 ELSE 2BD END FROM "
      "a LEFT JOIN b USING (x), LATERAL (SELECT 1) t WHERE x NOT IN (1, 2) AND EXISTS (SELECT "
      "1) GROUP BY ROLLUP (a, "
      "(b, c)) HAVING sum(x) FILTER (WHERE x > 1) > 1 QUALIFY row_number() OVER (PARTITION BY x "
      "ORDER BY y DESC NULLS "
      "LAST ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING) = 1 ORDER BY 1 LIMIT 5 OFFSET 2",
      "FROM t |> WHERE a LIKE 'x\\_%' ESCAPE '\\\\' |> EXTEND trim(BOTH 'a' FROM b) AS c |> "
      "AGGREGATE count(*) GROUP BY c "
      "|> JOIN u ON t.a <=> u.a |> ORDER BY c |> LIMIT 3",
      "SELECT transform(xs, (x, i) -> x + i), m['k'], a.b[0].c, INTERVAL '1-2' YEAR TO MONTH, "
      "X'1F', DATE'2024-01-01', "
      "timestampadd(MONTH, 1, ts), `q``x`, r'\\d', \"dq\", ?, :p, a::map<string,array<int>> "
      "FROM VALUES (1, 2), (3, 4) "
      "AS t(a, b) PIVOT (sum(a) FOR b IN (1 AS x, 2)) UNPIVOT (v FOR n IN (a, b))",
      "SET a = b; USE s; SHOW TABLES; DESCRIBE HISTORY t; EXPLAIN SELECT 1; DROP TABLE x; /* c "
      "*/ -- d\nSELECT 1",
  };
  return seeds;
}

std::string Mutate(std::string text, Random* random) {
  static const std::vector<std::string> pieces{"(",
                                               ")",
                                               "'",
                                               "\"",
                                               "`",
                                               "/*",
                                               "*/",
                                               "--",
                                               "\n",
                                               "::",
                                               ":",
                                               ".",
                                               ",",
                                               ";",
                                               "|>",
                                               "->",
                                               "=>",
                                               "<",
                                               ">",
                                               ">>",
                                               "SELECT",
                                               "FROM",
                                               "WHERE",
                                               "(SELECT",
                                               "CASE",
                                               "END",
                                               "NOT",
                                               "INTERVAL",
                                               "STREAM",
                                               "AS",
                                               "*",
                                               "[",
                                               "]",
                                               "-",
                                               "1",
                                               "1e9",
                                               "\\",
                                               "${",
                                               "\xC3",
                                               "\xE2\x80\x98",
                                               std::string(1, '\0'),
                                               "VALUES",
                                               "TABLE",
                                               "WITH",
                                               "EXCEPT",
                                               "BY"};
  const uint64_t edits = 1 + random->Below(6);
  for (uint64_t i = 0; i < edits && !text.empty(); ++i) {
    const size_t at = random->Below(text.size());
    switch (random->Below(5)) {
      case 0: text.erase(at, 1 + random->Below(12)); break;
      case 1: text.insert(at, " " + pieces[random->Below(pieces.size())] + " "); break;
      case 2: text[at] = static_cast<char>(random->Below(256)); break;
      case 3: text.insert(at, text.substr(random->Below(text.size()), random->Below(40))); break;
      default: text.insert(at, pieces[random->Below(pieces.size())]); break;
    }
  }
  return text;
}

void Check(const std::string& text) {
  const auto parsed = ParseStatements(std::make_shared<SourceText>("f.sql", text));
  if (!parsed.ok()) {
    EXPECT_FALSE(parsed.status().message().empty());
    return;
  }
  for (const Statement& statement : parsed->statements) {
    if (statement.As<UnsupportedStatement>() != nullptr ||
        statement.As<SetConfiguration>() != nullptr) {
      continue;
    }
    const std::string printed = ToSql(statement);
    const auto again = ParseStatements(std::make_shared<SourceText>("", printed));
    ASSERT_TRUE(again.ok()) << printed << "\n" << again.status();
    ASSERT_EQ(again->statements.size(), 1U) << printed;
    EXPECT_EQ(ToSql(again->statements[0]), printed) << text;
  }
}

TEST(ParserFuzzTest, MutatedStatements) {
  Random random(20240607);
  constexpr int kRounds = 10000;
  for (int i = 0; i < kRounds && !::testing::Test::HasFailure(); ++i) {
    Check(Mutate(Seeds()[random.Below(Seeds().size())], &random));
  }
}

TEST(ParserFuzzTest, OtherEntries) {
  Random random(7);
  for (int i = 0; i < 5000; ++i) {
    const std::string text = Mutate(Seeds()[random.Below(Seeds().size())], &random);
    const auto substituted = Substitute(
        "f", text, [](const std::string& key) -> std::optional<std::string> { return key + "'"; });
    const std::string type = Mutate(
        "struct<a:map<string,decimal(10,2)>,`b`:array<int> not null "
        "comment 'x'>",
        &random);
    if (const auto parsed = ParseSchemaOrType(type); parsed.ok()) {
      EXPECT_FALSE(SparkTypeName(**parsed).empty());
    }
    (void)UnescapeString(text, '\'');
  }
}

}  // namespace
}  // namespace sluice::sql
