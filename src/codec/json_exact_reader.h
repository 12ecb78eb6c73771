// Reads any document, also a broken one, exactly as Spark's from_json does: which fields of a
// malformed document keep their values follows from where its parser stands after each error.
// Slower than the fast reader, which hands over what it does not take. One thread.
#pragma once

#include <arrow/util/decimal.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_node.h"
#include "codec/json_tokenizer.h"
#include "codec/time_reader.h"

namespace sluice::codec {

/// A value of any kind; which members count follows from the node.
struct JsonValue {
  bool is_null = true;
  int64_t integer = 0;
  double real = 0;
  arrow::Decimal128 decimal;
  std::string bytes;
  std::vector<JsonValue> items;   // fields, elements or map values
  std::vector<std::string> keys;  // of a map
};

enum class DocumentState {
  kEmpty,  // nothing but blanks: the struct is NULL
  kOk,
  kPartial,    // malformed, some fields could be read
  kMalformed,  // nothing could be read
};

class JsonExactReader {
 public:
  /// `root` (a struct) and `options` outlive this.
  JsonExactReader(const JsonNode& root, const JsonDecoderOptions& options,
                  std::shared_ptr<const TimeReader> times)
      : root_(root), tokenizer_(options), options_(options), times_(std::move(times)) {}

  /// Fills `row` (a struct value) in the states kOk and kPartial.
  DocumentState Read(std::string_view document, int64_t now_micros, JsonValue* row);

 private:
  enum class Outcome { kOk, kPartial, kError };

  Outcome Convert(const JsonNode& node, JsonValue* value);
  Outcome ConvertToken(const JsonNode& node, JsonToken token, JsonValue* value);
  Outcome ConvertObject(const JsonNode& node, JsonValue* value);
  Outcome ConvertArray(const JsonNode& node, JsonValue* value);
  Outcome ConvertMap(const JsonNode& node, JsonValue* value);
  Outcome ConvertToText(JsonToken token, JsonValue* value);
  bool ConvertInteger(const JsonNode& node, JsonToken token, JsonValue* value);
  bool ConvertReal(const JsonNode& node, JsonToken token, JsonValue* value);
  bool ConvertDecimal(const JsonNode& node, JsonToken token, JsonValue* value);
  bool ConvertTime(const JsonNode& node, JsonToken token, JsonValue* value);
  bool CopyContents(std::string* out);
  bool AppendScalar(JsonToken token, std::string* out);

  const JsonNode& root_;
  JsonTokenizer tokenizer_;
  const JsonDecoderOptions& options_;
  const std::shared_ptr<const TimeReader> times_;
  int64_t now_micros_ = 0;
};

/// Appends `value` of kind `node` to `column`.
void AppendJsonValue(const JsonNode& node, const JsonValue& value, JsonColumn* column);

}  // namespace sluice::codec
