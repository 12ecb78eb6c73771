#include "delta/protocol/partition_value.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "delta/protocol/number_text.h"
#include "delta/protocol/time_text.h"

namespace sluice::delta {
namespace {

void ExpectRoundTrip(const std::shared_ptr<arrow::Scalar>& value, const std::string& text) {
  const auto written = PartitionValueToString(*value).ValueOrDie();
  EXPECT_EQ(written, text);
  const auto read = PartitionValueFromString(written, value->type).ValueOrDie();
  EXPECT_TRUE(read->Equals(*value)) << text << " read as " << read->ToString();
}

TEST(PartitionValueTest, RoundTripsTypes) {
  const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  ExpectRoundTrip(arrow::MakeScalar(int64_t{-5}), "-5");
  ExpectRoundTrip(arrow::MakeScalar(int8_t{7}), "7");
  ExpectRoundTrip(arrow::MakeScalar(true), "true");
  ExpectRoundTrip(arrow::MakeScalar(1.5), "1.5");
  ExpectRoundTrip(arrow::MakeScalar(100.0), "100.0");
  ExpectRoundTrip(arrow::MakeScalar("a/b=%"), "a/b=%");
  ExpectRoundTrip(std::make_shared<arrow::Date32Scalar>(-1), "1969-12-31");
  ExpectRoundTrip(std::make_shared<arrow::TimestampScalar>(-1, utc), "1969-12-31T23:59:59.999999Z");
  ExpectRoundTrip(std::make_shared<arrow::TimestampScalar>(253402300799999999, utc),
                  "9999-12-31T23:59:59.999999Z");
  ExpectRoundTrip(
      std::make_shared<arrow::TimestampScalar>(0, arrow::timestamp(arrow::TimeUnit::MICRO)),
      "1970-01-01 00:00:00.000000");
  ExpectRoundTrip(
      std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(-5), arrow::decimal128(9, 3)),
      "-0.005");
}

TEST(PartitionValueTest, NullsAndBadTexts) {
  EXPECT_EQ(PartitionValueToString(*arrow::MakeScalar("")).ValueOrDie(), std::nullopt);
  EXPECT_FALSE(PartitionValueFromString("", arrow::int32()).ValueOrDie()->is_valid);
  EXPECT_FALSE(PartitionValueFromString(std::nullopt, arrow::utf8()).ValueOrDie()->is_valid);
  EXPECT_FALSE(PartitionValueFromString("x", arrow::int32()).ok());
  EXPECT_FALSE(PartitionValueFromString("2024-13-01", arrow::date32()).ok());
}

TEST(PartitionValueTest, PathsAreEscapedOnceAndOnce) {
  EXPECT_EQ(HiveFolder("p", "a b/%:=x"), "p=a b%2F%25%3A%3Dx");
  EXPECT_EQ(HiveFolder("p", std::nullopt), "p=__HIVE_DEFAULT_PARTITION__");
  const std::string path = "p=a b%2F%25/\xC3\xA9.parquet";
  EXPECT_EQ(EncodePath(path), "p=a%20b%252F%2525/%C3%A9.parquet");
  EXPECT_EQ(DecodePath(EncodePath(path)), path);
  EXPECT_EQ(ResolvePath("/t", "x%20y"), "/t/x y");
  EXPECT_EQ(ResolvePath("/t", "file:///a/b%20c"), "/a/b c");
  EXPECT_EQ(ResolvePath("/t", "file:/a"), "/a");
  EXPECT_EQ(ResolvePath("/t", "s3://b/c"), "s3://b/c");
  EXPECT_EQ(ResolvePath("/t", "/abs"), "/abs");
}

TEST(TimeTextTest, AcceptsTheFormsOfTheProtocol) {
  EXPECT_EQ(ParseMicros("2024-01-01 00:00:00"), 1704067200000000);
  EXPECT_EQ(ParseMicros("2024-01-01T00:00:00.5Z"), 1704067200500000);
  EXPECT_EQ(ParseMicros("2024-01-01T02:00:00+02:00"), 1704067200000000);
  EXPECT_EQ(ParseMicros("2024-01-01"), 1704067200000000);
  EXPECT_EQ(ParseMicros("nonsense"), std::nullopt);
  EXPECT_EQ(FormatDate(-719162), "0001-01-01");
  EXPECT_EQ(FormatMillis(-1), "1969-12-31T23:59:59.999");
  for (int64_t days = -800000; days < 800000; days += 373)
    EXPECT_EQ(ParseDate(FormatDate(days)), days);
}

TEST(NumberTextTest, DecimalsKeepTheirScale) {
  EXPECT_EQ(FormatDecimal(arrow::Decimal128(0), 2), "0.00");
  EXPECT_EQ(FormatDecimal(arrow::Decimal128(-12345), 0), "-12345");
  EXPECT_EQ(ParseDecimal("1.50", 1), arrow::Decimal128(15));
  EXPECT_EQ(ParseDecimal("1.55", 1), std::nullopt);
  EXPECT_EQ(FormatDouble(-0.0), "-0.0");
}

}  // namespace
}  // namespace sluice::delta
