// Java regular expressions for RE2: the pattern rewritten so that RE2 finds the same matches, or
// refused where it would not (look-around, back-references, possessive quantifiers, class
// intersections, word boundaries). Pure functions.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace sluice::sql {

struct JavaRegex {
  std::string pattern;  // for RE2
  int groups = 0;       // capturing groups
  bool consumes_line_end =
      false;  // a final $ was rewritten: right for "is there a match", not for what matched
};

/// NOT_SUPPORTED_YET with the construct; INVALID_REGEXP for a broken pattern.
Result<JavaRegex> TranslateRegex(std::string_view java);

/// "$1-x" and "\$" of Java's replaceAll in RE2's form ("\1-x"). Group references must be single
/// digits that exist.
Result<std::string> TranslateReplacement(std::string_view java, int groups);

/// Patterns of the form ^[class]{n}...$ of ASCII classes and fixed counts, matched without an
/// automaton.
class FixedPattern {
 public:
  static std::optional<FixedPattern> Make(std::string_view java);
  bool Matches(std::string_view text) const;

 private:
  std::vector<std::bitset<128>> positions_;
};

}  // namespace sluice::sql
