#include "codec/json_decoder.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/json_exact_reader.h"
#include "codec/json_fast_reader.h"
#include "codec/json_writer.h"

namespace sluice::codec {
namespace {

std::shared_ptr<arrow::DataType> Timestamp() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

std::shared_ptr<arrow::DataType> EventType() {
  return arrow::struct_(
      {arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8()),
       arrow::field("time", Timestamp()), arrow::field("amount", arrow::decimal128(12, 2)),
       arrow::field("tags", arrow::list(arrow::utf8())),
       arrow::field("props", arrow::map(arrow::utf8(), arrow::utf8())),
       arrow::field("pos", arrow::struct_({arrow::field("x", arrow::float64()),
                                           arrow::field("y", arrow::float64())}))});
}

std::shared_ptr<arrow::Array> Documents(const std::vector<std::string>& documents) {
  arrow::BinaryBuilder builder;
  EXPECT_TRUE(builder.AppendValues(documents).ok());
  return builder.Finish().ValueOrDie();
}

std::string Json(const arrow::Array& values, int64_t row) {
  std::string text;
  EXPECT_TRUE(AppendValueJson(values, row, &text, {.ignore_null_fields = false}).ok());
  return text;
}

std::unique_ptr<JsonDecoder> Make(std::shared_ptr<arrow::DataType> type,
                                  std::shared_ptr<arrow::DataType> used = nullptr,
                                  JsonDecoderOptions options = {}) {
  return JsonDecoder::Make(std::move(type), std::move(used), std::move(options)).ValueOrDie();
}

TEST(JsonDecoderTest, DecodesPlainDocuments) {
  auto decoder = Make(EventType());
  const std::string document =
      R"({"id":7,"name":"a\u00e9\n","time":"2024-03-01T12:00:00.5+01:00","amount":12.345,)"
      R"("tags":["p",null,"q"],"props":{"k":"v","n":1},"pos":{"y":2.5}})";
  auto out = decoder->Decode(*Documents({document, "", "{}"})).ValueOrDie();
  ASSERT_TRUE(out->ValidateFull().ok());
  EXPECT_EQ(Json(*out, 0),
            "{\"id\":7,\"name\":\"a\u00e9\\n\",\"time\":\"2024-03-01T11:00:00.500Z\","
            "\"amount\":12.35,\"tags\":[\"p\",null,\"q\"],\"props\":{\"k\":\"v\",\"n\":\"1\"},"
            "\"pos\":{\"x\":null,\"y\":2.5}}");
  EXPECT_TRUE(out->IsNull(1));
  EXPECT_TRUE(out->IsValid(2));
  EXPECT_EQ(decoder->malformed_documents(), 0);
}

TEST(JsonDecoderTest, UsedFieldsOnlyAreBuiltAndJudged) {
  const auto used =
      arrow::struct_({arrow::field("pos", arrow::struct_({arrow::field("y", arrow::float64())})),
                      arrow::field("id", arrow::int64())});
  auto decoder = Make(EventType(), used);
  const auto documents = Documents({R"({"id":1,"name":{"any":[1]},"pos":{"x":"bad","y":1}})"});
  auto out = decoder->Decode(*documents).ValueOrDie();
  EXPECT_TRUE(out->type()->Equals(*used));
  EXPECT_EQ(Json(*out, 0), R"({"pos":{"y":1.0},"id":1})");
  EXPECT_EQ(decoder->malformed_documents(), 0);
  // With a corrupt record column every field of the schema counts.
  const auto full =
      arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::int32()),
                      arrow::field("_corrupt_record", arrow::utf8())});
  const auto some = arrow::struct_({full->field(1), full->field(2)});
  auto strict = Make(full, some);
  auto judged = strict->Decode(*Documents({R"({"a":"x","b":2})", R"({"a":1,"b":2})"})).ValueOrDie();
  EXPECT_TRUE(judged->type()->Equals(*some));
  EXPECT_EQ(Json(*judged, 0), R"({"b":2,"_corrupt_record":"{\"a\":\"x\",\"b\":2}"})");
  EXPECT_EQ(Json(*judged, 1), R"({"b":2,"_corrupt_record":null})");
  EXPECT_EQ(strict->malformed_documents(), 1);
}

TEST(JsonDecoderTest, ModesTreatMalformedDocuments) {
  const auto type = arrow::struct_({arrow::field("a", arrow::int32())});
  const auto documents = Documents({R"({"a":1})", R"({"a":)", R"({"a":3})"});
  auto dropping = Make(type, nullptr, {.mode = ParseMode::kDropMalformed});
  auto out = dropping->Decode(*documents).ValueOrDie();
  EXPECT_TRUE(out->IsValid(0));
  EXPECT_TRUE(out->IsNull(1));
  auto failing = Make(type, nullptr, {.mode = ParseMode::kFailFast});
  EXPECT_EQ(ErrorCode(failing->Decode(*documents).status()), "JSON_MALFORMED_RECORD");
  // A decoder goes on after an error.
  EXPECT_EQ(failing->Decode(*documents->Slice(2)).ValueOrDie()->length(), 1);
}

TEST(JsonDecoderTest, TakesEveryFormOfBytes) {
  auto decoder = Make(arrow::struct_({arrow::field("a", arrow::int32())}));
  arrow::LargeStringBuilder large;
  ASSERT_TRUE(large.Append(R"({"a":1})").ok());
  ASSERT_TRUE(large.AppendNull().ok());
  auto out = decoder->Decode(*large.Finish().ValueOrDie()).ValueOrDie();
  EXPECT_EQ(Json(*out, 0), R"({"a":1})");
  EXPECT_TRUE(out->IsNull(1));
  arrow::Int32Builder numbers;
  EXPECT_EQ(ErrorCode(decoder->Decode(*numbers.Finish().ValueOrDie()).status()),
            "JSON_UNSUPPORTED_SCHEMA");
}

TEST(JsonDecoderTest, LargeDocuments) {
  auto decoder =
      Make(arrow::struct_({arrow::field("s", arrow::utf8()), arrow::field("a", arrow::int32())}));
  const std::string inside(15'000'000, 'x');
  const std::string document =
      "{\"s\":\"" + inside + "\",\"z\":[" + std::string(20'000'000, ' ') + "],\"a\":1}";
  auto out = decoder->Decode(*Documents({document, R"({"a":2})"})).ValueOrDie();
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*out->field(0)).value_length(0), 15'000'000);
  EXPECT_EQ(static_cast<const arrow::Int32Array&>(*out->field(1)).Value(1), 2);
}

// Spark's limit: the string is refused, the fields behind it are read; a skipped string has none.
TEST(JsonDecoderTest, StringsHaveALimit) {
  const auto type =
      arrow::struct_({arrow::field("s", arrow::utf8()), arrow::field("a", arrow::int32())});
  const auto documents = Documents({"{\"s\":\"" + std::string(20'000'001, 'x') + "\",\"a\":1}"});
  auto decoder = Make(type);
  EXPECT_EQ(Json(*decoder->Decode(*documents).ValueOrDie(), 0), R"({"s":null,"a":1})");
  EXPECT_EQ(decoder->malformed_documents(), 1);
  auto skipping = Make(type, arrow::struct_({type->field(1)}));
  EXPECT_EQ(Json(*skipping->Decode(*documents).ValueOrDie(), 0), R"({"a":1})");
  EXPECT_EQ(skipping->malformed_documents(), 0);
}

TEST(JsonDecoderTest, NestingIsBounded) {
  auto decoder = Make(arrow::struct_({arrow::field("s", arrow::utf8())}));
  const std::string deep(1'000'000, '[');
  auto out =
      decoder->Decode(*Documents({"{\"s\":" + deep + "}", "{\"z\":" + deep + "}"})).ValueOrDie();
  EXPECT_EQ(Json(*out, 0), R"({"s":null})");
}

TEST(JsonDecoderTest, OptionsAndSchemasAreChecked) {
  EXPECT_EQ(ErrorCode(JsonDecoderOptions::FromMap({{"allowComments", "maybe"}}).status()),
            "JSON_INVALID_OPTION");
  EXPECT_EQ(ErrorCode(JsonDecoderOptions::FromMap({{"MODE", "DROPMALFORMED"}}).status()),
            "JSON_INVALID_OPTION");
  const auto type = arrow::struct_({arrow::field("t", Timestamp())});
  EXPECT_EQ(ErrorCode(JsonDecoder::Make(type, nullptr, {.timestamp_format = "QQ"}).status()),
            "JSON_INVALID_OPTION");
  EXPECT_EQ(ErrorCode(JsonDecoder::Make(type, nullptr, {.time_zone = "No/Where"}).status()),
            "JSON_INVALID_OPTION");
  EXPECT_EQ(ErrorCode(JsonDecoder::Make(arrow::int32(), nullptr, {}).status()),
            "JSON_UNSUPPORTED_SCHEMA");
  const auto odd = arrow::struct_({arrow::field("u", arrow::uint8())});
  EXPECT_EQ(ErrorCode(JsonDecoder::Make(odd, nullptr, {}).status()), "JSON_UNSUPPORTED_SCHEMA");
  EXPECT_EQ(ErrorCode(JsonDecoder::Make(type, odd, {}).status()), "JSON_UNSUPPORTED_SCHEMA");
}

// What the fast reader takes reads the same in the exact one, also behind documents of other
// shapes.
TEST(JsonReadersTest, AgreeOnRandomDocuments) {
  const auto type = EventType();
  const JsonNode root = JsonNode::Make(*type).ValueOrDie();
  const JsonDecoderOptions options;
  const auto times = TimeReader::Make(options).ValueOrDie();
  JsonFastReader fast(root, options, times);
  JsonExactReader exact(root, options, times);
  const std::vector<std::string> pieces = {"\"id\":",
                                           "\"name\":",
                                           "\"time\":",
                                           "\"amount\":",
                                           "\"tags\":",
                                           "\"props\":",
                                           "\"pos\":",
                                           "\"x\":",
                                           "\"y\": ",
                                           " \"zz\" : ",
                                           "{",
                                           "}",
                                           "[",
                                           "]",
                                           ",",
                                           ",",
                                           "1",
                                           "-0",
                                           "12.50",
                                           "1e3",
                                           "0.1e-2",
                                           "123456789012345678901",
                                           "null",
                                           "true",
                                           "false",
                                           "\"\"",
                                           "\"text\"",
                                           "\"a\\\"b\\u00e9\\\\\"",
                                           "\"\\ud83d\\ude00\"",
                                           "\"\\ud83d\"",
                                           "\"2024-03-01T00:00:00Z\"",
                                           "\"2024-03-01\"",
                                           "\"1.5\"",
                                           "\"caf\xC3\xA9\"",
                                           "\"\xC3\"",
                                           " ",
                                           "\n",
                                           "\"k\":",
                                           "{}",
                                           "[]",
                                           "{\"a\":1}",
                                           "[\"p\",\"q\"]",
                                           "\"0123456789012345678901234567890123456789\"",
                                           "{\"x\":1.5,\"y\":-2}"};
  const uint64_t seed = 20240301;
  Random random(seed);
  int taken = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string document = "{";
    const uint64_t length = random.Below(14);
    for (uint64_t j = 0; j < length; ++j) {
      if (random.Below(3) != 0) {  // mostly well-formed members
        document += document.back() == '{' ? "" : ",";
        document += pieces[random.Below(10)] + pieces[16 + random.Below(pieces.size() - 16)];
      } else if (random.OneIn(4)) {
        document += pieces[random.Below(pieces.size())];
      }
    }
    document += "}";
    const std::string padded =
        document + std::string(JsonFastReader::kPadding, i % 2 == 0 ? '\0' : '"');
    JsonColumn column(type, JsonKind::kStruct);
    if (!fast.Read(std::string_view(padded).substr(0, document.size()), 0, &column)) continue;
    ++taken;
    JsonValue row;
    ASSERT_EQ(exact.Read(document, 0, &row), DocumentState::kOk) << document << " seed " << seed;
    row.is_null = false;
    JsonColumn expected(type, JsonKind::kStruct);
    AppendJsonValue(root, row, &expected);
    const auto read = column.Finish();
    ASSERT_TRUE(read->ValidateFull().ok());
    ASSERT_TRUE(read->Equals(*expected.Finish(), arrow::EqualOptions().signed_zeros_equal(false)))
        << document << " seed " << seed;
  }
  EXPECT_GT(taken, 5000);
}

TEST(JsonWriterTest, PrintsRowsAsSpark) {
  auto decoder = Make(EventType());
  auto out = decoder->Decode(*Documents({R"({"id":1,"tags":[],"pos":{}})", "[]"})).ValueOrDie();
  const auto rows = arrow::RecordBatch::FromStructArray(out).ValueOrDie();
  const auto texts = RowsToJson(*rows).ValueOrDie();
  EXPECT_EQ(texts->GetString(0), R"({"id":1,"tags":[],"pos":{}})");
  EXPECT_EQ(texts->GetString(1), "{}");
  const auto values = ValuesToJson(*out->field(6)).ValueOrDie();
  EXPECT_EQ(values->GetString(0), "{}");
  EXPECT_TRUE(values->IsNull(1));
}

}  // namespace
}  // namespace sluice::codec
