#include "sql/parser/lexer.h"

#include <gtest/gtest.h>

namespace sluice::sql {
namespace {

std::vector<Token> Lex(const std::string& text) {
  static std::vector<std::unique_ptr<SourceText>> kept;  // tokens refer to their text
  kept.push_back(std::make_unique<SourceText>("", text));
  return Tokenize(*kept.back());
}

std::string Texts(const std::string& text) {
  std::string joined;
  for (const Token& token : Lex(text)) {
    joined += (joined.empty() ? "" : " ") + std::string(token.text);
  }
  return joined;
}

TEST(LexerTest, CutsSymbolsAndWords) {
  EXPECT_EQ(Texts("a::int<=>b||c|>d->e=>f"), "a :: int <=> b || c |> d -> e => f ");
  EXPECT_EQ(Texts("map<int,array<int>>"), "map < int , array < int > > ");
  EXPECT_EQ(Texts("v:a.b[0]"), "v : a . b [ 0 ] ");
}

TEST(LexerTest, TellsNumbersFromNames) {
  EXPECT_EQ(Texts("1 10L 1S 2Y 1.5BD 1e3 0.1D 3F .5 1. 1a a.1b"),
            "1 10L 1S 2Y 1.5BD 1e3 0.1D 3F .5 1. 1a a . 1b ");
  EXPECT_EQ(Lex("1e3")[0].kind, TokenKind::kNumber);
  EXPECT_EQ(Lex("1x")[0].kind, TokenKind::kWord);
  EXPECT_EQ(Lex("1.a")[0].text, "1");
}

TEST(LexerTest, DecodesStrings) {
  EXPECT_EQ(Lex(R"('it''s')")[0].value, "it's");
  EXPECT_EQ(Lex(R"("say ""x""")")[0].value, "say \"x\"");
  EXPECT_EQ(Lex(R"('a\tb\n\\\'\%\_\q')")[0].value, "a\tb\n\\'\\%\\_q");
  EXPECT_EQ(Lex(R"('\u00e9\U0001F600\101')")[0].value,
            "\xC3\xA9\xF0\x9F\x98\x80"
            "A");
  EXPECT_EQ(Lex(R"('\uD83D\uDE00')")[0].value, "\xF0\x9F\x98\x80");
  EXPECT_EQ(Lex(R"(r'\n\d')")[0].value, "\\n\\d");
  EXPECT_EQ(Lex("`a``b`")[0].value, "a`b");
}

TEST(LexerTest, SkipsComments) {
  EXPECT_EQ(Texts("a -- x\n b /* c /* d */ e */ f"), "a b f ");
  EXPECT_EQ(Texts("a\xC2\xA0"
                  "b"),
            "a b ");
  EXPECT_EQ(Texts("'--'"), "'--' ");
}

TEST(LexerTest, MarksWhatIsNoToken) {
  EXPECT_EQ(Lex("'abc")[0].kind, TokenKind::kInvalid);
  EXPECT_EQ(Lex("/* abc")[0].kind, TokenKind::kInvalid);
  EXPECT_EQ(Lex("`abc")[0].kind, TokenKind::kInvalid);
  EXPECT_EQ(Lex("\xE2\x80\x98"
                "abc\xE2\x80\x99")[0]
                .kind,
            TokenKind::kInvalid);
  EXPECT_EQ(Lex("\x01")[0].kind, TokenKind::kInvalid);
  EXPECT_EQ(Lex("'abc\\").back().kind, TokenKind::kEnd);
}

}  // namespace
}  // namespace sluice::sql
