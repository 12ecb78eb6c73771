#include "sql/print/print.h"
#include "sql/ast/quote.h"

#include <gtest/gtest.h>

#include "sql/parser/parser.h"

namespace sluice::sql {
namespace {

std::string Printed(const std::string& text) {
  const auto expr = ParseExpression(SourceText("", text));
  return expr.ok() ? ToSql(*expr) : expr.status().message();
}

TEST(PrintTest, KeepsTheMeaningWithFewParentheses) {
  for (const std::string text : {
           "(a + b) * c - (d - e)",
           "a - (b - c)",
           "NOT (a AND b) OR c",
           "(a OR b) AND c",
           "- -1",
           "-(-a)",
           "-(1)",
           "(a = b) IS NULL",
           "a[0].b.c",
           "(-1)[0]",
           "f(x -> (y -> y))",
           "(a, b)",
           "'it\\'s "
           "\\\\ \\n \\%'",
           "1L",
           "1.0D",
           "5BD",
           "0.1F",
           "X'0AFF'",
           "CAST(a AS STRUCT<a: INT>)",
           "a::INT::STRING",
           "v:a.`b "
           "c`[0]",
           "a IS NOT DISTINCT FROM b",
           "a BETWEEN (b = c) AND d",
           "x COLLATE UTF8_LCASE",
           "CASE WHEN a THEN b END + 1",
           ":p "
           "+ ?",
           "DATE '2024-01-01' + INTERVAL '1' DAY",
           "`select` + `a b` + `a``b`",
           "a NOT LIKE 'x'",
           "- - a",
           "~ -a",
       }) {
    const std::string once = Printed(text);
    EXPECT_EQ(Printed(once), once) << text;
    const auto first = ParseExpression(SourceText("", text));
    const auto second = ParseExpression(SourceText("", once));
    ASSERT_TRUE(first.ok() && second.ok()) << text << " -> " << once;
    EXPECT_EQ(ColumnName(*first), ColumnName(*second)) << text << " -> " << once;
  }
  EXPECT_EQ(Printed("((a + b)) * (c)"), "(a + b) * c");
  EXPECT_EQ(Printed("a and (b and c)"), "a AND b AND c");
}

TEST(PrintTest, QuotesWhatNeedsIt) {
  EXPECT_EQ(QuoteIdentifier("abc_1"), "abc_1");
  EXPECT_EQ(QuoteIdentifier("a b"), "`a b`");
  EXPECT_EQ(QuoteIdentifier("select"), "`select`");
  EXPECT_EQ(QuoteIdentifier("1a"), "`1a`");
  EXPECT_EQ(QuoteString("a'b\\"), "'a\\'b\\\\'");
}

TEST(PrintTest, ColumnNames) {
  const auto name = [](const std::string& text) {
    return ColumnName(*ParseExpression(SourceText("", text)));
  };
  EXPECT_EQ(name("t.a"), "a");
  EXPECT_EQ(name("a::int"), "a");
  EXPECT_EQ(name("Upper(a)"), "upper(a)");
  EXPECT_EQ(name("a <> 'x'"), "(NOT (a = x))");
  EXPECT_EQ(name("1e10"), "1.0E10");
  EXPECT_EQ(name("count(a) OVER (ORDER BY b)"),
            "count(a) OVER (ORDER BY b ASC NULLS FIRST RANGE BETWEEN UNBOUNDED PRECEDING AND "
            "CURRENT ROW)");
}

}  // namespace
}  // namespace sluice::sql
