#include "state/row_encoder.h"

#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace sluice::state {
namespace {

std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                       const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

const std::shared_ptr<arrow::DataType> kMicros = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");

TEST(RowEncoder, DecodesWhatItEncoded) {
  const arrow::ArrayVector columns = {
      FromJson(arrow::utf8(), R"(["a", null, "", "long text with more than a few bytes", "a"])"),
      FromJson(arrow::int32(), "[1, 2, null, -4, 1]"),
      FromJson(kMicros, "[0, 1, 2, null, 0]"),
      FromJson(arrow::boolean(), "[true, false, null, true, true]"),
      FromJson(arrow::decimal128(20, 2),
               R"(["1.00", "-2.50", null, "99999999999999999.99", "1.00"])"),
      FromJson(arrow::float64(), "[1.5, null, 3, -4, 1.5]"),
      FromJson(arrow::struct_({arrow::field("x", arrow::int8()), arrow::field("y", arrow::utf8())}),
               R"([[1, "p"], null, [null, "q"], [2, null], [1, "p"]])"),
      FromJson(arrow::list(arrow::utf8()), R"([["a", "b"], [], null, [null], ["a", "b"]])"),
      FromJson(arrow::binary(), R"(["x", null, "", "yy", "x"])"),
      FromJson(arrow::null(), "[null, null, null, null, null]"),
  };
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const auto& column : columns) types.push_back(column->type());
  RowEncoder encoder = RowEncoder::Make(types).ValueOrDie();
  ASSERT_TRUE(encoder.Encode(columns, 0, 5).ok());
  std::vector<std::string_view> rows;
  for (int64_t i = 0; i < encoder.num_rows(); ++i) rows.push_back(encoder.Row(i));
  EXPECT_EQ(rows[0], rows[4]);
  EXPECT_EQ((std::set<std::string_view>(rows.begin(), rows.end()).size()), 4U);
  const arrow::ArrayVector decoded = encoder.Decode(rows).ValueOrDie();
  for (size_t c = 0; c < columns.size(); ++c) {
    EXPECT_TRUE(decoded[c]->Equals(*columns[c])) << decoded[c]->ToString();
    EXPECT_TRUE(decoded[c]->ValidateFull().ok());
  }
  // Sliced input encodes the same.
  arrow::ArrayVector slices;
  for (const auto& column : columns) slices.push_back(column->Slice(3, 2));
  RowEncoder other = RowEncoder::Make(types).ValueOrDie();
  ASSERT_TRUE(other.Encode(slices, 0, 2).ok());
  EXPECT_EQ(other.Row(0), rows[3]);
  EXPECT_EQ(other.Row(1), rows[4]);
}

TEST(RowEncoder, NeighbouringColumnsDoNotRunTogether) {
  RowEncoder encoder = RowEncoder::Make({arrow::utf8(), arrow::utf8()}).ValueOrDie();
  const arrow::ArrayVector columns = {FromJson(arrow::utf8(), R"(["ab", "a", null, ""])"),
                                      FromJson(arrow::utf8(), R"(["c", "bc", "", null])")};
  std::vector<Hash128> hashes;
  ASSERT_TRUE(encoder.HashAll(columns, 4, &hashes).ok());
  EXPECT_EQ(std::set<Hash128>(hashes.begin(), hashes.end()).size(), 4U);
}

TEST(RowEncoder, ZerosAndNansAreOneKey) {
  arrow::DoubleBuilder builder;
  ASSERT_TRUE(builder.AppendValues({0.0, -0.0, std::nan("1"), -std::nan("2"), 1.0}).ok());
  RowEncoder encoder = RowEncoder::Make({arrow::float64()}).ValueOrDie();
  std::vector<Hash128> hashes;
  ASSERT_TRUE(encoder.HashAll({builder.Finish().ValueOrDie()}, 5, &hashes).ok());
  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_EQ(hashes[2], hashes[3]);
  EXPECT_NE(hashes[0], hashes[4]);
}

TEST(RowEncoder, MapsAreNoKeys) {
  EXPECT_TRUE(HasCode(RowEncoder::Make({arrow::map(arrow::utf8(), arrow::utf8())}).status(),
                      "UNSUPPORTED_KEY_TYPE"));
}

TEST(RowEncoder, RefusesForeignBytes) {
  RowEncoder encoder = RowEncoder::Make({arrow::utf8(), arrow::int64()}).ValueOrDie();
  for (const std::string bytes : {"", "\x01", "\x01\xff\xff\xff\x7f", "\x02", "\x00\x00\x00"}) {
    const std::string_view row = bytes;
    EXPECT_TRUE(HasCode(encoder.Decode(std::span(&row, 1)).status(), "STATE_CORRUPT"));
  }
}

}  // namespace
}  // namespace sluice::state
