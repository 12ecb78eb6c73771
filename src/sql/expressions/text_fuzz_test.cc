// Foreign texts that are no SQL: JSON, paths, patterns, dates, intervals. Whatever comes, they are
// answered; what is read and written again is the same.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/fuzz_for_test.h"
#include "codec/json_decoder.h"
#include "sql/expressions/datetime_pattern.h"
#include "sql/expressions/java_regex.h"
#include "sql/expressions/json_document.h"
#include "sql/expressions/json_path.h"
#include "sql/expressions/json_schema.h"
#include "sql/parser/datetime_text.h"
#include "sql/parser/interval_text.h"
#include "sql/parser/lexer.h"

namespace sluice::sql {
namespace {

const std::vector<std::string>& JsonPieces() {
  static const std::vector<std::string> pieces{
      "{",        "}",    "[",        "]",     ":",
      ",",        "\"",   "'",        "\\",    "\\u",
      "\\ud83d",  "null", "-",        "1e999", "0.1",
      "NaN",      "true", "\"a\":1,", "\n",    "\xC3",
      "\xE2\x80", "/*",   "1e-5",     ".",     std::string(1, '\0')};
  return pieces;
}

const std::vector<std::string>& JsonSeeds() {
  static const std::vector<std::string> seeds{
      R"({"a": 1, "b": [1, 2.5, null, {"c": "x\u00e9\n"}], "d": {"e": true}, "t": "2024-01-02"})",
      R"([[1], [2, 3], {"a": [{"b": 1}, {"b": 2}]}])",
      R"("text \ud83d\ude00 \" end")",
      R"({"a": 12345678901234567890.123e-10, "a": -0, "": [], " ": {}})",
  };
  return seeds;
}

template <typename T>
const T& Pick(const std::vector<T>& items, Random* random) {
  return items[random->Below(items.size())];
}

TEST(TextFuzzTest, JsonDocuments) {
  Random random(FuzzSeed(1));
  const std::vector<std::string> paths{"$.a[0]['b'][*].c", "$[*].*.b", "$", "$..a", "$['a.b'][12]"};
  for (int i = FuzzRuns(3000); i > 0; --i) {
    const std::string json = MutateText(Pick(JsonSeeds(), &random), JsonPieces(), &random);
    const auto path = JsonPath::Parse(
        MutateText(Pick(paths, &random), {"[", "]", "*", ".", "'", "$", "9", "-"}, &random));
    (void)SchemaOfJson(json, {});
    const auto document = JsonDocument::Parse(json);
    if (!document) continue;
    if (path) {
      (void)path->Find(*document);
      if (path->IsPlain()) (void)path->Locate(*document);
    }
    std::string written;
    document->AppendTo(&written);
    const auto again = JsonDocument::Parse(written);
    ASSERT_TRUE(again) << json << "\n" << written;
    std::string twice;
    again->AppendTo(&twice);
    ASSERT_EQ(twice, written) << json;
  }
}

TEST(TextFuzzTest, JsonDecoder) {
  const auto nested = arrow::struct_({arrow::field("e", arrow::boolean())});
  const auto schema = arrow::struct_(
      {arrow::field("a", arrow::int32()), arrow::field("b", arrow::list(arrow::float64())),
       arrow::field("d", nested), arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO)),
       arrow::field("s", arrow::utf8()), arrow::field("_corrupt_record", arrow::utf8())});
  auto decoder = codec::JsonDecoder::Make(schema, nullptr, {});
  ASSERT_TRUE(decoder.ok()) << decoder.status();
  Random random(FuzzSeed(2));
  for (int i = FuzzRuns(2000) / 20 + 1; i > 0; --i) {
    arrow::BinaryBuilder builder;
    for (int row = 0; row < 20; ++row) {
      ASSERT_TRUE(
          builder.Append(MutateText(Pick(JsonSeeds(), &random), JsonPieces(), &random)).ok());
    }
    const auto decoded = (*decoder)->Decode(**builder.Finish());
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    ASSERT_EQ((*decoded)->length(), 20);
    // The record that does not fit is kept byte for byte, hence need not be UTF-8.
    for (int field = 0; field + 1 < schema->num_fields(); ++field) {
      const Status valid = (*decoded)->field(field)->ValidateFull();
      ASSERT_TRUE(valid.ok()) << valid;
    }
    ASSERT_TRUE((*decoded)->Validate().ok());
  }
}

TEST(TextFuzzTest, Patterns) {
  Random random(FuzzSeed(3));
  const std::vector<std::string> regexes{"^[a-z]{2,3}(\\d+|x*?)$", "(?i)\\bfoo\\b[^\\]a]",
                                         "a++(?=b)", "\\p{L}[a&&[^b]]\\Q.\\E"};
  const std::vector<std::string> dates{"yyyy-MM-dd HH:mm:ss.SSS", "E, d MMM y", "''QQ' at 'h a",
                                       "[yyyy]D"};
  for (int i = FuzzRuns(3000); i > 0; --i) {
    const std::string regex =
        MutateText(Pick(regexes, &random),
                   {"(", ")", "[", "]", "{", "}", "\\", "^", "$", "(?", "&&"}, &random);
    const auto translated = TranslateRegex(regex);
    EXPECT_TRUE(translated.ok() || !translated.status().message().empty());
    (void)TranslateReplacement(regex, 2);
    if (const auto fixed = FixedPattern::Make(regex)) (void)fixed->Matches(regex);
    const auto pattern = DatetimePattern::Make(
        MutateText(Pick(dates, &random), {"y", "M", "'", "[", "]", "S", "zzz", "%"}, &random));
    if (!pattern.ok()) continue;
    std::string text;
    pattern->Format(static_cast<int64_t>(random.Next() >> 12), &text);
    if (pattern->CanParse()) (void)pattern->Parse(MutateText(text, {"-", "9", " "}, &random));
  }
}

TEST(TextFuzzTest, TimesAndIntervals) {
  Random random(FuzzSeed(4));
  const std::vector<std::string> seeds{
      "2024-01-02 03:04:05.678901+02:00",    "+12024-1-1T",  "12:34:56.789",
      "interval 1 day -2 hours 0.5 seconds", "3 04:05:06.7", "-1-2"};
  const std::vector<std::string> pieces{"-", ":", ".", "T", "9999999999", " ", "Z", "UTC", "+"};
  for (int i = FuzzRuns(3000); i > 0; --i) {
    const std::string text = MutateText(Pick(seeds, &random), pieces, &random);
    if (const auto days = ParseDateText(text)) (void)FormatDate(*days);
    if (const auto time = ParseTimestampText(text)) (void)FormatTimestamp(time->microseconds);
    if (const auto time = ParseTimeText(text)) (void)FormatTime(*time);
    if (const auto interval = ParseIntervalText(text)) {
      EXPECT_TRUE(interval->months == 0 || interval->microseconds == 0 ||
                  !FormatInterval(*interval).empty());
    }
    (void)ParseIntervalFields(text, IntervalField::kDay, IntervalField::kSecond);
  }
}

TEST(TextFuzzTest, TokensCoverTheText) {
  Random random(FuzzSeed(5));
  const std::vector<std::string> pieces{"'", "\"", "`", "/*", "*/", "--", "\n", "r'", "1e", "::"};
  for (int i = FuzzRuns(3000); i > 0; --i) {
    const std::string text = MutateText(
        "SELECT r'a\\', \"b\" /* c /* d */ */ , `x``y` -- e\n, 1.5e3BD, X'1F' :: t.1 >>> 2", pieces,
        &random);
    const SourceText source("", text);
    uint32_t end = 0;
    for (const Token& token : Tokenize(source)) {
      ASSERT_GE(token.span.offset, end) << text;
      ASSERT_LE(token.span.end(), text.size()) << text;
      end = token.span.end();
    }
  }
}

TEST(TextFuzzTest, DepthIsBounded) {
  const auto repeat = [](const std::string& piece, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += piece;
    return text;
  };
  constexpr int kDeep = 100'000;
  EXPECT_FALSE(JsonDocument::Parse(repeat("[", kDeep) + repeat("]", kDeep)));
  EXPECT_FALSE(JsonDocument::Parse(repeat("{\"a\":", kDeep) + "1" + repeat("}", kDeep)));
  EXPECT_FALSE(SchemaOfJson(repeat("[", kDeep) + repeat("]", kDeep), {}));
  (void)TranslateRegex(repeat("(", kDeep) + repeat(")", kDeep));
  (void)TranslateRegex(repeat("[", kDeep));
  (void)JsonPath::Parse("$" + repeat("[0]", kDeep));
  (void)DatetimePattern::Make(repeat("[", kDeep));
}

}  // namespace
}  // namespace sluice::sql
