// Every document of tests/codec/from_json_cases.jsonl must decode to what real Spark answered
// (tests/codec/capture_from_json.py), but for the differences listed with their reasons in
// tests/codec/from_json_differences.jsonl.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "codec/json_decoder.h"
#include "codec/json_writer.h"

namespace sluice::codec {
namespace {

using Json = nlohmann::json;

std::shared_ptr<arrow::DataType> TypeOf(const Json& type) {
  if (type.is_object()) {
    const std::string kind = type["type"];
    if (kind == "array") return arrow::list(TypeOf(type["elementType"]));
    if (kind == "map") return arrow::map(TypeOf(type["keyType"]), TypeOf(type["valueType"]));
    arrow::FieldVector fields;
    for (const Json& field : type["fields"])
      fields.push_back(arrow::field(field["name"], TypeOf(field["type"])));
    return arrow::struct_(fields);
  }
  const std::string name = type;
  static const std::map<std::string, std::shared_ptr<arrow::DataType>> kTypes = {
      {"boolean", arrow::boolean()},
      {"byte", arrow::int8()},
      {"short", arrow::int16()},
      {"integer", arrow::int32()},
      {"long", arrow::int64()},
      {"float", arrow::float32()},
      {"double", arrow::float64()},
      {"string", arrow::utf8()},
      {"binary", arrow::binary()},
      {"date", arrow::date32()},
      {"timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")},
      {"timestamp_ntz", arrow::timestamp(arrow::TimeUnit::MICRO)}};
  if (const auto found = kTypes.find(name); found != kTypes.end()) return found->second;
  int precision = 0;
  int scale = 0;
  EXPECT_EQ(std::sscanf(name.c_str(), "decimal(%d,%d)", &precision, &scale), 2) << name;
  return arrow::decimal128(precision, scale);
}

std::string FromBase64(const std::string& text) {
  auto decoder =
      JsonDecoder::Make(arrow::struct_({arrow::field("x", arrow::binary())}), nullptr, {})
          .ValueOrDie();
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.Append("{\"x\":\"" + text + "\"}").ok());
  auto out = decoder->Decode(*builder.Finish().ValueOrDie()).ValueOrDie();
  return static_cast<const arrow::BinaryArray&>(*out->field(0)).GetString(0);
}

struct Group {
  std::shared_ptr<arrow::DataType> type;
  JsonDecoderOptions options;
  std::unique_ptr<JsonDecoder> decoder;
};

// The answer in the fixture's form: the struct as JSON, "<NULL>", or "<ERROR code>".
std::string Answer(Group* group, const std::string& document, int64_t now) {
  arrow::BinaryBuilder builder;
  EXPECT_TRUE(builder.Append(document).ok());
  auto decoded = group->decoder->Decode(*builder.Finish().ValueOrDie(), now);
  if (!decoded.ok()) return "<ERROR " + ErrorCode(decoded.status()) + ">";
  EXPECT_TRUE((*decoded)->ValidateFull().ok()) << document;
  if ((*decoded)->IsNull(0)) return "<NULL>";
  std::string text;
  EXPECT_TRUE(
      AppendValueJson(**decoded, 0, &text, {.ignore_null_fields = false, .fraction_digits = 6})
          .ok());
  return text;
}

std::string DocumentOf(const Json& line) {
  return line.contains("doc64") ? FromBase64(line["doc64"]) : line["doc"].get<std::string>();
}

std::string SparkAnswer(const Json& line) {
  if (line.contains("error")) return "<ERROR JSON_MALFORMED_RECORD>";
  return line["json"].is_null() ? "<NULL>" : line["json"].get<std::string>();
}

class Fixture {
 public:
  Fixture() {
    std::ifstream differences(std::string(SLUICE_SOURCE_DIR) +
                              "/tests/codec/from_json_differences.jsonl");
    for (std::string line; std::getline(differences, line);) {
      const Json json = Json::parse(line);
      EXPECT_FALSE(json.at("reason").get<std::string>().empty());
      differences_[json.at("group").get<std::string>() + "|" + DocumentOf(json)] = json.at("ours");
    }
    std::ifstream cases(std::string(SLUICE_SOURCE_DIR) + "/tests/codec/from_json_cases.jsonl");
    EXPECT_TRUE(cases.good());
    for (std::string line; std::getline(cases, line);) lines_.push_back(Json::parse(line));
    now_ = lines_.at(0)["now_micros"];
    for (const Json& line : lines_) {
      if (!line.contains("schema")) continue;
      Group& group = groups_[line["group"]];
      group.type = TypeOf(line["schema"]);
      group.options =
          JsonDecoderOptions::FromMap(line["options"].get<std::map<std::string, std::string>>())
              .ValueOrDie();
      group.decoder = JsonDecoder::Make(group.type, nullptr, group.options).ValueOrDie();
    }
  }

  std::vector<Json> lines_;
  std::map<std::string, Group> groups_;
  std::map<std::string, std::string> differences_;
  int64_t now_ = 0;
};

TEST(FromJsonSparkTest, EveryDocumentDecodesAsSparkDoes) {
  Fixture fixture;
  int64_t checked = 0;
  for (const Json& line : fixture.lines_) {
    if (!line.contains("doc") && !line.contains("doc64")) continue;
    const std::string group = line["group"];
    const std::string document = DocumentOf(line);
    const std::string answer = Answer(&fixture.groups_.at(group), document, fixture.now_);
    const auto difference = fixture.differences_.find(group + "|" + document);
    const std::string expected =
        difference == fixture.differences_.end() ? SparkAnswer(line) : difference->second;
    EXPECT_EQ(answer, expected) << group << ": " << document.substr(0, 500);
    ++checked;
  }
  EXPECT_GT(checked, 1000);
}

// All documents of a group in one batch, in a buffer without room behind the last one, and again in
// a slice.
TEST(FromJsonSparkTest, BatchesAnswerAsSingleDocuments) {
  Fixture fixture;
  for (auto& [name, group] : fixture.groups_) {
    if (group.options.mode != ParseMode::kPermissive) continue;
    std::string bytes;
    std::vector<int32_t> offsets = {0};
    std::vector<std::string> expected;
    for (const Json& line : fixture.lines_) {
      if (line.value("group", "") != name || line.contains("schema")) continue;
      const std::string document = DocumentOf(line);
      bytes += document;
      offsets.push_back(static_cast<int32_t>(bytes.size()));
      expected.push_back(Answer(&group, document, fixture.now_));
    }
    const auto rows = static_cast<int64_t>(expected.size());
    auto array = std::make_shared<arrow::BinaryArray>(rows, arrow::Buffer::Wrap(offsets),
                                                      arrow::Buffer::FromString(bytes));
    auto clone = group.decoder->Clone();
    for (const int64_t skip : {int64_t{0}, rows / 3}) {
      const auto slice = array->Slice(skip);
      auto decoded = clone->Decode(*slice, fixture.now_).ValueOrDie();
      ASSERT_TRUE(decoded->ValidateFull().ok());
      ASSERT_EQ(decoded->length(), rows - skip);
      for (int64_t row = 0; row < decoded->length(); ++row) {
        std::string text = "<NULL>";
        if (decoded->IsValid(row)) {
          text.clear();
          ASSERT_TRUE(AppendValueJson(*decoded, row, &text,
                                      {.ignore_null_fields = false, .fraction_digits = 6})
                          .ok());
        }
        EXPECT_EQ(text, expected[static_cast<size_t>(row + skip)]) << name << " row " << row + skip;
      }
    }
  }
}

}  // namespace
}  // namespace sluice::codec
