#include "delta/protocol/schema_json.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace sluice::delta {
namespace {

TEST(SchemaJsonTest, RoundTripsNestedTypesAndMetadata) {
  const std::string json =
      R"j({"type":"struct","fields":[)j"
      R"j({"name":"a","type":"long","nullable":false,"metadata":{"comment":"c","delta.columnMapping.id":4}},)j"
      R"j({"name":"d","type":"decimal(18,2)","nullable":true,"metadata":{}},)j"
      R"j({"name":"t","type":"timestamp","nullable":true,"metadata":{}},)j"
      R"j({"name":"n","type":"timestamp_ntz","nullable":true,"metadata":{}},)j"
      R"j({"name":"m","type":{"type":"map","keyType":"string","valueType":"date","valueContainsNull":true},"nullable":true,"metadata":{}},)j"
      R"j({"name":"l","type":{"type":"array","elementType":{"type":"struct","fields":[{"name":"x","type":"byte","nullable":true,"metadata":{}}]},"containsNull":false},"nullable":true,"metadata":{}}]})j";
  const auto schema = SchemaFromJson(json).ValueOrDie();
  EXPECT_EQ(ColumnMetadata(*schema->field(0), "comment"), "c");
  EXPECT_EQ(ColumnMetadata(*schema->field(0), "delta.columnMapping.id"), "4");
  EXPECT_TRUE(schema->field(2)->type()->Equals(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
  EXPECT_EQ(SchemaToJson(*schema).ValueOrDie(), json);
}

TEST(SchemaJsonTest, RelativesBecomeTableTypes) {
  const auto schema =
      arrow::schema({arrow::field("s", arrow::large_utf8()),
                     arrow::field("e", arrow::dictionary(arrow::int32(), arrow::utf8())),
                     arrow::field("t", arrow::timestamp(arrow::TimeUnit::NANO, "Europe/Oslo")),
                     arrow::field("l", arrow::large_list(arrow::field("item", arrow::uint32())))});
  const auto table = TableSchemaOf(*schema).ValueOrDie();
  EXPECT_TRUE(table->field(0)->type()->Equals(arrow::utf8()));
  EXPECT_TRUE(table->field(1)->type()->Equals(arrow::utf8()));
  EXPECT_TRUE(table->field(2)->type()->Equals(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
  EXPECT_TRUE(
      table->field(3)->type()->Equals(arrow::list(arrow::field("element", arrow::int64()))));
}

TEST(SchemaJsonTest, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(
      HasCode(SchemaFromJson(R"j({"type":"struct","fields":[{"name":"v","type":"interval day"}]})j")
                  .status(),
              "DELTA_UNSUPPORTED_TYPE"));
  EXPECT_TRUE(HasCode(SchemaFromJson("{").status(), "DELTA_LOG_CORRUPT"));
  EXPECT_TRUE(HasCode(
      SchemaFromJson(R"j({"type":"struct","fields":[{"name":"v","type":"decimal(99,1)"}]})j")
          .status(),
      "DELTA_LOG_CORRUPT"));
  EXPECT_TRUE(HasCode(
      SchemaToJson(*arrow::schema({arrow::field("t", arrow::time64(arrow::TimeUnit::MICRO))}))
          .status(),
      "DELTA_UNSUPPORTED_TYPE"));
}

}  // namespace
}  // namespace sluice::delta
