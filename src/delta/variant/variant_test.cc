#include "delta/variant/variant.h"
#include "delta/protocol/variant_type.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "delta/variant/variant_shredding.h"

namespace sluice::delta {
namespace {

/// Metadata with one byte per offset.
std::string Names(const std::vector<std::string>& names) {
  std::string out("\x01", 1);
  out.push_back(static_cast<char>(names.size()));
  size_t offset = 0;
  out.push_back('\0');
  for (const std::string& name : names) out.push_back(static_cast<char>(offset += name.size()));
  for (const std::string& name : names) out += name;
  return out;
}

std::string Int8(int value) {
  return EncodeVariantPrimitive(VariantPrimitive::kInt8, std::string(1, static_cast<char>(value)));
}

std::string Sample() {
  const std::string list = EncodeVariantArray({EncodeVariantPrimitive(VariantPrimitive::kTrue),
                                               EncodeVariantString("x\"y"),
                                               EncodeVariantPrimitive(VariantPrimitive::kNull)});
  return EncodeVariantObject({{"a", 0, Int8(-3)}, {"b", 1, list}});
}

TEST(VariantTest, WritesJson) {
  EXPECT_EQ(VariantToJson(Names({"a", "b"}), Sample()).ValueOrDie(),
            R"({"a":-3,"b":[true,"x\"y",null]})");
}

TEST(VariantTest, WritesEveryPrimitive) {
  const auto json = [](VariantPrimitive type, const std::string& payload) {
    return VariantToJson(Names({}), EncodeVariantPrimitive(type, payload)).ValueOrDie();
  };
  using Code = VariantPrimitive;
  EXPECT_EQ(json(Code::kInt16, std::string("\x00\x01", 2)), "256");
  EXPECT_EQ(json(Code::kInt64, std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8)), "-1");
  EXPECT_EQ(json(Code::kDecimal4, std::string("\x02\x82\x00\x00\x00", 5)), "1.3");
  EXPECT_EQ(json(Code::kDate, std::string("\x01\x00\x00\x00", 4)), "\"1970-01-02\"");
  EXPECT_EQ(json(Code::kTimestamp, std::string("\x20\xa1\x07\x00\x00\x00\x00\x00", 8)),
            "\"1970-01-01 00:00:00.5+00:00\"");
  EXPECT_EQ(json(Code::kTimestampNtz, std::string(8, '\0')), "\"1970-01-01 00:00:00\"");
  EXPECT_EQ(json(Code::kFloat, std::string("\x00\x00\xc0\x7f", 4)), "\"NaN\"");
  EXPECT_EQ(json(Code::kBinary, std::string("\x02\x00\x00\x00hi", 6)), "\"aGk=\"");
  EXPECT_EQ(json(Code::kUuid, std::string(16, '\x11')), "\"11111111-1111-1111-1111-111111111111\"");
}

TEST(VariantTest, RefusesCutAndDamagedBytes) {
  const std::string value = Sample();
  const std::string names = Names({"a", "b"});
  for (size_t length = 0; length < value.size(); ++length)
    EXPECT_FALSE(VariantToJson(names, value.substr(0, length)).ok()) << length;
  for (size_t length = 0; length < names.size(); ++length)
    EXPECT_FALSE(VariantToJson(names.substr(0, length), value).ok()) << length;
  for (size_t at = 0; at < value.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = value;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      (void)VariantToJson(names, damaged);  // any outcome but a crash
    }
  }
}

TEST(VariantTest, PutsShreddedValuesTogether) {
  // {metadata, value, typed_value: {a: {value, typed_value: int}}}
  const auto field_type = arrow::struct_(
      {arrow::field("value", arrow::binary()), arrow::field("typed_value", arrow::int64())});
  const auto type = arrow::struct_(
      {arrow::field("metadata", arrow::binary(), false), arrow::field("value", arrow::binary()),
       arrow::field("typed_value", arrow::struct_({arrow::field("a", field_type, false)}))});
  const auto binary = [](const std::vector<std::optional<std::string>>& values) {
    arrow::BinaryBuilder builder;
    for (const auto& value : values)
      EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
    return builder.Finish().ValueOrDie();
  };
  const std::string names = Names({"a", "b"});
  // Row 0: a typed, b in the rest. Row 1: a is a string. Row 2: not an object. Row 3: no a.
  const std::string rest = EncodeVariantObject({{"b", 1, Int8(7)}});
  const auto a_value = binary({std::nullopt, EncodeVariantString("s"), std::nullopt, std::nullopt});
  arrow::Int64Builder typed;
  ASSERT_TRUE(typed.Append(42).ok());
  ASSERT_TRUE(typed.AppendNulls(3).ok());
  const auto a =
      arrow::StructArray::Make({a_value, typed.Finish().ValueOrDie()}, field_type->fields())
          .ValueOrDie();
  const auto validity = arrow::AllocateBitmap(4).ValueOrDie();
  validity->mutable_data()[0] = 0b1011;
  const auto object = std::make_shared<arrow::StructArray>(
      type->field(2)->type(), 4, arrow::ArrayVector{a}, std::shared_ptr<arrow::Buffer>(validity));
  const auto rows =
      arrow::StructArray::Make(
          {binary({names, names, names, names}),
           binary({rest, std::nullopt, EncodeVariantString("t"), std::nullopt}), object},
          type->fields())
          .ValueOrDie();
  const auto whole = UnshredVariant(rows, "v").ValueOrDie();
  ASSERT_TRUE(IsVariant(*whole->type()));
  const auto& parts = static_cast<const arrow::StructArray&>(
      *static_cast<const arrow::ExtensionArray&>(*whole).storage());
  const auto json = [&](int64_t row) {
    return VariantToJson(static_cast<const arrow::BinaryArray&>(*parts.field(0)).GetView(row),
                         static_cast<const arrow::BinaryArray&>(*parts.field(1)).GetView(row))
        .ValueOrDie();
  };
  EXPECT_EQ(json(0), R"({"a":42,"b":7})");
  EXPECT_EQ(json(1), R"({"a":"s"})");
  EXPECT_EQ(json(2), R"("t")");
  EXPECT_EQ(json(3), "{}");
}

TEST(VariantTest, JsonComesBackAsItWas) {
  const auto json = [](const std::string& text) {
    const auto encoded = VariantFromJson(text);
    if (!encoded.ok()) return ErrorCode(encoded.status());
    return VariantToJson(encoded->metadata, encoded->value).ValueOrDie();
  };
  std::string deep = "1";
  for (int i = 0; i < kMaxVariantDepth; ++i) deep = "[" + deep + "]";
  std::string many = "{";
  for (int i = 100; i < 500; ++i)
    many += (i == 100 ? "\"" : ",\"") + std::to_string(i) + "\":" + std::to_string(i * i);
  many += "}";
  for (const std::string& text : {std::string("null"),
                                  std::string("true"),
                                  std::string("\"\""),
                                  std::string("127"),
                                  std::string("-128"),
                                  std::string("128"),
                                  std::string("-32769"),
                                  std::string("2147483648"),
                                  std::string("-9223372036854775808"),
                                  std::string("9223372036854775808"),
                                  std::string("99999999999999999999999999999999999999"),
                                  std::string("0.5"),
                                  std::string("-1234567.891"),
                                  std::string("0.00000000000000000000000000000000000001"),
                                  std::string("1.0E10"),
                                  std::string("10.0"),
                                  std::string("[]"),
                                  std::string("{}"),
                                  std::string("[1,[2.5,{\"a\":null}]]"),
                                  "\"" + std::string(100, 'x') + "\"",
                                  deep,
                                  many})
    EXPECT_EQ(json(text), text);
  EXPECT_EQ(json(" { \"b\" : 1.50, \"a\" : 1e3 } "), "{\"a\":1000.0,\"b\":1.5}");
  EXPECT_EQ(json("[" + deep + "]"), "DELTA_INVALID_VARIANT");
  EXPECT_EQ(json("{\"a\":1,\"a\":2}"), "VARIANT_DUPLICATE_KEY");
  for (const char* broken : {"", "{", "[1,]", "nul", "1 2", "\"\xff\""})
    EXPECT_EQ(json(broken), "DELTA_INVALID_VARIANT") << broken;
}

}  // namespace
}  // namespace sluice::delta
