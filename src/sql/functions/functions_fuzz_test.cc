// Functions that read foreign text: CSV, JSON, URLs, numbers, dates, encodings, patterns. Whatever
// comes as a value or as a pattern, they answer or refuse it by a code; the arrays are sound; a row
// has the same answer alone as among others; what a try_ function reads, its other half reads, too.
#include <arrow/api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/fuzz_for_test.h"
#include "codec/utf8.h"
#include "sql/execution/relations_for_test.h"
#include "sql/functions/evaluator.h"

namespace sluice::sql {
namespace {

using Texts = std::vector<std::string>;

const std::string& Pick(const Texts& items, Random* random) {
  return items[random->Below(items.size())];
}

std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// Columns of text are UTF-8, as everything that makes them sees to; so is the text of a query.
std::string ValidUtf8(const std::string& text) {
  std::string valid;
  codec::AppendReplacingMalformed(text, &valid);
  return valid;
}

struct Family {
  const char* name;
  Texts expressions;  // over the column s; {} is a constant made from `constants`
  Texts values;       // what the column is made from
  Texts pieces;       // what is put into values and constants
  Texts constants;
};

const std::vector<Family>& Families() {
  static const std::vector<Family> families{
      {"csv",
       {"from_csv(s, 'a INT, b STRING, c DOUBLE, d DATE, e TIMESTAMP, f DECIMAL(5,2), g BOOLEAN')",
        "from_csv(s, 'a TIMESTAMP', map('timestampFormat', {}))",
        "from_csv(s, 'a DATE, b STRING', map('dateFormat', {}, 'sep', ';'))", "schema_of_csv({})",
        "to_csv(named_struct('a', s, 'b', s))", "from_csv('1,2', {})"},
       {"1,abc,2.5,2024-01-02,2024-01-02T03:04:05Z,1.25,true", "\"a,b\",\"c\\\"d\";x", ",,;,",
        " 7 ,\" q \",-0,1e5,NaN"},
       {",", "\"", "\\", ";", "\n", "\r", "\xC3", "'", "1e999", " "},
       {"yyyy-MM-dd", "dd/MM/yyyy HH:mm", "a INT, b STRING", "1,a,2024-01-01,true,1.5,99999999999",
        "[yyyy]"}},
      {"json",
       {"get_json_object(s, {})", "get_json_object(s, '$.a[*].b')", "json_array_length(s)",
        "json_object_keys(s)", "schema_of_json({})", "from_json(s, 'a INT, b ARRAY<STRING>')",
        "from_json(s, {})", "from_json(s, 'MAP<STRING, DOUBLE>')", "try_parse_json(s)",
        "to_json(try_parse_json(s))", "try_variant_get(try_parse_json(s), {}, 'string')",
        "schema_of_variant(try_parse_json(s))", "from_json(s, 'd DATE, t TIMESTAMP, v VARIANT')"},
       {R"({"a": [{"b": 1}, {"b": "x"}], "b": ["1", null, 2.5], "d": "2024-01-02"})", "[1, 2, [3]]",
        R"("\ud83d\ude00")", R"({"a": 1e5, "t": 12, "v": {"x": []}})"},
       {"{", "}", "[", "]", "\"", "'", "\\u", ":", ",", "NaN", "1e999", "\xE2\x80", "null", "\n"},
       {"$.a[0].b", "$[*]", "$['a']", "$.a.*", "a INT, b STRUCT<c: STRING>", "{\"a\": [1, {}]}"}},
      {"url",
       {"parse_url(s, 'HOST')", "parse_url(s, 'QUERY')", "parse_url(s, 'QUERY', {})",
        "parse_url(s, {})", "try_parse_url(s, 'PATH')", "url_decode(s)", "try_url_decode(s)",
        "url_decode(url_encode(s))", "parse_url(s, 'AUTHORITY')", "parse_url(s, 'USERINFO')",
        "str_to_map(s, '&', '=')", "str_to_map(s, {}, '=')"},
       {"https://user:pw@host.example:8080/p/q;x?a=1&b=%20c#frag", "http://[::1]/x?q=%C3%A4",
        "mailto:a@b.c", "file:///etc/x y"},
       {"%", "%2", "?", "#", "/", ":", "@", "[", "]", "&", "=", "\xC3", " ", "\\"},
       {"a", "b", "HOST", "QUERY", "[&]", "PROTOCOL"}},
      {"number",
       {"try_to_number(s, {})", "to_number(s, {})", "try_cast(s AS INT)", "try_cast(s AS BIGINT)",
        "try_cast(s AS DOUBLE)", "try_cast(s AS FLOAT)", "try_cast(s AS DECIMAL(38,18))",
        "try_cast(s AS DECIMAL(5,2))", "try_cast(s AS BOOLEAN)", "conv(s, 10, 16)",
        "conv(s, 36, -10)", "unhex(s)", "luhn_check(s)",
        "to_char(try_cast(s AS DECIMAL(20,4)), {})", "format_number(try_cast(s AS DOUBLE), {})",
        "format_string({}, try_cast(s AS INT), s)",
        "format_number(try_cast(s AS DECIMAL(30,10)), {})"},
       {"-12,345.678", "1e10", "$99.5", "<7>", "9223372036854775808", "0x1F", "Infinity",
        "4.9E-324"},
       {"-", "+", ".", ",", "e", "E", "9", "000", "$", "<", ">", " ", "\t", "99999999999999999999"},
       {"S999G999D99", "$9,999.00", "999PR", "00MI", "#,##0.00", "%05d|%-8s|%x", "%2$s %1$,d"}},
      {"time",
       {"try_to_timestamp(s, {})", "to_timestamp(s, {})", "try_to_timestamp(s)",
        "unix_timestamp(s, {})", "try_cast(s AS TIMESTAMP)", "try_cast(s AS TIMESTAMP_NTZ)",
        "try_cast(s AS DATE)", "date_format(try_cast(s AS TIMESTAMP), {})", "try_to_date(s, {})",
        "to_utc_timestamp(try_cast(s AS TIMESTAMP), {})", "from_unixtime(length(s), {})",
        "date_trunc({}, try_cast(s AS TIMESTAMP))", "next_day(try_cast(s AS DATE), {})",
        "try_cast(s AS INTERVAL DAY TO SECOND)", "try_cast(s AS INTERVAL YEAR TO MONTH)",
        "try_make_interval(length(s))", "date_part({}, try_cast(s AS TIMESTAMP))",
        "from_utc_timestamp(try_cast(s AS TIMESTAMP), s)"},
       {"2024-02-29 23:59:60.123456789+18:00", "12 March 2024 1:02 PM", "2024-060", "3 04:05:06.7",
        "INTERVAL '1-2' YEAR TO MONTH", "+12024-1-1T", "Sun 2024-03-10", "Europe/Berlin", "GMT+1"},
       {"-", ":", ".", "T", "9999999999", " ", "Z", "UTC", "+", "PM", "\xC3\xBC", "0"},
       {"yyyy-MM-dd HH:mm:ss.SSSSSSXXX", "d MMMM yyyy h:mm a", "yyyy-DDD", "EEE yyyy-MM-dd",
        "[HH:mm][ 'x']", "G y q w e VV z O", "MONTH", "Europe/Berlin", "+05:30", "MO"}},
      {"text",
       {"regexp_extract(s, {}, 1)",
        "regexp_replace(s, {}, '$1-')",
        "regexp_replace(s, '(a)|b', {})",
        "split(s, {})",
        "s RLIKE {}",
        "s LIKE {}",
        "s ILIKE {} ESCAPE '/'",
        "regexp_extract_all(s, {}, 0)",
        "regexp_count(s, {})",
        "initcap(s)",
        "upper(s)",
        "lower(s)",
        "soundex(s)",
        "mask(s)",
        "levenshtein(s, {})",
        "translate(s, {}, 'xy')",
        "reverse(s)",
        "lpad(s, 9, {})",
        "substring(s, -3, 2)",
        "substring_index(s, {}, -1)",
        "split_part(s, {}, 2)",
        "try_validate_utf8(s)",
        "make_valid_utf8(s)",
        "ascii(s)",
        "length(s)",
        "trim(BOTH {} FROM s)",
        "decode(encode(s, 'UTF-16'), 'UTF-16')",
        "base64(CAST(s AS BINARY))",
        "hex(s)",
        "try_to_binary(s, 'base64')",
        "try_to_binary(s, 'hex')",
        "unbase64(s)",
        "quote(s)",
        "overlay(s, {}, 2)",
        "find_in_set({}, s)",
        "instr(s, {})",
        "replace(s, {}, 'Q')"},
       {"aab, Hello World b", "gr\xC3\xBCn \xC3\x9F\xF0\x9F\x98\x80", "YWJj\nZGVm", "%_\\a\\%", ""},
       {"(", ")", "[", "]", "{", "}", "\\", "^", "$", "(?", "&&", "%", "_", "\xC3", "\xF0\x9F",
        "*"},
       {"(a)(b)?", "[a-c&&[^b]]", "a%_", "\\d+", "$2x", "<$0>", "(?i)HELLO", "'", "/%"}},
  };
  return families;
}

std::shared_ptr<arrow::RecordBatch> Rows(const Family& family, int count, Random* random) {
  arrow::StringBuilder builder;
  for (int row = 0; row < count; ++row) {
    const bool null = random->Below(20) == 0;
    const std::string text = MutateText(Pick(family.values, random), family.pieces, random);
    EXPECT_TRUE((null ? builder.AppendNull() : builder.Append(ValidUtf8(text))).ok());
  }
  auto array = *builder.Finish();
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("s", arrow::utf8())}), count,
                                  {array});
}

std::string Filled(const Family& family, std::string expression, Random* random) {
  const size_t hole = expression.find("{}");
  if (hole == std::string::npos) return expression;
  std::string constant = Pick(family.constants, random);
  if (random->Below(3) > 0) constant = MutateText(constant, family.pieces, random);
  return expression.replace(hole, 2, Quoted(ValidUtf8(constant)));
}

using Answer = Result<std::shared_ptr<arrow::Array>>;

Answer Ask(Evaluator* evaluator, const arrow::RecordBatch& batch) {
  SLUICE_ASSIGN_OR_RETURN(auto columns, evaluator->Evaluate(batch, TimestampMicros(0)));
  SLUICE_RETURN_NOT_OK(columns[0]->ValidateFull());
  return columns[0];
}

void CheckRows(Evaluator* evaluator, const std::shared_ptr<arrow::RecordBatch>& batch,
               const std::string& expression) {
  const Answer whole = Ask(evaluator, *batch);
  if (!whole.ok()) {
    ASSERT_NE(ErrorCode(whole.status()), "") << expression << "\n" << whole.status();
  }
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    const Answer alone = Ask(evaluator, *batch->Slice(row, 1));
    const auto value = [&] { return batch->column(0)->Slice(row, 1)->ToString(); };
    if (!alone.ok()) {
      ASSERT_FALSE(whole.ok()) << expression << " of " << value() << "\n" << alone.status();
      ASSERT_NE(ErrorCode(alone.status()), "") << expression << " of " << value();
    } else if (whole.ok()) {
      ASSERT_TRUE((*alone)->Equals(*(*whole)->Slice(row, 1),
                                   arrow::EqualOptions::Defaults().nans_equal(true)))
          << expression << " of " << value();
    }
  }
  if (expression.starts_with("try_cast")) {
    ASSERT_TRUE(whole.ok()) << expression << "\n" << whole.status();
  }
}

class FunctionsFuzz : public ::testing::TestWithParam<Family> {};

TEST_P(FunctionsFuzz, TextsAndPatterns) {
  const Family& family = GetParam();
  Random random(FuzzSeed(6));
  TestRelations none;
  int evaluated = 0;
  for (int i = FuzzRuns(1500) / 5 + 1; i > 0; --i) {
    const auto batch = Rows(family, 6, &random);
    const std::string expression = Filled(family, Pick(family.expressions, &random), &random);
    const SourceText source("", expression);
    const auto parsed = ParseExpression(source);
    ASSERT_TRUE(parsed.ok()) << expression << "\n" << parsed.status();
    const auto bound = Analyzer(none, source).AnalyzeExpression(*parsed, *batch->schema());
    if (!bound.ok()) {
      ASSERT_NE(ErrorCode(bound.status()), "") << expression << "\n" << bound.status();
      continue;
    }
    const auto evaluator = Evaluator::Make(batch->schema(), {*bound});
    if (!evaluator.ok()) {
      ASSERT_NE(ErrorCode(evaluator.status()), "") << expression << "\n" << evaluator.status();
      continue;
    }
    ++evaluated;
    CheckRows(evaluator->get(), batch, expression);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(evaluated, 0);
}

INSTANTIATE_TEST_SUITE_P(Families, FunctionsFuzz, ::testing::ValuesIn(Families()),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace sluice::sql
