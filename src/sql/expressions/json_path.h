// The paths of get_json_object ($.a[0]['b'][*]) and what they find, with Spark's rules for
// wildcards. Immutable, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/expressions/json_document.h"

namespace sluice::sql {

class JsonPath {
 public:
  /// Nothing for a text that is no path.
  static std::optional<JsonPath> Parse(std::string_view text);
  /// The text found; nothing when there is none.
  std::optional<std::string> Find(const JsonDocument& document) const;
  /// True without wildcards.
  bool IsPlain() const;
  /// The value at a plain path; null when there is none.
  const JsonDocument* Locate(const JsonDocument& document) const;

 private:
  struct Step {
    enum class Kind { kName, kIndex, kEveryField, kEveryItem };
    Kind kind;
    std::string name;
    int64_t index = 0;
  };
  // How a string is written: as it is, in quotes, or as items of an array around.
  enum class Style { kRaw, kQuoted, kFlat };

  bool Walk(const JsonDocument& value, size_t step, Style style,
            std::vector<std::string>* out) const;
  bool WalkItems(const JsonDocument& array, size_t step, Style style,
                 std::vector<std::string>* out) const;

  std::vector<Step> steps_;
};

}  // namespace sluice::sql
