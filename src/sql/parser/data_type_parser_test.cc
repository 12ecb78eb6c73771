#include "sql/parser/data_type_parser.h"
#include "sql/parser/data_type_name.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

namespace sluice::sql {
namespace {

std::string Simple(const std::string& text) {
  const auto type = ParseDataType(text);
  return type.ok() ? SparkTypeName(**type) : ErrorCode(type.status());
}

TEST(DataTypeParserTest, NamesRoundTrip) {
  for (const std::string name : {"boolean",
                                 "tinyint",
                                 "smallint",
                                 "int",
                                 "bigint",
                                 "float",
                                 "double",
                                 "decimal(12,2)",
                                 "string",
                                 "binary",
                                 "date",
                                 "timestamp",
                                 "timestamp_ntz",
                                 "array<int>",
                                 "map<string,array<int>>",
                                 "void",
                                 "variant",
                                 "struct<a:int,b:struct<c:string>>",
                                 "interval day to second",
                                 "interval year to month"}) {
    EXPECT_EQ(Simple(name), name);
  }
  EXPECT_EQ(Simple("STRUCT<a INT NOT NULL COMMENT 'x', `b c`: Decimal>"),
            "struct<a:int,b "
            "c:decimal(10,0)>");
  EXPECT_EQ(Simple("varchar(10)"), "string");
  EXPECT_EQ(Simple("struct<>"), "struct<>");
  EXPECT_EQ(Simple("timestamp without time zone"), "timestamp_ntz");
}

TEST(DataTypeParserTest, SqlForm) {
  EXPECT_EQ(SparkTypeSql(**ParseDataType("struct<a:int not null comment 'x',`b "
                                         "c`:map<string,date>>")),
            "STRUCT<a: INT NOT NULL COMMENT 'x', `b c`: MAP<STRING,DATE>>");
}

TEST(DataTypeParserTest, Errors) {
  EXPECT_EQ(Simple("strng"), "UNSUPPORTED_DATATYPE");
  EXPECT_EQ(ErrorHint(ParseDataType("strng").status()), "did you mean STRING?");
  EXPECT_EQ(Simple("array"), "UNSUPPORTED_DATATYPE");
  EXPECT_EQ(Simple("decimal(39,2)"), "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION");
  EXPECT_EQ(Simple("array<int"), "PARSE_SYNTAX_ERROR");
  EXPECT_EQ(Simple("int int"), "PARSE_SYNTAX_ERROR");
  EXPECT_EQ(Simple(""), "PARSE_SYNTAX_ERROR");
}

TEST(DataTypeParserTest, Schemas) {
  const auto schema = ParseSchema(
      "a STRING, b MAP<STRING,INT> NOT NULL COMMENT 'm', timestamp "
      "TIMESTAMP");
  ASSERT_TRUE(schema.ok()) << schema.status();
  EXPECT_EQ((*schema)->num_fields(), 3);
  EXPECT_FALSE((*schema)->field(1)->nullable());
  EXPECT_EQ(*(*schema)->field(1)->metadata()->Get("comment"), "m");
  EXPECT_TRUE(ParseSchema("struct<a:int>").ok());
  EXPECT_FALSE(ParseSchema("array<int>").ok());
  EXPECT_EQ(SparkTypeName(**ParseSchemaOrType("a INT, b array<struct<c:int>>")),
            "struct<a:int,b:array<struct<c:int>>>");
}

}  // namespace
}  // namespace sluice::sql
