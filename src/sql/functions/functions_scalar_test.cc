// Functions over text, numbers and times beyond Spark's own examples: NULLs, extremes, Unicode.
#include <gtest/gtest.h>

#include "sql/execution/query_for_test.h"

namespace sluice::sql {
namespace {

class FunctionsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { runner_ = QueryRunner::Make().release(); }
  static void TearDownTestSuite() {
    delete runner_;
    runner_ = nullptr;
  }
  static std::string Of(const std::string& expression) {
    return ValuesOf(runner_, "SELECT " + expression);
  }
  static QueryRunner* runner_;
};
QueryRunner* FunctionsTest::runner_ = nullptr;

TEST_F(FunctionsTest, Strings) {
  EXPECT_EQ(Of("overlay('Spark SQL', '_', 6)"), "Spark_SQL");
  EXPECT_EQ(Of("overlay('Spark SQL', 'CORE', 7)"), "Spark CORE");
  EXPECT_EQ(Of("overlay('Spark SQL', 'tructured', 2, 4)"), "Structured SQL");
  EXPECT_EQ(Of("overlay('h\u00e9llo', '\u00fc', 2)"), "h\u00fcllo");
  EXPECT_EQ(Of("elt(3, 'a', 'b')"), "INVALID_ARRAY_INDEX");
  EXPECT_EQ(Of("elt(CAST(NULL AS INT), 'a')"), "NULL");
  EXPECT_EQ(Of("soundex('Robert'), soundex('Tymczak'), soundex('#x'), soundex('')"),
            "R163|T522|#x|");
  EXPECT_EQ(Of("luhn_check(''), luhn_check('79927398713'), luhn_check('a')"), "false|true|false");
  EXPECT_EQ(Of("levenshtein('kitten', 'sitting'), levenshtein('kitten', 'sitting', 2)"), "3|-1");
  EXPECT_EQ(Of("hex(lpad(x'aa', 3, x'')), hex(rpad(x'aabb', 1))"), "AA|AA");
  EXPECT_EQ(Of("mask(NULL), mask('a1', NULL, 'z')"), "NULL|zn");
  EXPECT_EQ(Of("btrim('xxhixx', 'x'), ltrim('xxhi', 'x'), trim('  a ')"), "hi|hi|a");
}

TEST_F(FunctionsTest, Intervals) {
  const std::string day = "INTERVAL '1 02:00:00' DAY TO SECOND";
  EXPECT_EQ(Of("TIMESTAMP '2024-03-02 01:00:00' - TIMESTAMP '2024-03-01 02:00:00'"),
            "INTERVAL '0 23:00:00' DAY TO SECOND");
  EXPECT_EQ(Of("TIMESTAMP '2024-03-02 01:00:00' - DATE '2024-03-03'"),
            "INTERVAL '-0 23:00:00' DAY TO SECOND");
  EXPECT_EQ(Of("DATE '2024-03-02' - DATE '2024-03-01'"), "NOT_SUPPORTED_YET");
  EXPECT_EQ(Of(day + " + " + day), "INTERVAL '2 04:00:00' DAY TO SECOND");
  EXPECT_EQ(Of(day + " - NULL, -" + day), "NULL|INTERVAL '-1 02:00:00' DAY TO SECOND");
  EXPECT_EQ(Of("2 * " + day + ", " + day + " * 0.5, " + day + " / '4'"),
            "INTERVAL '2 04:00:00' DAY TO SECOND|INTERVAL '0 13:00:00' DAY TO SECOND|"
            "INTERVAL '0 06:30:00' DAY TO SECOND");
  const std::string year = "INTERVAL '-1-1' YEAR TO MONTH";
  EXPECT_EQ(Of(year + " * 1.5, abs(" + year + "), " + year + " / 2"),
            "INTERVAL '-1-8' YEAR TO MONTH|INTERVAL '1-1' YEAR TO MONTH|"
            "INTERVAL '-0-7' YEAR TO MONTH");
  EXPECT_EQ(Of(year + " / 0"), "INTERVAL_DIVIDED_BY_ZERO");
  EXPECT_EQ(Of(year + " * 200000000"), "INTERVAL_ARITHMETIC_OVERFLOW");
  EXPECT_EQ(Of("try_multiply(" + year + ", 200000000), try_divide(" + day + ", 0)"), "NULL|NULL");
  EXPECT_EQ(Of(year + " + " + day), "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES");
  EXPECT_EQ(Of("INTERVAL '1' DAY"), "NOT_SUPPORTED_YET");
  EXPECT_EQ(Of("DATE '2024-03-01' + -INTERVAL '1' DAY"), "2024-02-29");
}

TEST_F(FunctionsTest, CaseOfUnicode) {
  EXPECT_EQ(Of("upper('gr\u00fc\u00df'), upper('\u0149\ufb01'), lower('\u0130I')"),
            "GR\u00dcSS|\u02bcNFI|i\u0307i");
  EXPECT_EQ(Of("lower('\u0391\u03a3 \u03a3 \u0391.\u03a3\u0391')"),
            "\u03b1\u03c2 \u03c3 \u03b1.\u03c3\u03b1");
  EXPECT_EQ(Of("'\u00c4PFEL' ILIKE '\u00e4p%', lower('\u01c4\U00010400')"),
            "true|\u01c6\U00010428");
}

TEST_F(FunctionsTest, ErrorsOfNumbers) {
  EXPECT_EQ(Of("127Y + 1Y"), "BINARY_ARITHMETIC_OVERFLOW");
  EXPECT_EQ(Of("-(-128Y)"), "ARITHMETIC_OVERFLOW");
  EXPECT_EQ(Of("1 % 0"), "REMAINDER_BY_ZERO");
  EXPECT_EQ(Of("1.5 % 0.0"), "REMAINDER_BY_ZERO");
  EXPECT_EQ(Of("1 / 0"), "DIVIDE_BY_ZERO");
  // The operand that is asked for first decides where it is NULL: of a division the divisor.
  EXPECT_EQ(ValuesOf(runner_, "SELECT a + b % 0 FROM VALUES (CAST(NULL AS INT), 1) AS t(a, b)"),
            "NULL");
  EXPECT_EQ(ValuesOf(runner_, "SELECT b % 0 + a FROM VALUES (CAST(NULL AS INT), 1) AS t(a, b)"),
            "REMAINDER_BY_ZERO");
  EXPECT_EQ(ValuesOf(runner_, "SELECT (b % 0) / a FROM VALUES (CAST(NULL AS INT), 1) AS t(a, b)"),
            "NULL");
  EXPECT_EQ(Of("repeat('a', 2.9), date_add(DATE '2024-01-01', 1S)"), "aa|2024-01-02");
  EXPECT_EQ(Of("date_add(DATE '2024-01-01', 1L)"), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
  EXPECT_EQ(Of("CAST(CAST('1.4E-45' AS FLOAT) AS STRING), round(-0.3D), acosh(1E308D) < 710"),
            "1.4E-45|0.0|true");
}

TEST_F(FunctionsTest, TimesInText) {
  EXPECT_EQ(Of("CAST('2024-03-31 02:30:00 Europe/Berlin' AS TIMESTAMP)"), "2024-03-31 01:30:00");
  EXPECT_EQ(Of("CAST('2024-10-27 02:30:00+01:00' AS TIMESTAMP_NTZ)"), "2024-10-27 02:30:00");
  EXPECT_EQ(Of("CAST('2024-01-01-05:00' AS TIMESTAMP)"), "CAST_INVALID_INPUT");
  EXPECT_EQ(Of("CAST('2024-01-01 12:00 Nowhere/City' AS TIMESTAMP)"), "CAST_INVALID_INPUT");
  EXPECT_EQ(Of("unix_timestamp('2024-01-01', 'yyyy-MM-dd')"), "1704067200");
  EXPECT_EQ(Of("unix_timestamp(TIMESTAMP '1969-12-31 23:59:58.5')"), "-1");
  EXPECT_EQ(
      ValuesOf(runner_,
               "SELECT count(*) FROM VALUES (TIMESTAMP '2024-01-01 00:00:00'), (NULL) AS t(a) "
               "GROUP BY window(a, '1 hour')"),
      "1");
}

TEST_F(FunctionsTest, SumsOfDecimals) {
  const std::string rows =
      " FROM VALUES (CAST('99999999999999999999.5' AS DECIMAL(38,18)), 1), (0.75, 2) AS t(n, i)";
  EXPECT_EQ(ValuesOf(runner_, "SELECT sum(n)" + rows), "NUMERIC_VALUE_OUT_OF_RANGE");
  EXPECT_EQ(ValuesOf(runner_, "SELECT try_sum(n), sum(n) FILTER (WHERE i = 2)" + rows),
            "NULL|0.750000000000000000");
  EXPECT_EQ(ValuesOf(runner_, "SELECT sum(n) OVER (ORDER BY i)" + rows),
            "NUMERIC_VALUE_OUT_OF_RANGE");
}

TEST_F(FunctionsTest, KeysAndSpreads) {
  const std::string rows = " FROM VALUES (0.0D, 1D), (-0.0D, DOUBLE('NaN')) AS t(a, b)";
  EXPECT_EQ(ValuesOf(runner_, "SELECT a, count(*)" + rows + " GROUP BY a"), "0.0|2");
  EXPECT_EQ(ValuesOf(runner_, "SELECT DISTINCT -a" + rows), "0.0");
  EXPECT_EQ(ValuesOf(runner_, "SELECT var_samp(b), stddev_pop(b), corr(a, b)" + rows),
            "NaN|NaN|NaN");
  EXPECT_EQ(ValuesOf(runner_, "SELECT corr(a, b), var_samp(b)" + rows + " WHERE b = 1"),
            "NULL|NULL");
}

TEST_F(FunctionsTest, ZerosAreOne) {
  const std::string rows = " FROM VALUES (0.0D), (-0.0D) AS t(a)";
  EXPECT_EQ(ValuesOf(runner_, "SELECT a" + rows + " UNION SELECT -a" + rows), "0.0");
  EXPECT_EQ(ValuesOf(runner_, "SELECT -a" + rows + " INTERSECT SELECT -0.0D"), "0.0");
  EXPECT_EQ(ValuesOf(runner_, "SELECT -0.0D EXCEPT ALL SELECT 1.0D"), "0.0");
  EXPECT_EQ(ValuesOf(runner_, "SELECT 0.0D AS a UNION ALL SELECT -0.0D"), "0.0,-0.0");
  EXPECT_EQ(ValuesOf(runner_, "SELECT DISTINCT array(-abs(a))" + rows), "[0.0]");
  EXPECT_EQ(ValuesOf(runner_, "SELECT collect_set(-abs(a))" + rows), "[0.0]");
}

TEST_F(FunctionsTest, TiesAndKeysOfAggregates) {
  const std::string rows =
      " FROM VALUES ('b', 1, 1), ('a', NULL, 2), ('b', 3, 3), ('a', 2, 4)"
      " AS t(c, k, i)";
  EXPECT_EQ(ValuesOf(runner_,
                     "SELECT mode(c, true), mode() WITHIN GROUP (ORDER BY c), "
                     "mode() WITHIN GROUP (ORDER BY c DESC)" +
                         rows),
            "a|a|b");
  // A NULL within a key is less than any value.
  EXPECT_EQ(ValuesOf(runner_, "SELECT max_by(i, struct(k, i)), min_by(i, struct(k, i))" + rows),
            "3|2");
  EXPECT_EQ(ValuesOf(runner_, "SELECT max_by(i, array(k)), min_by(i, array(k))" + rows), "3|2");
}

TEST_F(FunctionsTest, SpreadsThatOverflow) {
  const std::string rows = " FROM VALUES (1e308D, 1D), (-1e308D, 2D) AS t(a, b)";
  for (const char* function : {"stddev(a)", "var_pop(a)", "covar_samp(a, b)", "kurtosis(a)"})
    EXPECT_EQ(ValuesOf(runner_, std::string("SELECT ") + function + rows), "NOT_SUPPORTED_YET");
  EXPECT_EQ(ValuesOf(runner_, "SELECT kurtosis(b), var_pop(b)" + rows), "-2.0|0.25");
}

TEST_F(FunctionsTest, WiderDecimalsKeepTheirWholeDigits) {
  EXPECT_EQ(Of("typeof(coalesce(1.25, CAST(7 AS DECIMAL(38,0))))"), "decimal(38,0)");
  EXPECT_EQ(Of("typeof(coalesce(1.25, CAST(7 AS DECIMAL(37,1))))"), "decimal(38,2)");
  EXPECT_EQ(Of("asinh(-1234567.891D)"), "-14.719378761550036");
}

TEST_F(FunctionsTest, Encodings) {
  EXPECT_EQ(Of("hex(encode('', 'UTF-16')), hex(encode('a', 'UTF-16'))"), "|FEFF0061");
  EXPECT_EQ(Of("hex(encode('a\u00e9', 'UTF-16')), hex(encode('a', 'UTF-16LE'))"),
            "FEFF006100E9|6100");
  EXPECT_EQ(Of("decode(encode('\U0001F600', 'UTF-16BE'), 'UTF-16BE')"), "\U0001F600");
  EXPECT_EQ(Of("encode('\u00e9', 'US-ASCII')"), "MALFORMED_CHARACTER_CODING");
  EXPECT_EQ(Of("encode('a', 'nope')"), "INVALID_PARAMETER_VALUE.CHARSET");
  EXPECT_EQ(Of("decode(2, 1, 'one', 2, 'two', 'other'), decode(NULL, NULL, 'none'), "
               "decode(9, 1, 'one')"),
            "two|none|NULL");
  EXPECT_EQ(Of("is_valid_utf8(x'C3A9'), is_valid_utf8(x'C3'), try_validate_utf8(x'FF')"),
            "true|false|NULL");
  EXPECT_EQ(Of("validate_utf8(x'80')"), "INVALID_UTF8_STRING");
  EXPECT_EQ(Of("url_encode('a b+\u00e9'), url_decode('a+b%2B%C3%A9')"), "a+b%2B%C3%A9|a b+\u00e9");
  EXPECT_EQ(Of("url_decode('%zz')"), "CANNOT_DECODE_URL");
  EXPECT_EQ(Of("try_url_decode('%2')"), "NULL");
  EXPECT_EQ(Of("hex(to_binary('abc')), try_to_binary('xyz'), try_to_binary('a', 'base64')"),
            "0ABC|NULL|NULL");
}

TEST_F(FunctionsTest, Patterns) {
  EXPECT_EQ(Of("regexp_count('aaaa', 'aa'), regexp_count('', 'a'), regexp_count(NULL, 'a')"),
            "2|0|NULL");
  EXPECT_EQ(Of("regexp_extract_all('a1b22', '([a-z])([0-9]+)', 2)"), "[1, 22]");
  EXPECT_EQ(Of("regexp_extract_all('\u00e91\u00e92', '[0-9]', 0)"), "[1, 2]");
  EXPECT_EQ(Of("regexp_instr('\u00e9\u00e9x', 'x'), regexp_instr('a', 'x')"), "3|0");
  EXPECT_EQ(Of("regexp_substr('ab12', '[0-9]+'), regexp_substr('ab', '[0-9]+')"), "12|NULL");
  EXPECT_EQ(Of("regexp_count('ab', '^a')"), "NOT_SUPPORTED_YET");
  EXPECT_EQ(Of("'a%c' LIKE 'a/%c' ESCAPE '/', 'abc' LIKE 'a/%c' ESCAPE '/'"), "true|false");
}

TEST_F(FunctionsTest, Formats) {
  EXPECT_EQ(Of("format_string('%5d|%-5s|%05d|%x|%c', 42, 'ab', -7, 255, 65)"), "NOT_SUPPORTED_YET");
  EXPECT_EQ(Of("format_string('%5d|%-5s|%05d|%x', 42, 'ab', -7, 255)"), "   42|ab   |-0007|ff");
  EXPECT_EQ(Of("format_string('%.2f %,d %s %%', 2.345D, 1234567, CAST(NULL AS STRING))"),
            "2.35 1,234,567 null %");
  EXPECT_EQ(Of("format_string('%2$s %1$s', 'a', 'b')"), "b a");
  EXPECT_EQ(Of("format_number(1234567.891, 2), format_number(0.5, 0), format_number(-1234.5, "
               "'#,##0.00')"),
            "1,234,567.89|0|-1,234.50");
  EXPECT_EQ(Of("format_number(1, -1)"), "NULL");
  // No more digits than Double.toString has; rounding is that of the exact value.
  EXPECT_EQ(Of("format_number(1e23D, 1), format_number(9007199254740993L, 0)"),
            "100,000,000,000,000,000,000,000.0|9,007,199,254,740,993");
  EXPECT_EQ(Of("format_number(0.1D, 20), format_number(1.5e-10D, 12), format_number(1.005D, 2)"),
            "0.10000000000000000000|0.000000000150|1.00");
  EXPECT_EQ(Of("to_char(12454, '000G000'), to_char(-5, 'S99'), to_char(5, '9'), to_char(123, '9')"),
            "012,454| -5|5|#");
  EXPECT_EQ(Of("to_number('1,2', '9')"), "INVALID_FORMAT.MISMATCH_INPUT");
  EXPECT_EQ(Of("try_to_number('x', '9'), try_to_number('-5', 'S9')"), "NULL|-5");
}

TEST_F(FunctionsTest, DecimalsOfLongTexts) {
  const std::string digits(90, '7');
  EXPECT_EQ(Of("CAST('1." + digits + "' AS DECIMAL(10,2)), CAST('1" + std::string(80, '0') +
               "e-78' AS DECIMAL(10,2))"),
            "1.78|100.00");
  EXPECT_EQ(Of("try_cast('1e400' AS DECIMAL(38,0)), try_cast('1e-400' AS DECIMAL(38,0)), "
               "try_cast('0e50' AS DECIMAL(5,0)), try_cast('1e-10001' AS DECIMAL(5,2))"),
            "NULL|0|NULL|0.00");
  EXPECT_EQ(Of("CAST('1e10001' AS DECIMAL(5,2))"), "NUMERIC_VALUE_OUT_OF_RANGE");
  EXPECT_EQ(Of("CAST('1" + digits + "x' AS DECIMAL(5,2))"), "CAST_INVALID_INPUT");
}

TEST_F(FunctionsTest, DatesOfCsvBeyondTheClock) {
  EXPECT_EQ(Of("from_csv('2022845-01-01', 'a DATE').a IS NULL, "
               "from_csv('+400000-01-01', 'a TIMESTAMP').a IS NULL"),
            "false|true");
}

TEST_F(FunctionsTest, Numbers) {
  EXPECT_EQ(Of("factorial(20), factorial(21), factorial(-1)"), "2432902008176640000|NULL|NULL");
  EXPECT_EQ(Of("bin(-1), bin(0), bin(13)"),
            "1111111111111111111111111111111111111111111111111111111111111111|0|1101");
  EXPECT_EQ(Of("conv('ff', 16, 10), conv('-1', 10, 16), conv('zz', 36, 2), conv('1', 1, 10)"),
            "255|FFFFFFFFFFFFFFFF|10100001111|NULL");
  EXPECT_EQ(Of("conv('99999999999999999999', 10, 16)"), "ARITHMETIC_OVERFLOW");
  EXPECT_EQ(Of("width_bucket(1, 5, 5, 3), width_bucket(5.0, 0.0, 10.0, 2)"), "NULL|2");
  EXPECT_EQ(Of("bit_get(-1, 63)"), "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE");
  EXPECT_EQ(Of("bit_get(-1L, 63), bit_get(4, 1)"), "1|0");
  EXPECT_EQ(Of("ceil(-1.55, 1), floor(-1.55, 1), floor(3.14159D, 2)"), "-1.5|-1.6|3.14");
}

// The values of Spark's own documentation and tests.
TEST_F(FunctionsTest, Hashes) {
  EXPECT_EQ(Of("hash('Spark', array(123), 2), hash(NULL), hash(1), hash(1L)"),
            "-1321691492|42|-559580957|-1712319331");
  EXPECT_EQ(Of("xxhash64('Spark', array(123), 2), xxhash64(NULL)"), "5602566077635097486|42");
  EXPECT_EQ(Of("hash(-0.0D) = hash(0.0D), hash(map(1, 2))"), "DATATYPE_MISMATCH.HASH_MAP_TYPE");
}

TEST_F(FunctionsTest, Json) {
  EXPECT_EQ(Of("get_json_object('{\"a\":[{\"b\":1},{\"b\":2.50}]}', '$.a[*].b')"), "[1,2.5]");
  EXPECT_EQ(Of("get_json_object('{\"a\":{\"b\":\"x\\\\ny\"}}', '$.a.b')"), "x\ny");
  EXPECT_EQ(Of("get_json_object('{\"a\":null}', '$.a'), get_json_object('{\"a\"', '$.a'), "
               "get_json_object('{}', 'a')"),
            "NULL|NULL|NULL");
  EXPECT_EQ(Of("get_json_object('{\"a b\":[10,20]}', '$[\\'a b\\'][1]')"), "20");
  EXPECT_EQ(Of("json_array_length('{}'), json_array_length('[]')"), "NULL|0");
  EXPECT_EQ(Of("json_object_keys('{\"a\":1,\"b\":{\"c\":2}}'), json_object_keys('[]')"),
            "[a, b]|NULL");
  EXPECT_EQ(ValuesOf(runner_, "SELECT json_tuple('{\"a\":\"x\",\"b\":{\"c\":1}}', 'a', 'b', 'z')"),
            "x|{\"c\":1}|NULL");
  EXPECT_EQ(Of("schema_of_json('{\"b\":[1,2.5],\"a\":null}')"),
            "STRUCT<a: STRING, b: ARRAY<DOUBLE>>");
  EXPECT_EQ(Of("from_json('{\"a\":1}', 'a INT').a, from_json('[1]', 'ARRAY<INT>')"),
            "NOT_SUPPORTED_YET");
  EXPECT_EQ(Of("to_json(named_struct('a', 1, 'b', CAST(NULL AS INT)))"), "{\"a\":1}");
}

TEST_F(FunctionsTest, Variants) {
  const std::string doc = "parse_json('{\"b\":{\"c\":[1,2.50,\"x\"]},\"a\":null,\"n\":1e2}')";
  auto of = [&](const std::string& items) {
    return ValuesOf(runner_, "SELECT " + items + " FROM (SELECT " + doc + " AS v)");
  };
  EXPECT_EQ(of("v:b.c[0]::int, v:b.c[1]::string, v:b.c[1]::int, v:b.c[2]::string, v:n::double"),
            "1|2.5|2|x|100.0");
  EXPECT_EQ(of("v:a::int, v:b.zz::int, v:['b']['c'][9]::string"), "NULL|NULL|NULL");
  EXPECT_EQ(of("v:b.c[2]::int"), "INVALID_VARIANT_CAST");
  EXPECT_EQ(
      of("try_variant_get(v, '$.b.c[2]', 'int'), is_variant_null(v:a), is_variant_null(v:zz)"),
      "NULL|true|false");
  EXPECT_EQ(of("variant_get(v, '$.b', 'STRUCT<c: ARRAY<STRING>>')"), "{[1, 2.5, x]}");
  EXPECT_EQ(of("v:b::string"), "{\"c\":[1,2.5,\"x\"]}");
  EXPECT_EQ(of("variant_get(v, 'b', 'int')"), "INVALID_VARIANT_GET_PATH");
  EXPECT_EQ(Of("parse_json('{')"), "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION");
  EXPECT_EQ(Of("parse_json('{\"a\":1,\"a\":2}')"), "VARIANT_DUPLICATE_KEY");
  EXPECT_EQ(Of("try_parse_json('{') IS NULL, try_parse_json(NULL) IS NULL"), "true|true");
  EXPECT_EQ(ValuesOf(runner_,
                     "SELECT pos, key, value::string FROM variant_explode(parse_json("
                     "'{\"b\":1,\"a\":\"t\"}'))"),
            "0|a|t,1|b|1");
}

TEST_F(FunctionsTest, Urls) {
  const std::string url = "'http://u:p@www.Example.com:8080/a/b.html?k=v&q=1%202#frag'";
  EXPECT_EQ(Of("parse_url(" + url + ", 'HOST'), parse_url(" + url + ", 'PATH'), parse_url(" + url +
               ", 'QUERY', 'q'), parse_url(" + url + ", 'REF'), parse_url(" + url +
               ", 'FILE'), parse_url(" + url + ", 'AUTHORITY'), parse_url(" + url +
               ", 'USERINFO'), parse_url(" + url + ", 'PROTOCOL')"),
            "www.Example.com|/a/b.html|1%202|frag|/a/b.html?k=v&q=1%202|u:p@www.Example.com:8080|"
            "u:p|http");
  EXPECT_EQ(Of("parse_url('http://a b', 'HOST')"), "INVALID_URL");
  EXPECT_EQ(Of("try_parse_url('http://a b', 'HOST'), parse_url('http://under_score/x', 'HOST'), "
               "parse_url('mailto:a@b', 'PATH'), parse_url('http://h', 'nope')"),
            "NULL|NULL|NULL|NULL");
}

TEST_F(FunctionsTest, Csv) {
  EXPECT_EQ(Of("from_csv('1,\"a,b\",x', 'a INT, b STRING, c INT, d INT')"), "{1, a,b, null, null}");
  EXPECT_EQ(Of("from_csv('a;b', 'x STRING, y STRING', map('sep', ';'))"), "{a, b}");
  EXPECT_EQ(Of("to_csv(named_struct('a', 'x,y', 'b', CAST(NULL AS INT), 'c', 1.5D))"),
            "\"x,y\",,1.5");
  EXPECT_EQ(Of("schema_of_csv('1,1.5,2024-01-01,true,99999999999')"),
            "STRUCT<_c0: INT, _c1: DOUBLE, _c2: DATE, _c3: BOOLEAN, _c4: BIGINT>");
}

TEST_F(FunctionsTest, Times) {
  EXPECT_EQ(Of("from_utc_timestamp(TIMESTAMP'2024-07-01 12:00:00', 'Europe/Berlin'), "
               "to_utc_timestamp(TIMESTAMP'2024-01-01 12:00:00', 'Europe/Berlin')"),
            "2024-07-01 14:00:00|2024-01-01 11:00:00");
  EXPECT_EQ(Of("from_utc_timestamp(TIMESTAMP'2024-07-01 12:00:00', 'Mars')"), "INVALID_TIMEZONE");
  EXPECT_EQ(Of("months_between(DATE'2024-02-29', DATE'2024-01-31'), "
               "months_between(TIMESTAMP'1997-02-28 10:30:00', TIMESTAMP'1996-10-30 00:00:00')"),
            "1.0|3.94959677");
  EXPECT_EQ(Of("timestampadd(MONTH, 1, TIMESTAMP'2024-01-31 10:00:00'), "
               "timestampdiff(MONTH, TIMESTAMP'2024-01-31 00:00:00', TIMESTAMP'2024-02-29 "
               "00:00:00'), dateadd(HOUR, 2, TIMESTAMP'2024-01-01 23:00:00')"),
            "2024-02-29 10:00:00|0|2024-01-02 01:00:00");
  EXPECT_EQ(Of("timestampadd(YEAR, 999999999999, TIMESTAMP'2024-01-31 10:00:00')"),
            "DATETIME_OVERFLOW");
  EXPECT_EQ(Of("make_timestamp(2024, 2, 30, 0, 0, 0)"),
            "DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION");
  EXPECT_EQ(Of("try_make_timestamp(2024, 2, 30, 0, 0, 0), make_timestamp(2024, 3, 31, 2, 30, 0, "
               "'Europe/Berlin')"),
            "NULL|2024-03-31 01:30:00");
  EXPECT_EQ(Of("make_timestamp_ntz(-1, 1, 1, 0, 0, 59.999999)"), "-0001-01-01 00:00:59.999999");
  EXPECT_EQ(Of("time_bucket(INTERVAL '15' MINUTE, TIMESTAMP'1969-12-31 23:59:00')"),
            "1969-12-31 23:45:00");
  EXPECT_EQ(Of("date_part('hour', INTERVAL '-1 02:03:04.5' DAY TO SECOND), date_part('second', "
               "INTERVAL '-1 02:03:04.5' DAY TO SECOND)"),
            "-2|-4.500000");
  EXPECT_EQ(Of("make_ym_interval(2147483647)"), "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION");
}

TEST_F(FunctionsTest, Ciphers) {
  EXPECT_EQ(Of("CAST(aes_decrypt(aes_encrypt('Spark', '0000111122223333', 'ECB'), "
               "'0000111122223333', 'ECB') AS STRING)"),
            "Spark");
  EXPECT_EQ(Of("aes_encrypt('a', 'short', 'ECB')"), "INVALID_PARAMETER_VALUE.AES_KEY_LENGTH");
  EXPECT_EQ(Of("aes_encrypt('a', '0000111122223333')"), "NOT_SUPPORTED_YET");
  EXPECT_EQ(Of("try_aes_decrypt(x'00', '0000111122223333')"), "NULL");
}

TEST_F(FunctionsTest, Misc) {
  EXPECT_EQ(Of("assert_true(1 < 2)"), "NULL");
  EXPECT_EQ(Of("assert_true(CAST(NULL AS BOOLEAN), 'no')"), "USER_RAISED_EXCEPTION");
  EXPECT_EQ(Of("bitmap_bucket_number(-1), bitmap_bit_position(0), bitmap_count(x'FF01')"), "0|0|9");
}

TEST_F(FunctionsTest, Aggregates) {
  const std::string rows = " FROM VALUES (1, 'a'), (2, 'b'), (NULL, 'c'), (4, NULL) AS t(x, s)";
  auto aggregate = [&](const std::string& call) {
    return ValuesOf(runner_, "SELECT " + call + rows);
  };
  EXPECT_EQ(aggregate("percentile(x, 0.5), percentile(x, array(0.0, 1.0)), median(x)"),
            "2.0|[1.0, 4.0]|2.0");
  EXPECT_EQ(aggregate("percentile_cont(0.5) WITHIN GROUP (ORDER BY x DESC), percentile_disc(0.5) "
                      "WITHIN GROUP (ORDER BY x)"),
            "2.0|2.0");
  EXPECT_EQ(aggregate("listagg(s, '-'), listagg(s, '-') WITHIN GROUP (ORDER BY s DESC), "
                      "string_agg(s) FILTER (WHERE x > 1)"),
            "a-b-c|c-b-a|b");
  EXPECT_EQ(aggregate("max_by(s, x, 2), min_by(s, x, 1)"), "[null, b]|[a]");
  EXPECT_EQ(aggregate("regr_count(x, x), regr_slope(x, x), regr_r2(1, x)"), "3|1.0|1.0");
  EXPECT_EQ(aggregate("round(skewness(x), 9), round(kurtosis(x), 9)"), "0.381801774|-1.5");
  EXPECT_EQ(ValuesOf(runner_, "SELECT try_sum(x) FROM VALUES (9223372036854775807L), (1L) AS t(x)"),
            "NULL");
  EXPECT_EQ(ValuesOf(runner_,
                     "SELECT percentile(x, 0.5), skewness(x), listagg(s) FROM VALUES "
                     "(CAST(NULL AS INT), CAST(NULL AS STRING)) AS t(x, s)"),
            "NULL|NULL|NULL");
  EXPECT_EQ(aggregate("percentile(x, 1.5)"), "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE");
}

}  // namespace
}  // namespace sluice::sql
