// A JSON text as a tree, read as Spark's functions read it, and written back as Spark's do: what
// get_json_object, json_tuple and schema_of_json work on. Values; one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_decoder.h"

namespace sluice::sql {

struct JsonDocument {
  enum class Kind { kNull, kBoolean, kInteger, kReal, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  std::string text;  // of a string its characters, of a number its digits, "true" or "false"
  std::vector<std::string> names;   // of an object's values, in order; may repeat
  std::vector<JsonDocument> items;  // of an array or an object

  /// Nothing when the first value in `text` is not JSON (what comes after it is not looked at) or
  /// nests deeper than the options allow.
  static std::optional<JsonDocument> Parse(std::string_view text,
                                           const codec::JsonDecoderOptions& options = {});
  /// Compact JSON.
  void AppendTo(std::string* out) const;
  /// A string as it is, everything else as JSON.
  std::string ToText() const;
};

}  // namespace sluice::sql
