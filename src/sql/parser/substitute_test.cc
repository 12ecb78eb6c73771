#include "sql/parser/substitute.h"

#include <gtest/gtest.h>

#include <map>

#include "sql/parser/parser.h"
#include "sql/parser/statement_split.h"

namespace sluice::sql {
namespace {

Result<SourceText> Replace(const std::string& text) {
  static const std::map<std::string, std::string> values{
      {"brokers", "h1:9092,h2:9092"}, {"a", "<${b}>"}, {"b", "x"}, {"loop", "${loop}"}};
  return Substitute("f.sql", text, [](const std::string& key) -> std::optional<std::string> {
    const auto found = values.find(key);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(SubstituteTest, ReplacesInTextAndStrings) {
  EXPECT_EQ(Replace("'${brokers}' ${a} ${spark:b}")->text(), "'h1:9092,h2:9092' <x> x");
  EXPECT_EQ(Replace("-- ${no}\n/* ${no} */ ${b}")->text(), "-- ${no}\n/* ${no} */ x");
  EXPECT_EQ(Replace("'-- ${b}'")->text(), "'-- x'");
}

TEST(SubstituteTest, UndefinedIsAnErrorWithItsPlace) {
  const Status status = Replace("SELECT 1;\nSELECT ${nope}").status();
  EXPECT_TRUE(HasCode(status, "UNDEFINED_CONFIGURATION"));
  EXPECT_NE(status.message().find("f.sql:2:8"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("\n       ^^^^^^^"), std::string::npos) << status.message();
  EXPECT_TRUE(HasCode(Replace("${loop}").status(), "UNDEFINED_CONFIGURATION"));
  EXPECT_TRUE(HasCode(Replace("${b").status(), "PARSE_SYNTAX_ERROR"));
}

TEST(SubstituteTest, PlacesAreThoseOfTheOriginal) {
  const SourceText source = *Replace("SELECT '${brokers}',\n  ${b} FORM t u");
  const Status status = ParseQuery(source).status();
  EXPECT_NE(status.message().find("f.sql:2:13"), std::string::npos) << status.message();
  EXPECT_EQ(ErrorHint(status), "did you mean FROM instead of FORM?");
  const Status in_value = ParseQuery(*Replace("SELECT  ${a} FROM t")).status();
  EXPECT_NE(in_value.message().find("f.sql:1:9"), std::string::npos) << in_value.message();
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> pieces;
  for (const Span span : SplitStatements(text))
    pieces.push_back(text.substr(span.offset, span.length));
  return pieces;
}

TEST(StatementSplitTest, SemicolonsBetweenStatements) {
  using Pieces = std::vector<std::string>;
  EXPECT_EQ(Split("a; b ;c"), (Pieces{"a", " b ", "c"}));
  EXPECT_EQ(Split(" ;; -- x;y\n ; /* ; /* ; */ ; */ ;"), Pieces{});
  EXPECT_EQ(Split("'a;b' ; \"c;\\\";d\" ; `e;\\`; 'f'';'"),
            (Pieces{"'a;b' ", " \"c;\\\";d\" ", " `e;\\`", " 'f'';'"}));
  EXPECT_EQ(Split("r'\\'; x"), (Pieces{"r'\\'", " x"}));
  EXPECT_EQ(Split("bar'\\';' ; x"), (Pieces{"bar'\\';' ", " x"}));
  EXPECT_EQ(Split("a -- it's; here\n b; 'open ; "), (Pieces{"a -- it's; here\n b", " 'open ; "}));
}

}  // namespace
}  // namespace sluice::sql
