// Layout by examples; and on every statement we have: formatting again changes nothing, and what
// is formatted is the same SQL.
#include "sql/print/format.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/random.h"

namespace sluice::sql {
namespace {

std::string Format(const std::string& text) {
  const auto formatted = FormatSql("t.sql", text);
  return formatted.ok() ? *formatted : formatted.status().message();
}

TEST(FormatTest, ShortStatementsStandInOneLine) {
  EXPECT_EQ(Format("select  a , b\nfrom t where x=1 and y in(1,2)"),
            "SELECT a, b FROM t WHERE x = 1 AND y IN (1, 2)\n");
  EXPECT_EQ(Format("select - 1, a-1, a - -1, -  b, count( * ), t . a, v:a.b[0]::int, f ( x )"),
            "SELECT -1, a - 1, a - -1, -b, count(*), t.a, v:a.b[0]::int, f (x)\n");
  EXPECT_EQ(Format("select cast(a as array<map<string,int>>), x>>2, interval -1 day"),
            "SELECT cast(a AS array<map<string, int>>), x >> 2, INTERVAL -1 DAY\n");
  EXPECT_EQ(
      Format("select null-1, interval 1 day-x, extract(year from ts), date'2024-01-01', x'1F'"),
      "SELECT NULL - 1, INTERVAL 1 DAY - x, extract(year FROM ts), DATE'2024-01-01', X'1F'\n");
  EXPECT_EQ(Format("RESET a  b; set time zone local"), "RESET a  b;\nSET TIME ZONE LOCAL\n");
  EXPECT_EQ(Format("SET a = it  IS ; use   schema s"), "SET a = it  IS;\nUSE SCHEMA s\n");
}

TEST(FormatTest, LongStatementsAreBrokenAtTheirClauses) {
  EXPECT_EQ(Format("create or refresh streaming table silver.orders (constraint has_id expect "
                   "(order_id is not null) on violation drop row, constraint sane expect (amount "
                   "between 0 and 1e6)) comment 'x' as select v:order_id::bigint as order_id, "
                   "v:amount::decimal(12,2) as amount, case when a then 1 else 2 end as kind from "
                   "(select try_parse_json(body) as v from stream bronze.orders_raw) where a > 1 "
                   "and b between 1 and 2 and cccccccccccccccccccccccccccccccccccccccc > 1000000 "
                   "or ddddddddddddddd = 1;"),
            R"sql(CREATE OR REFRESH STREAMING TABLE silver.orders (
  CONSTRAINT has_id EXPECT (order_id IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT sane EXPECT (amount BETWEEN 0 AND 1e6)
)
COMMENT 'x'
AS SELECT
  v:order_id::bigint AS order_id,
  v:amount::decimal(12, 2) AS amount,
  CASE WHEN a THEN 1 ELSE 2 END AS kind
FROM (SELECT try_parse_json(body) AS v FROM STREAM bronze.orders_raw)
WHERE a > 1
  AND b BETWEEN 1 AND 2
  AND cccccccccccccccccccccccccccccccccccccccc > 1000000
  OR ddddddddddddddd = 1;
)sql");
}

TEST(FormatTest, CommentsStayWhereTheyAre) {
  EXPECT_EQ(
      Format("-- head\n\n\n/* two\n lines */\nselect a, -- the a\n  -- the b\n b /* inner */, "
             "c\nfrom t;  -- behind\n-- end"),
      R"sql(-- head

/* two
 lines */
SELECT
  a, -- the a
  -- the b
  b /* inner */,
  c
FROM t; -- behind
-- end
)sql");
  EXPECT_EQ(Format("select 1; -- one\n\nselect 2;\nselect 3"),
            "SELECT 1; -- one\n\nSELECT 2;\nSELECT 3\n");
}

TEST(FormatTest, VariablesStay) {
  EXPECT_EQ(Format("select '${a}' ,${b} from ${schema}.t limit ${n}"),
            "SELECT '${a}', ${b} FROM ${schema}.t LIMIT ${n}\n");
  EXPECT_EQ(Format("select * from stream s watermark ts delay of interval ${n} minutes"),
            "SELECT * FROM STREAM s WATERMARK ts DELAY OF INTERVAL ${n} MINUTES\n");
}

TEST(FormatTest, ErrorsAreTheParsers) {
  EXPECT_EQ(ErrorCode(FormatSql("t.sql", "SELECT FROM").status()), "PARSE_SYNTAX_ERROR");
  EXPECT_EQ(Format(""), "");
  EXPECT_EQ(Format("-- only this"), "-- only this\n");
}

void CheckStable(const std::string& text) {
  const auto once = FormatSql("t.sql", text);
  if (!once.ok()) {
    EXPECT_NE(ErrorCode(once.status()), "INTERNAL_ERROR") << text;
    return;
  }
  const auto twice = FormatSql("t.sql", *once);
  ASSERT_TRUE(twice.ok()) << *once << "\n" << twice.status();
  EXPECT_EQ(*twice, *once) << text;
}

/// The statements of the corpora and of the examples.
std::vector<std::string> Corpus() {
  std::vector<std::string> texts;
  for (const char* name : {"pipeline_statements.jsonl", "function_examples.jsonl"}) {
    std::ifstream file(std::string(SLUICE_SHARED_DIR "/spark/") + name);
    for (std::string line; std::getline(file, line);)
      texts.push_back(nlohmann::json::parse(line)["sql"]);
  }
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(SLUICE_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".sql") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    texts.push_back(text.str());
  }
  return texts;
}

TEST(FormatTest, EverythingWeHaveIsStable) {
  const std::vector<std::string> texts = Corpus();
  EXPECT_GT(texts.size(), 2U);
  for (const std::string& text : texts) CheckStable(text);
}

/// Whitespace and comments at any place between two tokens; long lists.
TEST(FormatTest, AnyWhitespaceAndCommentsAreStable) {
  const std::vector<std::string> texts = Corpus();
  const std::vector<std::string> blanks{"\n",        "  ",   " -- c\n",    "\n-- own\n",
                                        " /* x */ ", "\n\n", "/* a\n b */"};
  Random random(11);
  for (int round = 0; round < 1500; ++round) {
    std::string text = texts[random.Below(texts.size())];
    for (uint64_t edits = random.Below(8); edits > 0; --edits) {
      const size_t at = text.find(' ', random.Below(text.size() + 1));
      if (at != std::string::npos) text.replace(at, 1, blanks[random.Below(blanks.size())]);
    }
    CheckStable(text);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace sluice::sql
